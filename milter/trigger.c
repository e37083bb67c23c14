#include "milter/trigger.h"

#include <string.h>

#include "common/base/phone.h"

/* Marks that may stand before the first word without making it another than the first. */
#define BEFORE_FIRST "([{<>}])\"'-:;,"

/* A part of the subject that is taken out, as byte offsets. */
typedef struct {
  gsize start, end;
} Span;

typedef struct {
  const char *subject;
  const char *const *countries;
  const char *first; /* where the first word stands, after Re: and the like */
  GArray *spans;     /* of Span, in order */
  Trigger *result;
} Scan;

/* What mail clients put before a subject when they answer or forward. */
static const char *const prefixes[] = {
    "re", "fwd", "fw",   "antw", "antwoord", "doorst", "doorgestuurd",
    "aw", "wg",  "betr", "tr",   "rv",       "sv",     "vs",
};

static const char *const conjunctions[] = {"en", "of", "and", "or"};

/* White space, and marks without width that come along when a number is copied. */
static gboolean
is_blank(gunichar c)
{
  return c != 0 && (g_unichar_isspace(c) || g_unichar_type(c) == G_UNICODE_FORMAT);
}

static gboolean
is_word_char(gunichar c)
{
  return g_unichar_isalnum(c) || g_unichar_ismark(c);
}

static gboolean
is_one_of(gunichar c, const char *set)
{
  return c != 0 && g_utf8_strchr(set, -1, c) != NULL;
}

static const char *
skip_blanks(const char *p)
{
  while (is_blank(g_utf8_get_char(p)))
    p = g_utf8_next_char(p);
  return p;
}

/* Skips blanks and characters of SET, in any order. */
static const char *
skip_set(const char *p, const char *set)
{
  for (gunichar c; is_blank(c = g_utf8_get_char(p)) || is_one_of(c, set);)
    p = g_utf8_next_char(p);
  return p;
}

/* The place after WORD (ASCII, any case) when it stands at P as a whole word, or NULL. */
static const char *
match_word(const char *p, const char *word)
{
  gsize len = strlen(word);
  if (g_ascii_strncasecmp(p, word, len) != 0 || is_word_char(g_utf8_get_char(p + len)))
    return NULL;
  return p + len;
}

/* One "Re:", "RE[2]:" or "Fwd :" at P; the place after it, or NULL. */
static const char *
match_prefix(const char *p)
{
  for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
    const char *q = match_word(p, prefixes[i]);
    if (q == NULL)
      continue;
    if (*q == '[' || *q == '(') {
      q += 1 + strspn(q + 1, "0123456789");
      if (*q == ']' || *q == ')')
        q++;
    }
    q = skip_blanks(q);
    if (*q == ':')
      return q + 1;
  }
  return NULL;
}

/* The end of the chain of prefixes at the start of SUBJECT. */
static const char *
skip_prefixes(const char *subject)
{
  const char *end = subject;
  for (const char *p = subject; (p = match_prefix(skip_blanks(p))) != NULL;)
    end = p;
  return end;
}

/* Notes that START to END goes; after a trigger at the beginning the next word is first. */
static void
take_out(Scan *scan, const char *start, const char *end)
{
  if (start <= scan->first)
    scan->first = skip_set(end, BEFORE_FIRST);
  Span span = {(gsize) (start - scan->subject), (gsize) (end - scan->subject)};
  g_array_append_val(scan->spans, span);
}

/* Takes over NUMBER. */
static void
add_number(Scan *scan, char *number)
{
  Trigger *result = scan->result;
  result->sensitive = TRUE;
  if (result->number == NULL) {
    result->number = number;
    return;
  }
  if (strcmp(result->number, number) != 0)
    result->mistake = MISTAKE_TWO_NUMBERS;
  g_free(number);
}

/* The number at P: the place after it, or NULL. */
static const char *
match_number(Scan *scan, const char *p, PhoneResult *result)
{
  char *number = NULL;
  gsize length = 0;
  *result = phone_parse(p, scan->countries, &number, &length);
  if (*result != PHONE_VALID)
    return NULL;
  add_number(scan, number);
  return p + length;
}

/* "06… / 06…", "06… en 06…": takes in what is joined to the number that ends at END. */
static const char *
match_more_numbers(Scan *scan, const char *end)
{
  for (;;) {
    const char *p = skip_set(end, ",;/&-|");
    for (guint i = 0; i < G_N_ELEMENTS(conjunctions); i++) {
      const char *q = match_word(p, conjunctions[i]);
      if (q != NULL && q > p) {
        p = skip_blanks(q);
        break;
      }
    }
    PhoneResult result;
    const char *next = match_number(scan, p, &result);
    if (next == NULL)
      return end;
    end = next;
  }
}

/*
 * "SMS" at START, AFTER points behind it. A number makes it a trigger wherever it stands;
 * without one it is a mistake when MUST (an at sign, or the first word) and nothing, or
 * digits, follow. Returns where to go on.
 */
static const char *
scan_sms(Scan *scan, const char *start, const char *after, gboolean must)
{
  gboolean glued = is_word_char(g_utf8_get_char(after));
  const char *p = skip_set(after, ":=-.#,");
  gboolean hyphen = *after == '-';
  PhoneResult result;
  const char *end = match_number(scan, p, &result);
  if (end != NULL) {
    end = match_more_numbers(scan, end);
    take_out(scan, start, end);
    return end;
  }
  if (!must || glued || scan->result->mistake != MISTAKE_NONE)
    return after;
  if (*p == '\0')
    scan->result->mistake = MISTAKE_NO_NUMBER;
  else if (result == PHONE_BAD && !hyphen) /* "SMS-2024" is a name */
    scan->result->mistake = MISTAKE_BAD_NUMBER;
  return after;
}

/* "veiligmailen" or "veilig mailen" at P: the place after it, or NULL. */
static const char *
match_veilig(const char *p)
{
  if (g_ascii_strncasecmp(p, "veilig", 6) != 0)
    return NULL;
  return match_word(skip_blanks(p + 6), "mailen");
}

/* The word that begins at P. Returns where to go on: beyond P. */
static const char *
scan_word(Scan *scan, const char *p)
{
  const char *sms = *p == '@' ? p + 1 : p;
  if (g_ascii_strncasecmp(sms, "sms", 3) == 0) {
    gunichar next = g_utf8_get_char(sms + 3);
    if (!is_word_char(next) || g_unichar_isdigit(next))
      return scan_sms(scan, p, sms + 3, *p == '@' || p == scan->first);
  }
  const char *end = match_veilig(p);
  if (end != NULL) {
    scan->result->sensitive = TRUE;
    take_out(scan, p, end);
    return end;
  }
  return g_utf8_next_char(p);
}

static void
scan_subject(Scan *scan)
{
  gunichar before = ' ';
  for (const char *p = scan->subject; *p != '\0';) {
    gunichar c = g_utf8_get_char(p);
    gboolean starts = !is_word_char(before) && (is_word_char(c) || c == '@');
    const char *next = starts ? scan_word(scan, p) : g_utf8_next_char(p);
    before = g_utf8_get_char(g_utf8_prev_char(next));
    p = next;
  }
}

static void
trim_blanks(GString *text, gsize from)
{
  while (text->len > from) {
    const char *last = g_utf8_prev_char(text->str + text->len);
    if (!is_blank(g_utf8_get_char(last)))
      return;
    g_string_truncate(text, (gsize) (last - text->str));
  }
}

/* The last character of TEXT after FROM, or 0. */
static gunichar
last_char(const GString *text, gsize from)
{
  return text->len > from ? g_utf8_get_char(g_utf8_prev_char(text->str + text->len)) : 0;
}

static gunichar
closing_of(gunichar open)
{
  return open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : open == '"' ? '"' : 0;
}

/*
 * Joins what stood before a trigger (TEXT, whose first FROM bytes are Re: and the like) to
 * REST: empty brackets go, and of the punctuation around the gap one side stays.
 */
static const char *
mend_gap(GString *text, gsize from, const char *rest)
{
  rest = skip_blanks(rest);
  trim_blanks(text, from);
  for (gunichar open; (open = closing_of(last_char(text, from))) != 0;) {
    if (g_utf8_get_char(rest) != open)
      break;
    g_string_truncate(text, text->len - 1); /* the brackets are ASCII */
    rest = skip_blanks(rest + 1);
    trim_blanks(text, from);
  }
  static const char marks[] = ",;:-/|\xe2\x80\x93\xe2\x80\x94";
  if (text->len <= from || is_one_of(last_char(text, from), marks))
    rest = skip_set(rest, marks);
  while (*rest == '\0' && text->len > from && is_one_of(last_char(text, from), marks)) {
    g_string_truncate(text, (gsize) (g_utf8_prev_char(text->str + text->len) - text->str));
    trim_blanks(text, from);
  }
  if (text->len > 0 && *rest != '\0' && !is_one_of(g_utf8_get_char(rest), ",;:.)?!"))
    g_string_append_c(text, ' ');
  return rest;
}

static char *
clean_subject(const Scan *scan)
{
  const char *subject = scan->subject;
  const char *rest = skip_blanks(subject);
  const char *prefixes_end = skip_prefixes(subject);
  gsize from = prefixes_end > rest ? (gsize) (prefixes_end - rest) : 0;
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < scan->spans->len; i++) {
    const Span *span = &g_array_index(scan->spans, Span, i);
    const char *stop = subject + span->start;
    if (stop > rest)
      g_string_append_len(text, rest, stop - rest);
    gsize kept = MIN(from, text->len);
    rest = mend_gap(text, kept, subject + span->end);
  }
  g_string_append(text, rest);
  trim_blanks(text, 0);
  return g_string_free(text, FALSE);
}

Trigger *
trigger_parse(const char *subject, const char *const *countries)
{
  g_autofree char *valid = g_utf8_make_valid(subject, -1);
  Scan scan = {.subject = valid, .countries = countries};
  scan.result = g_new0(Trigger, 1);
  scan.spans = g_array_new(FALSE, FALSE, sizeof(Span));
  scan.first = skip_set(skip_prefixes(valid), BEFORE_FIRST);
  scan_subject(&scan);
  if (scan.spans->len > 0)
    scan.result->cleaned = clean_subject(&scan);
  g_array_unref(scan.spans);
  explicit_bzero(valid, strlen(valid));
  return scan.result;
}

void
trigger_free(Trigger *trigger)
{
  if (trigger == NULL)
    return;
  if (trigger->number != NULL)
    explicit_bzero(trigger->number, strlen(trigger->number));
  g_free(trigger->number);
  g_free(trigger->cleaned);
  g_free(trigger);
}
