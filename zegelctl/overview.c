#include "zegelctl/overview.h"

#include <string.h>

#include "zegelctl/audit_format.h"
#include "zegelctl/text.h"
#include "zegelctl/language.h"

#define INDENT 2

/* Of each event what somebody understands who knows nothing of mail servers. */
static const char *const words[EVENT_COUNT] = {
    [EVENT_REFUSED] = N_("A message was refused and not sent"),
    [EVENT_VERIFIED] = N_("A message came in and was checked"),
    [EVENT_ROUTED] = N_("A message was sent"),
    [EVENT_ATTACHED] = N_("An attachment was sent with a message"),
    [EVENT_OBSERVED] = N_("A message was looked at for a trial, and went on as usual"),
    [EVENT_STORED] = N_("A message was stored securely"),
    [EVENT_NOTIFIED] = N_("An e-mail with a link to the message was sent"),
    [EVENT_CONFIRMED] = N_("The sender got a confirmation"),
    [EVENT_BOUNCED] = N_("The e-mail with the link did not arrive; the link was ended"),
    [EVENT_DELAYED] = N_("The e-mail with the link is late"),
    [EVENT_BOUNCE_DROPPED] = N_("An automatic answer came in and was not used"),
    [EVENT_NUMBER_CHANGED] = N_("The mobile number for a message was changed"),
    [EVENT_TOLD] = N_("The sender was told that the message was never opened"),
    [EVENT_REMINDED] = N_("A reminder of the message was sent"),
    [EVENT_TICKET] = N_("A message without a valid proof was refused"),
    [EVENT_INTEGRITY] = N_("A message was not as it was sent, and was not shown"),
    [EVENT_CODE_SENT] = N_("An access code was sent"),
    [EVENT_CODE_REFUSED] = N_("No access code could be sent"),
    [EVENT_SMS_BUDGET] = N_("Nearly all access codes of today were used"),
    [EVENT_CODE_WRONG] = N_("A wrong access code was typed"),
    [EVENT_LOGIN] = N_("Somebody logged in with the right access code"),
    [EVENT_OPENED] = N_("The message was opened"),
    [EVENT_DOWNLOADED] = N_("The message or an attachment was downloaded"),
    [EVENT_ANSWERED] = N_("An answer was written"),
    [EVENT_FORWARDED] = N_("The message was forwarded"),
    [EVENT_LOGOUT] = N_("The reader logged out"),
    [EVENT_DELETED] = N_("The reader deleted the message"),
    [EVENT_NUMBER_WRONG] = N_("The reader said that the mobile number is not his or hers"),
    [EVENT_PROMISED] = N_("The way for messages to a domain was set"),
    [EVENT_BOOK] = N_("The list of trusted domains was read or changed"),
    [EVENT_DKIM] = N_("A key for signing mail was changed"),
    [EVENT_READINESS] = N_("It was checked whether a domain is safe"),
    [EVENT_PHONE_LEARNED] = N_("A mobile number was remembered"),
    [EVENT_PHONE_WAITS] = N_("Another mobile number was given, and waits for its check"),
    [EVENT_PHONE_REPLACED] = N_("The mobile number that is remembered was replaced"),
    [EVENT_PHONE_TOLD] = N_("The sender was told that the mobile number was replaced"),
    [EVENT_PHONE_SHOWN] = N_("An administrator looked up the mobile number"),
    [EVENT_PHONE_FORGOTTEN] = N_("An administrator removed the mobile number"),
    [EVENT_PHONE_REFUSED] = N_("A question for a mobile number was refused"),
    [EVENT_RECALLED] = N_("The message was taken back"),
    [EVENT_FORM_ASKED] = N_("An e-mail with a link to the web form was sent"),
    [EVENT_FORM_REFUSED] = N_("The web form was asked for too often, or could not be sent"),
    [EVENT_FORM_SENT] = N_("A message was written in the web form"),
    [EVENT_ANSWER_BOUNCED] = N_("What the reader wrote could not be delivered"),
    [EVENT_ANSWER_DELAYED] = N_("What the reader wrote is late"),
    [EVENT_EXPIRED] = N_("The message was removed because its time was over"),
    [EVENT_EXTENDED] = N_("How long the message stays was changed"),
    [EVENT_REMOVED] = N_("An administrator removed the message"),
    [EVENT_ROLE_GRANTED] = N_("A user got rights to manage the mail"),
    [EVENT_ROLE_CHANGED] = N_("The rights of a user to manage the mail were changed"),
    [EVENT_ROLE_WITHDRAWN] = N_("A user lost the rights to manage the mail"),
    [EVENT_MESSAGES_SHOWN] = N_("An administrator looked at lists of messages"),
    [EVENT_AUDIT_READ] = N_("Somebody looked into this record of events"),
    [EVENT_AUDIT_ERASED] = N_("Personal data was erased from this record of events"),
    [EVENT_AUDIT_EXPIRED] = N_("The oldest part of this record of events was removed"),
    [EVENT_AUDIT_KEY] = N_("This record of events got a new key"),
    [EVENT_AUDIT_LOST] = N_("Some events could not be recorded"),
    [EVENT_FLOW] = N_("There was more or less mail than expected"),
    [EVENT_WATCHED] = N_("Something that a domain publishes changed, or ends soon"),
    [EVENT_PROBE] = N_("It was checked whether the service works"),
    [EVENT_BACKUP] = N_("A backup was made"),
    [EVENT_RESTORED] = N_("Everything was put back from a backup"),
};

typedef struct {
  guint64 number;
  gint64 at_us;
  EventKind kind;
  gboolean known;            /* whether KIND is one of ours */
  gboolean own;              /* he did it */
  gboolean anonymous;        /* somebody else read or wrote: he is not named */
  char *who;                 /* NULL: the system, or anonymous */
  char *whom;                /* NULL: nobody, or he is not named */
  char *reference, *outcome; /* or NULL */
} Line;

struct Overview {
  OverviewKind kind;
  char *person;
  GHashTable *lines; /* of Line, by &number */
};

const char *
overview_words(EventKind kind)
{
  return _(words[kind]);
}

static void
line_free(gpointer p)
{
  Line *line = p;
  g_free(line->who);
  g_free(line->whom);
  g_free(line->reference);
  g_free(line->outcome);
  g_free(line);
}

Overview *
overview_new(OverviewKind kind, const char *person)
{
  Overview *overview = g_new0(Overview, 1);
  overview->kind = kind;
  overview->person = g_strdup(person);
  overview->lines = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, line_free);
  return overview;
}

void
overview_free(Overview *overview)
{
  if (overview == NULL)
    return;
  g_hash_table_unref(overview->lines);
  g_free(overview->person);
  g_free(overview);
}

/* ---- Who did it ---- */

static gboolean
is_person(const Overview *overview, const char *value)
{
  return value != NULL && g_ascii_strcasecmp(value, overview->person) == 0;
}

/* Who acted in ATTRS, as far as it says; NULL for the system. */
static const char *
find_actor(const Attrs *attrs, gboolean *is_reader)
{
  const char *actor = audit_value(attrs, "actor");
  const char *by = audit_value(attrs, "by");
  const char *from = audit_value(attrs, "from");
  *is_reader = FALSE;
  if (by != NULL || g_strcmp0(actor, "admin") == 0)
    return by;
  if (g_strcmp0(actor, "reader") == 0) {
    *is_reader = TRUE; /* who writes is "from"; who reads is "to" */
    return from != NULL ? from : audit_value(attrs, "to");
  }
  if (g_strcmp0(actor, "sender") == 0 || g_strcmp0(actor, "partner") == 0)
    return from != NULL ? from : audit_value(attrs, "for");
  return NULL;
}

/* To or about whom it was. */
static const char *
find_other(const Attrs *attrs, const char *who)
{
  static const char *const keys[] = {"to", "about", "from", "for"};
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
    const char *value = audit_value(attrs, keys[i]);
    if (value != NULL && g_strcmp0(value, who) != 0)
      return value;
  }
  return NULL;
}

static void
fill_people(const Overview *overview, const Attrs *attrs, Line *line)
{
  gboolean is_reader = FALSE;
  const char *who = find_actor(attrs, &is_reader);
  const char *whom = find_other(attrs, who);
  gboolean patient = overview->kind == OVERVIEW_PATIENT;
  line->own = is_person(overview, who);
  /* Another reader of the same message is none of a patient's business. */
  line->anonymous = is_reader && patient && !line->own;
  line->who = line->anonymous ? NULL : g_strdup(who);
  line->whom = !patient || is_person(overview, whom) ? g_strdup(whom) : NULL;
}

void
overview_add(Overview *overview, const TrailRecord *record)
{
  const char *outcome = audit_value(record->attrs, "outcome");
  const char *event = audit_value(record->attrs, "event");
  if (g_hash_table_contains(overview->lines, &record->number))
    return;
  Line *line = g_new0(Line, 1);
  line->number = record->number;
  line->at_us = record->at_us;
  line->known = event != NULL && event_kind_parse(event, &line->kind);
  line->reference = g_strdup(audit_value(record->attrs, "ref"));
  line->outcome = g_strcmp0(outcome, "ok") != 0 ? g_strdup(outcome) : NULL;
  fill_people(overview, record->attrs, line);
  g_hash_table_insert(overview->lines, &line->number, line);
}

GPtrArray *
overview_references(const Overview *overview)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  GPtrArray *references = g_ptr_array_new();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, overview->lines);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    const Line *line = value;
    if (line->reference != NULL && g_hash_table_add(seen, line->reference))
      g_ptr_array_add(references, line->reference);
  }
  return references;
}

/* ---- As text ---- */

static gint
compare_lines(gconstpointer a, gconstpointer b)
{
  const Line *left = *(const Line *const *) a, *right = *(const Line *const *) b;
  if (left->at_us != right->at_us)
    return left->at_us < right->at_us ? -1 : 1;
  return (left->number > right->number) - (left->number < right->number);
}

/* By the time when it happened: events of a program that waited come later in the trail. */
static GPtrArray *
sorted_lines(const Overview *overview)
{
  GPtrArray *lines = g_ptr_array_new();
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, overview->lines);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    g_ptr_array_add(lines, value);
  g_ptr_array_sort(lines, compare_lines);
  return lines;
}

static const char *
outcome_words(const char *outcome)
{
  if (strcmp(outcome, "refused") == 0)
    return _("refused");
  return strcmp(outcome, "failed") == 0 ? _("failed") : outcome;
}

static void
append_field(GString *out, const char *name, const char *value)
{
  if (value != NULL)
    g_string_append_printf(out, "%s%s: %s", out->len > 0 ? "; " : "", name, value);
}

static void
append_line(GString *out, const Line *line)
{
  g_autofree char *at = audit_format_time(line->at_us);
  const char *what = line->known ? overview_words(line->kind) : _("Something else");
  const char *who = line->anonymous     ? _("another reader")
                    : line->who == NULL ? _("the system")
                                        : line->who;
  g_string_append_printf(out, "%s  %s", at, what);
  if (line->outcome != NULL)
    g_string_append_printf(out, " (%s)", outcome_words(line->outcome));
  g_string_append_printf(out, "\n%*s", INDENT, "");
  g_autoptr(GString) details = g_string_new(NULL);
  append_field(details, _("By"), who);
  append_field(details, _("for or about"), line->whom);
  append_field(details, _("message"), line->reference);
  text_wrap(out, INDENT, INDENT, details->str);
}

/* Those lines of LINES that he did himself, or did not, under TITLE. */
static void
append_part(GString *out, const GPtrArray *lines, const char *title, gboolean own)
{
  guint count = 0;
  g_string_append_printf(out, "\n%s\n\n", title);
  for (guint i = 0; i < lines->len; i++) {
    const Line *line = lines->pdata[i];
    if (line->own != own)
      continue;
    append_line(out, line);
    count++;
  }
  if (count == 0)
    g_string_append_printf(out, "%s\n", _("Nothing."));
}

static void
append_limit(GString *out, const char *name, gint64 at_us)
{
  g_autofree char *at = audit_format_time(at_us);
  if (at_us != 0)
    g_string_append_printf(out, "%s: %s\n", name, at);
}

static void
append_head(GString *out, const Overview *overview, const OverviewHead *head)
{
  const char *title = overview->kind == OVERVIEW_PATIENT
                          ? _("Who did what with messages to and from")
                          : _("What was done by, and with the messages of");
  g_autofree char *line = g_strdup_printf("%s %s", title, overview->person);
  text_wrap(out, 0, 0, line);
  g_autofree char *name = g_strdup_printf("%s: %s", _("Organisation"), head->organisation);
  text_wrap(out, 0, 0, name);
  append_limit(out, _("Since"), head->from_us);
  append_limit(out, _("Until"), head->until_us);
  append_limit(out, _("Made on"), head->now_us);
  g_autofree char *by = g_strdup_printf("%s: %s", _("Made by"), head->by);
  text_wrap(out, 0, 0, by);
}

void
overview_append(GString *out, const Overview *overview, const OverviewHead *head)
{
  g_autoptr(GPtrArray) lines = sorted_lines(overview);
  append_head(out, overview, head);
  if (overview->kind == OVERVIEW_EMPLOYEE) {
    append_part(out, lines, _("What he or she did"), TRUE);
    append_part(out, lines, _("What others did, or the system"), FALSE);
    return;
  }
  g_string_append_c(out, '\n');
  if (lines->len == 0)
    g_string_append_printf(out, "%s\n", _("Nothing was recorded."));
  for (guint i = 0; i < lines->len; i++)
    append_line(out, lines->pdata[i]);
}
