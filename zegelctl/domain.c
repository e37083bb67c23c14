/*
 * domain.c - zegelctl domain list, add, remove, import and export: the domain book (M4).
 *
 * What changes it is logged here with who did it, and by zegel-policyd when it counts; the
 * SHA-256 of the file joins the two.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/book/book.h"
#include "common/book/domain.h"
#include "common/book/hop.h"
#include "zegelctl/bookfile.h"
#include "zegelctl/command.h"
#include "zegelctl/import.h"
#include "zegelctl/published.h"
#include "zegelctl/reload.h"
#include "zegelctl/text.h"

#define MAX_RULE_WORDS 8
#define MAX_REMOVED    1000 /* domains in one command */

static char *option_network, *option_nexthop, *option_rule;
static gboolean option_json, option_full, option_force, option_dry_run, option_no_reload;

#define OPTION(long_name, kind, variable, text, argument)                                  \
  {                                                                                        \
    long_name, 0, 0, kind, &(variable), text, argument                                     \
  }
#define NETWORK_OPTION(text)                                                               \
  OPTION("network", G_OPTION_ARG_STRING, option_network, text, "NAME")
#define RELOAD_OPTION                                                                      \
  OPTION("no-reload", G_OPTION_ARG_NONE, option_no_reload, "Do not tell zegel-policyd",    \
         NULL)

/* ---- What all of them do ---- */

static Book *
load_book(const Config *config, GError **error)
{
  return book_load(config->domain_book, error);
}

/* WORDS as a line of the book, checked by itself: a book of that one entry. */
static Book *
parse_alone(char **words, GError **error)
{
  g_autofree char *joined = g_strjoinv(" ", words);
  g_autofree char *network =
      option_network != NULL ? g_strconcat(" network=", option_network, NULL) : NULL;
  g_autofree char *line = g_strconcat(joined, network, NULL);
  g_autoptr(GError) reason = NULL;
  g_autoptr(Book) book = NULL;
  if (strpbrk(line, "\n#") == NULL)
    book = book_parse("", line, strlen(line), &reason);
  if (book != NULL && book_count(book) == 1)
    return g_steal_pointer(&book);
  const char *text = reason != NULL ? strstr(reason->message, ": ") + 2 /* ":1: " */
                                    : "a domain, a next hop and a TLS rule are expected";
  command_error(error, ZEGEL_ERROR_INVALID, "%s; nothing was changed", text);
  return NULL;
}

static const BookEntry *
only_entry(const Book *book)
{
  g_autoptr(GPtrArray) entries = book_entries(book);
  return entries->pdata[0];
}

/* The book's domains are direct also when they are ours (R1): that is easily overlooked. */
static void
warn_own(const Config *config, const char *domain)
{
  const Organisation *organisation = conf_organisation_of_domain(config, domain);
  if (organisation != NULL)
    fprintf(
        stderr,
        "zegelctl: note: %s is a domain of organisation %s itself: sensitive mail to it "
        "will leave this server\n",
        domain, organisation->name);
}

static int
tell_policyd(const Config *config)
{
  GError *error = NULL;
  gboolean told = FALSE;
  if (option_no_reload)
    return EX_OK;
  if (!reload_policyd(config->policyd_socket, &told, &error)) {
    fputs("zegelctl: the domain book is changed, but it does not count yet\n", stderr);
    return command_fail(error);
  }
  puts(told ? "zegel-policyd reads the domain book again."
            : "zegel-policyd is not running; it will read the domain book when it starts.");
  return EX_OK;
}

/* Does EDIT, logs it as CHANGE (of DOMAIN and NETWORK, when they are not NULL), and has it
 * count.
 */
static int
change_book(const Config *config, BookFile *file, const Edit *edit, const char *change,
            const char *domain, const char *network)
{
  GError *error = NULL;
  if (!book_file_change(file, edit, &error))
    return command_fail(error);
  g_autofree char *domains = g_strdup_printf("%u", book_count(file->book));
  g_autofree char *user = command_user();
  event_log(EVENT_BOOK, NULL, NULL, "file", config->domain_book, "change", change, "domain",
            domain, "network", network != NULL && *network != '\0' ? network : NULL,
            "domains", domains, "sha256", book_digest(file->book), "by", user, NULL);
  printf("The domain book has %u domains now.\n", book_count(file->book));
  return tell_policyd(config);
}

/* ---- list and export ---- */

static void
append_entry_json(GString *out, const BookEntry *entry)
{
  g_autofree char *rule = hop_format_rule(entry->policy);
  g_string_append(out, "  {");
  json_append_pair(out, "domain", entry->domain, TRUE);
  json_append_pair(out, "nexthop", book_entry_nexthop(entry), TRUE);
  json_append_pair(out, "tls", rule, TRUE);
  g_string_append(out, "\"clients\": [");
  for (char **client = entry->clients; *client != NULL; client++) {
    g_string_append(out, client > entry->clients ? ", " : "");
    json_append_string(out, *client);
  }
  g_string_append(out, "], ");
  json_append_pair(out, "network", entry->network, TRUE);
  g_string_append_printf(out, "\"line\": %u}", entry->line);
}

static void
append_entries_json(GString *out, const GPtrArray *entries)
{
  g_string_append(out, "[\n");
  for (guint i = 0; i < entries->len; i++) {
    append_entry_json(out, entries->pdata[i]);
    g_string_append(out, i + 1 < entries->len ? ",\n" : "\n");
  }
  g_string_append(out, "]\n");
}

static void
append_entries_table(GString *out, const GPtrArray *entries)
{
  int domain_width = 0, hop_width = 0;
  for (guint i = 0; i < entries->len; i++) {
    const BookEntry *entry = entries->pdata[i];
    domain_width = MAX(domain_width, (int) strlen(entry->domain));
    hop_width = MAX(hop_width, (int) strlen(book_entry_nexthop(entry)));
  }
  for (guint i = 0; i < entries->len; i++) {
    const BookEntry *entry = entries->pdata[i];
    g_autofree char *rule = hop_format_rule(entry->policy);
    g_autofree char *options = book_entry_options(entry);
    g_string_append_printf(out, "%-*s  %-*s  %s%s%s\n", domain_width, entry->domain,
                           hop_width, book_entry_nexthop(entry), rule,
                           *options != '\0' ? " " : "", options);
  }
}

static void
append_lines(GString *out, const GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++) {
    g_autofree char *line = book_entry_format(entries->pdata[i]);
    g_string_append_printf(out, "%s\n", line);
  }
}

static void
append_published(GString *out, const GPtrArray *entries)
{
  g_autoptr(GPtrArray) domains = g_ptr_array_new();
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add(domains, ((const BookEntry *) entries->pdata[i])->domain);
  g_autofree char *text =
      published_format(option_network != NULL ? option_network : "domain", domains);
  g_string_append(out, text);
}

/* Prints the entries that --network chooses by APPEND. */
static int
print_entries(void (*append)(GString *, const GPtrArray *))
{
  GError *error = NULL;
  g_autoptr(Config) config = command_config(&error);
  g_autoptr(Book) book = config != NULL ? load_book(config, &error) : NULL;
  if (book == NULL)
    return command_fail(error);
  g_autoptr(GPtrArray) entries = import_entries(book, option_network);
  g_autoptr(GString) out = g_string_new(NULL);
  append(out, entries);
  fputs(out->str, stdout);
  return command_done(EX_OK);
}

static int
run_list(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  return print_entries(option_json ? append_entries_json : append_entries_table);
}

static int
run_export(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  return print_entries(option_full ? append_lines : append_published);
}

/* ---- add and remove ---- */

/* The last line of NETWORK in BOOK, or 0. */
static guint
last_line(const Book *book, const char *network)
{
  g_autoptr(GPtrArray) entries = import_entries(book, network);
  return entries->len > 0 ? ((const BookEntry *) entries->pdata[entries->len - 1])->line
                          : 0;
}

static int
run_add(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_autoptr(Config) config = command_config(&error);
  g_autoptr(Book) alone = config != NULL ? parse_alone(argv, &error) : NULL;
  g_autoptr(BookFile) file =
      alone != NULL ? book_file_open(config->domain_book, &error) : NULL;
  if (file == NULL)
    return command_fail(error);
  const BookEntry *entry = only_entry(alone);
  g_autofree char *line = book_entry_format(entry);
  g_autoptr(Edit) edit = edit_new();
  edit_add(edit, line);
  if (*entry->network != '\0')
    edit_add_behind(edit, last_line(file->book, entry->network));
  warn_own(config, entry->domain);
  return command_done(
      change_book(config, file, edit, "added", entry->domain, entry->network));
}

static gboolean
drop_domain(Edit *edit, const Book *book, const char *text, GError **error)
{
  g_autofree char *domain = domain_canonical(text);
  const BookEntry *entry = domain != NULL ? book_find(book, domain) : NULL;
  if (entry == NULL)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s does not stand in the domain book; nothing was changed", text);
  edit_drop(edit, entry->line);
  return TRUE;
}

static int
run_remove(int argc, char **argv)
{
  GError *error = NULL;
  g_autoptr(Config) config = command_config(&error);
  g_autoptr(BookFile) file =
      config != NULL ? book_file_open(config->domain_book, &error) : NULL;
  if (file == NULL)
    return command_fail(error);
  g_autoptr(Edit) edit = edit_new();
  for (int i = 0; i < argc; i++)
    if (!drop_domain(edit, file->book, argv[i], &error))
      return command_fail(error);
  g_autofree char *domain = argc == 1 ? domain_canonical(argv[0]) : NULL;
  return command_done(change_book(config, file, edit, "removed", domain, NULL));
}

/* ---- import ---- */

/* What is in the file PATH ("-": standard input). */
static gboolean
read_input(const char *path, char **text, gsize *len, GError **error)
{
  g_autoptr(GError) reason = NULL;
  if (strcmp(path, "-") != 0) {
    if (g_file_get_contents(path, text, len, &reason))
      return TRUE;
    return command_error(error, ZEGEL_ERROR_INVALID, "%s", reason->message);
  }
  GString *all = g_string_new(NULL);
  char buffer[65536];
  gsize got;
  while (all->len <= BOOK_MAX_BYTES && (got = fread(buffer, 1, sizeof buffer, stdin)) > 0)
    g_string_append_len(all, buffer, (gssize) got);
  *len = all->len;
  *text = g_string_free(all, FALSE);
  return TRUE;
}

static Published *
read_published(const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize len = 0;
  if (!read_input(path, &text, &len, error))
    return NULL;
  if (len > BOOK_MAX_BYTES) {
    command_error(error, ZEGEL_ERROR_INVALID, "%s: too large for a list of domains", path);
    return NULL;
  }
  Published *list =
      published_parse(strcmp(path, "-") == 0 ? "standard input" : path, text, len, error);
  if (list != NULL && list->domains->len == 0) {
    command_error(error, ZEGEL_ERROR_INVALID, "%s: there is no domain in it", path);
    g_clear_pointer(&list, published_free);
  }
  return list;
}

static void
print_names(char sign, const GPtrArray *domains)
{
  for (guint i = 0; i < domains->len; i++)
    printf("%c %s\n", sign, (const char *) domains->pdata[i]);
}

static void
print_import(const Published *list, const Import *import)
{
  if (*list->header != '\0') {
    g_autoptr(GString) header = g_string_new(NULL);
    text_wrap(header, strlen("header: "), strlen("header: "), list->header);
    printf("header: %s", header->str);
  }
  for (guint i = 0; i < import->others->len; i++) {
    const BookEntry *entry = import->others->pdata[i];
    printf("stays as it is: %s (line %u, %s%s)\n", entry->domain, entry->line,
           *entry->network != '\0' ? "of network " : "of no network", entry->network);
  }
  if (option_dry_run) {
    print_names('+', import->added);
    print_names('-', import->removed);
    print_names('~', import->changed);
  }
  printf("%s: +%u added, -%u removed, ~%u changed, =%u kept\n", option_network,
         import->added->len, import->removed->len, import->changed->len, import->kept);
}

static int
apply_import(const Config *config, BookFile *file, const Published *list,
             const Import *import)
{
  GError *error = NULL;
  print_import(list, import);
  if (option_dry_run || !edit_is_change(import->edit)) {
    puts("Nothing was changed.");
    return EX_OK;
  }
  if (import_is_drastic(import) && !option_force) {
    command_error(
        &error, ZEGEL_ERROR_INVALID,
        "this would remove more than half of the network: when that is right, use "
        "--force; nothing was changed");
    return command_fail(error);
  }
  return change_book(config, file, import->edit, "imported", NULL, option_network);
}

/* The line that every domain of the list gets, for a domain that stands for all. */
static Book *
parse_template(GError **error)
{
  char *words[] = {(char *) "example.nl", option_nexthop, option_rule, NULL};
  if (option_network != NULL && option_nexthop != NULL && option_rule != NULL &&
      book_network_is_valid(option_network))
    return parse_alone(words, error);
  command_error(error, ZEGEL_ERROR_INVALID,
                "--network NAME (letters, digits and '-'), --nexthop HOP and "
                "--rule \"TLS rule\" are needed; nothing was changed");
  return NULL;
}

/*
 * A network's list has its own members, us too, and the book wins over our own domains: our
 * mail would go round by the network. Whoever wants that adds the line by hand.
 */
static void
leave_out_own(const Config *config, const Book *book, GPtrArray *domains)
{
  for (guint i = domains->len; i > 0; i--) {
    const char *domain = domains->pdata[i - 1];
    const Organisation *organisation = conf_organisation_of_domain(config, domain);
    if (organisation == NULL || book_find(book, domain) != NULL)
      continue;
    printf("left out: %s is a domain of organisation %s itself\n", domain,
           organisation->name);
    g_ptr_array_remove_index(domains, i - 1);
  }
}

static int
run_import(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_autoptr(Config) config = command_config(&error);
  g_autoptr(Book) template = config != NULL ? parse_template(&error) : NULL;
  g_autoptr(Published) list = template != NULL ? read_published(argv[0], &error) : NULL;
  g_autoptr(BookFile) file =
      list != NULL ? book_file_open(config->domain_book, &error) : NULL;
  if (file == NULL)
    return command_fail(error);
  leave_out_own(config, file->book, list->domains);
  g_autoptr(Import) import = import_plan(file->book, only_entry(template), list->domains);
  return command_done(apply_import(config, file, list, import));
}

/* ---- The table ---- */

static const GOptionEntry list_options[] = {
    NETWORK_OPTION("Only the domains of this network"),
    OPTION("json", G_OPTION_ARG_NONE, option_json, "As JSON", NULL),
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry add_options[] = {
    NETWORK_OPTION("The network that the domain belongs to"),
    RELOAD_OPTION,
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry remove_options[] = {RELOAD_OPTION, G_OPTION_ENTRY_NULL};

static const GOptionEntry import_options[] = {
    NETWORK_OPTION("The network whose domains the list has"),
    OPTION("nexthop", G_OPTION_ARG_STRING, option_nexthop, "Where they take mail", "HOP"),
    OPTION("rule", G_OPTION_ARG_STRING, option_rule, "The TLS that is asked", "RULE"),
    OPTION("dry-run", G_OPTION_ARG_NONE, option_dry_run, "Only say what would change",
           NULL),
    OPTION("force", G_OPTION_ARG_NONE, option_force,
           "Also when more than half of the network goes", NULL),
    RELOAD_OPTION,
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry export_options[] = {
    NETWORK_OPTION("Only the domains of this network"),
    OPTION("full", G_OPTION_ARG_NONE, option_full, "Lines as the domain book has them",
           NULL),
    G_OPTION_ENTRY_NULL,
};

const Command domain_commands[] = {
    {{"domain", "list"},
     0,
     0,
     "[--network NAME] [--json]",
     "Print the domain book",
     list_options,
     run_list},
    {{"domain", "add"},
     3,
     2 + MAX_RULE_WORDS,
     "DOMAIN NEXTHOP RULE... [--network NAME] [--no-reload]",
     "Put a domain into the domain book",
     add_options,
     run_add},
    {{"domain", "remove"},
     1,
     MAX_REMOVED,
     "DOMAIN... [--no-reload]",
     "Take domains out of the domain book",
     remove_options,
     run_remove},
    {{"domain", "import"},
     1,
     1,
     "FILE --network NAME --nexthop HOP --rule RULE [--dry-run] [--force] [--no-reload]",
     "Make the domains of a network those of a list: a header, then one domain a line",
     import_options,
     run_import},
    {{"domain", "export"},
     0,
     0,
     "[--network NAME] [--full]",
     "Print the domains as such a list",
     export_options,
     run_export},
    {.words = {NULL}},
};
