#include "milter/envelope.h"

#include <string.h>

#include "common/base/label.h"

#define LOCAL_MAX_BYTES   512 /* RFC 5321 says 64; Postfix takes more */
#define ADDRESS_MAX_BYTES 1024

/* What cannot stand in a local part without quotes: RFC 5321 4.1.2, and all controls. */
static const char specials[] = " ()<>@,;:\\\"[]";

/* The unquoted form of the quoted string at *P, moving *P behind it, or NULL. */
static char *
read_quoted(const char **p)
{
  g_autoptr(GString) local = g_string_new(NULL);
  for (const char *q = *p + 1; *q != '\0'; q++) {
    if (*q == '"') {
      *p = q + 1;
      return g_string_free(g_steal_pointer(&local), FALSE);
    }
    if (*q == '\\')
      q++;
    if ((guchar) *q < 0x20 || *q == 0x7f)
      return NULL;
    g_string_append_c(local, *q);
  }
  return NULL;
}

static char *
read_local(const char **p)
{
  if (**p == '"')
    return read_quoted(p);
  const char *start = *p;
  while ((guchar) * *p > 0x20 && **p != 0x7f && strchr(specials, **p) == NULL)
    (*p)++;
  return g_strndup(start, (gsize) (*p - start));
}

static gboolean
needs_quotes(const char *local)
{
  gsize len = strlen(local);
  return len == 0 || strpbrk(local, specials) != NULL || local[0] == '.' ||
         local[len - 1] == '.' || strstr(local, "..") != NULL;
}

static void
append_local(GString *address, const char *local)
{
  if (!needs_quotes(local)) {
    g_string_append(address, local);
    return;
  }
  g_string_append_c(address, '"');
  for (const char *p = local; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c(address, '\\');
    g_string_append_c(address, *p);
  }
  g_string_append_c(address, '"');
}

/* Letters, digits, '-', '_' and bytes of UTF-8, in labels that are not empty. */
static gboolean
is_domain(const char *text)
{
  gboolean label = FALSE;
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '.' && !label)
      return FALSE;
    if (*p != '.' && !g_ascii_isalnum(*p) && *p != '-' && *p != '_' && (guchar) *p < 0x80)
      return FALSE;
    label = *p != '.';
  }
  return label;
}

/* sendmail(1) gives addresses without <>. */
static char *
strip_brackets(const char *arg)
{
  gsize len = strlen(arg);
  gboolean angle = len >= 2 && arg[0] == '<' && arg[len - 1] == '>';
  return angle ? g_strndup(arg + 1, len - 2) : g_strdup(arg);
}

char *
envelope_address(const char *arg)
{
  g_autofree char *inner = strip_brackets(arg);
  if (*inner == '\0')
    return g_strdup("");
  const char *p = inner;
  g_autofree char *local = read_local(&p);
  if (local == NULL || *local == '\0' || strlen(local) > LOCAL_MAX_BYTES || *p != '@' ||
      !is_domain(p + 1) || strlen(inner) > ADDRESS_MAX_BYTES ||
      !g_utf8_validate(inner, -1, NULL))
    return NULL;
  GString *address = g_string_new(NULL);
  append_local(address, local);
  g_autofree char *domain = g_ascii_strdown(p, -1);
  g_string_append(address, domain);
  return g_string_free(address, FALSE);
}

const char *
envelope_domain(const char *address)
{
  const char *at = strrchr(address, '@');
  return at != NULL ? at + 1 : NULL;
}

gboolean
envelope_is_routing(const char *address)
{
  const char *at = strrchr(address, '@');
  for (const char *p = address; p < at; p++)
    if (*p == '%' || *p == '!' || *p == '@')
      return TRUE;
  return FALSE;
}

/* The value of NAME= (any case) in ARGS, or NULL. */
static const char *
find_parameter(const char *const *args, const char *name)
{
  gsize len = strlen(name);
  for (; args != NULL && *args != NULL; args++)
    if (g_ascii_strncasecmp(*args, name, len) == 0 && (*args)[len] == '=')
      return *args + len + 1;
  return NULL;
}

/* Appends the bytes of TEXT as xtext, RFC 3461 4. */
static void
append_xtext(GString *out, const char *text)
{
  for (const char *p = text; *p != '\0'; p++) {
    guchar c = (guchar) *p;
    if (c <= 0x20 || c >= 0x7f || c == '+' || c == '=')
      g_string_append_printf(out, "+%02X", c);
    else
      g_string_append_c(out, *p);
  }
}

/* "\x{HEX}" of RFC 6533 as UTF-8: Postfix takes only xtext from a milter. */
static char *
decode_unitext(const char *text)
{
  GString *out = g_string_new(NULL);
  for (const char *p = text; *p != '\0'; p++) {
    char *end = NULL;
    guint64 c = g_str_has_prefix(p, "\\x{") ? g_ascii_strtoull(p + 3, &end, 16) : 0;
    if (end != NULL && *end == '}' && c > 0 && c <= 0x10ffff &&
        g_unichar_validate((gunichar) c)) {
      g_string_append_unichar(out, (gunichar) c);
      p = end;
    } else {
      g_string_append_c(out, *p);
    }
  }
  return g_string_free(out, FALSE);
}

static void
append_orcpt(GString *out, const char *address, const char *given)
{
  g_string_append(out, "ORCPT=");
  if (given == NULL || strchr(given, ';') == NULL) {
    g_autofree char *inner = strip_brackets(address);
    g_autofree char *plain = label_strip(inner);
    g_string_append(out, "rfc822;");
    append_xtext(out, plain);
    return;
  }
  g_autofree char *plain = label_strip(given); /* of a copy (bcc) it has the label */
  if (g_ascii_strncasecmp(plain, "utf-8;", 6) == 0) {
    g_autofree char *text = decode_unitext(plain + 6);
    g_string_append(out, "utf-8;");
    append_xtext(out, text);
  } else {
    g_string_append(out, plain); /* xtext already; smtpd checked it */
  }
}

static void
append_notify(GString *out, const char *notify, gboolean sensitive)
{
  if (!sensitive && notify != NULL) {
    g_string_append_printf(out, "NOTIFY=%s ", notify); /* smtpd checked it */
    return;
  }
  g_auto(GStrv) wishes = g_strsplit(notify != NULL ? notify : "", ",", -1);
  gboolean success = FALSE;
  for (char **wish = wishes; *wish != NULL; wish++)
    success = success || g_ascii_strcasecmp(*wish, "SUCCESS") == 0;
  g_string_append(out, success ? "NOTIFY=SUCCESS,FAILURE,DELAY " : "NOTIFY=FAILURE,DELAY ");
}

char *
envelope_recipient_parameters(const char *given, const char *const *args,
                              gboolean sensitive)
{
  GString *out = g_string_new(NULL);
  append_notify(out, find_parameter(args, "NOTIFY"), sensitive);
  append_orcpt(out, given, find_parameter(args, "ORCPT"));
  return g_string_free(out, FALSE);
}

char *
envelope_sender_parameters(const char *const *args)
{
  const char *envid = find_parameter(args, "ENVID");
  if (envid == NULL)
    return g_strdup("RET=HDRS");
  return g_strconcat("RET=HDRS ENVID=", envid, NULL);
}
