/*
 * setup_services.c - the services of the site's master.cf that get options of ours.
 */
#include <string.h>

#include "zegelctl/setup_plan.h"

#define GUARD                                                                              \
  "check_recipient_access hash:$config_directory/zegel_access check_policy_service "       \
  "$zegel_policy"

/* ---- What a service is for ---- */

static gboolean
is_one_of(const char *word, const char *const *words)
{
  return g_strv_contains(words, word);
}

SetupRole
setup_role(const SiteService *service)
{
  static const char *const mx[] = {"smtp", "25", NULL};
  static const char *const submission[] = {"submission", "587", "submissions",
                                           "smtps",      "465", NULL};
  if (!g_str_equal(service->command, "smtpd"))
    return SETUP_ROLE_NONE;
  if (g_str_equal(service->type, "pass"))
    return SETUP_ROLE_MX;
  if (!g_str_equal(service->type, "inet"))
    return SETUP_ROLE_NONE;
  const char *colon = strrchr(service->name, ':');
  const char *port = colon != NULL ? colon + 1 : service->name;
  return is_one_of(port, mx)           ? SETUP_ROLE_MX
         : is_one_of(port, submission) ? SETUP_ROLE_SUBMISSION
                                       : SETUP_ROLE_OTHER;
}

/* ---- Options ---- */

static void
set_option(SetupPlan *plan, const SiteService *service, const char *name, const char *ours,
           const char *theirs)
{
  gboolean both = theirs != NULL && *theirs != '\0';
  SetupOption *option = g_new0(SetupOption, 1);
  option->service = g_strjoin("/", service->name, service->type, NULL);
  option->name = g_strdup(name);
  option->value = g_strconcat(ours, both ? " " : "", both ? theirs : "", NULL);
  g_ptr_array_add(plan->options, option);
}

static const char *
own(const SiteService *service, const char *name)
{
  return g_hash_table_lookup(service->options, name);
}

/* The milters: the list of main.cf, or ours before those of the line itself. */
static void
plan_milters(SetupPlan *plan, const SiteService *service, SetupRole role)
{
  gboolean mx = role == SETUP_ROLE_MX;
  const char *milters = own(service, "smtpd_milters");
  const char *maps = own(service, "smtpd_milter_maps");
  if (milters != NULL)
    set_option(plan, service, "smtpd_milters", mx ? "$zegel_mx_milter" : "$zegel_milter",
               milters);
  else
    set_option(plan, service, "smtpd_milters",
               mx ? "$zegel_mx_milters" : "$zegel_smtpd_milters", NULL);
  if (mx && maps != NULL)
    set_option(plan, service, "smtpd_milter_maps",
               "cidr:$config_directory/zegel_milter_clients", maps);
  else if (mx)
    set_option(plan, service, "smtpd_milter_maps", "$zegel_milter_maps", NULL);
  /* A name that is there is another milter's business, and ours needs none. */
  if (own(service, "milter_macro_daemon_name") == NULL)
    set_option(plan, service, "milter_macro_daemon_name", mx ? "MX" : "SUBMISSION", NULL);
}

/* ---- What both main.cf and single services may have ---- */

/* A list of header checks gets ours in front, so that no line takes our headers out. */
static char *
keep_headers(const char *checks)
{
  return g_strconcat("regexp:$config_directory/zegel_header_keep ", checks, NULL);
}

/* Each table of copies in a pipemap, so that the address in it gets our label. */
static char *
label_copies(const char *tables)
{
  g_autoptr(GString) piped = g_string_new(NULL);
  g_auto(GStrv) words = site_words(tables);
  for (char **word = words; *word != NULL; word++)
    g_string_append_printf(piped, "%spipemap:{%s, regexp:$config_directory/zegel_bcc}",
                           piped->len > 0 ? " " : "", *word);
  return g_string_free(g_steal_pointer(&piped), FALSE);
}

static char *
label_address(const char *address)
{
  return g_strconcat(address, ".own.zegel.internal", NULL);
}

/* VALUE of NAME with ours; NULL when it is none of those. */
static char *
change(const char *name, const char *value)
{
  return g_str_has_suffix(name, "header_checks") ? keep_headers(value)
         : g_str_equal(name, "always_bcc")       ? label_address(value)
                                                 : label_copies(value);
}

static const char *const changed_names[] = {"header_checks", "milter_header_checks",
                                            "recipient_bcc_maps", "sender_bcc_maps",
                                            "always_bcc"};

/* A name may stand for several tables, of which each needs ours: what it stands for is
 * written in its place. */
static void
plan_main_values(SetupPlan *plan, const SetupView *view, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS(changed_names); i++) {
    const char *name = changed_names[i];
    g_autofree char *raw = setup_raw(view, name, error);
    g_autofree char *all = setup_expanded(view, name, error);
    gboolean names = strstr(raw, "$") != NULL && strstr(raw, ":$config_directory") == NULL;
    const char *value = names ? all : raw;
    g_autofree char *changed = *value != '\0' ? change(name, value) : NULL;
    if (changed != NULL)
      setup_set(plan, name, changed, NULL);
  }
}

static void
plan_service_values(SetupPlan *plan, const SiteService *service)
{
  for (guint i = 0; i < G_N_ELEMENTS(changed_names); i++) {
    const char *name = changed_names[i], *value = own(service, name);
    if (value != NULL && *value == '$')
      setup_add_text(plan->obstacles, "%s of %s in master.cf is %s: write out what it is",
                     name, service->name, value);
    g_autofree char *changed = value != NULL && *value != '\0' ? change(name, value) : NULL;
    if (changed != NULL)
      set_option(plan, service, name, changed, NULL);
  }
}

/* What a filter on this machine brings back there has our labels. */
static gboolean
is_loopback(const SiteService *service)
{
  return g_str_has_prefix(service->name, "127.") ||
         g_str_has_prefix(service->name, "[::1]") ||
         g_str_has_prefix(service->name, "localhost:");
}

void
setup_plan_services(SetupPlan *plan, const SetupView *view, GError **error)
{
  for (guint i = 0; i < view->services->len; i++) {
    const SiteService *service = view->services->pdata[i];
    SetupRole role = setup_role(service);
    const char *restrictions = own(service, "smtpd_recipient_restrictions");
    plan_service_values(plan, service);
    if (role == SETUP_ROLE_MX || role == SETUP_ROLE_SUBMISSION)
      plan_milters(plan, service, role);
    if (role != SETUP_ROLE_NONE && restrictions != NULL &&
        !(role == SETUP_ROLE_OTHER && is_loopback(service)))
      set_option(plan, service, "smtpd_recipient_restrictions", GUARD, restrictions);
  }
  const SiteService *local = site_service(view->services, "local", "unix");
  if (local != NULL)
    set_option(plan, local, "cleanup_service_name", "zegel-seal", NULL);
  plan_main_values(plan, view, error);
}
