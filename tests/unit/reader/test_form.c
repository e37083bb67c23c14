/*
 * test_form.c - a form as browsers send it comes out as frames, and nothing else does.
 */
#include "reader/form.h"

#include <string.h>

#include "reader/charset.h"
#include "reader/multipart.h"
#include "tests/unit/tap.h"

#define TYPE          "Content-Type: multipart/form-data; boundary=bb\r\n\r\n"
#define DISPOSITION   "Content-Disposition: form-data; "
#define FIELD(name)   "--bb\r\n" DISPOSITION "name=\"" name "\"\r\n\r\n"
#define FILE_OF(name) "--bb\r\n" DISPOSITION "name=\"f\"; filename=\"" name "\"\r\n"
#define END           "\r\n--bb--\r\n"

typedef struct {
  const char *request;
  const char *frames; /* NULL: malformed */
} Row;

static const Row rows[] = {
    /* Chrome, Firefox and Safari, as they write it */
    {"Content-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"
     "\r\n\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n" DISPOSITION "name=\"text\""
     "\r\n\r\nHallo\r\nJan\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n" DISPOSITION
     "name=\"file\"; filename=\"foto.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\n"
     "\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n",
     "field text 9\nHallo\nJanfile file foto.jpg image/jpeg 3\n\xff\xd8\nend\n"},
    {"Content-Type: multipart/form-data; "
     "boundary=---------------------------9051914041544843365972754266\r\n\r\n"
     "-----------------------------9051914041544843365972754266\r\n" DISPOSITION
     "name=\"a\"\r\n\r\n\r\n"
     "-----------------------------9051914041544843365972754266--\r\n",
     "field a 0\nend\n"},
    /* curl: the boundary in quotes, no line end behind the last line */
    {"content-type: Multipart/Form-Data; Boundary=\"bb\"\r\n\r\n" FIELD("a") "x\r\n--bb--",
     "field a 1\nxend\n"},
    {TYPE "--bb--\r\n", "end\n"},
    {TYPE FIELD("a") "een"
                     "\r\n" FIELD("a") "twee" END,
     "field a 3\neenfield a 4\ntweeend\n"},
    {TYPE "--bb\r\n" DISPOSITION "name=a\r\n\r\nx" END, "field a 1\nxend\n"},
    {TYPE "--bb\r\ncontent-disposition:form-data;name=\"a\";\r\n\r\nx" END,
     "field a 1\nxend\n"},
    {TYPE FIELD("a\tb%0D%0Ac %22d%22 %41") "x" END,
     "field a%20b%20c%20\"d\"%20%2541 1\nxend\n"},
    {TYPE FIELD("a") "caf\xc3\xa9\x01\rb\r\nc\n" END,
     "field a 10\ncaf\xc3\xa9\nb\nc\nend\n"},
    {TYPE FIELD("\x01") "x" END, "field _ 1\nxend\n"},
    {TYPE FIELD("a") "caf\xe9" END, "field a 5\ncaf\xc3\xa9"
                                    "end\n"},
    {TYPE "--bb\r\n" DISPOSITION
          "name=\"a\"\r\nContent-Type: text/plain; charset=iso-8859-15\r\n\r\n\xa4" END,
     "field a 3\n\xe2\x82\xac"
     "end\n"},
    /* content that looks like a delimiter */
    {TYPE FIELD("a") "--bb--\r\n--bbx\r\n--b" END, "field a 16\n--bb--\n--bbx\n--bend\n"},
    {TYPE FILE_OF("a") "\r\n\r\n--bbx\r\n--b\r\n--bb \r\n" END,
     "file f a text/plain 21\n\r\n--bbx\r\n--b\r\n--bb \r\nend\n"},
    {TYPE FILE_OF("a") "\r\n" END, "file f a text/plain 0\nend\n"},
    {TYPE FILE_OF("a") "\r\n--bb--\r\n", NULL},
    /* no file was chosen, and a file without a name */
    {TYPE FILE_OF("") "Content-Type: application/octet-stream\r\n\r\n" END, "end\n"},
    {TYPE FILE_OF("") "Content-Type: application/pdf\r\n\r\nx" END,
     "file f bijlage-1.pdf application/pdf 1\nxend\n"},
    /* names of files (T12) */
    {TYPE FILE_OF("../../etc/passwd") "\r\nx" END, "file f passwd text/plain 1\nxend\n"},
    {TYPE FILE_OF("C:\\map\\een brief.doc") "\r\nx" END,
     "file f een%20brief.doc text/plain 1\nxend\n"},
    {TYPE FILE_OF("een \\\"brief\\\" x.doc") "\r\nx" END,
     "file f een%20_brief_%20x.doc text/plain 1\nxend\n"},
    {TYPE FILE_OF("een %22brief%22.doc") "\r\nx" END,
     "file f een%20_brief_.doc text/plain 1\nxend\n"},
    {TYPE FILE_OF("100%.pdf") "\r\nx" END, "file f 100%25.pdf text/plain 1\nxend\n"},
    {TYPE FILE_OF("x%0D%0A9999.txt") "\r\nx" END,
     "file f x%209999.txt text/plain 1\nxend\n"},
    {TYPE FILE_OF("a\xe2\x80\xae"
                  "fdp.exe") "\r\nx" END,
     "file f afdp.exe text/plain 1\nxend\n"},
    {TYPE FILE_OF("con") "\r\nx" END, "file f _con text/plain 1\nxend\n"},
    {TYPE FILE_OF("map\\") "\r\nx" END, "file f bijlage-1.txt text/plain 1\nxend\n"},
    {TYPE FILE_OF("a") "Content-Type: te xt/html\r\n\r\nx" END, NULL},
    {TYPE FILE_OF("a") "Content-Type: x\r\n\r\nx" END,
     "file f a application/octet-stream 1\nxend\n"},
    {TYPE FILE_OF("a") "Content-Transfer-Encoding: binary\r\n\r\nx" END,
     "file f a text/plain 1\nxend\n"},
    {TYPE FILE_OF("a") "X-Other: y\r\n\r\nx" END, "file f a text/plain 1\nxend\n"},
    /* what no browser sends */
    {"", NULL},
    {"Content-Type: multipart/form-data; boundary=bb", NULL},
    {"Content-Type: text/plain; boundary=bb\r\n\r\n--bb--\r\n", NULL},
    {"Content-Type: multipart/form-data\r\n\r\n--bb--\r\n", NULL},
    {"Content-Type: multipart/form-data; boundary=\r\n\r\n----\r\n", NULL},
    {"Content-Type: multipart/form-data; boundary=\"b\r\n\r\n--b--\r\n", NULL},
    {"Content-Type: multipart/form-data; boundary=b{b\r\n\r\n--b{b--\r\n", NULL},
    {"Content-Type: multipart/form-data; boundary=bb; boundary=cc\r\n\r\n--bb--\r\n", NULL},
    {"Content-Type: multipart/form-data; boundary="
     "0123456789012345678901234567890123456789012345678901234567890123456789x\r\n\r\n"
     "--0123456789012345678901234567890123456789012345678901234567890123456789x--\r\n",
     NULL},
    {"X: y\r\n\r\n--bb--\r\n", NULL},
    {TYPE, NULL},
    {TYPE "--bb", NULL},
    {TYPE "--bb\r\n", NULL},
    {TYPE "--bb-", NULL},
    {TYPE "--bbx\r\n", NULL},
    {TYPE "preamble\r\n" FIELD("a") "x" END, NULL},
    {TYPE FIELD("a") "x", NULL},
    {TYPE FIELD("a") "x\r\n--bb", NULL},
    {TYPE FIELD("a") "x\r\n--bb\r\n", NULL},
    {TYPE FIELD("a") "x\n--bb--\n", NULL},
    {TYPE FIELD("") "x" END, NULL},
    {TYPE "--bb\r\n\r\nx" END, NULL},
    {TYPE "--bb\r\nX: y\r\n\r\nx" END, NULL},
    {TYPE "--bb\r\n" DISPOSITION "name=\"a\"; name=\"b\"\r\n\r\nx" END, NULL},
    {TYPE "--bb\r\n" DISPOSITION "name=\"a\"\r\n" DISPOSITION "name=\"b\"\r\n\r\nx" END,
     NULL},
    {TYPE "--bb\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx" END, NULL},
    {TYPE "--bb\r\n" DISPOSITION "name=\"a\r\n\r\nx" END, NULL},
    {TYPE "--bb\r\n" DISPOSITION "\r\n name=\"a\"\r\n\r\nx" END, NULL},
    {TYPE "--bb\r\n" DISPOSITION "name=\"a\"\r\n filename=\"b:c\"\r\n\r\nx" END, NULL},
    {TYPE FILE_OF("a") "Content-Transfer-Encoding: base64\r\n\r\neA==" END, NULL},
};

typedef struct {
  GString *out;
  gsize room; /* bytes that are taken before the sink says no */
} Taken;

static gboolean
take(const char *bytes, gsize len, gpointer data)
{
  Taken *taken = data;
  if (len > taken->room)
    return FALSE;
  taken->room -= len;
  g_string_append_len(taken->out, bytes, (gssize) len);
  return TRUE;
}

static FormResult
run(const char *request, gsize len, GString *out)
{
  Taken taken = {out, G_MAXSIZE};
  /* Exactly as long as it is, for who checks bounds. */
  g_autofree char *exact = g_memdup2(request, len);
  return form_write(len > 0 ? exact : "", len, take, &taken);
}

static void
test_rows(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GString) out = g_string_new(NULL);
    FormResult result = run(rows[i].request, strlen(rows[i].request), out);
    g_test_message("%s", rows[i].request);
    g_assert_cmpint(result, ==, rows[i].frames != NULL ? FORM_WRITTEN : FORM_MALFORMED);
    g_assert_cmpstr(out->str, ==, rows[i].frames != NULL ? rows[i].frames : "");
  }
}

/* Every byte of a file, in any order, and around the delimiter. */
static void
test_binary(void)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed(7578);
  g_autoptr(GString) content = g_string_new(NULL);
  for (guint i = 0; i < 200000; i++) {
    static const char *const pieces[] = {"\r\n", "\r", "\n", "--", "--b", "\r\n--b", "b"};
    guint pick = g_rand_int_range(rand, 0, 32);
    if (pick < G_N_ELEMENTS(pieces))
      g_string_append(content, pieces[pick]);
    else
      g_string_append_c(content, (char) g_rand_int_range(rand, 0, 256));
  }
  const char *at = content->str;
  while ((at = memmem(at, content->len - (gsize) (at - content->str), "\r\n--bb", 6)) !=
         NULL)
    content->str[at - content->str + 5] = 'c';
  g_autoptr(GString) request = g_string_new(TYPE FILE_OF("a") "\r\n");
  g_string_append_len(request, content->str, (gssize) content->len);
  g_string_append(request, END);
  g_autoptr(GString) out = g_string_new(NULL);
  g_assert_cmpint(run(request->str, request->len, out), ==, FORM_WRITTEN);
  g_autofree char *head =
      g_strdup_printf("file f a text/plain %" G_GSIZE_FORMAT "\n", content->len);
  g_assert_true(g_str_has_prefix(out->str, head));
  g_assert_cmpmem(out->str + strlen(head), out->len - strlen(head) - 4, content->str,
                  content->len);
}

/* A request that was cut off anywhere says nothing. */
static void
test_cut(void)
{
  const char *request = rows[0].request;
  gsize len = strlen(request) - strlen("\r\n"); /* that is no part of it */
  for (gsize i = 0; i < len; i++) {
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_cmpint(run(request, i, out), ==, FORM_MALFORMED);
    g_assert_cmpuint(out->len, ==, 0);
  }
}

static FormResult
run_many(guint fields, guint files, guint empty, gsize field_bytes)
{
  g_autoptr(GString) request = g_string_new(TYPE);
  g_autofree char *text = g_strnfill(field_bytes, 'x');
  g_autoptr(GString) out = g_string_new(NULL);
  for (guint i = 0; i < fields; i++)
    g_string_append_printf(request, FIELD("a") "%s\r\n", text);
  for (guint i = 0; i < files; i++)
    g_string_append(request, FILE_OF("a") "\r\nx\r\n");
  for (guint i = 0; i < empty; i++)
    g_string_append(request, FILE_OF("") "\r\n\r\n");
  g_string_append(request, "--bb--\r\n");
  FormResult result = run(request->str, request->len, out);
  g_assert_cmpint(out->len > 0, ==, result == FORM_WRITTEN);
  return result;
}

static void
test_limits(void)
{
  g_assert_cmpint(run_many(FORM_MAX_FIELDS, FORM_MAX_FILES, 0, 1), ==, FORM_WRITTEN);
  g_assert_cmpint(run_many(FORM_MAX_FIELDS + 1, 0, 0, 1), ==, FORM_TOO_MUCH);
  g_assert_cmpint(run_many(0, FORM_MAX_FILES + 1, 0, 1), ==, FORM_TOO_MUCH);
  g_assert_cmpint(run_many(0, FORM_MAX_FILES, 10, 1), ==, FORM_WRITTEN);
  g_assert_cmpint(run_many(0, 0, MULTIPART_MAX_PARTS + 1, 1), ==, FORM_TOO_MUCH);
  g_assert_cmpint(run_many(1, 0, 0, FORM_FIELD_MAX_BYTES), ==, FORM_WRITTEN);
  g_assert_cmpint(run_many(1, 0, 0, FORM_FIELD_MAX_BYTES + 1), ==, FORM_TOO_MUCH);
}

static void
test_stopped(void)
{
  const char *request = rows[0].request;
  gsize len = strlen(rows[0].frames);
  for (gsize room = 0; room <= len; room++) {
    g_autoptr(GString) out = g_string_new(NULL);
    Taken taken = {out, room};
    FormResult result = form_write(request, strlen(request), take, &taken);
    g_assert_cmpint(result, ==, room == len ? FORM_WRITTEN : FORM_STOPPED);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  charset_open();
  g_test_add_func("/form/V5/rows", test_rows);
  g_test_add_func("/form/V5/binary", test_binary);
  g_test_add_func("/form/V5/cut off", test_cut);
  g_test_add_func("/form/T13/limits", test_limits);
  g_test_add_func("/form/V5/stopped", test_stopped);
  return g_test_run();
}
