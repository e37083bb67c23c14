#include "zegelctl/setup_plan.h"

#include <stdarg.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/network.h"
#include "zegelctl/cf.h"
#include "zegelctl/command.h"

/* Between the part of a piece that is appended and the part that is joined. */
#define PART_MARK "\n# ===="

#define HERE "127.0.0.1:"

const guint setup_default_ports[SETUP_PORTS] = {10026, 10027, 10028, 10587, 10588};

/* ---- Values ---- */

static void
value_free(SetupValue *value)
{
  g_free(value->name);
  g_free(value->value);
  g_free(value);
}

static void
option_free(SetupOption *option)
{
  g_free(option->service);
  g_free(option->name);
  g_free(option->value);
  g_free(option);
}

static void
file_free(SetupFile *file)
{
  g_free(file->path);
  g_free(file->text);
  g_free(file);
}

void
setup_plan_free(SetupPlan *plan)
{
  if (plan == NULL)
    return;
  g_free(plan->names);
  g_free(plan->proxy);
  g_free(plan->lines);
  g_ptr_array_unref(plan->values);
  g_ptr_array_unref(plan->options);
  g_ptr_array_unref(plan->files);
  g_ptr_array_unref(plan->units);
  g_ptr_array_unref(plan->notes);
  g_ptr_array_unref(plan->obstacles);
  g_free(plan);
}

/* What READ says of NAME. Nothing is asked after the first error. */
static char *
read_value(const SetupView *view, const char *name,
           char *(*read)(const Site *, const char *, GError **), GError **error)
{
  GError *reason = NULL;
  if (*error != NULL)
    return g_strdup("");
  char *value = read(view->site, name, &reason);
  if (value != NULL)
    return value;
  g_propagate_error(error, reason);
  return g_strdup("");
}

char *
setup_raw(const SetupView *view, const char *name, GError **error)
{
  return read_value(view, name, site_value, error);
}

char *
setup_expanded(const SetupView *view, const char *name, GError **error)
{
  return read_value(view, name, site_expanded, error);
}

void
setup_add_text(GPtrArray *list, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_ptr_array_add(list, g_strdup_vprintf(format, args));
  va_end(args);
}

static char *
join(va_list args)
{
  g_autoptr(GString) joined = g_string_new(NULL);
  for (const char *part; (part = va_arg(args, const char *)) != NULL;)
    if (*part != '\0')
      g_string_append_printf(joined, "%s%s", joined->len > 0 ? " " : "", part);
  return g_string_free(g_steal_pointer(&joined), FALSE);
}

void
setup_set(SetupPlan *plan, const char *name, ...)
{
  va_list args;
  SetupValue *value = g_new0(SetupValue, 1);
  va_start(args, name);
  value->name = g_strdup(name);
  value->value = join(args);
  va_end(args);
  g_ptr_array_add(plan->values, value);
}

/* ---- Pieces ---- */

char *
setup_piece(const SetupView *view, const char *file, GError **error)
{
  g_autofree char *path = g_build_filename(view->pieces, file, NULL);
  g_autoptr(GError) reason = NULL;
  char *text = NULL;
  if (*error != NULL || g_file_get_contents(path, &text, NULL, &reason))
    return text;
  command_error(error, ZEGEL_ERROR_CONFIG, "%s: is zegel installed?", reason->message);
  return NULL;
}

/* Writes ports of VIEW for the one that begins at TEXT, if any; returns what it read. */
static gsize
copy_port(const SetupView *view, const char *text, GString *copy)
{
  gsize digits = strspn(text, "0123456789");
  for (guint i = 0; i < SETUP_PORTS; i++) {
    g_autofree char *port = g_strdup_printf("%u", setup_default_ports[i]);
    if (strlen(port) == digits && strncmp(text, port, digits) == 0) {
      g_string_append_printf(copy, "%u", view->ports[i]);
      return digits;
    }
  }
  gsize len = digits > 0 ? digits : 1;
  g_string_append_len(copy, text, (gssize) len);
  return len;
}

char *
setup_with_ports(const SetupView *view, const char *text)
{
  GString *copy = g_string_new(NULL);
  while (*text != '\0')
    text += copy_port(view, text, copy);
  return g_string_free(copy, FALSE);
}

/* ---- The names of our own ---- */

/* "smtp://HOST:PORT" without its beginning. */
static const char *
submit_place(const char *url)
{
  const char *slashes = strstr(url, "//");
  return slashes != NULL ? slashes + 2 : url;
}

/*
 * Who may use our own ports: this machine, also by the addresses that it sends from when
 * inet_interfaces names some.
 */
static char *
format_submit_networks(const SetupView *view, GError **error)
{
  g_autoptr(GString) networks = g_string_new("127.0.0.0/8 [::1]/128");
  g_autofree char *interfaces = setup_expanded(view, "inet_interfaces", error);
  g_auto(GStrv) words = site_words(interfaces);
  for (char **word = words; *word != NULL; word++) {
    Network address;
    g_strdelimit(*word, "[]", ' ');
    g_strstrip(*word);
    if (!network_parse_address(*word, &address) || network_is_loopback(&address))
      continue;
    gboolean v4 = address.bits == NETWORK_V4_BITS;
    g_string_append_printf(networks, v4 ? " %s" : " [%s]", *word);
  }
  return g_string_free(g_steal_pointer(&networks), FALSE);
}

/* The postmaster of each service domain, whom mail must reach (RFC 5321 4.5.1): to the one
 * of the organisation's first domain. Tables of the site count before it. */
static char *
format_postmasters(const SetupView *view)
{
  g_autoptr(GString) table = g_string_new("inline:{");
  for (guint i = 0; i < view->config->organisations->len; i++) {
    const Organisation *organisation = view->config->organisations->pdata[i];
    g_string_append_printf(table, "%spostmaster@%s=postmaster@%s", i > 0 ? ", " : "",
                           organisation->service_domain, organisation->domains[0]);
  }
  g_string_append_c(table, '}');
  return g_string_free(g_steal_pointer(&table), FALSE);
}

static void
put_name(Cf *cf, const char *name, const char *first, const char *rest)
{
  g_autofree char *line =
      g_strdup_printf("%s = %s%s%s\n", name, first, *rest != '\0' ? " " : "", rest);
  cf_put(cf, name, line);
}

/* Our names that carry what the site has, so that ours stands before it or behind. */
static void
plan_names(SetupPlan *plan, const SetupView *view, GError **error)
{
  g_autofree char *piece = setup_piece(view, "main.cf.zegel", error);
  if (piece == NULL)
    return;
  char *mark = strstr(piece, PART_MARK);
  if (mark != NULL)
    mark[1] = '\0';
  g_autofree char *text = setup_with_ports(view, piece);
  g_autoptr(Cf) cf = cf_parse(CF_MAIN, text);
  g_autofree char *networks = format_submit_networks(view, error);
  g_autofree char *aliases = setup_raw(view, "virtual_alias_maps", error);
  g_autofree char *postmasters = format_postmasters(view);
  g_autofree char *milters = setup_raw(view, "smtpd_milters", error);
  g_autofree char *maps = setup_raw(view, "smtpd_milter_maps", error);
  g_autofree char *generic = setup_raw(view, "smtp_generic_maps", error);
  put_name(cf, "zegel_submit_networks", networks, "");
  put_name(cf, "zegel_site_alias_maps", aliases, postmasters);
  put_name(cf, "zegel_smtpd_milters", "$zegel_milter", milters);
  put_name(cf, "zegel_mx_milters", "$zegel_mx_milter", milters);
  put_name(cf, "zegel_milter_maps", "cidr:$config_directory/zegel_milter_clients", maps);
  put_name(cf, "zegel_generic_maps", "regexp:$config_directory/zegel_generic", generic);
  plan->names = cf_text(cf);
  g_autofree char *proxy = setup_raw(view, "proxy_read_maps", error);
  plan->proxy = g_strjoin(" ", proxy, "proxy:sqlite:$config_directory/zegel-routes.cf",
                          "proxy:sqlite:$config_directory/zegel-tls.cf",
                          "proxy:sqlite:$config_directory/zegel-seal.cf", NULL);
}

/* ---- The switch, main.cf ---- */

static void
plan_lists(SetupPlan *plan, const SetupView *view, GError **error)
{
  g_autofree char *transport = setup_raw(view, "transport_maps", error);
  g_autofree char *relay = setup_raw(view, "relay_domains", error);
  g_autofree char *mailbox = setup_raw(view, "virtual_mailbox_domains", error);
  g_autofree char *restrictions = setup_raw(view, "smtpd_recipient_restrictions", error);
  g_autofree char *milters = setup_raw(view, "non_smtpd_milters", error);
  setup_set(plan, "transport_maps", "proxy:sqlite:$config_directory/zegel-routes.cf",
            transport, "hash:$config_directory/zegel_transport $zegel_service", NULL);
  setup_set(plan, "relay_domains", relay, "$zegel_service", NULL);
  setup_set(plan, "virtual_mailbox_domains", mailbox,
            "regexp:$config_directory/zegel_domains", NULL);
  setup_set(plan, "virtual_alias_maps", "$zegel_site_alias_maps", NULL);
  setup_set(plan, "smtpd_recipient_restrictions",
            "check_recipient_access hash:$config_directory/zegel_access",
            "check_policy_service $zegel_policy", restrictions, NULL);
  setup_set(plan, "non_smtpd_milters", "$zegel_milter", milters, NULL);
}

/* A limit of Postfix that secure mail needs to be MINIMUM or 0, which is none. */
static void
plan_size(SetupPlan *plan, const SetupView *view, const char *name, guint64 minimum,
          const char *wanted, GError **error)
{
  g_autofree char *value = setup_expanded(view, name, error);
  guint64 size = 0;
  if (g_ascii_string_to_unsigned(value, 10, 0, G_MAXUINT64, &size, NULL) &&
      (size == 0 || size >= minimum))
    return;
  setup_set(plan, name, wanted, NULL);
}

/* A time as Postfix writes it ("4h"), in seconds; UNIT is what it is without a letter. */
static guint64
parse_time(const char *text, guint64 unit)
{
  static const struct {
    char letter;
    guint64 seconds;
  } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
  g_autofree char *number = g_strndup(text, strspn(text, "0123456789"));
  guint64 count = 0;
  for (guint i = 0; i < G_N_ELEMENTS(units); i++)
    if (units[i].letter == text[strlen(number)])
      unit = units[i].seconds;
  if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXUINT32, &count, NULL))
    return 0;
  return count * unit;
}

/* Sets NAME to WANTED unless the site has one of GOOD (words), or this Postfix has no NAME.
 */
static gboolean
plan_unless(SetupPlan *plan, const SetupView *view, const char *name, const char *good,
            const char *wanted, GError **error)
{
  g_autofree char *value = setup_expanded(view, name, error);
  g_auto(GStrv) words = g_strsplit(good, " ", -1);
  if (*value == '\0' || g_strv_contains((const char *const *) words, value))
    return FALSE;
  setup_set(plan, name, wanted, NULL);
  return TRUE;
}

/* Whether tables of the site know clients by fingerprints: another digest would end them.
 */
static gboolean
knows_fingerprints(const SetupView *view, GError **error)
{
  g_autofree char *certificates = setup_expanded(view, "relay_clientcerts", error);
  return *certificates != '\0' || site_is_set(view->site, "smtpd_tls_fingerprint_digest");
}

#define SIZE_MIN_BYTES 52000000 /* 36 MB of attachments as they travel */
#define DELAY_MAX_S    (4 * 3600)

static void
plan_limits(SetupPlan *plan, const SetupView *view, GError **error)
{
  g_autofree char *delay = setup_expanded(view, "delay_warning_time", error);
  g_autofree char *size = setup_expanded(view, "message_size_limit", error);
  guint64 delay_s = parse_time(delay, 3600), message_bytes = 0;
  g_ascii_string_to_unsigned(size, 10, 0, G_MAXUINT64, &message_bytes, NULL);
  guint64 mailbox_bytes =
      message_bytes == 0 ? G_MAXUINT64 : MAX(message_bytes, SIZE_MIN_BYTES);
  plan_size(plan, view, "message_size_limit", SIZE_MIN_BYTES, "52000000", error);
  plan_size(plan, view, "mailbox_size_limit", mailbox_bytes, "0", error);
  plan_size(plan, view, "virtual_mailbox_limit", mailbox_bytes, "0", error);
  if (delay_s == 0 || delay_s > DELAY_MAX_S)
    setup_set(plan, "delay_warning_time", "4h", NULL);
  plan_unless(plan, view, "enable_long_queue_ids", "yes", "yes", error);
  if (plan_unless(plan, view, "smtpd_forbid_bare_newline", "yes normalize reject note",
                  "yes", error) &&
      !site_is_set(view->site, "smtpd_forbid_bare_newline_exclusions"))
    setup_set(plan, "smtpd_forbid_bare_newline_exclusions", "$mynetworks", NULL);
  plan_unless(plan, view, "smtpd_forbid_unauth_pipelining", "yes", "yes", error);
  plan_unless(plan, view, "smtpd_tls_ask_ccert", "yes", "yes", error);
  if (!knows_fingerprints(view, error))
    plan_unless(plan, view, "smtpd_tls_fingerprint_digest", "sha256", "sha256", error);
}

/* What senders read when mail comes back or waits; a text of the site's own stays. */
static void
plan_bounces(SetupPlan *plan, const SetupView *view, GError **error)
{
  g_autofree char *template = setup_expanded(view, "bounce_template_file", error);
  if (*template == '\0')
    setup_set(plan, "bounce_template_file", "$config_directory/zegel_bounce.cf", NULL);
  else
    setup_add_text(plan->notes,
                   "%s, bounce_template_file, stays: take over the lines about "
                   ".zegel.internal from %s/zegel_bounce.cf.",
                   template, view->pieces);
}

/* ---- The new services ---- */

/* Whether the site's own services of this kind are in a chroot: ours are then too. */
static gboolean
is_chrooted(const SetupView *view, const char *command)
{
  for (guint i = 0; i < view->services->len; i++) {
    const SiteService *service = view->services->pdata[i];
    if (g_str_equal(service->command, command))
      return service->chroot;
  }
  const SiteService *smtp = site_service(view->services, "smtp", "unix");
  return smtp != NULL && smtp->chroot;
}

static const char *
command_of(const char *entry)
{
  static const char *const commands[] = {"smtpd", "lmtp", "cleanup", "smtp"};
  g_autofree char *line = g_strndup(entry, strcspn(entry, "\n"));
  for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
    if (g_str_has_suffix(line, commands[i]))
      return commands[i];
  return "smtp";
}

/* Where zegel.conf says that mail is handed in may be another address than ours. */
static char *
with_place(const char *text, guint port, const char *url)
{
  g_autofree char *ours = g_strdup_printf("\n" HERE "%u inet", port);
  g_autofree char *theirs = g_strdup_printf("\n%s inet", submit_place(url));
  g_auto(GStrv) parts = g_strsplit(text, ours, -1);
  return g_strjoinv(theirs, parts);
}

static void
plan_lines(SetupPlan *plan, const SetupView *view, GError **error)
{
  g_autofree char *piece = setup_piece(view, "master.cf.zegel", error);
  char *mark = piece != NULL ? strstr(piece, PART_MARK) : NULL;
  if (mark == NULL)
    return;
  char *end = strchr(mark + 1, '\n');
  g_autofree char *ported = setup_with_ports(view, end != NULL ? end + 1 : "");
  g_autofree char *placed =
      with_place(ported, view->ports[SETUP_PORT_SUBMIT], view->config->submit_url);
  g_autofree char *text =
      with_place(placed, view->ports[SETUP_PORT_VISITOR], view->config->viewer_submit_url);
  g_autoptr(Cf) cf = cf_parse(CF_MASTER, g_strchug(text));
  g_autoptr(GPtrArray) keys = cf_keys(cf);
  for (guint i = 0; i < keys->len; i++) {
    g_autofree char *entry = cf_entry(cf, keys->pdata[i]);
    g_autofree char *changed = cf_set_chroot(entry, is_chrooted(view, command_of(entry)));
    cf_put(cf, keys->pdata[i], changed);
  }
  plan->lines = cf_text(cf);
}

/* ---- All together ---- */

SetupPlan *
setup_plan_new(const SetupView *view, GError **error)
{
  g_autoptr(SetupPlan) plan = g_new0(SetupPlan, 1);
  GError *reason = NULL;
  plan->values = g_ptr_array_new_with_free_func((GDestroyNotify) value_free);
  plan->options = g_ptr_array_new_with_free_func((GDestroyNotify) option_free);
  plan->files = g_ptr_array_new_with_free_func((GDestroyNotify) file_free);
  plan->units = g_ptr_array_new_with_free_func((GDestroyNotify) file_free);
  plan->notes = g_ptr_array_new_with_free_func(g_free);
  plan->obstacles = g_ptr_array_new_with_free_func(g_free);
  plan_names(plan, view, &reason);
  plan_lines(plan, view, &reason);
  plan_lists(plan, view, &reason);
  plan_limits(plan, view, &reason);
  plan_bounces(plan, view, &reason);
  setup_plan_services(plan, view, &reason);
  setup_plan_files(plan, view, &reason);
  setup_plan_units(plan, view);
  setup_plan_notes(plan, view, &reason);
  if (reason == NULL)
    return g_steal_pointer(&plan);
  g_propagate_error(error, reason);
  return NULL;
}

/* Sets NAME in CF, or writes it into BLOCK when it is not there. */
static void
put_value(Cf *cf, GString *block, const char *name, const char *value)
{
  g_autofree char *line = g_strdup_printf("%s = %s\n", name, value);
  g_autofree char *old = cf_entry(cf, name);
  if (old != NULL)
    cf_put(cf, name, line);
  else
    g_string_append(block, line);
}

char *
setup_plan_main(const SetupPlan *plan, const char *before_main, gboolean switched)
{
  g_autoptr(Cf) cf = cf_parse(CF_MAIN, before_main);
  g_autoptr(GString) block = g_string_new(plan->names);
  put_value(cf, block, "proxy_read_maps", plan->proxy);
  for (guint i = 0; switched && i < plan->values->len; i++) {
    const SetupValue *value = plan->values->pdata[i];
    put_value(cf, block, value->name, value->value);
  }
  cf_append(cf, block->str);
  return cf_text(cf);
}

char *
setup_plan_master(const SetupPlan *plan, const char *before_master, gboolean switched)
{
  g_autoptr(Cf) cf = cf_parse(CF_MASTER, before_master);
  for (guint i = 0; switched && i < plan->options->len; i++) {
    const SetupOption *option = plan->options->pdata[i];
    g_autofree char *entry = cf_entry(cf, option->service);
    g_autofree char *changed =
        entry != NULL ? cf_set_option(entry, option->name, option->value) : NULL;
    if (changed != NULL)
      cf_put(cf, option->service, changed);
  }
  cf_append(cf, plan->lines);
  return cf_text(cf);
}
