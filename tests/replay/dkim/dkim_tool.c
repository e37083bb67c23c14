/*
 * dkim_tool.c - signs and verifies files, for interop.test.
 *
 *     dkim_tool sign KEYS DOMAIN FILE...            with every key that dkim_keys_of gives
 *     dkim_tool verify RECORDS FILE...              prints "FILE STATUS STATUS ..."
 *     dkim_tool peer KEY SELECTOR DOMAIN HEAD/BODY FILE...   as libopendkim signs
 *     dkim_tool time RECORDS ROUNDS FILE            CPU time of verifying, in microseconds
 *     dkim_tool time-peer RECORDS ROUNDS FILE       the same of libopendkim alone
 *
 * RECORDS has lines "SELECTOR DOMAIN RECORD". Signing writes FILE.signed.
 */
#include <opendkim/dkim.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "tests/unit/milter/dkim_message.h"

static GPtrArray *records;

static G_NORETURN void
die(const char *what)
{
  fprintf(stderr, "dkim_tool: %s\n", what);
  exit(1);
}

/* Not inlined: gcc 12 then sees a dangling pointer where there is none. */
static G_NO_INLINE char *
read_file(const char *path, gsize *len)
{
  char *text = NULL;
  if (!g_file_get_contents(path, &text, len, NULL))
    die(path);
  return text;
}

static void
read_records(const char *path)
{
  gsize len = 0;
  g_autofree char *text = read_file(path, &len);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  records = g_ptr_array_new_with_free_func(dkim_test_key_free);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) words = g_strsplit(*line, " ", 3);
    if (g_strv_length(words) == 3)
      dkim_test_key_add(records, words[1], words[0], VERIFY_FOUND, words[2]);
  }
}

/* Appends "DKIM-Signature: VALUE" with CRLF. */
static void
append_field(GString *out, const char *value)
{
  g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
  g_autofree char *field = g_strjoinv("\r\n", lines);
  g_string_append_printf(out, "DKIM-Signature: %s\r\n", field);
}

static void
write_signed(const char *path, GString *fields, const char *text, gsize len)
{
  g_autofree char *to = g_strconcat(path, ".signed", NULL);
  g_string_append_len(fields, text, (gssize) len);
  if (!g_file_set_contents(to, fields->str, (gssize) fields->len, NULL))
    die(to);
}

static void
sign(const GPtrArray *keys, const char *domain, const char *path)
{
  gsize len = 0;
  g_autofree char *text = read_file(path, &len);
  g_autoptr(GString) out = g_string_new(NULL);
  DkimMessage message = dkim_message_cut(text, len);
  for (guint i = 0; i < keys->len; i++) {
    g_autoptr(DkimSigner) signer = dkim_signer_new(keys->pdata[i], domain, message.fields);
    dkim_signer_body(signer, message.body, message.body_len);
    g_autofree char *value = dkim_signer_finish(signer, NULL);
    if (value == NULL)
      die("cannot sign");
    append_field(out, value);
  }
  fields_free(message.fields);
  write_signed(path, out, text, len);
}

static void
verify(const char *path)
{
  gsize len = 0;
  g_autofree char *text = read_file(path, &len);
  g_autoptr(GPtrArray) results = dkim_test_verify(text, len, 65535, records);
  printf("%s", path);
  for (guint i = 0; i < results->len; i++)
    printf(" %s", dkim_status_name(((const DkimResult *) results->pdata[i])->status));
  printf("\n");
}

/* Gives HANDLE a message, as a program does that trusts the library. */
static DKIM_STAT
give(DKIM *handle, const char *text, gsize len)
{
  DkimMessage message = dkim_message_cut(text, len);
  DKIM_STAT status = DKIM_STAT_OK;
  for (guint i = 0; i < message.fields->list->len; i++) {
    const Field *field = message.fields->list->pdata[i];
    g_auto(GStrv) lines = g_strsplit(field->value, "\n", -1);
    g_autofree char *value = g_strjoinv("\r\n", lines);
    g_autofree char *line = g_strconcat(field->name, ":", value, NULL);
    (void) dkim_header(handle, (unsigned char *) line, strlen(line));
  }
  status = dkim_eoh(handle);
  if (status == DKIM_STAT_OK && message.body_len > 0)
    status = dkim_body(handle, (unsigned char *) message.body, message.body_len);
  fields_free(message.fields);
  return status == DKIM_STAT_OK ? dkim_eom(handle, NULL) : status;
}

static DKIM_LIB *peer_library;

static void
peer_sign(char **args, const char *path)
{
  DKIM_STAT status = DKIM_STAT_OK;
  gsize len = 0, pem_len = 0, value_len = 0;
  unsigned char *value = NULL;
  g_autofree char *text = read_file(path, &len);
  g_autofree char *pem = read_file(args[0], &pem_len);
  g_autoptr(GString) out = g_string_new(NULL);
  gboolean head = g_str_has_prefix(args[3], "relaxed");
  gboolean body = g_str_has_suffix(args[3], "relaxed");
  DKIM *handle = dkim_sign(
      peer_library, (const unsigned char *) "", NULL,
      (unsigned char *) strstr(pem, "-----"), (unsigned char *) args[1],
      (unsigned char *) args[2], head ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE,
      body ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE,
      strncmp(args[1], "ed", 2) == 0 ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, -1,
      &status);
  if (handle == NULL || give(handle, text, len) != DKIM_STAT_OK ||
      dkim_getsighdr_d(handle, strlen(DKIM_SIGNHEADER) + 2, &value, &value_len) !=
          DKIM_STAT_OK)
    die(path);
  g_autofree char *copy = g_strndup((const char *) value, value_len);
  g_auto(GStrv) lines = g_strsplit(copy, "\r\n", -1);
  g_autofree char *folded = g_strjoinv("\n", lines);
  append_field(out, folded);
  write_signed(path, out, text, len);
  dkim_free(handle);
}

static gint64
cpu_us(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static DKIM_CBSTAT
peer_look_up(DKIM *handle, DKIM_SIGINFO *sig, unsigned char *buffer, size_t size)
{
  (void) handle;
  for (guint i = 0; i < records->len; i++) {
    const DkimTestKey *key = records->pdata[i];
    if (strcmp(key->selector, (const char *) dkim_sig_getselector(sig)) != 0)
      continue;
    g_strlcpy((char *) buffer, key->text, size);
    return DKIM_CBSTAT_CONTINUE;
  }
  return DKIM_CBSTAT_NOTFOUND;
}

/* Prints what one round costs. */
static void
measure(gboolean peer, guint rounds, const char *path)
{
  gsize len = 0;
  g_autofree char *text = read_file(path, &len);
  gint64 begin = cpu_us();
  for (guint i = 0; i < rounds; i++) {
    DKIM_STAT status = DKIM_STAT_OK;
    if (!peer) {
      g_autoptr(GPtrArray) results = dkim_test_verify(text, len, 65535, records);
      if (results->len == 0 || ((DkimResult *) results->pdata[0])->status != DKIM_PASS)
        die("does not verify");
      continue;
    }
    DKIM *handle = dkim_verify(peer_library, (const unsigned char *) "", NULL, &status);
    if (handle == NULL || give(handle, text, len) != DKIM_STAT_OK)
      die("does not verify at the peer");
    dkim_free(handle);
  }
  printf("%.1f\n", (double) (cpu_us() - begin) / rounds);
}

static guint
number(const char *text)
{
  guint64 value = 0;
  if (!g_ascii_string_to_unsigned(text, 10, 1, 1000000, &value, NULL))
    die("no number");
  return (guint) value;
}

int
main(int argc, char **argv)
{
  if (argc < 4 || !dkim_prepare(NULL))
    die("sign, verify, peer, time or time-peer");
  peer_library = dkim_init(NULL, NULL);
  dkim_set_key_lookup(peer_library, peer_look_up);
  if (strcmp(argv[1], "sign") == 0) {
    g_autoptr(DkimKeys) keys = dkim_keys_new(argv[2]);
    g_autoptr(GPtrArray) found = dkim_keys_of(keys, argv[3]);
    for (int i = 4; i < argc; i++)
      sign(found, argv[3], argv[i]);
  } else if (strcmp(argv[1], "peer") == 0) {
    for (int i = 6; i < argc; i++)
      peer_sign(argv + 2, argv[i]);
  } else {
    read_records(argv[2]);
    if (strcmp(argv[1], "verify") == 0)
      for (int i = 3; i < argc; i++)
        verify(argv[i]);
    else if (argc == 5)
      measure(strcmp(argv[1], "time-peer") == 0, number(argv[3]), argv[4]);
    g_ptr_array_unref(records);
  }
  dkim_close(peer_library);
  return 0;
}
