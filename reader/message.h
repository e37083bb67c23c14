/*
 * message.h - a message as a person sees it: who and when, what to read, what to download.
 *
 * MIME parts are sorted into segments to read, in their order, and attachments. Anything
 * that is not text to read is an attachment, inline images, signatures, calendars and
 * forwarded messages (as they are, .eml) too: nothing that was sent is out of reach.
 */
#pragma once

#include <glib.h>
#include <gmime/gmime.h>

#define MESSAGE_MAX_BYTES (64 * 1024 * 1024)
#define MESSAGE_MAX_DEPTH 32 /* of multiparts in multiparts */
#define MESSAGE_MAX_PARTS 1000

/* One piece to read; in multipart/alternative the same words in two forms. */
typedef struct {
  GMimePart *text;        /* text/plain, borrowed from the message, or NULL */
  GMimePart *html;        /* text/html, borrowed, or NULL */
  const char *loose_text; /* text of a multipart without parts, borrowed, or NULL */
  const GMimePart
      *said; /* the text of an earlier piece that has these words too, or NULL */
} Segment;

typedef struct {
  GMimePart *part; /* borrowed from the message */
  char *type;      /* media type, lower case */
  char *name;      /* see clean_file_name */
} Attachment;

typedef struct {
  GMimeMessage *mime;
  GArray *segments;       /* of Segment */
  GPtrArray *attachments; /* of Attachment; number N is at N - 1 */
  gboolean is_cut;        /* deeper or more than the limits: not all of it is here */
  gboolean is_odd;        /* programs differ about what parts it has */
} Message;

/* Takes LEN bytes at BYTES. FALSE ends the transfer. */
typedef gboolean (*MessageSink)(const char *bytes, gsize len, gpointer data);

/*
 * Prepares GMime. Call once, before the sandbox and after charset_open: from then on GMime
 * needs nothing but memory.
 */
void
message_init(void);

/*
 * Parses BYTES (takes), at most MESSAGE_MAX_BYTES. Whatever they are, the result is a
 * message. Free it with message_free.
 */
Message *
message_parse(GByteArray *bytes);

/*
 * Parses the content of PART as a message: in place when it is not encoded, else a copy of
 * at most MAX bytes, of which *COPIED gets the number. Free it before the message of PART.
 */
Message *
message_parse_inner(GMimePart *part, gsize max, gsize *copied);

/* Whether TYPE (lower case) is a message within a message. */
gboolean
message_is_forwarded(const char *type);

/* Frees MESSAGE and all that was borrowed from it; NULL is allowed. */
void
message_free(Message *message);

/* Hands the decoded bytes of PART to SINK. FALSE when SINK said so. */
gboolean
message_part_decode(GMimePart *part, MessageSink sink, gpointer data);

/* How many bytes PART is when decoded. */
guint64
message_part_size(GMimePart *part);

/* The SHA-256 of the decoded bytes of PART in lower case hexadecimal, a new string; *SIZE
 * gets how many there are. */
char *
message_part_sha256(GMimePart *part, guint64 *size);

/*
 * The decoded bytes of PART, at most MAX of them; *IS_CUT (if not NULL) becomes TRUE when
 * there are more and is else untouched. The caller unrefs.
 */
GByteArray *
message_part_bytes(GMimePart *part, gsize max, gboolean *is_cut);

/*
 * The decoded text of PART as valid UTF-8 by its charset parameter, of at most MAX bytes
 * before conversion; *IS_CUT as above. A new string.
 */
char *
message_part_text(GMimePart *part, gsize max, gboolean *is_cut);

/* The attachment with CONTENT_ID (without angle brackets), owned by MESSAGE, or NULL. */
const Attachment *
message_find_content_id(const Message *message, const char *content_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)
