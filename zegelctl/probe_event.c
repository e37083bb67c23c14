/*
 * probe_event.c - zegelctl probe: whether the service is there, once a minute by a timer.
 *
 * It asks as Postfix and a reader would, and what it found is an event: the figure of NTA
 * 7516 6.1.2 is counted from those (availability.c). What concerns everybody is one event
 * each time; what is wrong for one organisation alone is one of that. While zegel-auditd is
 * not there the event waits in the store, and comes into the trail with its own time.
 */
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/ask/ask.h"
#include "common/audit/client.h"
#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/unix.h"
#include "common/conf/window.h"
#include "common/store/outbox.h"
#include "common/submit/page.h"
#include "zegelctl/aside.h"
#include "zegelctl/command.h"
#include "zegelctl/opened.h"
#include "zegelctl/smtp.h"
#include "zegelctl/text.h"

#define EXIT_WRONG 1
#define CONNECT_MS 2000
#define PAGE_MS    10000
#define HTTP_OK    200
#define LMTP_READY 220
#define AT_FORMAT  "%Y-%m-%dT%H:%M:%SZ"

static gboolean option_json, option_quiet;

/* One thing that was looked at. */
typedef struct {
  const char *part;         /* static */
  const char *organisation; /* NULL: of all; borrowed */
  char *problem;            /* NULL: it is good */
} Look;

static void
look_clear(gpointer p)
{
  Look *look = p;
  g_free(look->problem);
}

/* ---- What is asked ---- */

static gboolean
ask_socket(const char *path, GError **error)
{
  int fd = unix_connect(path, g_get_monotonic_time() + CONNECT_MS * 1000, error);
  if (fd >= 0)
    close(fd);
  return fd >= 0;
}

/* Which way a message between colleagues goes: it needs no DNS, only zegel-policyd. */
static gboolean
ask_policyd(const Config *config, GError **error)
{
  const Organisation *organisation = config->organisations->pdata[0];
  g_autoptr(RouteQuestion) question = route_question_new();
  char *address = g_strconcat("postmaster@", organisation->domains[0], NULL);
  question->organisation = g_strdup(organisation->name);
  question->sender = g_strdup(address);
  question->queue_id = g_strdup("");
  question->sensitive = TRUE;
  question->dry_run = TRUE;
  g_ptr_array_add(question->recipients, address);
  g_autoptr(GPtrArray) answers = ask_route(config->policyd_socket, question, error);
  return answers != NULL;
}

/* The greeting of zegel-deliver: LMTP begins as SMTP does. */
static gboolean
ask_deliver(const Config *config, GError **error)
{
  struct sockaddr_un place = {.sun_family = AF_UNIX};
  struct addrinfo address = {.ai_family = AF_UNIX,
                             .ai_addr = (struct sockaddr *) &place,
                             .ai_addrlen = sizeof place};
  g_autoptr(GString) text = g_string_new(NULL);
  if (g_strlcpy(place.sun_path, config->deliver_socket, sizeof place.sun_path) >=
      sizeof place.sun_path)
    return command_error(error, ZEGEL_ERROR_CONFIG, "the path of the socket is too long");
  g_autoptr(Smtp) lmtp = smtp_open(&address, error);
  int code = lmtp != NULL ? smtp_talk(lmtp, NULL, text, error) : -1;
  if (code < 0)
    return FALSE;
  smtp_talk(lmtp, "QUIT", text, NULL);
  return code == LMTP_READY ||
         command_error(error, ZEGEL_ERROR_TEMPORARY, "it answers %d", code);
}

static gboolean
ask_viewer(const Organisation *organisation, GError **error)
{
  guint status = 0;
  if (!page_look(organisation->viewer_url, PAGE_MS, &status, error))
    return FALSE;
  return status == HTTP_OK ||
         command_error(error, ZEGEL_ERROR_TEMPORARY, "HTTP status %u", status);
}

static gboolean
ask_milter(const Config *config, GError **error)
{
  return ask_socket(config->milter_socket, error);
}

static gboolean
ask_mx(const Config *config, GError **error)
{
  return ask_socket(config->mx_socket, error);
}

static gboolean
ask_auditd(const Config *config, GError **error)
{
  return ask_socket(config->audit_socket, error);
}

static const struct {
  const char *part;
  gboolean (*ask)(const Config *config, GError **error);
} parts[] = {
    {"milter", ask_milter},   {"milter-mx", ask_mx},  {"policyd", ask_policyd},
    {"deliver", ask_deliver}, {"auditd", ask_auditd},
};

/* Takes ERROR, or NULL. */
static void
add_look(GArray *looks, const char *part, const char *organisation, GError *error)
{
  Look look = {part, organisation, error != NULL ? g_strdup(error->message) : NULL};
  g_clear_error(&error);
  g_array_append_val(looks, look);
}

/* Looks at everything: an array of Look. */
static GArray *
look_at_all(const Config *config)
{
  GArray *looks = g_array_new(FALSE, FALSE, sizeof(Look));
  g_array_set_clear_func(looks, look_clear);
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    GError *error = NULL;
    parts[i].ask(config, &error);
    add_look(looks, parts[i].part, NULL, error);
  }
  for (guint i = 0; i < config->organisations->len; i++) {
    GError *error = NULL;
    const Organisation *organisation = config->organisations->pdata[i];
    ask_viewer(organisation, &error);
    add_look(looks, "viewer", organisation->name, error);
  }
  return looks;
}

/* ---- Recording ---- */

/* What is wrong of what concerns ORGANISATION alone, or all when it is NULL: "deliver" or
 * "policyd+deliver". */
static char *
wrong_parts(const GArray *looks, const char *organisation)
{
  GString *wrong = g_string_new(NULL);
  for (guint i = 0; i < looks->len; i++) {
    const Look *look = &g_array_index(looks, Look, i);
    if (look->problem != NULL && g_strcmp0(look->organisation, organisation) == 0)
      g_string_append_printf(wrong, "%s%s", wrong->len > 0 ? "+" : "", look->part);
  }
  return g_string_free(wrong, FALSE);
}

static char *
format_time(gint64 at_s)
{
  g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(at_s);
  return g_date_time_format(at, AT_FORMAT);
}

/* The event of what concerns ORGANISATION. WRONG: what is not good; "" when all is. */
static Event *
make_event(const Config *config, const char *organisation, const char *wrong)
{
  gint64 begins_s = 0, ends_s = 0, now_s = g_get_real_time() / G_USEC_PER_SEC;
  g_autofree char *begins = NULL, *until = NULL;
  if (window_find((const char *const *) config->maintenance_windows, now_s, &begins_s,
                  &ends_s)) {
    begins = format_time(begins_s);
    until = format_time(ends_s);
  }
  Event *event =
      event_new(EVENT_PROBE, NULL, organisation, "detail", *wrong != '\0' ? wrong : NULL,
                "begins", begins, "until", until, NULL);
  if (*wrong != '\0')
    event_add(event, "outcome", "failed");
  return event;
}

/* For aside_run: EVENTS wait in the store. */
static int
put_into_store(gpointer events)
{
  GError *error = NULL;
  const GPtrArray *list = events;
  g_auto(Opened) opened = {.config = NULL};
  if (!opened_store(&opened, &error))
    return command_fail(error);
  for (guint i = 0; i < list->len; i++)
    if (!store_record(opened.store, list->pdata[i], &error))
      return command_fail(error);
  return EX_OK;
}

static void
free_event(gpointer event)
{
  event_free(event);
}

/* The events of LOOKS. */
static GPtrArray *
make_events(const Config *config, const GArray *looks)
{
  GPtrArray *events = g_ptr_array_new_with_free_func(free_event);
  g_autofree char *all = wrong_parts(looks, NULL);
  g_ptr_array_add(events, make_event(config, NULL, all));
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    g_autofree char *wrong = wrong_parts(looks, organisation->name);
    if (*wrong != '\0')
      g_ptr_array_add(events, make_event(config, organisation->name, wrong));
  }
  return events;
}

static gboolean
is_wrong(const GArray *looks, const char *part)
{
  for (guint i = 0; i < looks->len; i++) {
    const Look *look = &g_array_index(looks, Look, i);
    if (look->problem != NULL && strcmp(look->part, part) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
write_all(const GPtrArray *events)
{
  for (guint i = 0; i < events->len; i++)
    event_write(events->pdata[i]);
}

/* Into the log, and into the trail at once or later. An exit status. */
static int
record(const Config *config, GArray *looks)
{
  GError *error = NULL;
  g_autoptr(GPtrArray) events = make_events(config, looks);
  if (audit_append(config->audit_socket, events, AUDIT_TIMEOUT_MS, &error)) {
    write_all(events);
    return EX_OK;
  }
  if (is_wrong(looks, "auditd"))
    g_clear_error(&error);
  else
    add_look(looks, "auditd", NULL, error); /* it is there, and takes nothing */
  g_autoptr(GPtrArray) others = make_events(config, looks);
  write_all(others);
  return aside_run(put_into_store, others);
}

/* ---- Printing ---- */

static void
print_text(const GArray *looks)
{
  for (guint i = 0; i < looks->len; i++) {
    const Look *look = &g_array_index(looks, Look, i);
    g_autofree char *problem = look->problem != NULL ? text_clean(look->problem) : NULL;
    printf("%-10s %s%s%s%s\n", look->part,
           look->organisation != NULL ? look->organisation : "",
           look->organisation != NULL ? ": " : "", problem != NULL ? "wrong: " : "good",
           problem != NULL ? problem : "");
  }
}

static void
print_json(const GArray *looks)
{
  g_autoptr(GString) out = g_string_new("[\n");
  for (guint i = 0; i < looks->len; i++) {
    const Look *look = &g_array_index(looks, Look, i);
    g_string_append(out, "  {");
    json_append_pair(out, "part", look->part, TRUE);
    if (look->organisation != NULL)
      json_append_pair(out, "organisation", look->organisation, TRUE);
    g_string_append_printf(out, "\"good\": %s", look->problem == NULL ? "true" : "false");
    if (look->problem != NULL) {
      g_string_append(out, ", ");
      json_append_pair(out, "problem", look->problem, FALSE);
    }
    g_string_append(out, i + 1 < looks->len ? "},\n" : "}\n");
  }
  g_string_append(out, "]\n");
  fputs(out->str, stdout);
}

static int
run_probe(int argc, char **argv)
{
  GError *error = NULL;
  gboolean good = TRUE;
  (void) argc;
  (void) argv;
  g_autoptr(Config) config = command_config(&error);
  if (config == NULL)
    return command_fail(error);
  g_autoptr(GArray) looks = look_at_all(config);
  int status = record(config, looks);
  for (guint i = 0; i < looks->len; i++)
    good = good && g_array_index(looks, Look, i).problem == NULL;
  if (option_json)
    print_json(looks);
  else if (!option_quiet || !good)
    print_text(looks);
  if (status == EX_OK && !good)
    status = EXIT_WRONG;
  return command_done(status);
}

static const GOptionEntry probe_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    {"quiet", 0, 0, G_OPTION_ARG_NONE, &option_quiet, "Print nothing when all is good",
     NULL},
    G_OPTION_ENTRY_NULL,
};

const Command probe_commands[] = {
    {{"probe", NULL},
     0,
     0,
     "[--json] [--quiet]",
     "Look whether the service is there, and record it",
     probe_options,
     run_probe},
    {.words = {NULL}},
};
