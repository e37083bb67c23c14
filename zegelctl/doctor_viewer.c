/*
 * doctor_viewer.c - what zegelctl doctor looks at in the way of a reader: the web server in
 * front of the viewer, as a visitor sees it; with the text messages and logs beside it.
 */
#include <signal.h>
#include <string.h>

#include "zegelctl/apart.h"
#include "zegelctl/doctor_parts.h"
#include "zegelctl/web.h"

#define LOOK_S    120
#define DAY_S     86400
#define HSTS_MIN  (30 * DAY_S)
#define HTTP_PORT "80"

/* Of an organisation: what to look at, and what was seen. */
typedef struct {
  const Organisation *organisation;
  WebPlace place;
  WebPage page;
  Apart *apart;
} Visit;

typedef void
VisitFunc(Visit *visit);

/* As a user without rights: what comes is a stranger's. FUNC is called for each viewer. */
static void
visit_all(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  VisitFunc *const *func = data;
  signal(SIGPIPE, SIG_IGN);
  for (guint i = 0; i < subject->config->organisations->len; i++) {
    Visit visit = {.organisation = subject->config->organisations->pdata[i],
                   .apart = apart};
    if (visit.organisation->method == METHOD_NONE ||
        !web_place_parse(visit.organisation->viewer_url, &visit.place))
      continue;
    web_get(&visit.place, "/", &visit.page);
    (*func)(&visit);
    web_page_clear(&visit.page);
    web_place_clear(&visit.place);
  }
}

static void
run_visits(const DoctorSubject *subject, DoctorReport *report, VisitFunc *func)
{
  apart_run(subject, report, subject->config->policyd_user, LOOK_S, visit_all, &func);
}

/* What every page of zegel-viewer has (viewer-cgi/response.c). PART: somewhere in it. */
static const struct {
  const char *name; /* in lower case */
  const char *value;
  gboolean part;
} wanted[] = {
    {"content-security-policy", "default-src 'none'", TRUE},
    {"content-security-policy", "frame-ancestors 'none'", TRUE},
    {"referrer-policy", "no-referrer", FALSE},
    {"cache-control", "no-store", TRUE},
    {"x-content-type-options", "nosniff", FALSE},
    {"cross-origin-opener-policy", "same-origin", FALSE},
    {"cross-origin-resource-policy", "same-origin", FALSE},
    {"x-robots-tag", "noindex", TRUE},
};

/* What only zegel-viewer says of itself. */
static gboolean
is_viewer(const WebPage *page)
{
  const char *policy = web_header(page, "content-security-policy", 0);
  return policy != NULL && strstr(policy, wanted[0].value) != NULL &&
         web_header(page, "cross-origin-opener-policy", 0) != NULL;
}

/* ---- viewer-https ---- */

/* Whether there is a page, whose certificate and headers are looked at elsewhere. */
static void
say_page(const Visit *visit)
{
  const char *url = visit->organisation->viewer_url;
  switch (visit->page.status) {
  case 200:
    return;
  case 421:
    apart_say(visit->apart, DOCTOR_WRONG,
              "have the web server hand on the name of the host as the browser says it "
              "(contrib/ has it for nginx, Apache and lighttpd)",
              "%s answers 421: zegel-viewer is told another host name", url);
    return;
  case 502:
  case 503:
  case 504:
    apart_say(visit->apart, DOCTOR_WRONG,
              "see that zegel-viewer runs (daemon-running), and that the web server may "
              "connect to its socket: [viewer] group is to be its group",
              "%s answers %u: the web server does not reach zegel-viewer", url,
              visit->page.status);
    return;
  default:
    apart_say(visit->apart, DOCTOR_WRONG,
              "let the web server give this host name to zegel-viewer (zegel-viewer(8))",
              "%s answers %u", url, visit->page.status);
  }
}

static void
say_unreached(const Visit *visit)
{
  const WebPage *page = &visit->page;
  const char *url = visit->organisation->viewer_url;
  const char *address = page->address != NULL ? page->address : "no address";
  if (page->connected)
    apart_say(visit->apart, DOCTOR_WRONG,
              "give the web server HTTPS on this port, with TLS 1.2 or later",
              "%s (%s): no page comes over HTTPS: %s", url, address, page->problem);
  else if (page->local)
    apart_say(visit->apart, DOCTOR_WRONG,
              "start the web server, and let it listen there with HTTPS (zegel-viewer(8))",
              "%s (%s): nobody answers: %s", url, address, page->problem);
  else
    apart_say(
        visit->apart, DOCTOR_UNKNOWN,
        "open it from outside; when that works, this machine does not reach itself by "
        "its public name: write that name into /etc/hosts here",
        "%s (%s) cannot be reached from here: %s", url, address, page->problem);
}

/* Port 80 may be closed, or lead to HTTPS; our pages may not be there. */
static void
look_at_plain(const Visit *visit)
{
  const WebPlace plain = {
      .https = FALSE, .host = visit->place.host, .port = (char *) HTTP_PORT};
  g_auto(WebPage) page = {.address = NULL};
  web_get(&plain, "/", &page);
  if (is_viewer(&page))
    apart_say(
        visit->apart, DOCTOR_WRONG,
        "let port 80 answer with a redirect to HTTPS only (contrib/ has it for nginx, "
        "Apache and lighttpd)",
        "http://%s/ shows the pages of zegel-viewer without HTTPS", plain.host);
}

static void
visit_https(Visit *visit)
{
  if (!visit->place.https) {
    apart_say(visit->apart, DOCTOR_WRONG,
              "give the viewer a name and HTTPS, and write viewer_url = https://...",
              "viewer_url of %s is %s: links, codes and messages travel in the clear",
              visit->organisation->name, visit->organisation->viewer_url);
    return;
  }
  if (!visit->page.greeted || visit->page.status == 0)
    say_unreached(visit);
  else
    say_page(visit);
  look_at_plain(visit);
}

static void
check_https(const DoctorSubject *subject, DoctorReport *report)
{
  run_visits(subject, report, visit_https);
}

/* Whether somebody serves the pages. */
static void
visit_there(Visit *visit)
{
  if (visit->page.status == 200 && is_viewer(&visit->page))
    apart_say(visit->apart, DOCTOR_GOOD, NULL, "there is a page");
}

gboolean
doctor_viewer_answers(const DoctorSubject *subject, DoctorReport *report)
{
  VisitFunc *func = visit_there;
  return apart_run(subject, report, subject->config->policyd_user, LOOK_S, visit_all,
                   &func);
}

/* ---- viewer-headers ---- */

/* What PAGE has in NAME that is not as VALUE says; NULL: it is. MISSING stands for no such
 * header. */
static const char *
find_other(const WebPage *page, const char *name, const char *value, gboolean part,
           const char *missing)
{
  const char *found = web_header(page, name, 0);
  if (found == NULL)
    return missing;
  for (guint n = 0; (found = web_header(page, name, n)) != NULL; n++)
    if (part ? strstr(found, value) == NULL : strcmp(found, value) != 0)
      return found;
  return NULL;
}

/* For how many seconds browsers are told to come by HTTPS only (RFC 6797). */
static guint64
hsts_seconds(const WebPage *page)
{
  const char *value = web_header(page, "strict-transport-security", 0);
  const char *age = value != NULL ? strstr(value, "max-age=") : NULL;
  guint64 seconds = 0;
  if (age == NULL)
    return 0;
  age += strlen("max-age=");
  g_autofree char *digits = g_strndup(age, strspn(age, "0123456789"));
  g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, &seconds, NULL);
  return seconds;
}

static void
visit_headers(Visit *visit)
{
  static const char missing[] = "(nothing)";
  const WebPage *page = &visit->page;
  g_autoptr(GString) others = g_string_new(NULL);
  if (page->status != 200)
    return; /* viewer-https says so */
  for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
    const char *found =
        find_other(page, wanted[i].name, wanted[i].value, wanted[i].part, missing);
    if (found != NULL)
      g_string_append_printf(others, "%s%s is %.80s, not %s", others->len > 0 ? "; " : "",
                             wanted[i].name, found, wanted[i].value);
  }
  if (visit->place.https && hsts_seconds(page) < HSTS_MIN)
    g_string_append_printf(others,
                           "%sstrict-transport-security is missing or short: zegel-viewer "
                           "is not told that it is HTTPS, or the web server takes it out",
                           others->len > 0 ? "; " : "");
  if (others->len > 0)
    apart_say(visit->apart, DOCTOR_WRONG,
              "let the web server hand on all headers of zegel-viewer, add none of these, "
              "and tell it HTTPS=on (contrib/ has it for nginx, Apache and lighttpd)",
              "%s does not have the headers of zegel-viewer: %s",
              visit->organisation->viewer_url, others->str);
}

static void
check_headers(const DoctorSubject *subject, DoctorReport *report)
{
  run_visits(subject, report, visit_headers);
}

/* ---- viewer-certificate ---- */

static char *
day_of(gint64 at_s)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at_s);
  return time != NULL ? g_date_time_format(time, "%Y-%m-%d") : g_strdup("a day far away");
}

static void
visit_certificate(Visit *visit)
{
  const WebPage *page = &visit->page;
  const char *url = visit->organisation->viewer_url;
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  if (!visit->place.https || !page->greeted)
    return; /* viewer-https says so */
  g_autofree char *until = day_of(page->until_s);
  static const char cure[] = "get another certificate (\"certbot renew\"), see that its "
                             "timer runs, and have the web server read it: \"systemctl "
                             "reload\" nginx, apache2 or lighttpd";
  if (page->until_s != 0 && page->until_s <= now_s)
    apart_say(visit->apart, DOCTOR_WRONG, cure, "the certificate of %s ended on %s", url,
              until);
  else if (!page->verified)
    apart_say(visit->apart, DOCTOR_WRONG,
              "give the web server a certificate for this host name from an authority that "
              "browsers know, with all that stand between (fullchain.pem)",
              "the certificate of %s is not valid: %s", url, page->problem);
  else if (doctor_ends_soon(page->from_s, page->until_s, now_s))
    apart_say(visit->apart, DOCTOR_WARNING, cure, "the certificate of %s ends on %s", url,
              until);
}

static void
check_certificate(const DoctorSubject *subject, DoctorReport *report)
{
  run_visits(subject, report, visit_certificate);
}

const DoctorCheck doctor_viewer_checks[] = {
    {"viewer-https", "readers reach the viewer, and by HTTPS only", check_https},
    {"viewer-headers", "the viewer's headers reach browsers", check_headers},
    {"viewer-certificate", "the viewer's certificate is valid", check_certificate},
    {"viewer-log", "no link stands in a log of the web server", doctor_check_link_log},
    {"sms-command", "text messages can be sent", doctor_check_sms_command},
    {"sms-silent", "access codes go out", doctor_check_sms_silent},
    {.id = NULL},
};
