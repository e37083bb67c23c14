#include "policyd/nta.h"

#include <string.h>

#include "policyd/address.h"

/* What the norm may change, per version, newest first; its source is nta.h. */
typedef struct {
  const char *version; /* value of v */
  gboolean old;
  const char *start, *end, *provider, *host; /* names of the fields */
  gboolean has_preference;                   /* before a host */
  guint preference_max;
  int span_months; /* enddate is at most so much after startdate */
} Syntax;

static const Syntax syntaxes[] = {
    {"NTA7516-1", FALSE, "startdate", "enddate", "provider", "ntamx", TRUE, 65535,
     NTA_SPAN_MONTHS},
    {"NTA7516", TRUE, "version", "expire", "provider", "ntamx", FALSE, 0, NTA_SPAN_MONTHS},
};

#define FAMILY "NTA7516" /* what a version begins with, also one to come */

#define FIELD_ENDS   ";"
#define VALUE_BEGINS "=:" /* seen both in both syntaxes */

#define MONTH_TEXT_BYTES 7 /* "YYYY-MM" */
#define MONTHS_OF_YEAR   12

/* The longest host for which "_25._tcp." can stand before it (RFC 1035 2.3.4). */
#define HOST_MAX_BYTES (253 - 9)

#define ZONE      "Europe/Amsterdam"
#define ZONE_RULE "CET-1CEST,M3.5.0,M10.5.0/3" /* the same, where zoneinfo is missing */

typedef struct {
  const Syntax *syntax;
  NtaRecord *record;
  gboolean has_start, has_end;
  const char *what; /* NULL: nothing is wrong yet */
} Parser;

static gboolean
refuse(Parser *parser, const char *what)
{
  parser->what = what;
  return FALSE;
}

static void
host_free(gpointer p)
{
  NtaHost *host = p;
  g_free(host->host);
  g_free(host);
}

static NtaRecord *
record_new(gboolean old)
{
  NtaRecord *record = g_new0(NtaRecord, 1);
  record->old = old;
  record->hosts = g_ptr_array_new_with_free_func(host_free);
  return record;
}

void
nta_record_free(NtaRecord *record)
{
  if (record == NULL)
    return;
  g_ptr_array_unref(record->hosts);
  g_free(record->provider);
  g_free(record);
}

static gboolean
read_digits(const char *text, gsize len, guint min, guint max, guint *number)
{
  g_autofree char *digits = g_strndup(text, len);
  guint64 value = 0;
  if (!g_ascii_string_to_unsigned(digits, 10, min, max, &value, NULL))
    return FALSE;
  *number = (guint) value;
  return TRUE;
}

/* "YYYY-MM" once. */
static gboolean
read_month(Parser *parser, const char *value, gboolean *has, int *month)
{
  guint year = 0, month_of_year = 0;
  if (*has)
    return refuse(parser, "a date stands there twice");
  if (strlen(value) != MONTH_TEXT_BYTES || value[4] != '-' ||
      !read_digits(value, 4, 0, 9999, &year) ||
      !read_digits(value + 5, 2, 1, MONTHS_OF_YEAR, &month_of_year))
    return refuse(parser, "a date is not YYYY-MM");
  *has = TRUE;
  *month = (int) (year * MONTHS_OF_YEAR + month_of_year) - 1;
  return TRUE;
}

static gboolean
read_provider(Parser *parser, const char *value)
{
  if (parser->record->provider != NULL)
    return refuse(parser, "the provider stands there twice");
  if (*value == '\0' || strlen(value) > NTA_PROVIDER_MAX)
    return refuse(parser, "the provider is empty or too long");
  parser->record->provider = g_strdup(value);
  return TRUE;
}

gboolean
nta_host_is_good(const char *host)
{
  gboolean letter = FALSE;
  char before = '.';
  if (strchr(host, '.') == NULL || strlen(host) > HOST_MAX_BYTES)
    return FALSE;
  for (const char *p = host; *p != '\0'; before = *p++) {
    if ((*p == '-' && before == '.') || (*p == '.' && before == '-'))
      return FALSE;
    letter = letter || g_ascii_isalpha(*p);
  }
  g_autofree char *canonical = domain_canonical(host);
  return letter && before != '-' && g_strcmp0(canonical, host) == 0;
}

static gboolean
read_host(Parser *parser, const char *value)
{
  guint preference = 0;
  if (parser->syntax->has_preference) {
    gsize digits = strcspn(value, " \t");
    if (value[digits] == '\0' ||
        !read_digits(value, digits, 0, parser->syntax->preference_max, &preference))
      return refuse(parser, "ntamx is not a preference of 0 to 65535 and a host");
    value += digits;
    value += strspn(value, " \t");
  }
  g_autofree char *host = domain_canonical(value);
  if (host == NULL || !nta_host_is_good(host))
    return refuse(parser, "ntamx does not end with the name of a host");
  if (parser->record->hosts->len == NTA_MAX_HOSTS)
    return refuse(parser, "there are too many ntamx");
  NtaHost *entry = g_new0(NtaHost, 1);
  entry->preference = preference;
  entry->host = g_steal_pointer(&host);
  g_ptr_array_add(parser->record->hosts, entry);
  return TRUE;
}

/* One "name=value", in which it may write; a name that is not known is left aside. */
static gboolean
read_field(Parser *parser, char *field)
{
  const Syntax *syntax = parser->syntax;
  char *value = strpbrk(field, VALUE_BEGINS);
  if (value == NULL)
    return refuse(parser, "a field has no value");
  *value++ = '\0';
  g_strstrip(value);
  const char *name = g_strstrip(field);
  if (g_ascii_strcasecmp(name, syntax->start) == 0)
    return read_month(parser, value, &parser->has_start, &parser->record->start);
  if (g_ascii_strcasecmp(name, syntax->end) == 0)
    return read_month(parser, value, &parser->has_end, &parser->record->end);
  if (g_ascii_strcasecmp(name, syntax->provider) == 0)
    return read_provider(parser, value);
  if (g_ascii_strcasecmp(name, syntax->host) == 0)
    return read_host(parser, value);
  if (*name == '\0' || g_ascii_strcasecmp(name, "v") == 0)
    return refuse(parser, "a field has no name, or v stands there twice");
  return TRUE;
}

/* Lowest preference first; GLib keeps the order of equal ones. */
static gint
compare_hosts(gconstpointer a, gconstpointer b)
{
  const NtaHost *x = *(const NtaHost *const *) a;
  const NtaHost *y = *(const NtaHost *const *) b;
  return (x->preference > y->preference) - (x->preference < y->preference);
}

/* FIELDS are what stands behind the version. */
static gboolean
read_fields(Parser *parser, char **fields)
{
  for (char **field = fields; *field != NULL; field++) {
    g_strstrip(*field);
    if (**field == '\0' && field[1] == NULL)
      break; /* behind the last ';' */
    if (!read_field(parser, *field))
      return FALSE;
  }
  NtaRecord *record = parser->record;
  if (!parser->has_start || !parser->has_end || record->provider == NULL)
    return refuse(parser, "a date or the provider is missing");
  if (record->end < record->start)
    return refuse(parser, "the record ends before it starts");
  g_ptr_array_sort(record->hosts, compare_hosts);
  return TRUE;
}

/* Whether FIELD is "v=NTA7516...", with what stands behind "=" in *VERSION. */
static gboolean
is_family(char *field, const char **version)
{
  char *value = strpbrk(field, VALUE_BEGINS);
  if (value == NULL)
    return FALSE;
  *value++ = '\0';
  *version = g_strstrip(value);
  return g_ascii_strcasecmp(g_strstrip(field), "v") == 0 &&
         g_ascii_strncasecmp(*version, FAMILY, strlen(FAMILY)) == 0 &&
         !g_ascii_isalnum((*version)[strlen(FAMILY)]);
}

static const Syntax *
find_syntax(const char *version)
{
  for (gsize i = 0; i < G_N_ELEMENTS(syntaxes); i++)
    if (g_ascii_strcasecmp(version, syntaxes[i].version) == 0)
      return &syntaxes[i];
  return NULL;
}

static gboolean
is_plain(const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isprint(text[i]) && text[i] != '\t')
      return FALSE;
  return TRUE;
}

gboolean
nta_in_dates(const NtaRecord *record, int month)
{
  return record->start <= month && month <= record->end;
}

gboolean
nta_in_span(const NtaRecord *record)
{
  gsize i = 0;
  while (syntaxes[i].old != record->old)
    i++;
  return record->end - record->start <= syntaxes[i].span_months;
}

static NtaState
judge(const NtaRecord *record, const NtaRules *rules, const char **what)
{
  static const char *const reasons[] = {
      [NTA_OLD] = "it has the syntax of 2019",
      [NTA_NOT_YET] = "its first month is still to come",
      [NTA_ENDED] = "its last month is over",
      [NTA_SPAN] = "it holds for more than three years",
      [NTA_VALID] = NULL,
  };
  NtaState state = NTA_VALID;
  if (record->old && !rules->old_syntax)
    state = NTA_OLD;
  else if (!nta_in_dates(record, rules->month))
    state = rules->month < record->start ? NTA_NOT_YET : NTA_ENDED;
  else if (!nta_in_span(record) && !rules->long_span)
    state = NTA_SPAN;
  *what = reasons[state];
  return state;
}

NtaState
nta_parse(const char *text, gsize len, const NtaRules *rules, NtaRecord **record,
          const char **what)
{
  *record = NULL;
  *what = NULL;
  /* One octet more: so that "too long" is seen, and a whole zone is not copied. */
  g_autofree char *copy = g_strndup(len > 0 ? text : "", MIN(len, NTA_MAX_BYTES + 1));
  g_auto(GStrv) fields = g_strsplit(copy, FIELD_ENDS, -1);
  const char *version = NULL;
  if (fields[0] == NULL || !is_family(fields[0], &version))
    return NTA_OTHER;
  Parser parser = {.syntax = find_syntax(version)};
  if (len > NTA_MAX_BYTES)
    refuse(&parser, "it is too long");
  else if (!is_plain(text, len))
    refuse(&parser, "it is not plain text");
  else if (parser.syntax == NULL)
    refuse(&parser, "its version is not known");
  if (parser.what == NULL) {
    parser.record = record_new(parser.syntax->old);
    read_fields(&parser, fields + 1);
  }
  if (parser.what != NULL) {
    nta_record_free(parser.record);
    *what = parser.what;
    return NTA_SYNTAX;
  }
  *record = parser.record;
  return judge(parser.record, rules, what);
}

/* TIME_S in the Netherlands, whatever TZ says. */
static GDateTime *
dutch_time(gint64 time_s)
{
  /* Read once: reading its file takes as long as a question to the DNS. */
  static GTimeZone *zone;
  if (zone == NULL)
    zone = g_time_zone_new_identifier(ZONE);
  if (zone == NULL)
    zone = g_time_zone_new_identifier(ZONE_RULE);
  g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time_s);
  return g_date_time_to_timezone(utc, zone);
}

int
nta_month(gint64 time_s)
{
  g_autoptr(GDateTime) time = dutch_time(time_s);
  return g_date_time_get_year(time) * MONTHS_OF_YEAR + g_date_time_get_month(time) - 1;
}

char *
nta_month_text(int month)
{
  return g_strdup_printf("%04d-%02d", month / MONTHS_OF_YEAR, month % MONTHS_OF_YEAR + 1);
}

char *
nta_day_text(gint64 time_s)
{
  g_autoptr(GDateTime) time = dutch_time(time_s);
  return g_date_time_format(time, "%Y-%m-%d");
}
