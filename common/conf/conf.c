#include "common/conf/conf.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/mailbox.h"
#include "common/base/network.h"
#include "common/conf/rule.h"
#include "common/conf/schema.h"

#define CONF_MAX_BYTES (1024 * 1024)
#define NAME_MAX_BYTES 32 /* an organisation's name; it stands in every log line */

/* The sections of which there may be many, each with a name of its own; what they fill
 * begins with it. */
static const struct {
  const char *section;
  gsize list; /* of the GPtrArray in Config */
  gsize size; /* of what is in it */
} named[] = {
    {"organisation", G_STRUCT_OFFSET(Config, organisations), sizeof(Organisation)},
    {"rule", G_STRUCT_OFFSET(Config, rules), sizeof(Rule)},
};

G_STATIC_ASSERT(G_STRUCT_OFFSET(Organisation, name) == 0);
G_STATIC_ASSERT(G_STRUCT_OFFSET(Rule, name) == 0);

/* Where the parser is, and which section it fills. */
typedef struct {
  const char *name; /* of the file */
  guint line;
  Config *config;
  char *section;    /* NULL before the first section; owned */
  gpointer current; /* the [organisation NAME] or the like being read, or NULL */
  GHashTable *seen; /* "section[ name].key" given so far */
} Parser;

/* The place of SECTION in named; or how many there are. */
static gsize
named_of(const char *section)
{
  gsize i = 0;
  while (i < G_N_ELEMENTS(named) && strcmp(named[i].section, section) != 0)
    i++;
  return i;
}

static GPtrArray **
list_of(Config *config, gsize i)
{
  return (GPtrArray **) ((char *) config + named[i].list);
}

static const char *
name_of(gconstpointer item)
{
  return *(char *const *) item;
}

/* Frees what rows of SECTION (NULL: of those that stand there once) stored in BASE. */
static void
clear_section(const char *section, gpointer base)
{
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  for (gsize i = 0; i < count; i++) {
    gboolean ours = section != NULL ? strcmp(rows[i].section, section) == 0
                                    : named_of(rows[i].section) == G_N_ELEMENTS(named);
    if (ours)
      schema_clear(&rows[i], base);
  }
}

void
conf_free(Config *config)
{
  if (config == NULL)
    return;
  clear_section(NULL, config);
  for (gsize i = 0; i < G_N_ELEMENTS(named); i++) {
    GPtrArray *list = *list_of(config, i);
    for (guint n = 0; n < list->len; n++) {
      clear_section(named[i].section, list->pdata[n]);
      g_free(*(char **) list->pdata[n]);
      g_free(list->pdata[n]);
    }
    g_ptr_array_unref(list);
  }
  g_free(config);
}

static gboolean
complain(const Parser *parser, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean
complain(const Parser *parser, GError **error, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *message = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s:%u: %s", parser->name,
              parser->line, message);
  return FALSE;
}

/* Fills BASE with the defaults of SECTION. They are valid, a unit test sees to it. */
static void
set_defaults(const char *section, gpointer base)
{
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  for (gsize i = 0; i < count; i++) {
    gboolean ours = section != NULL ? strcmp(rows[i].section, section) == 0
                                    : named_of(rows[i].section) == G_N_ELEMENTS(named);
    if (ours && rows[i].default_text != NULL)
      schema_store(&rows[i], rows[i].default_text, base, NULL);
  }
}

static gboolean
name_is_valid(const char *name)
{
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_isalnum(*p) && *p != '-')
      return FALSE;
  return *name != '\0' && strlen(name) <= NAME_MAX_BYTES;
}

/* Begins [SECTION NAME], the I-th of named. */
static gboolean
begin_named(Parser *parser, gsize i, const char *name, GError **error)
{
  GPtrArray *list = *list_of(parser->config, i);
  if (!name_is_valid(name))
    return complain(parser, error,
                    "[%s NAME]: a name of letters, digits and '-' is expected",
                    named[i].section);
  for (guint n = 0; n < list->len; n++)
    if (strcmp(name_of(list->pdata[n]), name) == 0)
      return complain(parser, error, "[%s %s] stands here a second time", named[i].section,
                      name);
  parser->current = g_malloc0(named[i].size);
  *(char **) parser->current = g_strdup(name);
  set_defaults(named[i].section, parser->current);
  g_ptr_array_add(list, parser->current);
  return TRUE;
}

static gboolean
begin_section(Parser *parser, char *line, GError **error)
{
  gsize len = strlen(line);
  if (line[len - 1] != ']')
    return complain(parser, error, "a section ends with ']'");
  line[len - 1] = '\0';
  char *section = g_strstrip(line + 1);
  char *space = strpbrk(section, " \t");
  if (space != NULL)
    *space++ = '\0';
  parser->current = NULL;
  g_free(parser->section);
  parser->section = g_strdup(section);
  if (!schema_has_section(section))
    return complain(parser, error, "there is no section [%s]", section);
  gsize i = named_of(section);
  if (i < G_N_ELEMENTS(named))
    return begin_named(parser, i, space != NULL ? g_strstrip(space) : "", error);
  if (space != NULL)
    return complain(parser, error, "[%s] takes no name", section);
  return TRUE;
}

static gboolean
set_key(Parser *parser, char *line, GError **error)
{
  char *equals = strchr(line, '=');
  if (equals == NULL)
    return complain(parser, error, "[section] or key = value is expected");
  if (parser->section == NULL)
    return complain(parser, error, "a [section] must come first");
  *equals = '\0';
  const char *key = g_strstrip(line);
  const char *value = g_strstrip(equals + 1);

  const SchemaRow *row = schema_find(parser->section, key);
  if (row == NULL)
    return complain(parser, error, "[%s] has no key %s", parser->section, key);
  const char *owner = parser->current != NULL ? name_of(parser->current) : "";
  char *id = g_strdup_printf("%s %s.%s", parser->section, owner, key);
  if (!g_hash_table_add(parser->seen, id))
    return complain(parser, error, "%s was given before", key);

  gpointer base = parser->current != NULL ? parser->current : parser->config;
  g_autoptr(GError) reason = NULL;
  if (!schema_store(row, value, base, &reason))
    return complain(parser, error, "%s", reason->message);
  return TRUE;
}

static gboolean
parse_line(Parser *parser, char *raw, GError **error)
{
  char *line = g_strstrip(raw);
  if (*line == '\0' || *line == '#' || *line == ';')
    return TRUE;
  if (*line == '[')
    return begin_section(parser, line, error);
  return set_key(parser, line, error);
}

/* Every key without a default must have been given in ITEM, of the I-th of named. */
static gboolean
check_item(Parser *parser, gsize i, gconstpointer item, GError **error)
{
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  for (gsize r = 0; r < count; r++) {
    if (rows[r].default_text != NULL || strcmp(rows[r].section, named[i].section) != 0)
      continue;
    g_autofree char *id =
        g_strdup_printf("%s %s.%s", rows[r].section, name_of(item), rows[r].key);
    if (!g_hash_table_contains(parser->seen, id))
      return complain(parser, error, "[%s %s] needs %s", named[i].section, name_of(item),
                      rows[r].key);
  }
  return TRUE;
}

static gboolean
check_complete(Parser *parser, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS(named); i++) {
    const GPtrArray *list = *list_of(parser->config, i);
    for (guint n = 0; n < list->len; n++)
      if (!check_item(parser, i, list->pdata[n], error))
        return FALSE;
  }
  if (parser->config->organisations->len == 0)
    return complain(parser, error, "at least one [organisation NAME] is needed");
  return TRUE;
}

/* A domain or viewer host of two organisations would mix them up (O2). */
static gboolean
check_disjoint(Parser *parser, GError **error)
{
  const GPtrArray *all = parser->config->organisations;
  for (guint i = 0; i < all->len; i++) {
    const Organisation *one = all->pdata[i];
    for (char **domain = one->domains; *domain != NULL; domain++)
      if (conf_organisation_of_domain(parser->config, *domain) != one)
        return complain(parser, error, "domain %s belongs to two organisations", *domain);
    if (conf_organisation_of_domain(parser->config, one->service_domain) != NULL)
      return complain(parser, error,
                      "service_domain %s is a mail domain: what visitors write would be "
                      "signed as if your own people had; give it a domain of its own",
                      one->service_domain);
    for (guint j = 0; j < i; j++) {
      const Organisation *other = all->pdata[j];
      if (strcmp(one->viewer_url, other->viewer_url) == 0 ||
          strcmp(one->service_domain, other->service_domain) == 0)
        return complain(
            parser, error,
            "organisations %s and %s need their own viewer_url and service_domain",
            other->name, one->name);
    }
  }
  return TRUE;
}

/* The one never lets a message take its ordinary way, the other does (R4). */
static gboolean
check_transports(Parser *parser, GError **error)
{
  const Config *config = parser->config;
  if (strcmp(config->direct_transport, config->prefer_transport) != 0)
    return TRUE;
  return complain(parser, error,
                  "direct_transport and prefer_transport cannot be one: what must be "
                  "protected would take its ordinary way");
}

/* What people write in the web form goes to the organisation itself, and nowhere else
 * (T15).
 */
static gboolean
check_forms(Parser *parser, GError **error)
{
  for (guint i = 0; i < parser->config->organisations->len; i++) {
    const Organisation *one = parser->config->organisations->pdata[i];
    g_autofree char *mailbox = mailbox_parse(one->form_recipient);
    if (*one->form_recipient != '\0' &&
        (mailbox == NULL || !conf_has_domain(one, mailbox_domain(mailbox))))
      return complain(parser, error,
                      "[organisation %s] form_recipient = %s: a mailbox in one of its own "
                      "domains is expected, such as info@%s",
                      one->name, one->form_recipient, one->domains[0]);
  }
  return TRUE;
}

static gboolean
check_rules(Parser *parser, GError **error)
{
  for (guint i = 0; i < parser->config->rules->len; i++) {
    const Rule *rule = parser->config->rules->pdata[i];
    const char *wrong = rule_fault(parser->config, rule);
    if (wrong != NULL)
      return complain(parser, error, "[rule %s] %s", rule->name, wrong);
  }
  return TRUE;
}

static gboolean
parse_all(Parser *parser, const char *text, gsize len, GError **error)
{
  if (len > CONF_MAX_BYTES || memchr(text, '\0', len) != NULL)
    return complain(parser, error, "this is not a configuration file");
  g_autofree char *copy = g_strndup(text, len);
  g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    parser->line++;
    if (!parse_line(parser, *line, error))
      return FALSE;
  }
  return check_complete(parser, error) && check_disjoint(parser, error) &&
         check_transports(parser, error) && check_forms(parser, error) &&
         check_rules(parser, error);
}

Config *
conf_defaults(void)
{
  Config *config = g_new0(Config, 1);
  for (gsize i = 0; i < G_N_ELEMENTS(named); i++)
    *list_of(config, i) = g_ptr_array_new();
  set_defaults(NULL, config);
  return config;
}

Config *
conf_parse(const char *name, const char *text, gsize len, GError **error)
{
  g_autoptr(Config) config = conf_defaults();
  Parser parser = {.name = name, .config = config};
  parser.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gboolean good = parse_all(&parser, text, len, error);
  g_hash_table_unref(parser.seen);
  g_free(parser.section);
  return good ? g_steal_pointer(&config) : NULL;
}

Config *
conf_load(const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize len = 0;
  g_autoptr(GError) reason = NULL;
  if (!g_file_get_contents(path, &text, &len, &reason)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s", reason->message);
    return NULL;
  }
  Config *config = conf_parse(path, text, len, error);
  if (config != NULL)
    config->mark = conf_mark(text, len);
  return config;
}

const Organisation *
conf_organisation(const Config *config, const char *name)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    if (strcmp(organisation->name, name) == 0)
      return organisation;
  }
  return NULL;
}

gboolean
conf_remembers_numbers(const Organisation *organisation)
{
  return organisation->phone_book &&
         (organisation->method == METHOD_NUMBER || organisation->method == METHOD_OPTIONAL);
}

gboolean
conf_has_domain(const Organisation *organisation, const char *domain)
{
  for (char **own = organisation->domains; *own != NULL; own++)
    if (g_ascii_strcasecmp(*own, domain) == 0)
      return TRUE;
  return FALSE;
}

const Organisation *
conf_organisation_of_domain(const Config *config, const char *domain)
{
  for (guint i = 0; i < config->organisations->len; i++)
    if (conf_has_domain(config->organisations->pdata[i], domain))
      return config->organisations->pdata[i];
  return NULL;
}

static gboolean
login_matches(const char *pattern, const char *login)
{
  if (*pattern != '*')
    return g_ascii_strcasecmp(pattern, login) == 0;
  gsize pattern_len = strlen(pattern + 1);
  gsize login_len = strlen(login);
  return login_len >= pattern_len &&
         g_ascii_strcasecmp(login + (login_len - pattern_len), pattern + 1) == 0;
}

static gboolean
has_login(const Organisation *organisation, const char *login)
{
  for (char **pattern = organisation->logins; *pattern != NULL; pattern++)
    if (login_matches(*pattern, login))
      return TRUE;
  return FALSE;
}

static gboolean
has_address(const Organisation *organisation, const Network *address)
{
  for (guint i = 0; i < organisation->networks->len; i++)
    if (network_contains(organisation->networks->pdata[i], address))
      return TRUE;
  return FALSE;
}

const Organisation *
conf_organisation_of_service_domain(const Config *config, const char *domain)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    if (g_ascii_strcasecmp(organisation->service_domain, domain) == 0)
      return organisation;
  }
  return NULL;
}

const Organisation *
conf_organisation_of_author(const Config *config, const char *domain)
{
  const Organisation *organisation = conf_organisation_of_domain(config, domain);
  return organisation != NULL ? organisation
                              : conf_organisation_of_service_domain(config, domain);
}

const Organisation *
conf_organisation_of_client(const Config *config, const char *login, const char *address)
{
  for (guint i = 0; login != NULL && i < config->organisations->len; i++)
    if (has_login(config->organisations->pdata[i], login))
      return config->organisations->pdata[i];
  if (login != NULL || address == NULL)
    return NULL; /* a login that is nobody's does not fall back on where it came from */

  Network ip;
  gboolean known = network_parse_address(address, &ip);
  for (guint i = 0; known && i < config->organisations->len; i++)
    if (has_address(config->organisations->pdata[i], &ip))
      return config->organisations->pdata[i];
  return NULL;
}

const Organisation *
conf_organisation_of_host(const Config *config, const char *host)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    const char *start = strstr(organisation->viewer_url, "://") + 3;
    gsize len = strcspn(start, "/");
    if (strlen(host) == len && g_ascii_strncasecmp(start, host, len) == 0)
      return organisation;
  }
  return NULL;
}

char *
conf_schema_text(void)
{
  GString *text = g_string_new(NULL);
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  for (gsize i = 0; i < count; i++)
    g_string_append_printf(text, "%s %s %s\n", rows[i].section, rows[i].key,
                           rows[i].default_text != NULL ? rows[i].default_text : "-");
  return g_string_free(text, FALSE);
}
