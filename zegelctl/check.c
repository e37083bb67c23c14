/*
 * check.c - zegelctl domain check: the rules of NTA 7516 for one domain, with evidence
 * (N3).
 *
 * zegel-policyd does the checking, with the same lines by which it decides on routes.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/ask/check.h"
#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/book/domain.h"
#include "common/sandbox/sandbox.h"
#include "zegelctl/command.h"
#include "zegelctl/probe.h"
#include "zegelctl/text.h"

#define EXIT_NOT_READY 1
#define RESULT_WIDTH   7 /* "unknown" */
#define TEXT_COLUMN    (2 + RESULT_WIDTH + 2)
#define MEND           "to mend: "
#define ITEM_END       "; "

static gboolean option_json, option_cached, option_no_connect;

static const char *const colours[] = {
    [CHECK_PASS] = "\033[32m",
    [CHECK_FAIL] = "\033[1;31m",
    [CHECK_UNKNOWN] = "\033[33m",
};

/* "FAIL" is what one looks for; what readiness does not hang on does not shout. */
static const char *
word_of(const CheckLine *line)
{
  return line->result == CHECK_FAIL && line->required ? "FAIL"
                                                      : check_result_name(line->result);
}

/* The length of the first of ITEMS, which are joined by "; " outside quotes. */
static gsize
item_length(const char *items)
{
  gboolean quoted = FALSE;
  gsize len = 0;
  for (; items[len] != '\0'; len++) {
    if (items[len] == '"')
      quoted = !quoted;
    if (!quoted && g_str_has_prefix(items + len, ITEM_END))
      break;
  }
  return len;
}

/* Each item of the evidence in lines of its own. */
static void
append_items(GString *out, const char *items)
{
  while (*items != '\0') {
    gsize len = item_length(items);
    g_autofree char *item = g_strndup(items, len);
    g_string_append_printf(out, "%*s", TEXT_COLUMN + 2, "");
    text_wrap(out, TEXT_COLUMN + 2, TEXT_COLUMN + 4, item);
    items += len;
    items += *items != '\0' ? strlen(ITEM_END) : 0;
  }
}

static void
append_line(GString *out, const CheckLine *line, gboolean colour)
{
  g_autofree char *title = g_strdup_printf("%s%s (%s)", line->title,
                                           line->required ? "" : " [advice]", line->code);
  g_string_append_printf(out, "  %s%-*s%s  ", colour ? colours[line->result] : "",
                         RESULT_WIDTH, word_of(line), colour ? "\033[0m" : "");
  text_wrap(out, TEXT_COLUMN, TEXT_COLUMN, title);
  append_items(out, line->evidence);
  if (*line->cure != '\0' && line->result != CHECK_PASS) {
    g_string_append_printf(out, "%*s" MEND, TEXT_COLUMN + 2, "");
    text_wrap(out, TEXT_COLUMN + 2 + strlen(MEND), TEXT_COLUMN + 2 + strlen(MEND),
              line->cure);
  }
}

static const char *
verdict_words(CheckResult result)
{
  switch (result) {
  case CHECK_PASS:
    return "ready for NTA 7516";
  case CHECK_FAIL:
    return "not ready for NTA 7516";
  case CHECK_UNKNOWN:
    break;
  }
  return "it could not be found out now whether it is ready for NTA 7516";
}

/* Ready is what the DNS says; a server that does not keep it takes no mail of ours. */
static gboolean
mail_would_wait(const GPtrArray *lines)
{
  for (guint i = 0; i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    if (strcmp(line->code, "Z-N3-CONNECT") == 0 && line->result == CHECK_FAIL)
      return check_lines_result(lines) == CHECK_PASS;
  }
  return FALSE;
}

static void
append_text(GString *out, const char *domain, gboolean own, const GPtrArray *lines,
            gboolean colour)
{
  g_string_append_printf(out, "%s%s\n", domain, own ? ", one of our own domains" : "");
  for (guint i = 0; i < lines->len; i++)
    append_line(out, lines->pdata[i], colour);
  g_string_append_printf(
      out, "%s: %s%s\n", domain, verdict_words(check_lines_result(lines)),
      mail_would_wait(lines) ? ", but mail for it may wait: see Z-N3-CONNECT" : "");
}

static const char *
ready_word(CheckResult result)
{
  static const char *const words[] = {
      [CHECK_PASS] = "yes", [CHECK_FAIL] = "no", [CHECK_UNKNOWN] = "unknown"};
  return words[result];
}

static void
append_json(GString *out, const char *domain, gboolean own, const GPtrArray *lines)
{
  g_string_append(out, "{");
  json_append_pair(out, "domain", domain, TRUE);
  g_string_append_printf(out, "\"own\": %s, ", own ? "true" : "false");
  json_append_pair(out, "ready", ready_word(check_lines_result(lines)), TRUE);
  g_string_append(out, "\"checks\": [");
  for (guint i = 0; i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    g_string_append(out, i == 0 ? "\n  {" : ",\n  {");
    json_append_pair(out, "code", line->code, TRUE);
    json_append_pair(out, "result", check_result_name(line->result), TRUE);
    g_string_append_printf(out, "\"required\": %s, ", line->required ? "true" : "false");
    json_append_pair(out, "title", line->title, TRUE);
    json_append_pair(out, "evidence", line->evidence, TRUE);
    json_append_pair(out, "cure", line->cure, FALSE);
    g_string_append_c(out, '}');
  }
  g_string_append(out, "\n]}\n");
}

static int
status_of(CheckResult result)
{
  switch (result) {
  case CHECK_PASS:
    return EX_OK;
  case CHECK_FAIL:
    return EXIT_NOT_READY;
  case CHECK_UNKNOWN:
    break;
  }
  return EX_TEMPFAIL;
}

static int
report(const char *domain, gboolean own, const GPtrArray *lines)
{
  g_autoptr(GString) out = g_string_new(NULL);
  if (option_json)
    append_json(out, domain, own, lines);
  else
    append_text(out, domain, own, lines, isatty(STDOUT_FILENO));
  fputs(out->str, stdout);
  return command_done(status_of(check_lines_result(lines)));
}

/*
 * The connections show what the DNS promises. They lead to strangers: root becomes somebody
 * who may less, for good, and without that nobody is connected to.
 */
static void
connect_hosts(const Config *config, const char *domain, GPtrArray *lines)
{
  g_autoptr(GError) error = NULL;
  if ((geteuid() == 0 && !daemon_become(config->policyd_user, &error)) ||
      !sandbox_harden(&error)) {
    fprintf(stderr, "zegelctl: note: no host is connected to: %s\n", error->message);
    return;
  }
  probe_run(domain, *config->hostname != '\0' ? config->hostname : g_get_host_name(),
            lines);
}

/* Nothing can be said without policyd: say what brings it back. */
static int
fail_to_ask(GError *error)
{
  int status = command_fail(error);
  fputs("zegelctl: is zegel-policyd running, and may you connect to its socket? See "
        "\"systemctl status zegel-policyd\" and the mail log.\n",
        stderr);
  return status;
}

static int
run_check(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  gboolean own = FALSE;
  g_autofree char *domain = domain_canonical(argv[0]);
  if (domain == NULL || strchr(domain, '.') == NULL) {
    fprintf(stderr, "zegelctl: %s: a domain such as example.nl is expected\n", argv[0]);
    return EX_USAGE;
  }
  g_autoptr(Config) config = command_config(&error);
  if (config == NULL)
    return command_fail(error);
  CheckQuestion question = {.domain = domain, .fresh = !option_cached};
  g_autoptr(GPtrArray) lines = ask_check(config->policyd_socket, &question, &own, &error);
  if (lines == NULL)
    return fail_to_ask(error);
  if (!option_no_connect)
    connect_hosts(config, domain, lines);
  return report(domain, own, lines);
}

static const GOptionEntry check_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    {"cached", 0, 0, G_OPTION_ARG_NONE, &option_cached,
     "What zegel-policyd has in memory will do", NULL},
    {"no-connect", 0, 0, G_OPTION_ARG_NONE, &option_no_connect,
     "Do not connect to the domain's mail servers", NULL},
    G_OPTION_ENTRY_NULL,
};

const Command check_commands[] = {
    {{"domain", "check"},
     1,
     1,
     "DOMAIN [--json] [--cached] [--no-connect]",
     "Check what NTA 7516 asks of a domain, ours or anybody's",
     check_options,
     run_check},
    {.words = {NULL}},
};
