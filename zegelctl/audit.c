/*
 * audit.c - zegelctl audit: looking into the audit trail (A1, A4), and erasing a person.
 *
 * Each look stands in the trail before anything is shown. What changes the trail is done by
 * zegel-auditd alone, which is asked. The verification is in audit_verify.c.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/audit/checkpoint.h"
#include "common/audit/client.h"
#include "common/base/error.h"
#include "zegelctl/audit_ask.h"
#include "zegelctl/audit_format.h"
#include "zegelctl/audit_key.h"
#include "zegelctl/audit_reader.h"
#include "zegelctl/audit_verify.h"
#include "zegelctl/command.h"
#include "zegelctl/overview.h"
#include "zegelctl/record.h"
#include "zegelctl/language.h"

#define ERASE_TIMEOUT_MS 300000 /* it may concern many records */

static AuditAsk option_ask;
static char *option_database, *option_format, *option_language;
static gint option_last;
static gboolean option_yes;

#define TEXT_OPTION(long_name, variable, text, argument)                                   \
  {                                                                                        \
    long_name, 0, 0, G_OPTION_ARG_STRING, &(variable), text, argument                      \
  }
#define TIME_OPTIONS                                                                       \
  TEXT_OPTION("since", option_ask.since, "Not before TIME", "TIME"),                       \
      TEXT_OPTION("until", option_ask.until, "Not after TIME", "TIME"),                    \
  {                                                                                        \
    "database", 0, 0, G_OPTION_ARG_FILENAME, &option_database,                             \
        "Read FILE, a copy of the trail", "FILE"                                           \
  }

static const GOptionEntry record_options[] = {
    TIME_OPTIONS,
    TEXT_OPTION("person", option_ask.person, "Who is named: an address or a user", "WHO"),
    TEXT_OPTION("message", option_ask.message, "Reference, queue id or Message-ID", "ID"),
    TEXT_OPTION("event", option_ask.event, "Only events of this name", "NAME"),
    TEXT_OPTION("org", option_ask.organisation, "Only this organisation", "NAME"),
    TEXT_OPTION("format", option_format, "text, csv or json", "FORMAT"),
    {"last", 0, 0, G_OPTION_ARG_INT, &option_last, "Only the last N of them", "N"},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry overview_options[] = {
    TIME_OPTIONS,
    TEXT_OPTION("language", option_language, "nl or en; else that of the organisation",
                "CODE"),
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry erase_options[] = {
    {"yes", 0, 0, G_OPTION_ARG_NONE, &option_yes, "It is meant so", NULL},
    G_OPTION_ENTRY_NULL,
};

/* ---- Records: show and export ---- */

typedef struct {
  void (*append)(GString *out, const TrailRecord *record);
  GPtrArray *kept; /* of texts, newest first; NULL: each is written at once */
} Output;

static void
append_line(GString *out, const TrailRecord *record)
{
  audit_append_text(out, record, FALSE);
}

static void
append_wrapped(GString *out, const TrailRecord *record)
{
  audit_append_text(out, record, TRUE);
}

static const struct {
  const char *name;
  void (*head)(GString *out);
  void (*append)(GString *out, const TrailRecord *record);
} formats[] = {
    {"text", audit_append_text_head, append_line},
    {"csv", audit_append_csv_head, audit_append_csv},
    {"json", NULL, audit_append_json},
};

/* For trail_each. */
static gboolean
put_record(const TrailRecord *record, gpointer data, GError **error)
{
  Output *output = data;
  g_autoptr(GString) text = g_string_new(NULL);
  output->append(text, record);
  if (output->kept != NULL)
    g_ptr_array_add(output->kept, g_strdup(text->str));
  else if (fputs(text->str, stdout) < 0)
    return command_error(error, ZEGEL_ERROR_TEMPORARY, "the output could not be written");
  return TRUE;
}

/* Prints what QUERY finds in the trail at PATH as the format with NUMBER; newest last. */
static gboolean
print_records(const char *path, const KeyRing *keys, TrailQuery query, guint number,
              GError **error)
{
  g_autoptr(Trail) trail = trail_open(path, keys, error);
  g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GString) head = g_string_new(NULL);
  Output output = {.append = formats[number].append};
  if (output.append == append_line && isatty(STDOUT_FILENO))
    output.append = append_wrapped;
  if (option_last > 0) {
    output.kept = kept;
    query.newest_first = TRUE;
    query.limit = (guint) option_last;
  }
  if (trail == NULL)
    return FALSE;
  if (formats[number].head != NULL)
    formats[number].head(head);
  fputs(head->str, stdout);
  if (!trail_each(trail, &query, put_record, &output, error))
    return FALSE;
  for (guint i = kept->len; i > 0; i--)
    fputs(kept->pdata[i - 1], stdout);
  return TRUE;
}

static gboolean
show_records(const char *view, guint number, GError **error)
{
  g_auto(AuditReader) reader = {.config = NULL};
  g_auto(AuditQuery) query = {.message_id = NULL};
  if (option_last < 0)
    return command_error(error, ZEGEL_ERROR_INVALID, "--last: a number is expected");
  if (!audit_ask_query(&option_ask, g_get_real_time(), &query, error) ||
      !audit_reader_open(&reader, error))
    return FALSE;
  g_autoptr(Event) event =
      audit_reader_event(&reader, view, query.query.queue_id, option_ask.organisation);
  audit_ask_record(&option_ask, &query, event);
  return record_first(reader.config, event, error) &&
         print_records(audit_reader_path(&reader, option_database), reader.keys,
                       query.query, number, error);
}

static int
run_records(const char *view, const char *format, guint first)
{
  GError *error = NULL;
  guint number = first;
  while (number < G_N_ELEMENTS(formats) && strcmp(formats[number].name, format) != 0)
    number++;
  if (number == G_N_ELEMENTS(formats)) {
    fprintf(stderr, "zegelctl: %s: there is no such format for audit %s\n", format, view);
    return EX_USAGE;
  }
  if (!show_records(view, number, &error))
    return command_fail(error);
  return command_done(EX_OK);
}

static int
run_show(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  return run_records("show", option_format != NULL ? option_format : "text", 0);
}

static int
run_export(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  return run_records("export", option_format != NULL ? option_format : "csv", 1);
}

/* ---- Overviews of a person ---- */

typedef struct {
  Overview *overview;
  const char *organisation;
} Gathering;

/* For trail_each: what happened here, or in no organisation, as what an administrator does.
 */
static gboolean
gather_record(const TrailRecord *record, gpointer data, GError **error)
{
  const Gathering *gathering = data;
  const char *organisation = audit_value(record->attrs, "org");
  (void) error;
  if (organisation == NULL || strcmp(organisation, gathering->organisation) == 0)
    overview_add(gathering->overview, record);
  return TRUE;
}

/* What else happened to the messages that are in the overview, also when he is not named.
 */
static gboolean
gather_messages(Trail *trail, const TrailQuery *asked, Gathering *gathering, GError **error)
{
  g_autoptr(GPtrArray) references = overview_references(gathering->overview);
  TrailQuery query = {.from_us = asked->from_us, .until_us = asked->until_us};
  for (guint i = 0; i < references->len; i++) {
    query.reference = references->pdata[i];
    if (!trail_each(trail, &query, gather_record, gathering, error))
      return FALSE;
  }
  return TRUE;
}

/* All of the overview that READER asks for with QUERY. */
static gboolean
gather(const AuditReader *reader, OverviewKind kind, const TrailQuery *query,
       Gathering *gathering, GError **error)
{
  g_autoptr(Trail) trail =
      trail_open(audit_reader_path(reader, option_database), reader->keys, error);
  return trail != NULL && trail_each(trail, query, gather_record, gathering, error) &&
         (kind != OVERVIEW_PATIENT || gather_messages(trail, query, gathering, error));
}

static void
print_overview(const AuditReader *reader, const Organisation *organisation,
               const TrailQuery *query, const Overview *overview)
{
  const OverviewHead head = {.organisation = organisation->display_name,
                             .by = reader->user,
                             .now_us = g_get_real_time(),
                             .from_us = query->from_us,
                             .until_us = query->until_us};
  g_autoptr(GString) out = g_string_new(NULL);
  language_use(option_language != NULL ? option_language : organisation->language);
  overview_append(out, overview, &head);
  fputs(out->str, stdout);
}

static const Organisation *
find_organisation(const Config *config, const char *name, GError **error)
{
  const Organisation *organisation = conf_organisation(config, name);
  if (organisation == NULL)
    command_error(error, ZEGEL_ERROR_INVALID, "there is no organisation %s in zegel.conf",
                  name);
  return organisation;
}

static gboolean
show_overview(OverviewKind kind, const char *view, const char *name, const char *person,
              GError **error)
{
  g_auto(AuditReader) reader = {.config = NULL};
  g_auto(AuditQuery) query = {.message_id = NULL};
  option_ask.person = person;
  if (!audit_ask_query(&option_ask, g_get_real_time(), &query, error) ||
      !audit_reader_open(&reader, error))
    return FALSE;
  const Organisation *organisation = find_organisation(reader.config, name, error);
  if (organisation == NULL)
    return FALSE;
  g_autoptr(Event) event = audit_reader_event(&reader, view, NULL, name);
  audit_ask_record(&option_ask, &query, event);
  g_autoptr(Overview) overview = overview_new(kind, person);
  Gathering gathering = {.overview = overview, .organisation = name};
  if (!record_first(reader.config, event, error) ||
      !gather(&reader, kind, &query.query, &gathering, error))
    return FALSE;
  print_overview(&reader, organisation, &query.query, overview);
  return TRUE;
}

static int
run_overview(OverviewKind kind, const char *view, char **argv)
{
  GError *error = NULL;
  if (option_language != NULL && strcmp(option_language, "nl") != 0 &&
      strcmp(option_language, "en") != 0) {
    fprintf(stderr, "zegelctl: %s: nl or en is expected\n", option_language);
    return EX_USAGE;
  }
  if (!show_overview(kind, view, argv[0], argv[1], &error))
    return command_fail(error);
  return command_done(EX_OK);
}

static int
run_patient(int argc, char **argv)
{
  (void) argc;
  return run_overview(OVERVIEW_PATIENT, "patient", argv);
}

static int
run_employee(int argc, char **argv)
{
  (void) argc;
  return run_overview(OVERVIEW_EMPLOYEE, "employee", argv);
}

/* ---- Erasing ---- */

static gboolean
erase(const char *name, const char *person, guint64 *count, GError **error)
{
  g_auto(AuditReader) reader = {.config = NULL};
  if (!audit_reader_open(&reader, error))
    return FALSE;
  g_autoptr(Event) event = audit_reader_event(&reader, "erase", NULL, name);
  event_add(event, "about", person);
  g_autoptr(Attrs) request = attrs_new();
  attrs_add(request, "request", "erase");
  attrs_add(request, "org", name);
  attrs_add(request, "person", person);
  attrs_add(request, "by", reader.user);
  if (!record_first(reader.config, event, error))
    return FALSE;
  g_autoptr(Attrs) answer =
      audit_request(reader.config->audit_socket, request, ERASE_TIMEOUT_MS, error);
  return answer != NULL && attrs_get_uint(answer, "count", 0, G_MAXUINT32, count, error);
}

/* Of an organisation that is gone from zegel.conf too. */
static int
run_erase(int argc, char **argv)
{
  GError *error = NULL;
  guint64 count = 0;
  (void) argc;
  if (!option_yes) {
    fputs("zegelctl: what is erased cannot be shown any more, to nobody; nothing was done: "
          "say --yes\n",
          stderr);
    return EX_USAGE;
  }
  if (!erase(argv[0], argv[1], &count, &error))
    return command_fail(error);
  printf("%s: erased from %" G_GUINT64_FORMAT " records of %s; that this was done stands "
         "in the trail\n",
         argv[1], count, argv[0]);
  return command_done(EX_OK);
}

/* ---- The public key ---- */

static gboolean
print_keys(GError **error)
{
  g_auto(AuditReader) reader = {.config = NULL};
  if (!audit_reader_open(&reader, error))
    return FALSE;
  g_autoptr(Event) event = audit_reader_event(&reader, "key", NULL, NULL);
  if (!record_first(reader.config, event, error))
    return FALSE;
  for (guint i = 0; i < keyring_count(reader.keys); i++) {
    guint8 public_key[CHECKPOINT_PUBLIC_BYTES];
    guint32 id = keyring_nth(reader.keys, i);
    if (!checkpoint_public_key(reader.keys, id, public_key, error))
      return FALSE;
    g_autofree char *text = audit_key_format(id, public_key);
    fputs(text, stdout);
  }
  return TRUE;
}

static int
run_key(int argc, char **argv)
{
  GError *error = NULL;
  (void) argc;
  (void) argv;
  if (!print_keys(&error))
    return command_fail(error);
  return command_done(EX_OK);
}

const Command audit_commands[] = {
    {{"audit", "verify"},
     0,
     0,
     "[--checkpoint FILE|-]... [--public-key FILE] [--database FILE] [--remember]\n"
     "      [--alarm]",
     "Say whether the audit trail is what was written, and else where it is not",
     audit_verify_options,
     audit_verify_run},
    {{"audit", "show"},
     0,
     0,
     "[--since TIME] [--until TIME] [--person WHO] [--message ID] [--event NAME]\n"
     "      [--org NAME] [--last N] [--format text|csv|json]",
     "Print what happened, newest last",
     record_options,
     run_show},
    {{"audit", "export"},
     0,
     0,
     "[--format csv|json] and the options of audit show",
     "Print records with all that they hold",
     record_options,
     run_export},
    {{"audit", "patient"},
     2,
     2,
     "ORGANISATION ADDRESS [--since TIME] [--until TIME] [--language nl|en]",
     "Print who did what with messages to and from ADDRESS, for him to read",
     overview_options,
     run_patient},
    {{"audit", "employee"},
     2,
     2,
     "ORGANISATION ADDRESS [--since TIME] [--until TIME] [--language nl|en]",
     "Print what a colleague did, and what was done with messages that he answers for",
     overview_options,
     run_employee},
    {{"audit", "erase"},
     2,
     2,
     "ORGANISATION ADDRESS --yes",
     "Erase what the audit trail holds of a person",
     erase_options,
     run_erase},
    {{"audit", "key"}, 0, 0, "", "Print the public key of the trail", NULL, run_key},
    {.words = {NULL}},
};
