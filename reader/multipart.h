/*
 * multipart.h - what a browser sends when a form has files (RFC 7578).
 *
 * A parser of mail guesses where it must; this one does not. The bytes of a file come out
 * exactly as they came in, and what is not in order is refused as a whole: a browser's
 * request is never damaged on its way.
 */
#pragma once

#include <glib.h>

#define MULTIPART_TYPE_MAX_BYTES 500 /* of the value of the request's Content-Type */
#define MULTIPART_HEAD_MAX_BYTES 8192
#define MULTIPART_NAME_MAX_BYTES 200
#define MULTIPART_MAX_PARTS      120

/* Where the bytes stand is the caller's. */
typedef struct {
  char *name;      /* never empty */
  char *file_name; /* as it was sent, perhaps empty; NULL: no file but a field */
  char *type;      /* clean_media_type; "text/plain" when none was sent */
  char *charset;   /* as it was sent, or NULL */
  const char *bytes;
  gsize len;
} MultipartPart;

typedef enum {
  MULTIPART_READ,
  MULTIPART_MALFORMED,
  MULTIPART_TOO_MANY /* more than MULTIPART_MAX_PARTS */
} MultipartResult;

/*
 * The parts of the LEN bytes at BODY, which CONTENT_TYPE (the request's field, without its
 * name) describes, as a new array of MultipartPart in *PARTS that the caller unrefs, and
 * that points into BODY. *PARTS is NULL when the result is not MULTIPART_READ.
 */
MultipartResult
multipart_parse(const char *content_type, const char *body, gsize len, GPtrArray **parts);
