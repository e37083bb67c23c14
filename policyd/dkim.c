#include "policyd/dkim.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policyd/address.h"

#define SUFFIX ".pub"

#define STRING_MAX_BYTES 255 /* of one string of a TXT record */

/* The text of the key's file at PATH, or NULL. */
static char *
read_key(const char *path)
{
  struct stat status;
  g_autofree char *text = g_malloc0(DKIM_KEY_MAX_BYTES + 1);
  /* O_NONBLOCK: a FIFO in its place must not stop us. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return NULL;
  gboolean good = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                  status.st_size <= DKIM_KEY_MAX_BYTES &&
                  read(fd, text, DKIM_KEY_MAX_BYTES) == (gssize) status.st_size;
  close(fd);
  return good ? g_steal_pointer(&text) : NULL;
}

/* RECORD as a zone file has it: cut into strings. */
static char *
quote(const char *record)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (gsize at = 0; at == 0 || at < strlen(record); at += STRING_MAX_BYTES)
    g_string_append_printf(text, "%s\"%.*s\"", at > 0 ? " " : "", STRING_MAX_BYTES,
                           record + at);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* What one key or more say together. */
typedef struct {
  guint same;
  gboolean other, unknown;
} Sum;

/* Compares what ANSWER has at NAME with our RECORD. */
static void
compare_answer(Checks *checks, const char *name, const DnsAnswer *answer,
               const char *record, Sum *sum)
{
  static const char *const says[] = {[DKIM_SAME] = "our key",
                                     [DKIM_OTHER] = "another key than ours",
                                     [DKIM_REVOKED] = "revoked"};
  gsize len = 0;
  if (answer == NULL || answer->outcome == DNS_FAILURE) {
    sum->unknown = TRUE;
    checks_found(checks, "%s: %s", name, check_answer_text(answer));
    return;
  }
  if (answer->outcome != DNS_DATA) {
    checks_found(checks, "%s: not published", name);
    return;
  }
  /* Which of several a verifier takes is not specified (RFC 6376 3.6.2.2). */
  g_autofree char *text =
      answer->records->len == 1 ? rr_txt(answer->records->pdata[0], &len) : NULL;
  DkimMatch match = text != NULL ? dkim_compare(text, len, record) : DKIM_OTHER;
  checks_found(checks, "%s: %s, %s", name, says[match],
               answer->secure ? "secure" : "not secure");
  sum->same += match == DKIM_SAME && answer->secure ? 1 : 0;
  sum->other = sum->other || match == DKIM_OTHER;
}

static void
check_key(Checks *checks, const char *path, const char *selector, Sum *sum)
{
  g_autofree char *pem = read_key(path);
  g_autofree char *record = pem != NULL ? dkim_record(pem) : NULL;
  g_autofree char *joined = g_strconcat(selector, "._domainkey.", checks->domain, NULL);
  g_autofree char *name = domain_canonical(joined);
  if (record == NULL || name == NULL) {
    sum->other = TRUE;
    checks_found(checks, "%s: %s", path,
                 name == NULL ? "its name is no selector"
                              : "not a public key in PEM of RSA or Ed25519");
    checks_mend(checks, "put the public key there, as SELECTOR.pub");
    return;
  }
  compare_answer(checks, name, lookup_dns(checks->lookup, name, RR_TXT), record, sum);
  if (checks->lines == NULL)
    return;
  g_autofree char *quoted = quote(record);
  checks_mend(checks, "publish under DNSSEC: %s. IN TXT %s", name, quoted);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The selectors that have a key in DIRECTORY, sorted, or NULL with errno. */
static GPtrArray *
find_selectors(const char *directory)
{
  g_autoptr(GPtrArray) selectors = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  if (dir == NULL)
    return NULL;
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
    if (g_str_has_suffix(name, SUFFIX) && selectors->len < DKIM_KEYS_MAX)
      g_ptr_array_add(selectors, g_strndup(name, strlen(name) - strlen(SUFFIX)));
  g_ptr_array_sort(selectors, compare_names);
  return g_steal_pointer(&selectors);
}

void
dkim_check(Checks *checks, const char *directory)
{
  g_autofree char *place = g_build_filename(directory, checks->domain, NULL);
  g_autoptr(GPtrArray) selectors = find_selectors(place);
  Sum sum = {0, FALSE, FALSE};
  for (guint i = 0; selectors != NULL && i < selectors->len; i++) {
    const char *selector = selectors->pdata[i];
    g_autofree char *file = g_strconcat(selector, SUFFIX, NULL);
    g_autofree char *path = g_build_filename(place, file, NULL);
    check_key(checks, path, selector, &sum);
  }
  if (selectors == NULL || selectors->len == 0) {
    checks_found(checks, "no key: there is no %s/SELECTOR%s", place, SUFFIX);
    checks_mend(checks, "make a DKIM key for %s and put its public half there",
                checks->domain);
  }
  CheckResult result = sum.same > 0 ? CHECK_PASS : CHECK_FAIL;
  if (sum.other)
    result = CHECK_FAIL;
  else if (sum.same == 0 && sum.unknown)
    result = CHECK_UNKNOWN;
  checks_require(checks, "Z-N2-DKIM", result, "a DKIM key that we sign with is published");
}
