#include "zegelctl/site.h"

#include <string.h>

#include "common/base/error.h"
#include "zegelctl/command.h"
#include "zegelctl/program.h"

#define ROOT_DIRECTORY "/etc/postfix"
#define MAIN_MAX_BYTES (4 << 20)

/*
 * postconf(1) expands values of parameters only, and not of those that nothing uses yet.
 * So a text to expand is given to it as the value of a parameter that no other one names.
 */
#define CARRIER "sun_mailtool_compatibility"

struct Site {
  char *directory;
  char *name;
};

void
site_free(Site *site)
{
  if (site == NULL)
    return;
  g_free(site->directory);
  g_free(site->name);
  g_free(site);
}

const char *
site_directory(const Site *site)
{
  return site->directory;
}

const char *
site_name(const Site *site)
{
  return site->name;
}

/* NAME "-" of postmulti(1), or NULL, is none. */
static Site *
site_new(const char *directory, const char *name)
{
  Site *site = g_new0(Site, 1);
  site->directory = g_strdup(directory);
  site->name = g_strcmp0(name, "-") != 0 ? g_strdup(name) : NULL;
  return site;
}

/* What postconf says to OPTIONS (ends with NULL) about SITE; NULL with an error. */
static char *
ask(const Site *site, const char *const *options, GError **error)
{
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  char *said = NULL;
  g_ptr_array_add(argv, (gpointer) "postconf");
  g_ptr_array_add(argv, (gpointer) "-c");
  g_ptr_array_add(argv, site->directory);
  for (const char *const *option = options; *option != NULL; option++)
    g_ptr_array_add(argv, (gpointer) *option);
  g_ptr_array_add(argv, NULL);
  return program_read((const char *const *) argv->pdata, &said, error) ? said : NULL;
}

/* ---- Instances ---- */

/* The lines of postmulti -l: name, group, whether it is enabled, directory. */
static GPtrArray *
parse_instances(const char *text)
{
  g_autoptr(GPtrArray) sites = g_ptr_array_new_with_free_func((GDestroyNotify) site_free);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) words = site_words(*line);
    if (g_strv_length(words) == 4)
      g_ptr_array_add(sites, site_new(words[3], words[0]));
  }
  return g_steal_pointer(&sites);
}

GPtrArray *
site_find_all(GError **error)
{
  const char *const argv[] = {"postmulti", "-l", NULL};
  g_autofree char *text = NULL;
  if (program_read(argv, &text, NULL)) {
    g_autoptr(GPtrArray) sites = parse_instances(text);
    if (sites->len > 0)
      return g_steal_pointer(&sites);
  }
  Site *site = site_open(ROOT_DIRECTORY, error);
  if (site == NULL)
    return NULL;
  GPtrArray *sites = g_ptr_array_new_with_free_func((GDestroyNotify) site_free);
  g_ptr_array_add(sites, site);
  return sites;
}

Site *
site_open(const char *directory, GError **error)
{
  const char *const options[] = {"-h", "multi_instance_name", NULL};
  g_autofree char *path = g_build_filename(directory, "main.cf", NULL);
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    command_error(error, ZEGEL_ERROR_CONFIG, "there is no Postfix in %s: it has no main.cf",
                  directory);
    return NULL;
  }
  g_autoptr(Site) site = site_new(directory, NULL);
  g_autofree char *name = ask(site, options, error);
  if (name == NULL)
    return NULL;
  if (*name != '\0')
    site->name = g_steal_pointer(&name);
  return g_steal_pointer(&site);
}

/* ---- main.cf ---- */

/* Whether LINE assigns to NAME; *VALUE gets where the value begins. */
static gboolean
assigns(const char *line, const char *name, const char **value)
{
  gsize len = strlen(name);
  if (strncmp(line, name, len) != 0)
    return FALSE;
  line += len;
  line += strspn(line, " \t");
  if (*line != '=')
    return FALSE;
  *value = line + 1;
  return TRUE;
}

/* The value of NAME in TEXT of a main.cf, in one line; NULL when it is not there. The last
 * one counts; lines of comment do not end a value (postconf(5)). */
static char *
find_in_main(const char *text, const char *name)
{
  g_autoptr(GString) found = NULL;
  gboolean within = FALSE;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    const char *rest = *line;
    gboolean more = g_ascii_isspace(*rest);
    g_strchomp(*line);
    while (g_ascii_isspace(*rest))
      rest++;
    if (*rest == '\0' || *rest == '#')
      continue;
    if (!more) {
      within = assigns(rest, name, &rest);
      if (within && found != NULL)
        g_string_truncate(found, 0);
      else if (within)
        found = g_string_new(NULL);
    }
    if (within)
      g_string_append_printf(found, "%s%s", more ? " " : "", rest);
  }
  return found != NULL ? g_strstrip(g_string_free(g_steal_pointer(&found), FALSE)) : NULL;
}

/* What main.cf itself says NAME is; NULL when it says nothing, or with ERROR. */
static char *
read_main(const Site *site, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename(site->directory, "main.cf", NULL);
  g_autofree char *text = NULL;
  g_autoptr(GError) reason = NULL;
  gsize len = 0;
  if (!g_file_get_contents(path, &text, &len, &reason) || len > MAIN_MAX_BYTES) {
    command_error(error, ZEGEL_ERROR_CONFIG, "%s",
                  reason != NULL ? reason->message : "main.cf is too large");
    return NULL;
  }
  return find_in_main(text, name);
}

gboolean
site_is_set(const Site *site, const char *name)
{
  g_autofree char *value = read_main(site, name, NULL);
  return value != NULL;
}

char *
site_value(const Site *site, const char *name, GError **error)
{
  const char *const options[] = {"-dh", name, NULL};
  GError *reason = NULL;
  char *value = read_main(site, name, &reason);
  if (value == NULL && reason == NULL)
    value = ask(site, options, &reason);
  if (reason != NULL)
    g_propagate_error(error, reason);
  return value;
}

/* TEXT with every $name replaced, as a program would have it that master.cf gives OPTIONS.
 */
static char *
expand(const Site *site, GHashTable *options, const char *text, GError **error)
{
  g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
  GHashTableIter iter;
  gpointer name, value;
  if (options != NULL) {
    g_hash_table_iter_init(&iter, options);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
      g_ptr_array_add(words, g_strdup("-o"));
      g_ptr_array_add(words, g_strdup_printf("%s=%s", (char *) name, (char *) value));
    }
  }
  g_ptr_array_add(words, g_strdup("-o"));
  g_ptr_array_add(words, g_strdup_printf(CARRIER "=%s", text));
  g_ptr_array_add(words, g_strdup("-hx"));
  g_ptr_array_add(words, g_strdup(CARRIER));
  g_ptr_array_add(words, NULL);
  return ask(site, (const char *const *) words->pdata, error);
}

char *
site_expanded(const Site *site, const char *name, GError **error)
{
  g_autofree char *text = site_value(site, name, error);
  return text != NULL ? expand(site, NULL, text, error) : NULL;
}

/* ---- master.cf ---- */

static void
service_free(SiteService *service)
{
  g_free(service->name);
  g_free(service->type);
  g_free(service->command);
  g_hash_table_unref(service->options);
  g_free(service);
}

static SiteService *
service_new(const char *name, const char *type)
{
  SiteService *service = g_new0(SiteService, 1);
  service->name = g_strdup(name);
  service->type = g_strdup(type);
  service->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return service;
}

/* Cuts LINE, "NAME/TYPE/LAST = VALUE", into its parts; a name may have a '/'. */
static gboolean
cut_line(char *line, const char **name, const char **type, const char **last,
         const char **value)
{
  char *equals = strstr(line, " =");
  if (equals == NULL)
    return FALSE;
  *equals = '\0';
  *value = g_strstrip(equals + 2);
  char *slash = strrchr(line, '/');
  if (slash == NULL)
    return FALSE;
  *slash = '\0';
  *last = slash + 1;
  slash = strrchr(line, '/');
  if (slash == NULL)
    return FALSE;
  *slash = '\0';
  *type = slash + 1;
  *name = line;
  return TRUE;
}

/* Whether "-" in the column of master.cf means a chroot: until compatibility level 1. */
static gboolean
chroot_by_default(const Site *site)
{
  g_autofree char *level = site_value(site, "compatibility_level", NULL);
  return level != NULL && g_str_equal(level, "0");
}

static void
set_field(const Site *site, SiteService *service, const char *field, const char *value)
{
  if (g_str_equal(field, "chroot"))
    service->chroot =
        g_str_equal(value, "-") ? chroot_by_default(site) : g_str_equal(value, "y");
  else if (g_str_equal(field, "command"))
    service->command = g_strndup(value, strcspn(value, " \t"));
}

/* The lines of postconf -F: each field of a service in a line of its own. */
static GPtrArray *
parse_services(const Site *site, const char *text)
{
  GPtrArray *services = g_ptr_array_new_with_free_func((GDestroyNotify) service_free);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    const char *name, *type, *field, *value;
    if (!cut_line(*line, &name, &type, &field, &value))
      continue;
    if (g_str_equal(field, "service")) /* the first field of each */
      g_ptr_array_add(services, service_new(name, type));
    if (services->len > 0)
      set_field(site, services->pdata[services->len - 1], field, value);
  }
  return services;
}

/* The lines of postconf -P: each -o of a service. */
static void
parse_options(GPtrArray *services, const char *text)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    const char *name, *type, *option, *value;
    if (!cut_line(*line, &name, &type, &option, &value))
      continue;
    const SiteService *service = site_service(services, name, type);
    if (service != NULL)
      g_hash_table_replace(service->options, g_strdup(option), g_strdup(value));
  }
}

GPtrArray *
site_services(const Site *site, GError **error)
{
  const char *const fields[] = {"-F", NULL}, *const options[] = {"-P", NULL};
  g_autofree char *lines = ask(site, fields, error);
  g_autofree char *given = lines != NULL ? ask(site, options, error) : NULL;
  if (given == NULL)
    return NULL;
  GPtrArray *services = parse_services(site, lines);
  parse_options(services, given);
  return services;
}

const SiteService *
site_service(const GPtrArray *services, const char *name, const char *type)
{
  for (guint i = 0; i < services->len; i++) {
    const SiteService *service = services->pdata[i];
    if (g_str_equal(service->name, name) && g_str_equal(service->type, type))
      return service;
  }
  return NULL;
}

char *
site_service_value(const Site *site, const SiteService *service, const char *name,
                   GError **error)
{
  const char *own = g_hash_table_lookup(service->options, name);
  g_autofree char *text = own != NULL ? g_strdup(own) : site_value(site, name, error);
  return text != NULL ? expand(site, service->options, text, error) : NULL;
}

/* ---- Lists ---- */

GStrv
site_words(const char *value)
{
  g_autoptr(GPtrArray) words = g_ptr_array_new();
  const char *start = NULL;
  int depth = 0;
  for (const char *at = value;; at++) {
    gboolean between = *at == '\0' || (depth <= 0 && strchr(", \t\r\n", *at) != NULL);
    if (between && start != NULL)
      g_ptr_array_add(words, g_strndup(start, (gsize) (at - start)));
    if (*at == '\0')
      break;
    start = between ? NULL : start != NULL ? start : at;
    depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
  }
  g_ptr_array_add(words, NULL);
  return (GStrv) g_ptr_array_free(g_steal_pointer(&words), FALSE);
}
