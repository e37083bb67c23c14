/*
 * edit.h - changes single lines of a text; every other one stays as it is, byte for byte.
 *
 * Pure: it knows no file, and of a line only where it ends and where its comment begins.
 */
#pragma once

#include <glib.h>

typedef struct Edit Edit;

/* An edit that changes nothing, freed with edit_free. */
Edit *
edit_new(void);

/* Frees EDIT; NULL is allowed. */
void
edit_free(Edit *edit);

/* Line LINE (from 1) goes, with its comment. */
void
edit_drop(Edit *edit, guint line);

/* Line LINE becomes TEXT (copied, without its end); a comment behind it stays. */
void
edit_replace(Edit *edit, guint line, const char *text);

/* TEXT (copied, without its end) becomes a new line behind those that were added before. */
void
edit_add(Edit *edit, const char *text);

/* The added lines come behind line LINE; without this call they come at the end. */
void
edit_add_behind(Edit *edit, guint line);

/* Whether EDIT changes anything. */
gboolean
edit_is_change(const Edit *edit);

/* LEN bytes at TEXT with EDIT done: a new text, which the caller frees. */
GString *
edit_apply(const Edit *edit, const char *text, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Edit, edit_free)
