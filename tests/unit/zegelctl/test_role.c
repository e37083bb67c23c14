#include "zegelctl/role.h"

#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"
#include "zegelctl/rolefile.h"

#define FILE_TEXT                                                                          \
  "# roles\nanna administrator # first\n\npiet\thelp-desk\nlena log-manager\n"

static Roles *
parse(const char *text)
{
  g_autoptr(GError) error = NULL;
  Roles *roles = roles_parse("roles", text, strlen(text), &error);
  g_assert_no_error(error);
  return roles;
}

static void
test_reads(void)
{
  g_autoptr(Roles) roles = parse(FILE_TEXT);
  Role role = ROLE_NONE;
  g_assert_cmpuint(roles_count(roles), ==, 3);
  g_assert_cmpstr(roles_nth(roles, 1, &role), ==, "piet");
  g_assert_cmpint(role, ==, ROLE_HELP_DESK);
  g_assert_cmpint(roles_of(roles, "anna"), ==, ROLE_ADMINISTRATOR);
  g_assert_cmpint(roles_of(roles, "lena"), ==, ROLE_LOG_MANAGER);
  g_assert_cmpint(roles_of(roles, "Anna"), ==, ROLE_NONE);
}

static void
test_refuses(void)
{
  static const struct {
    const char *text, *where;
  } rows[] = {
      {"anna", "roles:1: "},
      {"\nanna boss\n", "roles:2: "},
      {"anna none\n", "roles:1: "},
      {"anna administrator too\n", "roles:1: "},
      {"anna administrator\nanna help-desk\n", "roles:2: "},
      {"an,na administrator\n", "roles:1: "},
      {"an\x01na administrator\n", "roles:1: "},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(roles_parse("roles", rows[i].text, strlen(rows[i].text), &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
    g_assert_true(g_str_has_prefix(error->message, rows[i].where));
  }
  g_autoptr(GError) error = NULL;
  g_assert_null(roles_parse("roles", "a administrator\0b", 17, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

/* The text of FILE_TEXT once USER has ROLE; NULL when that is refused. */
static char *
changed(const char *text, const char *user, Role role)
{
  g_autoptr(Roles) roles = parse(text);
  g_autoptr(GError) error = NULL;
  g_autoptr(Edit) edit = roles_change(roles, user, role, &error);
  if (edit == NULL) {
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    return NULL;
  }
  return g_string_free(edit_apply(edit, text, strlen(text)), FALSE);
}

static void
test_changes(void)
{
  static const struct {
    const char *before, *user;
    Role role;
    const char *after; /* NULL: refused */
  } rows[] = {
      {"", "anna", ROLE_ADMINISTRATOR, "anna administrator\n"},
      {"", "anna", ROLE_HELP_DESK, NULL},
      {"", "anna", ROLE_NONE, NULL},
      {FILE_TEXT, "anna", ROLE_ADMINISTRATOR, NULL},
      {FILE_TEXT, "anna", ROLE_HELP_DESK, NULL},
      {FILE_TEXT, "anna", ROLE_NONE, NULL},
      {FILE_TEXT, "jan", ROLE_NONE, NULL},
      {FILE_TEXT, "piet", ROLE_NONE,
       "# roles\nanna administrator # first\n\nlena log-manager\n"},
      {FILE_TEXT, "piet", ROLE_LOG_MANAGER,
       "# roles\nanna administrator # first\n\npiet log-manager\nlena log-manager\n"},
      {"anna administrator # x\nb administrator\n", "anna", ROLE_HELP_DESK,
       "anna help-desk # x\nb administrator\n"},
      {"anna administrator\nb administrator\n", "b", ROLE_NONE, "anna administrator\n"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *after = changed(rows[i].before, rows[i].user, rows[i].role);
    g_assert_cmpstr(after, ==, rows[i].after);
  }
}

/* ---- Who may do what ---- */

typedef struct {
  const char *command; /* "audit verify" */
  gboolean log_manager, help_desk, system;
} Row;

static const Row table[] = {
    {"audit show", TRUE, FALSE, FALSE},
    {"audit erase", TRUE, FALSE, FALSE},
    {"audit verify", TRUE, FALSE, TRUE},
    {"report observe", TRUE, FALSE, FALSE},
    {"message list", TRUE, TRUE, FALSE},
    {"message show", TRUE, TRUE, FALSE},
    {"message search", TRUE, TRUE, FALSE},
    {"message notify", FALSE, TRUE, FALSE},
    {"message number", FALSE, TRUE, FALSE},
    {"message extend", FALSE, TRUE, FALSE},
    {"message remove", FALSE, FALSE, FALSE},
    {"message recall", FALSE, FALSE, FALSE},
    {"phone show", FALSE, TRUE, FALSE},
    {"phone forget", FALSE, FALSE, FALSE},
    {"role list", TRUE, FALSE, FALSE},
    {"role grant", FALSE, FALSE, FALSE},
    {"role withdraw", FALSE, FALSE, FALSE},
    {"key generate", FALSE, FALSE, FALSE},
    {"key complete", FALSE, FALSE, TRUE},
    {"expire", FALSE, FALSE, TRUE},
    {"domain add", FALSE, FALSE, FALSE},
    {"domain watch", FALSE, FALSE, TRUE},
    {"watch", FALSE, FALSE, TRUE},
    {"schema", TRUE, TRUE, TRUE},
    {"doctor", FALSE, FALSE, TRUE},
    {"domain remove", FALSE, FALSE, FALSE},
    {"status", TRUE, TRUE, TRUE},
    {"probe", FALSE, FALSE, TRUE},
    {"backup", FALSE, FALSE, TRUE},
    {"restore", FALSE, FALSE, FALSE},
};

static void
assert_row(const Row *row, const Command *command)
{
  const struct {
    RoleFacts facts;
    gboolean may;
  } cases[] = {
      {{TRUE, FALSE, TRUE, 3, ROLE_ADMINISTRATOR}, TRUE},
      {{TRUE, FALSE, FALSE, 3, ROLE_ADMINISTRATOR}, TRUE},
      {{TRUE, FALSE, TRUE, 3, ROLE_LOG_MANAGER}, row->log_manager},
      {{TRUE, FALSE, FALSE, 3, ROLE_LOG_MANAGER}, FALSE},
      {{TRUE, FALSE, TRUE, 3, ROLE_HELP_DESK}, row->help_desk},
      {{TRUE, FALSE, TRUE, 3, ROLE_NONE}, role_anybody_may_run(command)},
      {{TRUE, TRUE, TRUE, 3, ROLE_NONE}, row->system},
      {{TRUE, TRUE, FALSE, 3, ROLE_NONE}, FALSE},
      {{TRUE, FALSE, TRUE, 0, ROLE_NONE}, TRUE},
      {{FALSE, FALSE, FALSE, 3, ROLE_NONE}, TRUE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    gboolean may = role_decide(&cases[i].facts, command);
    if (may != cases[i].may)
      g_error("%s: case %u", row->command, i);
  }
}

static void
test_decides(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_auto(GStrv) words = g_strsplit(table[i].command, " ", 2);
    const Command command = {.words = {words[0], words[1]}};
    assert_row(&table[i], &command);
  }
}

/* ---- The file ---- */

static void
test_file(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp("zegel-role-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(directory, "roles", NULL);
  g_autoptr(Roles) none = role_file_load(path, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(roles_count(none), ==, 0);
  RoleFile *file = role_file_open(path, &error);
  g_assert_no_error(error);
  g_autoptr(Edit) edit = roles_change(file->roles, "anna", ROLE_ADMINISTRATOR, &error);
  g_assert_true(role_file_change(file, edit, &error));
  role_file_close(file);
  g_autoptr(Roles) one = role_file_load(path, &error);
  g_assert_cmpint(roles_of(one, "anna"), ==, ROLE_ADMINISTRATOR);
  g_assert_cmpint(g_chmod(path, 0664), ==, 0);
  g_assert_null(role_file_load(path, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_unlink(path);
  g_rmdir(directory);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/role/reads", test_reads);
  g_test_add_func("/role/refuses", test_refuses);
  g_test_add_func("/role/changes", test_changes);
  g_test_add_func("/role/decides", test_decides);
  g_test_add_func("/role/file", test_file);
  return g_test_run();
}
