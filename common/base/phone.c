#include "common/base/phone.h"

#include <string.h>

#define MAX_GAP_CHARS      4  /* between two digits: " - (" */
#define MAX_RUN_DIGITS     32 /* more are counted but not kept */
#define NATIONAL_CODE      "31"
#define E164_MIN_DIGITS    5 /* no mobile number is that short anywhere */
#define UNKNOWN_MIN_DIGITS 8 /* with the calling code; shorter ones are service numbers */

/* The mobile range of a country: what the national number begins with, and its length. */
typedef struct {
  const char *code;          /* calling code */
  const char *const *starts; /* of the national number, without trunk 0 */
  const char *const *except; /* longer starts that are no mobile phones */
  guint min_digits, max_digits;
} Range;

static const char *const none[] = {NULL};
static const char *const nl_starts[] = {"6", NULL};
static const char *const nl_except[] = {"66", "676", NULL}; /* pagers, data */
static const char *const be_starts[] = {"45", "46", "47", "48", "49", NULL};
static const char *const de_starts[] = {"15", "16", "17", NULL};
static const char *const de_except[] = {"164", "168", "169", NULL}; /* pagers */
static const char *const fr_starts[] = {"6", "7", NULL};
static const char *const fr_except[] = {"700", NULL}; /* machines */
static const char *const gb_starts[] = {"7", NULL};
static const char *const gb_except[] = {"70", "76", NULL}; /* personal numbers, pagers */
static const char *const lu_starts[] = {"621", "651", "661", "671", "681", "691", NULL};

/* The neighbours; of others only the length is checked (ITU-T national numbering plans). */
static const Range ranges[] = {
    {NATIONAL_CODE, nl_starts, nl_except, 9, 9}, {"32", be_starts, none, 9, 9},
    {"33", fr_starts, fr_except, 9, 9},          {"44", gb_starts, gb_except, 10, 10},
    {"49", de_starts, de_except, 10, 11},        {"352", lu_starts, none, 9, 9},
};

/* The digits at the start of a text, and where each of them ends. */
typedef struct {
  gboolean plus;
  guint count;
  char digits[MAX_RUN_DIGITS + 1];
  gsize ends[MAX_RUN_DIGITS]; /* offset after the digit */
  gsize length;               /* of the whole run */
} Run;

/* The character at P into *C and its length; bytes that are no UTF-8 are one '?' each. */
static gsize
read_char(const char *p, gunichar *c)
{
  *c = (guchar) *p;
  if (*c < 0x80)
    return *c == 0 ? 0 : 1;
  *c = g_utf8_get_char_validated(p, -1);
  if (*c == (gunichar) -1 || *c == (gunichar) -2) {
    *c = '?';
    return 1;
  }
  return (gsize) g_utf8_skip[*(const guchar *) p];
}

/* Address books put invisible direction marks around numbers that are copied. */
static gboolean
is_blank(gunichar c)
{
  return c != 0 && (g_unichar_isspace(c) || g_unichar_type(c) == G_UNICODE_FORMAT);
}

static gboolean
is_separator(gunichar c)
{
  return is_blank(c) || (c != 0 && c < 0x80 && strchr("-./()", (int) c) != NULL) ||
         (c >= 0x2010 && c <= 0x2015) || c == 0x2212; /* hyphens, dashes, minus */
}

static gboolean
ends_number(const char *p)
{
  gunichar c;
  read_char(p, &c);
  return c == 0 || !(g_unichar_isalnum(c) || g_unichar_ismark(c));
}

/* The next digit after at most MAX_GAP_CHARS separators, or NULL. */
static const char *
next_digit(const char *p)
{
  for (guint gap = 0; gap <= MAX_GAP_CHARS; gap++) {
    if (g_ascii_isdigit(*p))
      return p;
    gunichar c;
    gsize len = read_char(p, &c);
    if (len == 0 || !is_separator(c))
      return NULL;
    p += len;
  }
  return NULL;
}

/* "(0)" in +31(0)6: the trunk digit that is not dialled from abroad. */
static gboolean
is_trunk(const Run *run, const char *digit)
{
  return *digit == '0' && digit[-1] == '(' && digit[1] == ')' &&
         (run->plus || g_str_has_prefix(run->digits, "00"));
}

static void
read_run(const char *text, const char *start, Run *run)
{
  for (const char *p = next_digit(start); p != NULL; p = next_digit(p + 1)) {
    run->length = (gsize) (p - text) + 1;
    if (run->count > 0 && is_trunk(run, p))
      continue;
    if (run->count < MAX_RUN_DIGITS) {
      run->ends[run->count] = run->length;
      run->digits[run->count++] = *p;
    }
  }
}

/* Skips what may stand before a number: white space and an opening bracket. */
static const char *
skip_lead(const char *p)
{
  gunichar c;
  for (gsize len; (len = read_char(p, &c)) > 0 && (is_blank(c) || c == '('); p += len)
    ;
  return p;
}

static gboolean
has_start(const char *digits, const char *const *starts)
{
  for (; *starts != NULL; starts++)
    if (g_str_has_prefix(digits, *starts))
      return TRUE;
  return FALSE;
}

static const Range *
find_range(const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS(ranges); i++)
    if (strcmp(ranges[i].code, code) == 0)
      return &ranges[i];
  return NULL;
}

/*
 * Tries NATIONAL, digits of RUN from FIRST on, as a number under CODE: the longest that
 * ends where a number can end.
 */
static char *
match_national(const char *text, const Run *run, guint first, const char *code,
               gsize *length)
{
  const char *national = run->digits + first;
  const Range *range = find_range(code);
  gsize code_len = strlen(code);
  gsize min = range != NULL ? range->min_digits : UNKNOWN_MIN_DIGITS - code_len;
  gsize max = range != NULL ? range->max_digits : PHONE_E164_MAX_DIGITS - code_len;
  if (range != NULL &&
      (!has_start(national, range->starts) || has_start(national, range->except)))
    return NULL;
  for (gsize n = MIN(max, run->count - first); n >= min; n--) {
    gsize end = run->ends[first + n - 1];
    if (!ends_number(text + end))
      continue;
    *length = end;
    return g_strdup_printf("+%s%.*s", code, (int) n, national);
  }
  return NULL;
}

static char *
match_international(const char *text, const Run *run, guint first,
                    const char *const *countries, gsize *length)
{
  for (; *countries != NULL; countries++) {
    const char *code = **countries == '+' ? *countries + 1 : *countries;
    gsize len = strlen(code);
    if (len == 0 || len > 3 || !g_str_has_prefix(run->digits + first, code))
      continue; /* calling codes have one to three digits, ITU-T E.164 6.2.1 */
    guint national = first + (guint) len;
    if (run->digits[national] == '0' && strcmp(code, NATIONAL_CODE) == 0)
      national++; /* +31 06...: no Dutch number begins with the trunk 0 */
    return match_national(text, run, national, code, length);
  }
  return NULL;
}

/* "(06 12345678)": the closing bracket belongs to the number when the opening one does. */
static gsize
close_bracket(const char *text, gsize used)
{
  guint open = 0;
  for (gsize i = 0; i < used; i++)
    open += text[i] == '(' ? 1 : text[i] == ')' && open > 0 ? (guint) -1 : 0;
  return open > 0 && text[used] == ')' ? used + 1 : used;
}

static gboolean
is_allowed(const char *const *countries, const char *code)
{
  for (; *countries != NULL; countries++)
    if (strcmp(**countries == '+' ? *countries + 1 : *countries, code) == 0)
      return TRUE;
  return FALSE;
}

PhoneResult
phone_parse(const char *text, const char *const *countries, char **e164, gsize *length)
{
  *e164 = NULL;
  *length = 0;
  Run run = {.plus = FALSE};
  const char *start = skip_lead(text);
  gunichar c;
  gsize len = read_char(start, &c);
  if (c == '+') {
    run.plus = TRUE;
    start += len;
  } else if (c >= 0x80 && g_unichar_isdigit(c)) {
    *length = (gsize) (start - text) + len; /* digits of another script: a mistake */
    return PHONE_BAD;
  } else if (c >= 0x80 || !g_ascii_isdigit((char) c)) {
    return PHONE_NONE;
  }
  read_run(text, start, &run);
  if (run.length == 0)
    return PHONE_NONE;

  gsize used = 0;
  if (run.plus)
    *e164 = match_international(text, &run, 0, countries, &used);
  else if (g_str_has_prefix(run.digits, "00"))
    *e164 = match_international(text, &run, 2, countries, &used);
  else if (run.digits[0] == '0' && is_allowed(countries, NATIONAL_CODE))
    *e164 = match_national(text, &run, 1, NATIONAL_CODE, &used);
  *length = *e164 != NULL ? close_bracket(text, used) : run.length;
  return *e164 != NULL ? PHONE_VALID : PHONE_BAD;
}

gboolean
phone_is_e164(const char *text)
{
  if (text[0] != '+')
    return FALSE;
  gsize digits = strspn(text + 1, "0123456789");
  return digits >= E164_MIN_DIGITS && digits <= PHONE_E164_MAX_DIGITS &&
         text[1 + digits] == '\0';
}
