#include "viewer-cgi/text.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ACCEPT_MAX_BYTES 1024
#define DOMAIN           "zegel"

/* glibc's counter of catalogue changes: raising it makes gettext read LANGUAGE again. */
extern int _nl_msg_cat_cntr;

static const char *const codes[] = {[LANGUAGE_NL] = "nl", [LANGUAGE_EN] = "en"};

static const char *const weekdays[] = {
    N_("Sunday"),   N_("Monday"), N_("Tuesday"),  N_("Wednesday"),
    N_("Thursday"), N_("Friday"), N_("Saturday"),
};

static const char *const months[] = {
    N_("January"),   N_("February"), N_("March"),    N_("April"),
    N_("May"),       N_("June"),     N_("July"),     N_("August"),
    N_("September"), N_("October"),  N_("November"), N_("December"),
};

void
text_init(const char *localedir)
{
  /* "C" would silently stay English; C.UTF-8 is there on every system. */
  setlocale(LC_ALL, "C.UTF-8");
  bindtextdomain(DOMAIN, localedir);
  bind_textdomain_codeset(DOMAIN, "UTF-8");
  textdomain(DOMAIN);
  tzset();
}

void
text_use(Language language)
{
  if (g_strcmp0(getenv("LANGUAGE"), codes[language]) == 0)
    return;
  setenv("LANGUAGE", codes[language], 1);
  _nl_msg_cat_cntr++;
}

const char *
language_code(Language language)
{
  return codes[language];
}

gboolean
language_parse(const char *code, Language *language)
{
  for (guint i = 0; code != NULL && i < G_N_ELEMENTS(codes); i++)
    if (strcmp(codes[i], code) == 0) {
      *language = (Language) i;
      return TRUE;
    }
  return FALSE;
}

/* The weight of "nl-BE;q=0.8" in thousandths, and its language; 0 when it is none of ours.
 */
static gint
weigh(char *range, Language *language)
{
  char *weight = strchr(range, ';');
  if (weight != NULL)
    *weight++ = '\0';
  range[strcspn(range, "-")] = '\0';
  g_autofree char *tag = g_ascii_strdown(g_strstrip(range), -1);
  if (!language_parse(tag, language))
    return 0;
  if (weight == NULL)
    return 1000;
  weight = g_strstrip(weight);
  if (!g_str_has_prefix(weight, "q="))
    return 0;
  return (gint) (CLAMP(g_ascii_strtod(weight + 2, NULL), 0.0, 1.0) * 1000);
}

Language
language_choose(const char *chosen, const char *remembered, const char *accept,
                const char *fallback)
{
  Language best = LANGUAGE_NL;
  if (language_parse(chosen, &best) || language_parse(remembered, &best))
    return best;
  language_parse(fallback, &best);
  if (accept == NULL || strlen(accept) > ACCEPT_MAX_BYTES)
    return best;
  gint best_weight = 0;
  g_auto(GStrv) ranges = g_strsplit(accept, ",", -1);
  for (char **range = ranges; *range != NULL; range++) {
    Language language = LANGUAGE_NL;
    gint weight = weigh(*range, &language);
    if (weight > best_weight) {
      best_weight = weight;
      best = language;
    }
  }
  return best;
}

/* localtime_r reads no file: tzset has. */
static struct tm
local_time(gint64 unix_s)
{
  struct tm tm = {.tm_mday = 1, .tm_year = 70};
  time_t t = (time_t) unix_s;
  localtime_r(&t, &tm);
  return tm;
}

char *
text_date(gint64 unix_s)
{
  struct tm tm = local_time(unix_s);
  return g_strdup_printf("%s %d %s %d", _(weekdays[tm.tm_wday]), tm.tm_mday,
                         _(months[tm.tm_mon]), tm.tm_year + 1900);
}

char *
text_time(gint64 unix_s)
{
  struct tm tm = local_time(unix_s);
  return g_strdup_printf("%02d:%02d", tm.tm_hour, tm.tm_min);
}

char *
text_date_time(gint64 unix_s)
{
  g_autofree char *date = text_date(unix_s);
  g_autofree char *time = text_time(unix_s);
  return g_strdup_printf("%s, %s", date, time);
}

char *
text_size(guint64 bytes)
{
  if (bytes < 1000)
    return g_strdup_printf(ngettext("%u byte", "%u bytes", (gulong) bytes), (guint) bytes);
  if (bytes < 1000 * 1000)
    return g_strdup_printf("%u kB", (guint) ((bytes + 500) / 1000));
  guint64 tenths = (bytes + 50000) / 100000;
  /* TRANSLATORS: the sign between whole and tenths, as in 3.4 MB */
  const char *point = _(".");
  return g_strdup_printf("%" G_GUINT64_FORMAT "%s%u MB", tenths / 10, point,
                         (guint) (tenths % 10));
}
