/*
 * inspect.h - attachments, as a confined zegel-reader sees them (S10, S11, K3).
 *
 * The milter parses no MIME: it hands the message on and takes names, sizes and hashes
 * back. Readers live long; each looks at one message at a time, and one that dies, hangs or
 * talks nonsense costs that message (try again), and is replaced. Any thread.
 */
#pragma once

#include <glib.h>

#define INSPECT_TIMEOUT_MS   10000 /* for one message, and for a reader to be free */
#define INSPECT_MAX_NAMES    2000
#define INSPECT_SHA256_BYTES 32

/* An attachment, or what is listed in one. All owned. */
typedef struct {
  char *name;   /* "report.pdf", "a.zip/setup.exe", "forwarded.eml/x.js"; UTF-8, a line */
  guint64 size; /* decoded octets; 0 for what is only listed */
  gboolean listed; /* inside a zip archive: no hash */
  guint8 sha256[INSPECT_SHA256_BYTES];
} InspectedPart;

typedef struct {
  GPtrArray *parts;    /* of InspectedPart */
  guint64 total_bytes; /* of the attachments themselves */
  gboolean cut;        /* too deep or too many: not all could be looked at */
  char *unreadable;    /* name of an archive that cannot be listed, or NULL */
} Inspected;

/* Frees INSPECTED; NULL is allowed. */
void
inspected_free(Inspected *inspected);

typedef struct Inspectors Inspectors;

/* At most COUNT readers of the program at PATH; they start when they are needed. Never
 * NULL; freed with inspectors_free, which ends them. */
Inspectors *
inspectors_new(const char *path, guint count);

/* Frees INSPECTORS; NULL is allowed. */
void
inspectors_free(Inspectors *inspectors);

typedef struct Inspection Inspection;

/* Begins with the next free reader. NULL with ZEGEL_ERROR_TEMPORARY. */
Inspection *
inspection_begin(Inspectors *inspectors, GError **error);

/* Hands over LEN bytes of the message, header first, with CRLF line ends. After an error
 * inspection_end says what it was. */
void
inspection_write(Inspection *inspection, const void *bytes, gsize len);

/* Ends the message and frees INSPECTION. What was found, owned by the caller, or NULL with
 * ZEGEL_ERROR_TEMPORARY. */
Inspected *
inspection_end(Inspection *inspection, GError **error);

/* Frees INSPECTION and its reader, of a message that goes no further; NULL is allowed. */
void
inspection_abandon(Inspection *inspection);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Inspected, inspected_free)
