/*
 * failure.h - what each error means to a visitor. The one place where errors become HTTP.
 */
#pragma once

#include <glib.h>

typedef enum {
  FAILURE_LATER,  /* the service cannot do this now */
  FAILURE_DAMAGED /* this message cannot be shown, now or later */
} FailureKind;

typedef struct {
  guint status;        /* of HTTP */
  guint retry_after_s; /* 0: none */
  FailureKind kind;
} Failure;

/* What ERROR (of any domain) means. Pure. */
Failure
failure_of(const GError *error);
