/*
 * route.c - zegelctl route: what would become of a message, and why.
 *
 * zegel-policyd decides, as it does for the milter; nothing is promised. The sentence for a
 * reason is the check line of that code, so that it cannot say anything else than the
 * decision was made by.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/ask/ask.h"
#include "common/ask/check.h"
#include "common/base/error.h"
#include "common/book/domain.h"
#include "zegelctl/command.h"
#include "zegelctl/text.h"

#define INDENT         4
#define MAX_RECIPIENTS 100

static gboolean option_json, option_inward, option_ordinary;
static char *option_client, *option_login;

static const char *const meanings[] = {
    [ROUTE_ORDINARY] = "ordinary mail, as if zegel were not there",
    [ROUTE_PREFER] =
        ("ordinary mail that goes to the other side's own server, over TLS that "
         "is verified, as long as that is promised"),
    [ROUTE_OWN] = "a mailbox of the organisation itself: it does not leave this server",
    [ROUTE_DIRECT] = "to the other side's own server, over TLS that is verified",
    [ROUTE_VIEWER] = "sealed and kept here, and read in the viewer with a code by SMS",
};

static const char *const meanings_inward[] = {
    [ROUTE_ORDINARY] = "ordinary mail for us: a sensitive message stays in their portal",
    [ROUTE_PREFER] = "ordinary mail for us",
    [ROUTE_OWN] = "from the organisation itself",
    [ROUTE_DIRECT] = "it counts as having come by a secure way",
    [ROUTE_VIEWER] = "ordinary mail for us: a sensitive message stays in their portal",
};

/* What the rules of route_decide say, by their codes. */
static const struct {
  const char *code;
  const char *meaning;
} rules[] = {
    {"Z-R1-COMMUNITY", "the domain book has the domain"},
    {"Z-R1-NTA", "both sides are ready for NTA 7516"},
    {"Z-R1-OWN", "the domain is one of the organisation's own"},
    {"Z-R1-VIEWER", "no way to the other side's server is known to be secure"},
    {"Z-R1-NO-LABEL",
     "the address has no domain that could be protected: the milter refuses "
     "a sensitive message to it"},
    {"Z-R2-PORTAL", "it does not come by a way that is known to be secure"},
    {"Z-R9-ORDINARY", "the message is not sensitive, and nothing better is known now"},
};

/* What the check line of a reason says of whom. */
typedef struct {
  GPtrArray *theirs; /* of CheckLine; NULL: could not be asked */
  GPtrArray *ours;
  const char *their_domain;
  const char *our_domain;
} Reasons;

static const char *
rule_meaning(const char *code)
{
  for (guint i = 0; i < G_N_ELEMENTS(rules); i++)
    if (strcmp(rules[i].code, code) == 0)
      return rules[i].meaning;
  return "";
}

/* The domain of ADDRESS in A-labels, a new string; NULL when it has none. */
static char *
domain_of(const char *address)
{
  const char *at = strrchr(address, '@');
  return at != NULL ? domain_canonical(at + 1) : NULL;
}

/* ---- The question ---- */

/* The organisation whose mail it would be: the sender's, or that of all recipients. */
static const Organisation *
find_organisation(const Config *config, int argc, char **argv, GError **error)
{
  const Organisation *found = NULL;
  int first = option_inward ? 1 : 0;
  int end = option_inward ? argc : 1;
  for (int i = first; i < end; i++) {
    g_autofree char *domain = domain_of(argv[i]);
    const Organisation *organisation =
        domain != NULL ? conf_organisation_of_domain(config, domain) : NULL;
    if (organisation == NULL || (found != NULL && organisation != found)) {
      command_error(error, ZEGEL_ERROR_INVALID, "%s: %s", argv[i],
                    organisation == NULL ? "its domain is of no organisation in zegel.conf"
                                         : "it is of another organisation than the first");
      return NULL;
    }
    found = organisation;
  }
  return found;
}

/* Who brings it, by --client and --login. */
static gboolean
read_client(RouteQuestion *question, GError **error)
{
  question->client_login = g_strdup(option_login);
  if (option_client == NULL)
    return TRUE;
  g_autoptr(GSocketConnectable) place = g_network_address_parse(option_client, 0, NULL);
  const char *host =
      place != NULL ? g_network_address_get_hostname(G_NETWORK_ADDRESS(place)) : "";
  if (!g_hostname_is_ip_address(host))
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT is expected",
                         option_client);
  question->client_address = g_strdup(host);
  question->client_port = g_network_address_get_port(G_NETWORK_ADDRESS(place));
  return TRUE;
}

static RouteQuestion *
make_question(const Organisation *organisation, int argc, char **argv)
{
  RouteQuestion *question = route_question_new();
  question->organisation = g_strdup(organisation->name);
  question->sender = g_strdup(strcmp(argv[0], "<>") == 0 ? "" : argv[0]);
  question->queue_id = g_strdup("");
  question->sensitive = !option_ordinary;
  question->inward = option_inward;
  question->dry_run = TRUE;
  for (int i = 1; i < argc; i++)
    g_ptr_array_add(question->recipients, g_strdup(argv[i]));
  return question;
}

/* ---- Why ---- */

static GPtrArray *
ask_lines(const Config *config, const char *domain)
{
  gboolean own = FALSE;
  CheckQuestion question = {.domain = (char *) domain, .fresh = FALSE};
  return domain != NULL && strchr(domain, '.') != NULL
             ? ask_check(config->policyd_socket, &question, &own, NULL)
             : NULL;
}

static const CheckLine *
find_line(const GPtrArray *lines, const char *code)
{
  for (guint i = 0; lines != NULL && i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    if (line->result != CHECK_PASS && strcmp(line->code, code) == 0)
      return line;
  }
  return NULL;
}

static char *
line_sentence(const char *domain, const CheckLine *line)
{
  const char *verdict =
      line->result == CHECK_FAIL ? "does not keep this" : "may keep this or not";
  gboolean more = *line->evidence != '\0';
  return g_strdup_printf("%s %s: %s%s%s%s", domain, verdict, line->title, more ? " (" : "",
                         line->evidence, more ? ")" : "");
}

/* What CODE hangs on, as a sentence; "" when no check line says it. */
static char *
reason_sentence(const Reasons *reasons, const char *code)
{
  const CheckLine *line = find_line(reasons->theirs, code);
  if (line != NULL)
    return line_sentence(reasons->their_domain, line);
  line = find_line(reasons->ours, code);
  return line != NULL ? line_sentence(reasons->our_domain, line) : g_strdup("");
}

static char *
find_reason(const Config *config, const char *theirs, const char *ours, const char *code)
{
  if (strcmp(code, "-") == 0)
    return g_strdup("");
  if (strcmp(code, "Z-O4-CLIENT") == 0)
    return g_strdup(
        "the domain book has the domain, but by its line the server that brings "
        "the message is not known (--client and --login say who that is)");
  g_autofree char *their_domain = domain_of(theirs);
  g_autofree char *our_domain = domain_of(ours);
  g_autoptr(GPtrArray) their_lines = ask_lines(config, their_domain);
  g_autoptr(GPtrArray) our_lines = ask_lines(config, our_domain);
  const Reasons reasons = {their_lines, our_lines, their_domain, our_domain};
  return reason_sentence(&reasons, code);
}

/* ---- The answer ---- */

static void
append_text(GString *out, const char *address, const RouteAnswer *answer,
            const char *because)
{
  const char *meaning = (option_inward ? meanings_inward : meanings)[answer->route];
  gboolean has_reason =
      strcmp(answer->reason, "-") != 0 && !g_str_has_suffix(answer->reason, "-READY");
  g_autofree char *head =
      g_strdup_printf("%s: %s - %s", address, route_name(answer->route), meaning);
  g_autofree char *why =
      g_strdup_printf("%s: %s%s%s%s%s", answer->code, rule_meaning(answer->code),
                      has_reason ? ", because " : "", has_reason ? answer->reason : "",
                      *because != '\0' ? ": " : "", because);
  text_wrap(out, 0, INDENT, head);
  g_string_append_printf(out, "%*s", INDENT, "");
  text_wrap(out, INDENT, INDENT, why);
}

static void
append_json(GString *out, const char *address, const RouteAnswer *answer,
            const char *because)
{
  g_string_append(out, "  {");
  json_append_pair(out, "recipient", address, TRUE);
  json_append_pair(out, "route", route_name(answer->route), TRUE);
  json_append_pair(out, "code", answer->code, TRUE);
  json_append_pair(out, "meaning", rule_meaning(answer->code), TRUE);
  json_append_pair(out, "reason", answer->reason, TRUE);
  json_append_pair(out, "because", because, FALSE);
  g_string_append_c(out, '}');
}

static void
append_head_json(GString *out, const RouteQuestion *question)
{
  g_string_append_c(out, '{');
  json_append_pair(out, "sender", question->sender, TRUE);
  json_append_pair(out, "organisation", question->organisation, TRUE);
  g_string_append_printf(out, "\"sensitive\": %s, \"inward\": %s, \"recipients\": [\n",
                         question->sensitive ? "true" : "false",
                         question->inward ? "true" : "false");
}

static int
report(const Config *config, const RouteQuestion *question, const GPtrArray *answers)
{
  g_autoptr(GString) out = g_string_new(NULL);
  if (option_json)
    append_head_json(out, question);
  for (guint i = 0; i < answers->len; i++) {
    const RouteAnswer *answer = answers->pdata[i];
    const char *recipient = question->recipients->pdata[i];
    const char *theirs = question->inward ? question->sender : recipient;
    const char *ours = question->inward ? recipient : question->sender;
    g_autofree char *because = find_reason(config, theirs, ours, answer->reason);
    (option_json ? append_json : append_text)(out, recipient, answer, because);
    if (option_json)
      g_string_append(out, i + 1 < answers->len ? ",\n" : "\n");
  }
  g_string_append(out, option_json ? "]}\n" : "");
  fputs(out->str, stdout);
  return command_done(EX_OK);
}

static int
run_route(int argc, char **argv)
{
  GError *error = NULL;
  g_autoptr(Config) config = command_config(&error);
  const Organisation *organisation =
      config != NULL ? find_organisation(config, argc, argv, &error) : NULL;
  if (organisation == NULL)
    return command_fail(error);
  g_autoptr(RouteQuestion) question = make_question(organisation, argc, argv);
  if (!read_client(question, &error))
    return command_fail(error);
  g_autoptr(GPtrArray) answers = ask_route(config->policyd_socket, question, &error);
  if (answers != NULL)
    return report(config, question, answers);
  int status = command_fail(error);
  fputs("zegelctl: no route can be told now. When the milter gets none either, a sensitive "
        "message is answered 451 and waits with its sender.\n",
        stderr);
  return status;
}

static const GOptionEntry route_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    {"inward", 0, 0, G_OPTION_ARG_NONE, &option_inward,
     "From a stranger to us, instead of from us", NULL},
    {"client", 0, 0, G_OPTION_ARG_STRING, &option_client,
     "With --inward: the server that brings it, ADDRESS or ADDRESS:PORT", "CLIENT"},
    {"login", 0, 0, G_OPTION_ARG_STRING, &option_login, "With --inward: its SASL login",
     "LOGIN"},
    {"ordinary", 0, 0, G_OPTION_ARG_NONE, &option_ordinary,
     "A message that is not sensitive", NULL},
    G_OPTION_ENTRY_NULL,
};

const Command route_commands[] = {
    {{"route", NULL},
     2,
     1 + MAX_RECIPIENTS,
     "SENDER RECIPIENT... [--inward [--client=CLIENT] [--login=LOGIN]] [--ordinary] "
     "[--json]",
     "Say what would become of a sensitive message, and why",
     route_options,
     run_route},
    {.words = {NULL}},
};
