#include "zegelctl/setup_ask.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/network.h"
#include "zegelctl/command.h"

#define ANSWER_MAX_CHARS 1024
#define MAIL_DOMAINS_MAX 20 /* that are proposed */

/* ---- Questions ---- */

/* One line of standard input, a new string; NULL at its end. */
static char *
read_answer(void)
{
  char line[ANSWER_MAX_CHARS];
  fflush(stdout);
  if (fgets(line, sizeof line, stdin) == NULL)
    return NULL;
  for (char *p = line; *p != '\0'; p++)
    if (g_ascii_iscntrl(*p))
      *p = ' ';
  return g_strdup(g_strstrip(line));
}

/* Makes *ANSWER what is said to QUESTION, or PROPOSAL when nothing is. */
static gboolean
ask_one(SetupAnswers *answers, char **answer, const char *question, const char *proposal,
        GError **error)
{
  if (*answer != NULL)
    return TRUE;
  if (answers->yes) {
    *answer = g_strdup(proposal);
    return TRUE;
  }
  printf("%s\n  [%s] ", question, proposal);
  *answer = read_answer();
  if (*answer == NULL)
    return command_error(error, ZEGEL_ERROR_CONFIG, "there is no answer to: %s", question);
  if (**answer == '\0') {
    g_free(*answer);
    *answer = g_strdup(proposal);
  }
  return TRUE;
}

gboolean
setup_confirm(const char *question)
{
  printf("%s [no] ", question);
  g_autofree char *answer = read_answer();
  return answer != NULL &&
         (g_ascii_strcasecmp(answer, "yes") == 0 || g_ascii_strcasecmp(answer, "y") == 0 ||
          g_ascii_strcasecmp(answer, "ja") == 0);
}

/* ---- Proposals ---- */

static gboolean
is_mail_domain(const char *word, const char *hostname)
{
  return strchr(word, '.') != NULL && strpbrk(word, ":/$!{}") == NULL && *word != '.' &&
         g_ascii_strcasecmp(word, hostname) != 0 && !g_str_has_prefix(word, "localhost") &&
         !g_ascii_isdigit(word[strlen(word) - 1]);
}

/* The domains that the lists of SITE name for which mail stays here. */
static char *
propose_domains(const Site *site, GError **error)
{
  static const char *const lists[] = {"virtual_mailbox_domains", "virtual_alias_domains",
                                      "relay_domains", "mydestination", "mydomain"};
  g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *hostname = site_expanded(site, "myhostname", error);
  for (guint i = 0; i < G_N_ELEMENTS(lists) && hostname != NULL; i++) {
    g_autofree char *value = site_expanded(site, lists[i], error);
    if (value == NULL)
      return NULL;
    g_auto(GStrv) words = site_words(value);
    gboolean last = i == G_N_ELEMENTS(lists) - 1; /* when no list says anything */
    for (char **word = words; *word != NULL && found->len < MAIL_DOMAINS_MAX; word++)
      if (is_mail_domain(*word, hostname) && (!last || found->len == 0) &&
          !g_ptr_array_find_with_equal_func(found, *word, g_str_equal, NULL))
        g_ptr_array_add(found, g_strdup(*word));
  }
  g_ptr_array_add(found, NULL);
  return hostname != NULL ? g_strjoinv(" ", (char **) found->pdata) : NULL;
}

static char *
first_word(const char *text)
{
  g_auto(GStrv) words = site_words(text);
  return g_strdup(*words != NULL ? *words : "");
}

gboolean
setup_ask(SetupAnswers *answers, const Site *site, GError **error)
{
  g_autofree char *domains = propose_domains(site, error);
  if (domains == NULL)
    return FALSE;
  if (!ask_one(
          answers, &answers->domains,
          "Which mail domains are yours? All mailboxes in them must be reached by this "
          "server.",
          domains, error))
    return FALSE;
  g_autofree char *first = first_word(answers->domains);
  if (*first == '\0')
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "no mail domain was named (--domains), and Postfix names none");
  g_autofree char *service = g_strconcat("veilig.", first, NULL);
  if (!ask_one(
          answers, &answers->service_domain,
          "From which domain may zegel write its notifications? It is for nothing else.",
          service, error))
    return FALSE;
  g_autofree char *url = g_strdup_printf("https://%s/", answers->service_domain);
  return ask_one(answers, &answers->viewer_url,
                 "At which address do recipients read their messages?", url, error) &&
         ask_one(answers, &answers->name, "How is your organisation called there?", first,
                 error) &&
         ask_one(answers, &answers->sensitive,
                 "Which mail is sensitive when nothing in it says so? (observe: none, and "
                 "nothing is changed; on-request: none; secure: all)",
                 "observe", error) &&
         ask_one(answers, &answers->sms,
                 "How are text messages sent? (gammu: a modem; http: a provider; mail: by "
                 "mail; later; or the path of a program, zegel-sms(7))",
                 "later", error);
}

void
setup_answers_clear(SetupAnswers *answers)
{
  g_clear_pointer(&answers->domains, g_free);
  g_clear_pointer(&answers->sensitive, g_free);
  g_clear_pointer(&answers->service_domain, g_free);
  g_clear_pointer(&answers->viewer_url, g_free);
  g_clear_pointer(&answers->name, g_free);
  g_clear_pointer(&answers->sms, g_free);
}

/* ---- zegel.conf ---- */

/* The networks of VALUE, a list of Postfix's, that are addresses, without loopback. */
static char *
networks_of(const char *value)
{
  g_autoptr(GString) networks = g_string_new(NULL);
  g_auto(GStrv) words = site_words(value);
  for (char **word = words; *word != NULL; word++) {
    Network network;
    g_autoptr(GString) plain = g_string_new(NULL); /* "[2001:db8::]/32" */
    for (const char *p = *word; *p != '\0'; p++)
      if (*p != '[' && *p != ']')
        g_string_append_c(plain, *p);
    if (network_parse(plain->str, &network) && !network_is_loopback(&network))
      g_string_append_printf(networks, "%s%s", networks->len > 0 ? " " : "", plain->str);
  }
  return g_string_free(g_steal_pointer(&networks), FALSE);
}

/* The addresses of VALUE, a list as inet_interfaces, that mail can leave from. */
static char *
addresses_of(const char *value)
{
  g_autofree char *networks = networks_of(value);
  g_autoptr(GString) addresses = g_string_new(NULL);
  g_auto(GStrv) words = site_words(networks);
  for (char **word = words; *word != NULL; word++) {
    Network address;
    if (network_parse_address(*word, &address))
      g_string_append_printf(addresses, "%s%s", addresses->len > 0 ? " " : "", *word);
  }
  return g_string_free(g_steal_pointer(&addresses), FALSE);
}

/* From where mail leaves, as far as Postfix says so: through a relayhost it leaves there.
 */
static char *
relay_addresses(const Site *site, GError **error)
{
  g_autofree char *relayhost = site_expanded(site, "relayhost", error);
  g_autofree char *bound = site_expanded(site, "smtp_bind_address", error);
  g_autofree char *interfaces = site_expanded(site, "inet_interfaces", error);
  if (relayhost == NULL || bound == NULL || interfaces == NULL)
    return NULL;
  return addresses_of(*relayhost != '\0' ? "" : *bound != '\0' ? bound : interfaces);
}

/* The program that sends text messages; NULL: the usual one. */
static char *
sms_command(const char *sms)
{
  if (g_str_equal(sms, "http") || g_str_equal(sms, "mail"))
    return g_strconcat(ZEGEL_LIBEXECDIR "/sms-", sms, NULL);
  return *sms == '/' ? g_strdup(sms) : NULL;
}

static void
add_key(GString *text, const char *key, const char *value)
{
  if (value != NULL && *value != '\0')
    g_string_append_printf(text, "%s = %s\n", key, value);
}

/* A name of an organisation: letters, digits and '-', from its first domain. */
static char *
organisation_name(const char *domains)
{
  g_autofree char *first = first_word(domains);
  first[strcspn(first, ".")] = '\0';
  g_autofree char *name = g_ascii_strdown(first, -1);
  g_strcanon(name, "abcdefghijklmnopqrstuvwxyz0123456789-", '-');
  return g_strndup(name, 32);
}

static void
add_organisation(GString *text, const SetupAnswers *answers, const char *networks)
{
  g_autofree char *name = organisation_name(answers->domains);
  g_string_append_printf(text, "[organisation %s]\n", name);
  add_key(text, "domains", answers->domains);
  g_string_append(text,
                  "# Every login of this server belongs to it. With a second organisation "
                  "this becomes *@its.domain.\n");
  add_key(text, "logins", "*");
  add_key(text, "networks", networks);
  add_key(text, "service_domain", answers->service_domain);
  add_key(text, "viewer_url", answers->viewer_url);
  add_key(text, "display_name", answers->name);
  add_key(text, "default", answers->sensitive);
}

/* The sockets lie in this Postfix's queue directory, when that is not the usual one. */
static void
add_places(GString *text, const char *queue, const guint *ports)
{
  static const struct {
    const char *section, *keys[3]; /* each with the file */
  } sockets[] = {
      {"milter",
       {"socket = %s/zegel/milter.sock\n", "mx_socket = %s/zegel/milter-mx.sock\n", NULL}},
      {"policyd",
       {"socket = %s/zegel/ask.sock\n", "policy_socket = %s/zegel/policy.sock\n", NULL}},
      {"deliver", {"socket = %s/zegel/deliver.sock\n", NULL, NULL}}};
  gboolean usual = g_str_equal(queue, "/var/spool/postfix");
  for (guint i = 0; i < G_N_ELEMENTS(sockets); i++) {
    gboolean submit = g_str_equal(sockets[i].section, "deliver") &&
                      ports[SETUP_PORT_SUBMIT] != setup_default_ports[SETUP_PORT_SUBMIT];
    if (usual && !submit)
      continue;
    g_string_append_printf(text, "[%s]\n", sockets[i].section);
    for (const char *const *key = sockets[i].keys; !usual && *key != NULL; key++) {
      g_auto(GStrv) sides = g_strsplit(*key, "%s", 2);
      g_string_append_printf(text, "%s%s%s", sides[0], queue, sides[1]);
    }
    if (submit)
      g_string_append_printf(text, "submit = smtp://127.0.0.1:%u\n",
                             ports[SETUP_PORT_SUBMIT]);
    g_string_append_c(text, '\n');
  }
  if (ports[SETUP_PORT_VISITOR] != setup_default_ports[SETUP_PORT_VISITOR])
    g_string_append_printf(text, "[viewer]\nsubmit = smtp://127.0.0.1:%u\n\n",
                           ports[SETUP_PORT_VISITOR]);
}

char *
setup_conf_text(const SetupAnswers *answers, const Site *site, const guint *ports,
                GError **error)
{
  g_autofree char *hostname = site_expanded(site, "smtp_helo_name", error);
  g_autofree char *queue =
      hostname != NULL ? site_expanded(site, "queue_directory", error) : NULL;
  g_autofree char *owner = queue != NULL ? site_expanded(site, "mail_owner", error) : NULL;
  g_autofree char *mynetworks =
      owner != NULL ? site_expanded(site, "mynetworks", error) : NULL;
  g_autofree char *addresses = mynetworks != NULL ? relay_addresses(site, error) : NULL;
  if (addresses == NULL)
    return NULL;
  g_autofree char *networks = networks_of(mynetworks);
  g_autofree char *command = sms_command(answers->sms);
  GString *text =
      g_string_new("# Written by zegelctl setup. zegel.conf(5) says what else can "
                   "stand here.\n\n[postfix]\n");
  add_key(text, "hostname", hostname);
  add_key(text, "relay_addresses", addresses);
  if (!g_str_equal(owner, "postfix"))
    g_string_append_printf(text, "user = %s\ngroup = %s\n", owner, owner);
  g_string_append_c(text, '\n');
  add_places(text, queue, ports);
  if (command != NULL)
    g_string_append_printf(text, "[sms]\ncommand = %s\n\n", command);
  add_organisation(text, answers, networks);
  return g_string_free(text, FALSE);
}
