/*
 * upload.h - what a visitor sends with files (multipart/form-data).
 *
 * The viewer does not parse it: the body goes as it comes into zegel-reader (view "form"),
 * and fields and files come back as frames, which are checked here. Nothing of it touches
 * a disk, and a visitor on a slow line has an end to his time.
 */
#pragma once

#include <glib.h>

#include "common/base/secret.h"
#include "viewer-cgi/form.h"

#define UPLOAD_MAX_FILES   20
#define UPLOAD_SPARE_BYTES (1024 * 1024) /* of a request beside its files: text, names */
#define UPLOAD_BASE_S      60            /* for a body of any size ... */
#define UPLOAD_MIN_RATE    32768         /* ... and a second for so many octets of it */

/* Reads at most LEN bytes of a body into BUFFER: the count, 0 at the end. */
typedef gsize (*UploadReadFunc)(gpointer source, gpointer buffer, gsize len);

/* A body that waits to be read. All borrowed. */
typedef struct {
  const char *type; /* of the request: the value of its Content-Type */
  guint64 length;   /* octets that its head promised */
  UploadReadFunc read;
  gpointer source;
} UploadBody;

/* A file that was chosen. All owned. */
typedef struct {
  char *field;     /* of the form */
  char *file_name; /* UTF-8, perhaps hostile still: disposition_file_name it */
  char *type;      /* as the browser says */
  Secret *bytes;
} UploadFile;

typedef struct {
  Form *fields;
  GPtrArray *files;    /* of UploadFile, in order */
  guint64 files_bytes; /* of all files, also of those that were left out */
  gboolean left_out;   /* files were too large together, or too many: none is here */
} Upload;

/*
 * Reads BODY through the program READER; of files at most FILES_MAX octets together are
 * kept. Returns an upload that the caller frees, or NULL with ZEGEL_ERROR_INVALID (not in
 * order, or it ended early, or came too slowly), ZEGEL_ERROR_LIMIT (more than the reader
 * takes) or ZEGEL_ERROR_TEMPORARY. The caller has compared the length with what he allows.
 */
Upload *
upload_receive(const char *reader, const UploadBody *body, guint64 files_max,
               GError **error);

/* Wipes and frees UPLOAD; NULL is allowed. */
void
upload_free(Upload *upload);

/* ---- The frames, as zegel-reader(8) has them ---- */

typedef struct UploadFrames UploadFrames;

/* Frames that are still to come, for files of at most FILES_MAX octets together. Never
 * NULL; freed with upload_frames_free. */
UploadFrames *
upload_frames_new(guint64 files_max);

/* Frees FRAMES; NULL is allowed. */
void
upload_frames_free(UploadFrames *frames);

/* Takes the next LEN bytes. FALSE with ZEGEL_ERROR_INVALID: they are no frames. */
gboolean
upload_frames_take(UploadFrames *frames, const char *bytes, gsize len, GError **error);

/* Takes FRAMES at their end: the upload, or NULL with ZEGEL_ERROR_INVALID. */
Upload *
upload_frames_finish(UploadFrames *frames, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Upload, upload_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(UploadFrames, upload_frames_free)
