/*
 * logo.h - the organisations' logos, read once at the start.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

#define LOGO_MAX_BYTES (256 * 1024) /* on every page of an old phone */

/* Both owned by Logos. */
typedef struct {
  GBytes *bytes;
  const char *type; /* image/png or image/svg+xml */
} Logo;

typedef struct Logos Logos;

/*
 * Reads the logo of each organisation of CONFIG (borrowed) that names one. NULL with
 * ZEGEL_ERROR_CONFIG and a text that says which file and why: it cannot be read, is longer
 * than LOGO_MAX_BYTES, or is no PNG or SVG.
 */
Logos *
logos_load(const Config *config, GError **error);

/* The logo of ORGANISATION, or NULL. LOGOS may be NULL. */
const Logo *
logos_find(const Logos *logos, const Organisation *organisation);

/* Frees LOGOS; NULL is allowed. */
void
logos_free(Logos *logos);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Logos, logos_free)
