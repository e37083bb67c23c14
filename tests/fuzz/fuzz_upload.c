/* Harness for the frames of a form, as a reader that was taken over may send them. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

#include "viewer-cgi/upload.h"

#define FILES_MAX 65536

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  gsize piece = size > 0 ? data[0] + 1u : 1;
  UploadFrames *frames = upload_frames_new(FILES_MAX);
  gboolean good = TRUE;
  for (gsize i = 1; good && i < size; i += piece)
    good = upload_frames_take(frames, (const char *) data + i, MIN(piece, size - i), NULL);
  if (!good) {
    upload_frames_free(frames);
    return 0;
  }
  g_autoptr(Upload) upload = upload_frames_finish(frames, NULL);
  if (upload != NULL && (upload->files->len > UPLOAD_MAX_FILES ||
                         (upload->left_out && upload->files->len > 0) ||
                         (!upload->left_out && upload->files_bytes > FILES_MAX)))
    abort();
  return 0;
}
