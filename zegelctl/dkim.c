/*
 * dkim.c - zegelctl dkim generate, show, check, activate and retire: the keys with which
 * mail of our domains is signed (N6).
 *
 * A key signs only when everybody can see it: this is the one place that makes it sign, and
 * policyd must have seen its record before.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/book/domain.h"
#include "zegelctl/command.h"
#include "zegelctl/dkim_check.h"
#include "zegelctl/dkim_files.h"
#include "zegelctl/dkim_text.h"
#include "zegelctl/text.h"

#define EXIT_NOT_VISIBLE 1
#define BITS_DEFAULT     2048
#define SAME_MONTH_MAX   99 /* keys of one type with names that we chose */
/* Days that a message can be on its way after it left our own queue. */
#define QUEUE_DAYS 5 /* RFC 5321 4.5.4.1 */

static char *option_type, *option_selector;
static int option_bits;
static gboolean option_json, option_insecure, option_stop;

/* What every command opens. */
typedef struct {
  Config *config;
  char *domain;
  DkimPlace *place; /* NULL before it is opened */
  GPtrArray *files;
} Domain;

static void
domain_close(Domain *domain)
{
  conf_free(domain->config);
  g_free(domain->domain);
  dkim_place_close(domain->place);
  if (domain->files != NULL)
    g_ptr_array_unref(domain->files);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Domain, domain_close)

static gboolean
read_files(Domain *domain, GError **error)
{
  g_clear_pointer(&domain->files, g_ptr_array_unref);
  domain->files = dkim_place_list(domain->place, error);
  return domain->files != NULL;
}

/* Opens the directories of NAME in CONFIG, which is taken also when it fails. */
static gboolean
domain_open(Domain *domain, Config *config, const char *name, gboolean make, GError **error)
{
  domain->config = config;
  if (config == NULL)
    return FALSE;
  domain->domain = domain_canonical(name);
  if (domain->domain == NULL)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s: a domain such as example.nl is expected", name);
  domain->place = dkim_place_open(config, domain->domain, make, error);
  return domain->place != NULL && read_files(domain, error);
}

/* The organisation that sends mail of DOMAIN: a mail domain or a service domain. */
static const Organisation *
find_organisation(const Config *config, const char *domain)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *one = config->organisations->pdata[i];
    if (strcmp(one->service_domain, domain) == 0)
      return one;
  }
  return conf_organisation_of_domain(config, domain);
}

static void
log_change(const Domain *domain, const char *selector, const char *change)
{
  const Organisation *organisation = find_organisation(domain->config, domain->domain);
  g_autofree char *user = command_user();
  event_log(EVENT_DKIM, NULL, organisation != NULL ? organisation->name : NULL, "domain",
            domain->domain, "selector", selector, "change", change, "by", user, NULL);
}

/* SAYING, a sentence or more, in lines. */
static void
say(const char *saying)
{
  g_autoptr(GString) out = g_string_new(NULL);
  text_wrap(out, 0, 0, saying);
  fputs(out->str, stdout);
}

/* ---- generate ---- */

static gboolean
read_options(SignAlgorithm *algorithm, guint *bits, GError **error)
{
  *bits = option_bits != 0 ? (guint) option_bits : BITS_DEFAULT;
  *algorithm = SIGN_RSA_SHA256;
  if (g_strcmp0(option_type, "ed25519") == 0)
    *algorithm = SIGN_ED25519_SHA256;
  else if (option_type != NULL && strcmp(option_type, "rsa") != 0)
    return command_error(error, ZEGEL_ERROR_INVALID, "--type is rsa or ed25519");
  if (*algorithm == SIGN_ED25519_SHA256 && option_bits != 0)
    return command_error(error, ZEGEL_ERROR_INVALID, "--bits is for rsa only");
  if (*bits != 2048 && *bits != 3072 && *bits != 4096)
    return command_error(error, ZEGEL_ERROR_INVALID, "--bits is 2048, 3072 or 4096");
  if (option_selector != NULL && !dkim_selector_is_good(option_selector))
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s: a selector has 1 to 63 lower-case letters, digits and '-'",
                         option_selector);
  return TRUE;
}

/* The selector to use: a new string. */
static char *
choose_selector(const Domain *domain, SignAlgorithm algorithm)
{
  if (option_selector != NULL)
    return g_strdup(option_selector);
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *base = g_date_time_format(
      now, algorithm == SIGN_ED25519_SHA256 ? "zegel%Y%me" : "zegel%Y%m");
  char *selector = g_strdup(base);
  for (guint i = 2; i <= SAME_MONTH_MAX && dkim_place_has(domain->place, selector); i++) {
    g_free(selector);
    selector = g_strdup_printf("%s-%u", base, i);
  }
  return selector;
}

/* Makes the key SELECTOR. */
static gboolean
make_key(const Domain *domain, const char *selector, SignAlgorithm algorithm, guint bits,
         GError **error)
{
  if (dkim_place_has(domain->place, selector))
    return command_error(
        error, ZEGEL_ERROR_INVALID,
        "%s was used for %s before: choose another --selector; nothing was "
        "changed",
        selector, domain->domain);
  g_autoptr(SignKey) key = sign_key_generate(algorithm, bits, error);
  return key != NULL && dkim_place_add(domain->place, selector, key, error);
}

static void
print_new(const Domain *domain, const DkimFile *file)
{
  g_autofree char *name = dkim_record_name(file->selector, domain->domain);
  g_autofree char *zone = dkim_record_zone(name, file->record);
  printf("Key %s of %s is there. Publish this record; in a zone file:\n\n%s\n"
         "or in a form, as a TXT record:\n\n  name:  %s\n  value: %s\n\n",
         file->selector, domain->domain, zone, name, file->record);
  printf("Then: zegelctl dkim check %s\n", domain->domain);
  printf("and, as soon as that says that it is published: zegelctl dkim activate %s %s\n"
         "Until then nothing is signed with it.\n",
         domain->domain, file->selector);
}

static int
run_generate(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Domain) domain = {NULL, NULL, NULL, NULL};
  SignAlgorithm algorithm;
  guint bits;
  g_autofree char *name = domain_canonical(argv[0]);
  if (!read_options(&algorithm, &bits, &error))
    return command_fail(error);
  Config *config = command_config(&error);
  if (config != NULL && name != NULL && find_organisation(config, name) == NULL)
    command_error(
        &error, ZEGEL_ERROR_INVALID,
        "%s is no mail domain or service domain of an organisation in zegel.conf: "
        "nothing would be signed with its key",
        name);
  if (error != NULL) {
    conf_free(config);
    return command_fail(error);
  }
  if (!domain_open(&domain, config, argv[0], TRUE, &error))
    return command_fail(error);
  g_autofree char *selector = choose_selector(&domain, algorithm);
  g_autofree char *record_name = dkim_record_name(selector, domain.domain);
  if (record_name == NULL)
    command_error(&error, ZEGEL_ERROR_INVALID, "%s is too long a selector for %s", selector,
                  domain.domain);
  if (record_name == NULL || !make_key(&domain, selector, algorithm, bits, &error) ||
      !read_files(&domain, &error))
    return command_fail(error);
  const DkimFile *file = dkim_find(domain.files, selector);
  log_change(&domain, selector, "generated");
  print_new(&domain, file);
  return command_done(EX_OK);
}

/* ---- show ---- */

static void
append_domain(GString *out, const Domain *domain)
{
  if (option_json)
    dkim_append_json(out, domain->domain, domain->files, NULL);
  else
    dkim_append_text(out, domain->domain, domain->files, NULL, TRUE);
}

/* Every domain that may have keys, once: an array of strings that CONFIG owns. */
static GPtrArray *
all_domains(const Config *config)
{
  GPtrArray *domains = g_ptr_array_new();
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *one = config->organisations->pdata[i];
    for (char **name = one->domains; *name != NULL; name++)
      g_ptr_array_add(domains, *name);
    g_ptr_array_add(domains, one->service_domain);
  }
  return domains;
}

/* Appends the keys of every domain that has one. */
static gboolean
append_all(GString *out, const GPtrArray *domains, GError **error)
{
  gboolean first = TRUE;
  for (guint i = 0; i < domains->len; i++) {
    g_auto(Domain) domain = {NULL, NULL, NULL, NULL};
    g_autoptr(GError) reason = NULL;
    Config *config = command_config(error);
    if (config == NULL)
      return FALSE;
    if (domain_open(&domain, config, domains->pdata[i], FALSE, &reason)) {
      g_string_append(out, option_json && !first ? ",\n" : "");
      append_domain(out, &domain);
      first = FALSE;
    } else if (!g_error_matches(reason, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
      g_propagate_error(error, g_steal_pointer(&reason));
      return FALSE;
    }
  }
  if (first && !option_json)
    g_string_append(out, "There is no DKIM key: zegelctl dkim generate makes one.\n");
  return TRUE;
}

static int
run_show(int argc, char **argv)
{
  GError *error = NULL;
  g_autoptr(GString) out = g_string_new(NULL);
  g_auto(Domain) domain = {NULL, NULL, NULL, NULL};
  g_autoptr(Config) config = NULL;
  if (argc == 1) {
    if (!domain_open(&domain, command_config(&error), argv[0], FALSE, &error))
      return command_fail(error);
    append_domain(out, &domain);
    g_string_append(out, option_json ? "\n" : "");
  } else {
    config = command_config(&error);
    if (config == NULL)
      return command_fail(error);
    g_autoptr(GPtrArray) domains = all_domains(config);
    g_string_append(out, option_json ? "[" : "");
    if (!append_all(out, domains, &error))
      return command_fail(error);
    g_string_append(out, option_json ? "]\n" : "");
  }
  fputs(out->str, stdout);
  return command_done(EX_OK);
}

/* ---- check ---- */

/* What the DNS has of each of the keys; NULL when policyd gives no answer. */
static GArray *
look_at_all(const Domain *domain, GError **error)
{
  g_autoptr(GArray) views = g_array_new(FALSE, FALSE, sizeof(DkimView));
  for (guint i = 0; i < domain->files->len; i++) {
    DkimView view;
    if (!dkim_look(domain->config->policyd_socket, domain->domain, domain->files->pdata[i],
                   &view, error))
      return NULL;
    g_array_append_val(views, view);
  }
  return g_steal_pointer(&views);
}

/* 0 when every key that is or will be signed with is seen by everybody. */
static int
status_of_views(const GPtrArray *files, const GArray *views)
{
  int status = EXIT_NOT_VISIBLE;
  gboolean any = FALSE, all = TRUE, unknown = FALSE;
  for (guint i = 0; i < files->len; i++) {
    const DkimFile *file = files->pdata[i];
    DkimView view = g_array_index(views, DkimView, i);
    if (file->state != DKIM_WAITING && file->state != DKIM_ACTIVE)
      continue;
    any = TRUE;
    all = all && view == DKIM_VIEW_GOOD && file->fault == NULL;
    unknown = unknown || view == DKIM_VIEW_UNKNOWN;
  }
  if (any && all)
    status = EX_OK;
  else if (unknown)
    status = EX_TEMPFAIL;
  return status;
}

/* Nothing can be said without policyd: say what brings it back. */
static int
fail_to_ask(GError *error)
{
  int status = command_fail(error);
  fputs(
      "zegelctl: is zegel-policyd running? See \"systemctl status zegel-policyd\" and the "
      "mail log.\n",
      stderr);
  return status;
}

static int
run_check(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Domain) domain = {NULL, NULL, NULL, NULL};
  if (!domain_open(&domain, command_config(&error), argv[0], FALSE, &error))
    return command_fail(error);
  g_autoptr(GArray) views = look_at_all(&domain, &error);
  if (views == NULL)
    return fail_to_ask(error);
  g_autoptr(GString) out = g_string_new(NULL);
  if (option_json)
    dkim_append_json(out, domain.domain, domain.files, views);
  else
    dkim_append_text(out, domain.domain, domain.files, views, FALSE);
  g_string_append(out, option_json ? "\n" : "");
  fputs(out->str, stdout);
  return command_done(status_of_views(domain.files, views));
}

/* ---- activate ---- */

/* The key SELECTOR, which is there, or NULL. */
static DkimFile *
find_key(const Domain *domain, const char *selector, GError **error)
{
  DkimFile *file = dkim_find(domain->files, selector);
  if (file == NULL)
    command_error(error, ZEGEL_ERROR_INVALID,
                  "%s has no key %s: zegelctl dkim show %s prints those that there are",
                  domain->domain, selector, domain->domain);
  return file;
}

/* Whether FILE may be signed with: what everybody must see is seen. */
static gboolean
may_sign(const Domain *domain, const DkimFile *file, GError **error)
{
  DkimView view;
  if (file->state > DKIM_RESTING)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s is %s: its private key is not here; zegelctl dkim generate %s "
                         "makes a new one",
                         file->selector, dkim_state_name(file->state), domain->domain);
  if (file->fault != NULL && !file->half)
    return command_error(error, ZEGEL_ERROR_CONFIG, "%s", file->fault);
  if (!dkim_look(domain->config->policyd_socket, domain->domain, file, &view, error))
    return FALSE;
  if (view == DKIM_VIEW_GOOD || (view == DKIM_VIEW_INSECURE && option_insecure))
    return TRUE;
  g_autofree char *text = dkim_view_text(view, file, domain->domain);
  return command_error(
      error, view == DKIM_VIEW_UNKNOWN ? ZEGEL_ERROR_TEMPORARY : ZEGEL_ERROR_INVALID,
      "%s of %s is not used to sign: %s%s", file->selector, domain->domain, text,
      view == DKIM_VIEW_INSECURE ? ". With --insecure it is used all the same" : "");
}

/* The day on which no message is on its way any more that was signed until LAST_US. */
static char *
last_day(const Config *config, gint64 last_us)
{
  g_autoptr(GDateTime) last = g_date_time_new_from_unix_utc(last_us / G_USEC_PER_SEC);
  g_autoptr(GDateTime) end =
      g_date_time_add_days(last, (int) config->promise_days + QUEUE_DAYS + 1);
  return g_date_time_format(end, "%Y-%m-%d");
}

/* Puts every other active key of FILE's algorithm to rest, when the milter has FILE. */
static gboolean
rest_others(Domain *domain, const DkimFile *file, GError **error)
{
  gboolean waited = FALSE;
  for (guint i = 0; i < domain->files->len; i++) {
    const DkimFile *other = domain->files->pdata[i];
    if (other == file || other->state != DKIM_ACTIVE || other->record == NULL ||
        other->algorithm != file->algorithm)
      continue;
    /* A milter that read the directory before and opens the files now needs the old one. */
    if (!waited)
      sleep(DKIM_LOOK_S);
    waited = TRUE;
    if (!dkim_place_rest(domain->place, other, error))
      return FALSE;
    log_change(domain, other->selector, "rested");
    g_autofree char *day = last_day(domain->config, g_get_real_time());
    printf(
        "%s rests. Leave its record in the DNS until %s: mail that it signed is on its way "
        "until then.\nIts private key is not needed any more: zegelctl dkim retire %s %s "
        "destroys it.\n",
        other->selector, day, domain->domain, other->selector);
  }
  return TRUE;
}

static int
run_activate(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Domain) domain = {NULL, NULL, NULL, NULL};
  if (!domain_open(&domain, command_config(&error), argv[0], FALSE, &error))
    return command_fail(error);
  DkimFile *file = find_key(&domain, argv[1], &error);
  if (file == NULL)
    return command_fail(error);
  if (!file->signs || file->fault != NULL) {
    if (!may_sign(&domain, file, &error) ||
        !dkim_place_activate(domain.place, domain.files, file, &error))
      return command_fail(error);
    log_change(&domain, file->selector, "activated");
  }
  printf("Mail of %s is signed with %s.\n", domain.domain, file->selector);
  fflush(stdout);
  if (!rest_others(&domain, file, &error))
    return command_fail(error);
  return command_done(EX_OK);
}

/* ---- retire ---- */

static void
say_record(const Domain *domain, const DkimFile *file, gint64 last_us)
{
  g_autofree char *name = dkim_record_name(file->selector, domain->domain);
  g_autofree char *day = last_day(domain->config, last_us);
  g_autofree char *text =
      last_us == 0
          ? g_strdup_printf("Nothing was signed with it: its record %s can go now.", name)
          : g_strdup_printf(
                "Leave the record %s in the DNS until %s: mail that it signed is "
                "on its way until then. After that take it out, or empty it to "
                "\"v=DKIM1; p=\", which says that the key is revoked.",
                name, day);
  say(text);
}

static int
run_retire(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Domain) domain = {NULL, NULL, NULL, NULL};
  if (!domain_open(&domain, command_config(&error), argv[0], FALSE, &error))
    return command_fail(error);
  const DkimFile *file = find_key(&domain, argv[1], &error);
  if (file == NULL)
    return command_fail(error);
  if (file->state == DKIM_RETIRED) {
    printf("%s of %s is retired.\n", file->selector, domain.domain);
    return command_done(EX_OK);
  }
  if (file->state == DKIM_ACTIVE && !option_stop) {
    command_error(&error, ZEGEL_ERROR_INVALID,
                  "%s of %s is active: activate another one first, or say with "
                  "--stop-signing that mail is to leave without its signature; nothing was "
                  "changed",
                  file->selector, domain.domain);
    return command_fail(error);
  }
  gint64 last_us = dkim_last_signed_us(domain.files, file, g_get_real_time());
  if (!dkim_place_retire(domain.place, domain.files, file, &error))
    return command_fail(error);
  log_change(&domain, file->selector, "retired");
  printf("%s of %s is retired: its private key is gone.\n", file->selector, domain.domain);
  say_record(&domain, file, last_us);
  return command_done(EX_OK);
}

/* ---- The table ---- */

static const GOptionEntry generate_options[] = {
    {"type", 0, 0, G_OPTION_ARG_STRING, &option_type, "rsa (the default) or ed25519",
     "TYPE"},
    {"bits", 0, 0, G_OPTION_ARG_INT, &option_bits, "Of rsa: 2048, 3072 or 4096", "BITS"},
    {"selector", 0, 0, G_OPTION_ARG_STRING, &option_selector, "Its name", "SELECTOR"},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry json_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry activate_options[] = {
    {"insecure", 0, 0, G_OPTION_ARG_NONE, &option_insecure,
     "Also when its record is not under DNSSEC", NULL},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry retire_options[] = {
    {"stop-signing", 0, 0, G_OPTION_ARG_NONE, &option_stop, "Also when it is active", NULL},
    G_OPTION_ENTRY_NULL,
};

const Command dkim_commands[] = {
    {{"dkim", "generate"},
     1,
     1,
     "DOMAIN [--type rsa|ed25519] [--bits BITS] [--selector SELECTOR]",
     "Make a key that waits, and print the record to publish",
     generate_options,
     run_generate},
    {{"dkim", "show"},
     0,
     1,
     "[DOMAIN] [--json]",
     "Print the keys, what each does, and their records",
     json_options,
     run_show},
    {{"dkim", "check"},
     1,
     1,
     "DOMAIN [--json]",
     "Check that the DNS has the records of the keys",
     json_options,
     run_check},
    {{"dkim", "activate"},
     2,
     2,
     "DOMAIN SELECTOR [--insecure]",
     "Sign with a key from now on; the one before it rests",
     activate_options,
     run_activate},
    {{"dkim", "retire"},
     2,
     2,
     "DOMAIN SELECTOR [--stop-signing]",
     "Destroy a key that is not used any more",
     retire_options,
     run_retire},
    {.words = {NULL}},
};
