/*
 * bounce_reader.h - has zegel-reader say what a bounce means.
 */
#pragma once

#include <glib.h>

typedef enum {
  BOUNCE_FAILED,  /* it will not be delivered */
  BOUNCE_DELAYED, /* it still may be */
  BOUNCE_OTHER    /* no bounce: an absence note, a confirmation of reading, anything */
} BounceKind;

typedef struct {
  BounceKind kind;
  char status[16]; /* "5.1.1" (RFC 3463), "" when it does not say */
  char *text;      /* what the other side said, for the log: any UTF-8; "" for nothing */
} Bounce;

/* Frees what BOUNCE holds. */
void
bounce_clear(Bounce *bounce);

/* The beginning of what the other side said, for the log: a new string. */
char *
bounce_brief(const Bounce *bounce);

/*
 * Lets the program READER read LEN bytes at BYTES and fills *BOUNCE. A message that it
 * cannot read is BOUNCE_OTHER. FALSE with ZEGEL_ERROR_TEMPORARY when it cannot work now.
 * Any thread.
 */
gboolean
bounce_read(const char *reader, const char *bytes, gsize len, Bounce *bounce,
            GError **error);

/* The same for LEN bytes at BYTES, what the reader wrote. FALSE with ZEGEL_ERROR_INVALID.
 */
gboolean
bounce_parse(const char *bytes, gsize len, Bounce *bounce, GError **error);
