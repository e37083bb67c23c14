/* What a visitor sends with files: the frames, and the way through the reader. */
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"
#include "viewer-cgi/request.h"
#include "viewer-cgi/slots.h"
#include "viewer-cgi/upload.h"

#define FILES_MAX 1000
#define BOUNDARY  "xYz"
#define TYPE      "multipart/form-data; boundary=" BOUNDARY

/* The upload in FRAMES, taken in pieces of PIECE bytes; NULL when they are refused. */
static Upload *
take(const char *frames, gsize len, gsize piece)
{
  g_autoptr(GError) error = NULL;
  UploadFrames *parser = upload_frames_new(FILES_MAX);
  gboolean good = TRUE;
  for (gsize i = 0; good && i < len; i += piece)
    good = upload_frames_take(parser, frames + i, MIN(piece, len - i), &error);
  Upload *upload = NULL;
  if (good)
    upload = upload_frames_finish(parser, &error);
  else
    upload_frames_free(parser);
  if (upload == NULL)
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  return upload;
}

static void
check_file(const Upload *upload, guint i, const char *name, const char *type,
           const char *bytes, gsize len)
{
  const UploadFile *file = upload->files->pdata[i];
  g_assert_cmpstr(file->field, ==, "files");
  g_assert_cmpstr(file->file_name, ==, name);
  g_assert_cmpstr(file->type, ==, type);
  g_assert_cmpmem(secret_peek(file->bytes), secret_size(file->bytes), bytes, len);
}

static void
test_frames(void)
{
  static const char frames[] = "field text 4\na\nb\n"
                               "field empty 0\n"
                               "file files uit%20slag%25.pdf application/pdf 3\n\0\nx"
                               "file files b - 0\n"
                               "end\n";
  for (gsize piece = 1; piece < sizeof frames; piece++) {
    g_autoptr(Upload) upload = take(frames, sizeof frames - 1, piece);
    g_assert_nonnull(upload);
    g_assert_cmpstr(form_get(upload->fields, "text"), ==, "a\nb\n");
    g_assert_cmpstr(form_get(upload->fields, "empty"), ==, "");
    g_assert_null(form_get(upload->fields, "files"));
    g_assert_cmpuint(upload->files->len, ==, 2);
    check_file(upload, 0, "uit slag%.pdf", "application/pdf", "\0\nx", 3);
    check_file(upload, 1, "b", "-", "", 0);
    g_assert_cmpuint(upload->files_bytes, ==, 3);
    g_assert_false(upload->left_out);
  }
}

/* A reader that was taken over can say anything; nothing of it is believed. */
static void
test_bad_frames(void)
{
  static const struct {
    const char *bytes;
    gsize len;
  } rows[] = {
#define ROW(text) {text, sizeof text - 1}
      ROW(""),
      ROW("end"),
      ROW("field a 1\nx"),
      ROW("field a 1\nxend\nmore"),
      ROW("field a -1\nend\n"),
      ROW("field a 99999999999999999999\nend\n"),
      ROW("field a 300000\nend\n"),
      ROW("file a b c 99999999999\nend\n"),
      ROW("file a b 1\nxend\n"),
      ROW("field a b 1\nxend\n"),
      ROW("field a%0 0\nend\n"),
      ROW("field a%zz 0\nend\n"),
      ROW("field %ff 0\nend\n"),
      ROW("other a 0\nend\n"),
      ROW("field a 1\nxfield a 1\nyend\n"), /* T15: a field twice */
      ROW("field a 3\nx\0yend\n"),
      ROW("field a 1\n\xff"
          "end\n"),
      ROW("end 0\n"),
      ROW("\n"),
      ROW("  \nend\n"),
      ROW("file a b c d e 0\nend\n"),
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Upload) upload = take(rows[i].bytes, rows[i].len, 1);
    g_assert_null(upload);
  }
  g_autofree char *line = g_strnfill(20000, 'a');
  g_assert_null(take(line, 20000, 4096));
}

/* What is too large is not kept, and the words still are. */
static void
test_left_out(void)
{
  g_autofree char *bytes = g_strnfill(600, 'x');
  g_autofree char *frames =
      g_strdup_printf("file files a - 600\n%sfile files b - 600\n%sfile files c - 1\nx"
                      "field text 2\nhiend\n",
                      bytes, bytes);
  g_autoptr(Upload) upload = take(frames, strlen(frames), 100);
  g_assert_nonnull(upload);
  g_assert_true(upload->left_out);
  g_assert_cmpuint(upload->files->len, ==, 0);
  g_assert_cmpuint(upload->files_bytes, ==, 1201);
  g_assert_cmpstr(form_get(upload->fields, "text"), ==, "hi");
}

static void
test_too_many(void)
{
  GString *frames = g_string_new(NULL);
  for (guint i = 0; i <= UPLOAD_MAX_FILES; i++)
    g_string_append(frames, "file files a - 0\n");
  g_string_append(frames, "end\n");
  g_autoptr(Upload) upload = take(frames->str, frames->len, 7);
  g_string_free(frames, TRUE);
  g_assert_nonnull(upload);
  g_assert_true(upload->left_out);
  g_assert_cmpuint(upload->files->len, ==, 0);
}

/* ---- Through the reader ---- */

typedef struct {
  const char *bytes;
  gsize left;
  gsize step;
} Body;

static gsize
read_body(gpointer source, gpointer buffer, gsize len)
{
  Body *body = source;
  gsize n = MIN(MIN(len, body->left), body->step);
  if (n > 0)
    memcpy(buffer, body->bytes, n);
  body->bytes += n;
  body->left -= n;
  return n;
}

static char *
reader_path(void)
{
  return g_test_build_filename(G_TEST_BUILT, "reader", "zegel-reader", NULL);
}

static Upload *
receive(const char *reader, const char *type, const char *bytes, gsize len,
        guint64 promised, gsize step, GError **error)
{
  Body body = {bytes, len, step};
  const UploadBody upload = {type, promised, read_body, &body};
  return upload_receive(reader, &upload, FILES_MAX * 1000, error);
}

static void
test_real_reader(void)
{
  static const char head[] =
      "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"
      "Beste dokter,\r\n\xe2\x82\xac 5\r\n--" BOUNDARY "\r\n"
      "Content-Disposition: form-data; name=\"files\"; filename=\"../foto 1.jpg\"\r\n"
      "Content-Type: image/jpeg\r\n\r\n";
  static const char tail[] = "\r\n--" BOUNDARY "--\r\n";
  GString *request = g_string_new_len(head, sizeof head - 1);
  gsize size = 300000;
  for (gsize i = 0; i < size; i++)
    g_string_append_c(request, (char) (i * 7 + i / 256));
  g_string_append_len(request, tail, sizeof tail - 1);
  g_autofree char *reader = reader_path();
  const gsize steps[] = {G_MAXSIZE, 1000};
  for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Upload) upload =
        receive(reader, TYPE, request->str, request->len, request->len, steps[i], &error);
    g_assert_no_error(error);
    g_assert_cmpstr(form_get(upload->fields, "text"), ==, "Beste dokter,\n\xe2\x82\xac 5");
    g_assert_cmpuint(upload->files->len, ==, 1);
    const UploadFile *file = upload->files->pdata[0];
    g_assert_nonnull(strstr(file->file_name, "foto 1.jpg"));
    g_assert_cmpmem(secret_peek(file->bytes), secret_size(file->bytes),
                    request->str + sizeof head - 1, size);
  }
  g_string_free(request, TRUE);
}

/* T14, T15: what is damaged, cut off or twice there is refused as a whole. */
static void
test_bad_requests(void)
{
  static const char *const rows[] = {
      "nothing of the kind",
      "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
      "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--" BOUNDARY
      "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ny\r\n--" BOUNDARY "--\r\n",
  };
  g_autofree char *reader = reader_path();
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    gsize len = strlen(rows[i]);
    g_assert_null(receive(reader, TYPE, rows[i], len, len, G_MAXSIZE, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

static void
test_broken_off(void)
{
  static const char part[] = "--" BOUNDARY "\r\n";
  g_autofree char *reader = reader_path();
  g_autoptr(GError) error = NULL;
  g_assert_null(receive(reader, TYPE, part, sizeof part - 1, 1000, 5, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

static void
test_no_reader(void)
{
  g_autoptr(GError) error = NULL;
  g_assert_null(receive("/nonexistent/reader", TYPE, "x", 1, 1, 1, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
}

/* ---- Slots ---- */

static void
test_slots(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Slots) slots = slots_new(2, &error);
  g_assert_no_error(error);
  int pipes[2];
  g_assert_cmpint(pipe(pipes), ==, 0);
  pid_t child = fork();
  if (child == 0) {
    char result[2] = {(char) slots_take(slots), 0};
    _exit(write(pipes[1], result, 1) == 1 ? pause() : 1);
  }
  char first = -2;
  g_assert_cmpint(read(pipes[0], &first, 1), ==, 1);
  g_assert_cmpint(first, ==, 0);
  int mine = slots_take(slots); /* the other one */
  g_assert_cmpint(mine, ==, 1);
  pid_t other = fork();
  if (other == 0)
    _exit(slots_take(slots) == -1 ? 0 : 1);
  int status = -1;
  g_assert_cmpint(waitpid(other, &status, 0), ==, other);
  g_assert_cmpint(status, ==, 0);
  slots_return(slots, mine);
  kill(child, SIGKILL); /* who dies gives it back */
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_assert_cmpint(slots_take(slots), ==, 0);
}

/* ---- The request ---- */

static Request *
read_request(const char *path, const char *type, const char *length, Body *body)
{
  g_autofree char *uri = g_strconcat("REQUEST_URI=", path, NULL);
  g_autofree char *content = g_strconcat("CONTENT_TYPE=", type, NULL);
  g_autofree char *size = g_strconcat("CONTENT_LENGTH=", length, NULL);
  char *variables[] = {(char *) "REQUEST_METHOD=POST", uri, content, size, NULL};
  return request_read(variables, read_body, body);
}

/* A body with files is left alone where files may be sent, and refused elsewhere. */
static void
test_request(void)
{
  static const struct {
    const char *path, *type, *length;
    guint refusal;
  } rows[] = {
      {"/m/answer", TYPE, "99999999", 0},
      {"/m/answer", TYPE, "0", 411},
      {"/m/answer", TYPE, "", 411},
      {"/m/answer", TYPE, "-1", 400},
      {"/m/answer", "text/plain", "5", 415},
      {"/logout", TYPE, "5", 415},
      {"/m/forward", TYPE, "5", 415},
      {"/l/x/code", TYPE, "99999999", 413},
      {"/m/answer", TYPE "\r\nX: y", "5", 400},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Body body = {"a=bcd", 5, 5};
    g_autoptr(Request) request =
        read_request(rows[i].path, rows[i].type, rows[i].length, &body);
    g_assert_cmpuint(request->refusal, ==, rows[i].refusal);
    g_assert_null(request->body);
    g_assert_cmpuint(body.left, ==, 5);
    if (rows[i].refusal == 0) {
      g_assert_cmpstr(request->upload_type, ==, TYPE);
      g_assert_cmpuint(request->upload.length, ==, 99999999);
    } else {
      g_assert_null(request->upload_type);
    }
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  g_test_add_func("/viewer/upload/frames", test_frames);
  g_test_add_func("/viewer/upload/bad-frames", test_bad_frames);
  g_test_add_func("/viewer/upload/left-out", test_left_out);
  g_test_add_func("/viewer/upload/too-many", test_too_many);
  g_test_add_func("/viewer/upload/real-reader", test_real_reader);
  g_test_add_func("/viewer/upload/bad-requests", test_bad_requests);
  g_test_add_func("/viewer/upload/broken-off", test_broken_off);
  g_test_add_func("/viewer/upload/no-reader", test_no_reader);
  g_test_add_func("/viewer/upload/slots", test_slots);
  g_test_add_func("/viewer/upload/request", test_request);
  return g_test_run();
}
