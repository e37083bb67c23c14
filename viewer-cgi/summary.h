/*
 * summary.h - what zegel-reader says of a message, checked on arrival.
 */
#pragma once

#include <glib.h>

#define SUMMARY_MAX_BYTES       (1024 * 1024)
#define SUMMARY_TEXT_MAX_BYTES  2000 /* of one header as it is shown; more is cut */
#define SUMMARY_MAX_ATTACHMENTS 1000
#define SUMMARY_SHA256_BYTES    32

typedef enum {
  BODY_TEXT,
  BODY_HTML,
  BODY_NONE
} Body;

typedef enum {
  CHECK_UNKNOWN, /* nobody knows what was sent, or what is here */
  CHECK_SAME,    /* it is what the milter saw */
  CHECK_DIFFERS
} AttachmentCheck;

typedef struct {
  guint part; /* for "zegel-reader part N" */
  char *type; /* declared; may be anything */
  char *name; /* as the sender wrote it: see disposition.h */
  guint64 size_bytes;
  guint8 sha256[SUMMARY_SHA256_BYTES]; /* of the decoded bytes */
  gboolean has_sha256;
  AttachmentCheck check; /* by summary_compare */
} Attachment;

/* Strings are never NULL, valid UTF-8, and still the sender's: escape them. */
typedef struct {
  char *from;
  char *from_name;
  char *to;
  char *cc;
  char *date_text; /* as it stood in the message, when date_s is 0 */
  gint64 date_s;
  char *subject;
  Body body; /* what is shown best */
  gboolean has_text;
  gboolean has_html;
  gboolean cut;           /* the message has more than is listed here */
  GPtrArray *attachments; /* of Attachment */
  gboolean missing;       /* by summary_compare: more was sent than is here */
} Summary;

/*
 * Parses LEN bytes at BYTES, an attribute block (attr.h, escaped) as zegel-reader(8) has
 * it. Returns a summary that the caller frees, or NULL with ZEGEL_ERROR_INVALID or
 * ZEGEL_ERROR_LIMIT.
 */
Summary *
summary_parse(const char *bytes, gsize len, GError **error);

/* Frees SUMMARY; NULL is allowed. */
void
summary_free(Summary *summary);

/* The attachment with number PART, owned by SUMMARY, or NULL. */
const Attachment *
summary_find_part(const Summary *summary, guint part);

/*
 * Compares the attachments with those that were SENT (of TicketPart, in their order; CUT:
 * there were more) and sets check and missing (K3). Whether no difference was found.
 */
gboolean
summary_compare(Summary *summary, const GPtrArray *sent, gboolean cut);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Summary, summary_free)
