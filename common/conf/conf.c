#include "common/conf/conf.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/mailbox.h"
#include "common/conf/schema.h"

#define CONF_MAX_BYTES (1024 * 1024)
#define NAME_MAX_BYTES 32 /* an organisation's name; it stands in every log line */

static const char organisation_section[] = "organisation";

/* Where the parser is, and which section it fills. */
typedef struct {
  const char *name; /* of the file */
  guint line;
  Config *config;
  char *section;         /* NULL before the first section; owned */
  Organisation *current; /* the [organisation NAME] being read, or NULL */
  GHashTable *seen;      /* "section[ name].key" given so far */
} Parser;

static void
organisation_free(gpointer p)
{
  Organisation *organisation = p;
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  for (gsize i = 0; i < count; i++)
    if (strcmp(rows[i].section, organisation_section) == 0)
      schema_clear(&rows[i], organisation);
  g_free(organisation->name);
  g_free(organisation);
}

void
conf_free(Config *config)
{
  if (config == NULL)
    return;
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  for (gsize i = 0; i < count; i++)
    if (strcmp(rows[i].section, organisation_section) != 0)
      schema_clear(&rows[i], config);
  g_ptr_array_unref(config->organisations);
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
                                    : strcmp(rows[i].section, organisation_section) != 0;
    if (ours && rows[i].default_text != NULL)
      schema_store(&rows[i], rows[i].default_text, base, NULL);
  }
}

static gboolean
organisation_name_is_valid(const char *name)
{
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_isalnum(*p) && *p != '-')
      return FALSE;
  return *name != '\0' && strlen(name) <= NAME_MAX_BYTES;
}

static gboolean
begin_organisation(Parser *parser, const char *name, GError **error)
{
  if (!organisation_name_is_valid(name))
    return complain(parser, error,
                    "[organisation NAME]: a name of letters, digits and '-' is expected");
  if (conf_organisation(parser->config, name) != NULL)
    return complain(parser, error, "[organisation %s] stands here a second time", name);
  Organisation *organisation = g_new0(Organisation, 1);
  organisation->name = g_strdup(name);
  set_defaults(organisation_section, organisation);
  g_ptr_array_add(parser->config->organisations, organisation);
  parser->current = organisation;
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
  if (strcmp(section, organisation_section) == 0)
    return begin_organisation(parser, space != NULL ? g_strstrip(space) : "", error);
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
  const char *owner = parser->current != NULL ? parser->current->name : "";
  char *id = g_strdup_printf("%s %s.%s", parser->section, owner, key);
  if (!g_hash_table_add(parser->seen, id))
    return complain(parser, error, "%s was given before", key);

  gpointer base = parser->current != NULL ? (gpointer) parser->current : parser->config;
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

/* Every key without a default must have been given, in every organisation. */
static gboolean
check_complete(Parser *parser, GError **error)
{
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  for (guint i = 0; i < parser->config->organisations->len; i++) {
    const Organisation *organisation = parser->config->organisations->pdata[i];
    for (gsize r = 0; r < count; r++) {
      if (rows[r].default_text != NULL)
        continue;
      g_autofree char *id =
          g_strdup_printf("%s %s.%s", rows[r].section, organisation->name, rows[r].key);
      if (!g_hash_table_contains(parser->seen, id))
        return complain(parser, error, "[organisation %s] needs %s", organisation->name,
                        rows[r].key);
    }
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
         check_transports(parser, error) && check_forms(parser, error);
}

Config *
conf_parse(const char *name, const char *text, gsize len, GError **error)
{
  g_autoptr(Config) config = g_new0(Config, 1);
  config->organisations = g_ptr_array_new_with_free_func(organisation_free);
  set_defaults(NULL, config);
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
  return conf_parse(path, text, len, error);
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
has_address(const Organisation *organisation, GInetAddress *address)
{
  for (guint i = 0; i < organisation->networks->len; i++)
    if (g_inet_address_mask_matches(organisation->networks->pdata[i], address))
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
conf_organisation_of_client(const Config *config, const char *login, const char *address)
{
  for (guint i = 0; login != NULL && i < config->organisations->len; i++)
    if (has_login(config->organisations->pdata[i], login))
      return config->organisations->pdata[i];
  if (login != NULL || address == NULL)
    return NULL; /* a login that is nobody's does not fall back on where it came from */

  g_autoptr(GInetAddress) ip = g_inet_address_new_from_string(address);
  for (guint i = 0; ip != NULL && i < config->organisations->len; i++)
    if (has_address(config->organisations->pdata[i], ip))
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
