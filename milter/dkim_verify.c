#include "milter/dkim.h"

#include <opendkim/dkim.h>
#include <string.h>
#include <sys/types.h>

#include "common/base/error.h"
#include "milter/dkim_public.h"
#include "milter/dkim_signature.h"

#define LINE_MAX_BYTES (1024 * 1024) /* of the body; libopendkim holds a line in memory */
#define SPARE_BYTES    16            /* zero octets behind each block of libopendkim */

#define SIGNATURE_FIELD "DKIM-Signature"

struct DkimVerifier {
  GPtrArray *signatures;                 /* of DkimSignature, one for each field */
  DkimSignature *asked[VERIFY_MAX_KEYS]; /* those that are verified, borrowed */
  DkimPublic keys[VERIFY_MAX_KEYS];      /* theirs, at the end */
  guint count;                           /* of asked */
  DKIM *handle;                          /* NULL: nothing to verify */
  const char *body_fault; /* why the body cannot be hashed; static, or NULL */
  gboolean held_cr;       /* the last piece ended with CR */
  gboolean in_line;       /* the last line has no end yet */
  gsize line_bytes;
};

static DKIM_LIB *library;

/* libopendkim reads and writes a little past some of its blocks. */
static void *
allocate(void *closure, size_t bytes)
{
  (void) closure;
  return g_malloc0(bytes + SPARE_BYTES);
}

static void
release(void *closure, void *block)
{
  (void) closure;
  g_free(block);
}

/* The place of SIG among those that are verified, or VERIFY_MAX_KEYS. */
static guint
find_asked(DKIM *handle, const DKIM_SIGINFO *sig)
{
  DKIM_SIGINFO **list = NULL;
  int count = 0;
  if (dkim_getsiglist(handle, &list, &count) == DKIM_STAT_OK)
    for (int i = 0; i < MIN(count, VERIFY_MAX_KEYS); i++)
      if (list[i] == sig)
        return (guint) i;
  return VERIFY_MAX_KEYS;
}

/* Gives libopendkim the record of SIG. */
static DKIM_CBSTAT
look_up(DKIM *handle, DKIM_SIGINFO *sig, unsigned char *buffer, size_t size)
{
  const DkimVerifier *verifier = dkim_get_user_context(handle);
  guint at = find_asked(handle, sig);
  if (at >= verifier->count || verifier->keys[at].record == NULL ||
      g_strlcpy((char *) buffer, verifier->keys[at].record, size) >= size)
    return DKIM_CBSTAT_NOTFOUND;
  return DKIM_CBSTAT_CONTINUE;
}

gboolean
dkim_prepare(GError **error)
{
  u_int flags = DKIM_LIBFLAGS_DELAYSIGPROC     /* keys are known at the end only */
                | DKIM_LIBFLAGS_BADSIGHANDLES; /* one handle for each field we pass */
  library = dkim_init(allocate, release);
  if (library == NULL ||
      dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof flags) !=
          DKIM_STAT_OK ||
      dkim_set_key_lookup(library, look_up) != DKIM_STAT_OK ||
      !dkim_libfeature(library, DKIM_FEATURE_SHA256) ||
      !dkim_libfeature(library, DKIM_FEATURE_ED25519)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "libopendkim cannot verify rsa-sha256 and ed25519-sha256");
    return FALSE;
  }
  return TRUE;
}

/* ---- The header ---- */

/* The name of FIELD in lower case, without the blanks that may stand before the colon. */
static char *
plain_name(const Field *field)
{
  gsize len = strlen(field->name);
  while (len > 0 && (field->name[len - 1] == ' ' || field->name[len - 1] == '\t'))
    len--;
  return g_ascii_strdown(field->name, (gssize) len);
}

static void
judge(DkimSignature *signature, DkimStatus status, const char *reason)
{
  if (signature->status == DKIM_NONE) {
    signature->status = status;
    signature->reason = reason;
  }
}

/* Reads SIGNATURE's field; whether it is to be verified. */
static gboolean
admit(DkimVerifier *verifier, DkimSignature *signature, const Fields *fields, guint froms)
{
  if (fields->cut)
    judge(signature, DKIM_POLICY, "header too long");
  else if (froms != 1 && signature->froms < froms)
    judge(signature, DKIM_POLICY, "a From is not signed");
  else if (froms == 0)
    judge(signature, DKIM_POLICY, "no From");
  else if (verifier->count == VERIFY_MAX_KEYS)
    judge(signature, DKIM_POLICY, "too many signatures");
  if (signature->status != DKIM_NONE)
    return FALSE;
  verifier->asked[verifier->count++] = signature;
  return TRUE;
}

/* The names that the signatures cover, in lower case and borrowed. */
static GHashTable *
signed_names(const DkimVerifier *verifier)
{
  GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < verifier->count; i++)
    for (char **name = verifier->asked[i]->names; *name != NULL; name++)
      g_hash_table_add(names, *name);
  return names;
}

/* Gives FIELD to libopendkim. */
static void
pass_field(DkimVerifier *verifier, const Field *field, GString *text)
{
  g_string_truncate(text, 0);
  field_append(field, text);
  /* What it cannot take (an odd name) nobody can have signed. */
  (void) dkim_header(verifier->handle, (unsigned char *) text->str, text->len);
}

/* Gives libopendkim the fields that the signatures need, and no more. */
static void
pass_header(DkimVerifier *verifier, const Fields *fields)
{
  DKIM_STAT status = DKIM_STAT_OK;
  guint next = 0, seen = 0;
  /* A field that h= cannot name, as it has a blank: libopendkim writes one pointer too far
   * when h= selects every field that there is and names one more. */
  static const Field guard = {(char *) "no field", (char *) ""};
  verifier->handle = dkim_verify(library, (const unsigned char *) "", NULL, &status);
  if (verifier->handle == NULL)
    return;
  (void) dkim_set_user_context(verifier->handle, verifier);
  g_autoptr(GHashTable) names = signed_names(verifier);
  g_autoptr(GString) text = g_string_new(NULL);
  pass_field(verifier, &guard, text);
  for (guint i = 0; i < fields->list->len; i++) {
    const Field *field = fields->list->pdata[i];
    g_autofree char *name = plain_name(field);
    if (field_is(field, SIGNATURE_FIELD)) {
      gboolean asked = next < verifier->count &&
                       verifier->signatures->pdata[seen] == verifier->asked[next];
      seen++;
      if (!asked)
        continue;
      next++;
    } else if (!g_hash_table_contains(names, name))
      continue;
    pass_field(verifier, field, text);
  }
}

/* Whether libopendkim has taken the header, and all signatures in it. */
static gboolean
end_header(DkimVerifier *verifier)
{
  DKIM_SIGINFO **list = NULL;
  int count = 0;
  return verifier->handle != NULL && dkim_eoh(verifier->handle) == DKIM_STAT_OK &&
         dkim_getsiglist(verifier->handle, &list, &count) == DKIM_STAT_OK &&
         count == (int) verifier->count;
}

static void
drop_handle(DkimVerifier *verifier)
{
  if (verifier->handle != NULL)
    (void) dkim_free(verifier->handle);
  verifier->handle = NULL;
}

DkimVerifier *
dkim_verifier_new(const Fields *fields)
{
  DkimVerifier *verifier = g_new0(DkimVerifier, 1);
  gint64 now = g_get_real_time() / G_USEC_PER_SEC;
  guint froms = fields_count(fields, "From");
  verifier->signatures =
      g_ptr_array_new_with_free_func((GDestroyNotify) dkim_signature_free);
  for (guint i = 0; i < fields->list->len; i++) {
    const Field *field = fields->list->pdata[i];
    if (!field_is(field, SIGNATURE_FIELD))
      continue;
    DkimSignature *signature = dkim_signature_parse(field->value, now);
    g_ptr_array_add(verifier->signatures, signature);
    admit(verifier, signature, fields, froms);
  }
  if (verifier->count == 0)
    return verifier;
  pass_header(verifier, fields);
  if (!end_header(verifier)) {
    drop_handle(verifier);
    for (guint i = 0; i < verifier->count; i++)
      judge(verifier->asked[i], DKIM_NEUTRAL, "libopendkim cannot read the header");
    verifier->count = 0;
  }
  return verifier;
}

void
dkim_verifier_free(DkimVerifier *verifier)
{
  if (verifier == NULL)
    return;
  drop_handle(verifier);
  for (guint i = 0; i < VERIFY_MAX_KEYS; i++)
    dkim_public_clear(&verifier->keys[i]);
  g_ptr_array_unref(verifier->signatures);
  g_free(verifier);
}

void
dkim_verifier_ask(const DkimVerifier *verifier, VerifyQuestion *question)
{
  for (guint i = 0; i < verifier->count; i++)
    (void) verify_question_add_key(question, verifier->asked[i]->domain,
                                   verifier->asked[i]->selector);
}

/* ---- The body ---- */

gboolean
dkim_verifier_needs_body(const DkimVerifier *verifier)
{
  return verifier->count > 0;
}

static void
feed(DkimVerifier *verifier, const char *bytes, gsize len)
{
  if (len > 0 && verifier->body_fault == NULL &&
      dkim_body(verifier->handle, (unsigned char *) bytes, len) != DKIM_STAT_OK)
    verifier->body_fault = "body cannot be hashed";
}

/*
 * Checks the line ends in LEN bytes at BYTES, which begin after a whole CRLF or in a line,
 * but not between the two; returns how many can be given on: all, or all but a last CR.
 */
static gsize
check_lines(DkimVerifier *verifier, const char *bytes, gsize len)
{
  const char *at = bytes, *end = bytes + len;
  while (at < end && verifier->body_fault == NULL) {
    const char *cr = memchr(at, '\r', (gsize) (end - at));
    const char *stop = cr != NULL ? cr : end;
    verifier->line_bytes += (gsize) (stop - at);
    verifier->in_line = verifier->line_bytes > 0;
    if (verifier->line_bytes > LINE_MAX_BYTES)
      verifier->body_fault = "a line of the body is too long";
    else if (memchr(at, '\n', (gsize) (stop - at)) != NULL ||
             (cr != NULL && cr + 1 < end && cr[1] != '\n'))
      verifier->body_fault = "line ends in the body are not CRLF";
    if (cr == NULL || cr + 1 == end)
      return (gsize) (stop - bytes);
    verifier->line_bytes = 0;
    verifier->in_line = FALSE;
    at = cr + 2;
  }
  return len;
}

void
dkim_verifier_body(DkimVerifier *verifier, const void *bytes, gsize len)
{
  const char *at = bytes;
  if (verifier->count == 0 || len == 0 || verifier->body_fault != NULL)
    return;
  /* libopendkim does not hash a CR and its LF rightly when they come apart. */
  if (verifier->held_cr) {
    if (*at != '\n') {
      verifier->body_fault = "line ends in the body are not CRLF";
      return;
    }
    feed(verifier, "\r\n", 2);
    verifier->held_cr = FALSE;
    verifier->in_line = FALSE;
    verifier->line_bytes = 0;
    at++;
    len--;
  }
  gsize whole = check_lines(verifier, at, len);
  verifier->held_cr = whole < len;
  feed(verifier, at, whole);
}

/* Ends the body: the last line gets its CRLF (RFC 6376 3.4.3). */
static void
end_body(DkimVerifier *verifier)
{
  if (verifier->held_cr && verifier->body_fault == NULL)
    verifier->body_fault = "line ends in the body are not CRLF";
  if (verifier->in_line)
    feed(verifier, "\r\n", 2);
}

/* ---- The end ---- */

/* Reads the key of signature AT from ANSWER. */
static void
read_key(DkimVerifier *verifier, guint at, const VerifyAnswer *answer)
{
  DkimSignature *signature = verifier->asked[at];
  DkimPublic *key = &verifier->keys[at];
  const VerifyKeyAnswer *found =
      answer != NULL && at < answer->keys->len ? answer->keys->pdata[at] : NULL;
  if (found == NULL || found->state == VERIFY_UNKNOWN)
    judge(signature, DKIM_TEMPERROR, "key cannot be had now");
  else if (found->state == VERIFY_ABSENT || found->text == NULL)
    judge(signature, DKIM_PERMERROR, "no key");
  else {
    dkim_public_read(found->text, signature, key);
    judge(signature, key->status, key->reason);
  }
  if (verifier->body_fault != NULL)
    judge(signature, DKIM_NEUTRAL, verifier->body_fault);
}

/* What libopendkim says of SIG. */
static void
read_outcome(DkimSignature *signature, DKIM_SIGINFO *sig)
{
  if (dkim_sig_geterror(sig) == DKIM_SIGERROR_OK && DKIM_SIG_CHECK(sig)) {
    signature->status = DKIM_PASS;
    return;
  }
  switch (dkim_sig_geterror(sig)) {
  case DKIM_SIGERROR_BADSIG:
    judge(signature, DKIM_FAIL,
          dkim_sig_getbh(sig) == DKIM_SIGBH_MISMATCH ? "body changed" : "header changed");
    break;
  case DKIM_SIGERROR_EXPIRED:
    judge(signature, DKIM_PERMERROR, "expired");
    break;
  case DKIM_SIGERROR_FUTURE:
    judge(signature, DKIM_PERMERROR, "made in the future");
    break;
  case DKIM_SIGERROR_KEYDECODE:
    judge(signature, DKIM_PERMERROR, "key cannot be used");
    break;
  default:
    judge(signature, DKIM_NEUTRAL, "libopendkim cannot read it");
    break;
  }
}

/* Verifies what has a key. */
static void
run(DkimVerifier *verifier)
{
  DKIM_SIGINFO **list = NULL;
  int count = 0;
  guint left = 0;
  if (dkim_getsiglist(verifier->handle, &list, &count) != DKIM_STAT_OK)
    return;
  for (int i = 0; i < count; i++) {
    if (verifier->asked[i]->status != DKIM_NONE)
      dkim_sig_ignore(list[i]);
    else
      left++;
  }
  if (left == 0)
    return;
  (void) dkim_eom(verifier->handle, NULL); /* of the best one; we ask for each */
  for (int i = 0; i < count; i++)
    if (verifier->asked[i]->status == DKIM_NONE)
      read_outcome(verifier->asked[i], list[i]);
}

static void
result_free(gpointer p)
{
  DkimResult *result = p;
  g_free(result->domain);
  g_free(result->selector);
  g_free(result->algorithm);
  g_free(result->begin);
  g_free(result);
}

/* One result for each field; the strings of the signatures go over to them. */
static GPtrArray *
make_results(DkimVerifier *verifier, const VerifyAnswer *answer)
{
  GPtrArray *results = g_ptr_array_new_with_free_func(result_free);
  guint next = 0;
  for (guint i = 0; i < verifier->signatures->len; i++) {
    DkimSignature *signature = verifier->signatures->pdata[i];
    DkimResult *result = g_new0(DkimResult, 1);
    result->status = signature->status;
    result->reason = signature->reason;
    result->domain = g_strdup(signature->domain);
    result->selector = g_strdup(signature->selector);
    result->algorithm = g_strdup(signature->algorithm);
    result->begin = g_strdup(signature->begin);
    result->field = i + 1;
    if (next < verifier->count && verifier->asked[next] == signature) {
      result->key_bits = verifier->keys[next].bits;
      if (answer != NULL && next < answer->keys->len)
        result->aligned = ((const VerifyKeyAnswer *) answer->keys->pdata[next])->aligned;
      next++;
    }
    g_ptr_array_add(results, result);
  }
  return results;
}

GPtrArray *
dkim_verifier_finish(DkimVerifier *verifier, const VerifyAnswer *answer)
{
  if (verifier->count > 0) {
    end_body(verifier);
    for (guint i = 0; i < verifier->count; i++)
      read_key(verifier, i, answer);
    run(verifier);
    drop_handle(verifier);
  }
  return make_results(verifier, answer);
}

const char *
dkim_status_name(DkimStatus status)
{
  static const char *const names[] = {
      [DKIM_NONE] = "none",           [DKIM_PASS] = "pass",
      [DKIM_FAIL] = "fail",           [DKIM_POLICY] = "policy",
      [DKIM_NEUTRAL] = "neutral",     [DKIM_TEMPERROR] = "temperror",
      [DKIM_PERMERROR] = "permerror",
  };
  return names[status];
}
