#include "policyd/spf_record.h"

#include <arpa/inet.h>
#include <string.h>

#define VERSION         "v=spf1"
#define DOMAIN_MACROS   "slodiphv"
#define ANY_MACROS      DOMAIN_MACROS "crt" /* these only in explanations, RFC 7208 7.2 */
#define CIDR_MAX_DIGITS 3
#define CIDR_IP4_MAX    32
#define CIDR_IP6_MAX    128

/* Octets of the record from START up to END. */
typedef struct {
  const char *start;
  const char *end;
} Span;

typedef struct {
  GString *directives;
  guint count;
  gboolean has_all;
  gboolean has_exp;
  char *redirect; /* "redirect=...", or NULL */
} Reading;

static gsize
span_length(Span span)
{
  return (gsize) (span.end - span.start);
}

static gboolean
span_is(Span span, const char *word)
{
  return span_length(span) == strlen(word) &&
         g_ascii_strncasecmp(span.start, word, span_length(span)) == 0;
}

/* From "{" of a macro-expand of one of LETTERS: what is behind its "}", or NULL. */
static const char *
skip_macro(const char *p, const char *end, const char *letters)
{
  if (++p == end || *p == '\0' || strchr(letters, g_ascii_tolower(*p)) == NULL)
    return NULL;
  p++;
  while (p < end && g_ascii_isdigit(*p))
    p++;
  if (p < end && (*p == 'r' || *p == 'R'))
    p++;
  while (p < end && *p != '\0' && strchr(".-+,/_=", *p) != NULL)
    p++;
  return p < end && *p == '}' ? p + 1 : NULL;
}

/*
 * Whether SPAN is a macro-string with macros of LETTERS only. *TAIL gets what is literal at
 * its end, behind the last macro-expand.
 */
static gboolean
is_macro_string(Span span, const char *letters, Span *tail)
{
  const char *p = span.start;
  *tail = span;
  while (p < span.end) {
    if (*p++ != '%') {
      if (!g_ascii_isgraph(p[-1]))
        return FALSE;
      continue;
    }
    if (p == span.end)
      return FALSE;
    if (*p == '{')
      p = skip_macro(p, span.end, letters);
    else
      p = *p == '%' || *p == '_' || *p == '-' ? p + 1 : NULL;
    if (p == NULL)
      return FALSE;
    tail->start = p;
  }
  return TRUE;
}

/* Letters, digits and '-' inside, not only digits. */
static gboolean
is_top_label(Span label)
{
  gboolean has_other = FALSE;
  for (const char *p = label.start; p < label.end; p++) {
    if (!g_ascii_isalnum(*p) && *p != '-')
      return FALSE;
    has_other |= !g_ascii_isdigit(*p);
  }
  return has_other && *label.start != '-' && label.end[-1] != '-';
}

/* A domain-spec: a macro-string that ends in a macro-expand, or in a dot and a top label.
 */
static gboolean
is_domain_spec(Span span)
{
  Span tail;
  if (span.start == span.end || !is_macro_string(span, DOMAIN_MACROS, &tail))
    return FALSE;
  if (tail.start == tail.end)
    return TRUE;
  if (tail.end[-1] == '.')
    tail.end--;
  const char *dot = memrchr(tail.start, '.', span_length(tail));
  return dot != NULL && is_top_label((Span){dot + 1, tail.end});
}

/* Whether SPAN is the length of a prefix, at most MAX, without a zero that means nothing.
 */
static gboolean
is_cidr_length(Span span, guint max)
{
  g_autofree char *text = g_strndup(span.start, span_length(span));
  guint64 length;
  return span_length(span) <= CIDR_MAX_DIGITS && (*text != '0' || text[1] == '\0') &&
         g_ascii_string_to_unsigned(text, 10, 0, max, &length, NULL);
}

/*
 * Takes "/digits" off the end of SPAN into *LENGTH, or leaves *LENGTH empty when its end is
 * something else.
 */
static void
take_cidr(Span *span, Span *length)
{
  const char *p = span->end;
  while (p > span->start && g_ascii_isdigit(p[-1]))
    p--;
  *length = (Span){span->end, span->end};
  if (p == span->start || p[-1] != '/')
    return;
  *length = (Span){p, span->end};
  span->end = p - 1;
}

static gboolean
was_taken(Span span, Span length)
{
  return span.end < length.start;
}

/* [ ":" domain-spec ] [ dual-cidr-length ] */
static gboolean
is_domain_with_cidr(Span value)
{
  Span length;
  take_cidr(&value, &length);
  if (was_taken(value, length) && value.end > value.start && value.end[-1] == '/') {
    if (!is_cidr_length(length, CIDR_IP6_MAX))
      return FALSE;
    value.end--;
    take_cidr(&value, &length);
  }
  if (was_taken(value, length) && !is_cidr_length(length, CIDR_IP4_MAX))
    return FALSE;
  return value.start == value.end ||
         (*value.start == ':' && is_domain_spec((Span){value.start + 1, value.end}));
}

static void
add_directive(Reading *reading, Span qualifier, const char *mechanism, gsize len)
{
  g_string_append_c(reading->directives, ' ');
  g_string_append_len(reading->directives, qualifier.start,
                      (gssize) span_length(qualifier));
  g_string_append_len(reading->directives, mechanism, (gssize) len);
  reading->count++;
}

/*
 * ":" network [ "/" length ] of FAMILY: adds NAME with it. libspf2 knows no "/0", which is
 * the same as both halves of all addresses.
 */
static gboolean
add_network(Reading *reading, Span qualifier, Span term, Span value, int family)
{
  static const char *const halves[2][2] = {{"ip4:0.0.0.0/1", "ip4:128.0.0.0/1"},
                                           {"ip6:::/1", "ip6:8000::/1"}};
  gboolean six = family == AF_INET6;
  Span network = value, length;
  guint8 address[sizeof(struct in6_addr)];
  take_cidr(&network, &length);
  if (was_taken(network, length) &&
      !is_cidr_length(length, six ? CIDR_IP6_MAX : CIDR_IP4_MAX))
    return FALSE;
  if (span_length(network) < 2 || *network.start != ':')
    return FALSE;
  g_autofree char *text = g_strndup(network.start + 1, span_length(network) - 1);
  if (inet_pton(family, text, address) != 1)
    return FALSE;
  if (!was_taken(network, length) || *length.start != '0') {
    add_directive(reading, qualifier, term.start, span_length(term));
    return TRUE;
  }
  for (guint i = 0; i < 2; i++)
    add_directive(reading, qualifier, halves[six][i], strlen(halves[six][i]));
  return TRUE;
}

/* [ qualifier ] mechanism */
static gboolean
read_directive(Reading *reading, Span term)
{
  Span qualifier = {term.start, term.start};
  if (*term.start != '\0' && strchr("+-?~", *term.start) != NULL)
    term.start = ++qualifier.end;
  Span name = {term.start, term.start};
  while (name.end < term.end && g_ascii_isalnum(*name.end))
    name.end++;
  Span value = {name.end, term.end};
  if (span_is(name, "ip4"))
    return add_network(reading, qualifier, term, value, AF_INET);
  if (span_is(name, "ip6"))
    return add_network(reading, qualifier, term, value, AF_INET6);

  gboolean empty = value.start == value.end;
  gboolean domain =
      !empty && *value.start == ':' && is_domain_spec((Span){value.start + 1, value.end});
  gboolean good;
  if (span_is(name, "all"))
    good = reading->has_all = empty;
  else if (span_is(name, "a") || span_is(name, "mx"))
    good = is_domain_with_cidr(value);
  else if (span_is(name, "ptr"))
    good = empty || domain;
  else
    good = domain && (span_is(name, "include") || span_is(name, "exists"));
  if (good)
    add_directive(reading, qualifier, term.start, span_length(term));
  return good;
}

/* Where the name of a modifier ends, at its "=", or NULL: TERM is none. */
static const char *
modifier_equals(Span term)
{
  const char *p = term.start;
  if (!g_ascii_isalpha(*p))
    return NULL;
  while (p < term.end && (g_ascii_isalnum(*p) || *p == '-' || *p == '_' || *p == '.'))
    p++;
  return p < term.end && *p == '=' ? p : NULL;
}

/* name "=" value */
static gboolean
read_modifier(Reading *reading, Span term, const char *equals)
{
  Span name = {term.start, equals}, value = {equals + 1, term.end}, tail;
  if (span_is(name, "redirect")) {
    if (reading->redirect != NULL || !is_domain_spec(value))
      return FALSE;
    reading->redirect = g_strndup(term.start, span_length(term));
    return TRUE;
  }
  if (span_is(name, "exp")) {
    gboolean twice = reading->has_exp;
    reading->has_exp = TRUE;
    return !twice && is_domain_spec(value);
  }
  return is_macro_string(value, ANY_MACROS, &tail);
}

static gboolean
read_terms(Reading *reading, Span terms)
{
  const char *p = terms.start;
  while (p < terms.end) {
    if (*p == ' ') {
      p++;
      continue;
    }
    const char *blank = memchr(p, ' ', (gsize) (terms.end - p));
    Span term = {p, blank != NULL ? blank : terms.end};
    const char *equals = modifier_equals(term);
    if (equals != NULL ? !read_modifier(reading, term, equals)
                       : !read_directive(reading, term))
      return FALSE;
    p = term.end;
  }
  return TRUE;
}

char *
spf_record_directives(const char *text, gsize len, guint *count)
{
  const gsize head = strlen(VERSION);
  if (len < head || len > SPF_RECORD_MAX_BYTES ||
      g_ascii_strncasecmp(text, VERSION, head) != 0 || (len > head && text[head] != ' '))
    return NULL;
  g_autoptr(GString) directives = g_string_new(VERSION);
  Reading reading = {.directives = directives};
  gboolean good = read_terms(&reading, (Span){text + head, text + len});
  g_autofree char *redirect = reading.redirect;
  if (!good)
    return NULL;
  if (redirect != NULL && !reading.has_all) {
    g_string_append_printf(directives, " %s", redirect);
    reading.count++;
  }
  *count = reading.count;
  return g_string_free(g_steal_pointer(&directives), FALSE);
}
