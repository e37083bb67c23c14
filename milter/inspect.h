/*
 * inspect.h - attachments, as a confined zegel-reader sees them (S10, S11, K3).
 *
 * The milter parses no MIME: it hands the message on and takes names, sizes and hashes
 * back. Readers live long; each looks at one message at a time, and one that dies, hangs or
 * talks nonsense costs that message (try again), and is replaced. Any thread.
 */
#pragma once

#include <glib.h>

#define INSPECT_TIMEOUT_MS                                                                 \
  10000 /* to wait for the reader, in all; as much till one is free */
#define INSPECT_STALL_MS     5000 /* who hands over nothing for so long may lose its reader */
#define INSPECT_HELD_BYTES   (64 * 1024) /* kept here before a reader is taken */
#define INSPECT_MAX_NAMES    2000
#define INSPECT_SHA256_BYTES 32

/* An attachment, or a name found with it. All owned. */
typedef struct {
  char *name;   /* "report.pdf", "a.zip/setup.exe", "forwarded.eml/x.js"; UTF-8, a line */
  char *type;   /* media type, lower case; "" when listed */
  guint64 size; /* decoded octets; 0 when listed */
  /* Only a name, no hash: something inside a zip archive (one for each extension) or a
   * forwarded message, or another name by which the attachment before it may be shown. */
  gboolean listed;
  guint8 sha256[INSPECT_SHA256_BYTES]; /* of the decoded octets */
} InspectedPart;

typedef struct {
  GPtrArray *parts;    /* of InspectedPart */
  guint64 total_bytes; /* of the attachments themselves */
  gboolean cut;        /* too large, too deep or too many: not all could be looked at */
  char *unreadable;    /* name of an archive that cannot be listed, or NULL */
} Inspected;

/* Frees INSPECTED; NULL is allowed. */
void
inspected_free(Inspected *inspected);

/*
 * Parses LEN bytes at BYTES, the answer of a reader: one block of attributes, nothing after
 * it (zegel-reader(8)). *IS_LAST: the reader ends after it. NULL with ZEGEL_ERROR_INVALID
 * or ZEGEL_ERROR_LIMIT.
 */
Inspected *
inspected_parse(const char *bytes, gsize len, gboolean *is_last, GError **error);

typedef struct Inspectors Inspectors;

/*
 * At most COUNT (1 or more) readers of the program at PATH; they start when they are
 * needed. SIGPIPE is ignored from now on. Never NULL; freed with inspectors_free.
 */
Inspectors *
inspectors_new(const char *path, guint count);

/* Frees INSPECTORS, which no inspection uses any more, and ends its readers; NULL is
 * allowed. */
void
inspectors_free(Inspectors *inspectors);

typedef struct Inspection Inspection;

/* Begins. Takes no reader yet, so that slow senders of small messages keep none. Never
 * NULL. */
Inspection *
inspection_begin(Inspectors *inspectors);

/*
 * Hands over LEN bytes of the message, header first, with CRLF line ends. Takes the next
 * free reader when there is more than a little; may wait. After an error inspection_end
 * says what it was.
 */
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
