/*
 * key.c - zegelctl key: makes root keys and gives each program its copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/crypt/key.h"
#include "zegelctl/command.h"
#include "zegelctl/file.h"

/*
 * Who holds which key, readers before makers: a program that made something with a new key
 * before the reader knows it would only cause delay, but there is no need for that.
 */
static const struct {
  KeyPurpose purpose;
  const char *program;
  gsize path; /* offsets in Config */
  gsize user;
} holders[] = {
    {KEY_LINK, "zegel-deliver", offsetof(Config, deliver_link_key),
     offsetof(Config, deliver_user)},
    {KEY_STORE, "zegel-viewer", offsetof(Config, viewer_store_key),
     offsetof(Config, viewer_user)},
    {KEY_STORE, "zegel-deliver", offsetof(Config, deliver_store_key),
     offsetof(Config, deliver_user)},
    {KEY_TICKET, "zegel-deliver", offsetof(Config, deliver_ticket_key),
     offsetof(Config, deliver_user)},
    {KEY_TICKET, "zegel-milter", offsetof(Config, milter_ticket_key),
     offsetof(Config, milter_user)},
    {KEY_PHONE, "zegel-policyd", offsetof(Config, phone_key),
     offsetof(Config, policyd_user)},
    {KEY_ORIGIN, "zegel-milter", offsetof(Config, milter_origin_key),
     offsetof(Config, milter_user)},
    {KEY_ORIGIN, "zegel-deliver", offsetof(Config, deliver_origin_key),
     offsetof(Config, deliver_user)},
    {KEY_ORIGIN, "zegel-viewer", offsetof(Config, viewer_origin_key),
     offsetof(Config, viewer_user)},
    {KEY_AUDIT, "zegel-auditd", offsetof(Config, audit_key), offsetof(Config, audit_user)},
};

static const char *
config_text(const Config *config, gsize offset)
{
  return *(char *const *) (gconstpointer) ((const char *) config + offset);
}

/* USER's ids into *UID and *GID, when we are root and can give a file away. */
static gboolean
find_user(const char *user, uid_t *uid, gid_t *gid, GError **error)
{
  if (geteuid() != 0)
    return TRUE;
  const struct passwd *entry = getpwnam(user);
  if (entry == NULL)
    return command_error(error, ZEGEL_ERROR_CONFIG, "user %s does not exist", user);
  *uid = entry->pw_uid;
  *gid = entry->pw_gid;
  return TRUE;
}

/* The file at FROM to TO in one step, for USER alone. */
static gboolean
copy_file(const char *from, const char *to, const char *user, GError **error)
{
  FileRights rights = {.mode = 0400, .owner = (uid_t) -1, .group = (gid_t) -1};
  char *bytes = NULL;
  gsize len = 0;
  g_autoptr(GError) reason = NULL;
  if (!find_user(user, &rights.owner, &rights.group, error))
    return FALSE;
  if (!g_file_get_contents(from, &bytes, &len, &reason)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, reason->message);
    return FALSE;
  }
  gboolean good = file_replace(to, bytes, len, &rights, error);
  secret_wipe(bytes, len);
  g_free(bytes);
  return good;
}

/* A new file belongs to its user; key_file_generate keeps the owner of an old one. */
static gboolean
generate_at(const char *path, KeyPurpose purpose, const char *user, GError **error)
{
  uid_t uid = (uid_t) -1;
  gid_t gid = (gid_t) -1;
  if (!find_user(user, &uid, &gid, error) || !key_file_generate(path, purpose, error))
    return FALSE;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gboolean good = fd >= 0 && (uid == (uid_t) -1 || fchown(fd, uid, gid) == 0);
  if (!good)
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
  if (fd >= 0)
    close(fd);
  return good;
}

static gboolean
make_directory(const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  if (g_mkdir_with_parents(directory, 0755) == 0)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
  return FALSE;
}

/*
 * Makes a new key for PURPOSE in the first file that CONFIG names for it and copies that to
 * the others. *RESTART gets which programs must read it, in this order. The same
 * call again is safe after a failure, and makes one key more.
 */
static gboolean
distribute(const Config *config, KeyPurpose purpose, char **restart, GError **error)
{
  g_autoptr(GString) programs = g_string_new(NULL);
  const char *first = NULL;
  for (guint i = 0; i < G_N_ELEMENTS(holders); i++) {
    if (holders[i].purpose != purpose)
      continue;
    const char *path = config_text(config, holders[i].path);
    const char *user = config_text(config, holders[i].user);
    if (!make_directory(path, error))
      return FALSE;
    if (first == NULL ? !generate_at(path, purpose, user, error)
                      : strcmp(first, path) != 0 && !copy_file(first, path, user, error))
      return FALSE;
    g_string_append_printf(programs, "%s%s", first != NULL ? ", " : "", holders[i].program);
    first = first != NULL ? first : path;
  }
  *restart = g_string_free(g_steal_pointer(&programs), FALSE);
  return TRUE;
}

/* A key in every file that the configuration names for it. */
static int
generate_everywhere(KeyPurpose purpose)
{
  GError *error = NULL;
  g_autofree char *restart = NULL;
  g_autoptr(Config) config = command_config(&error);
  if (config == NULL || !distribute(config, purpose, &restart, &error))
    return command_fail(error);
  log_line(LOG_LEVEL_INFO, "key generated, purpose=%s", key_purpose_name(purpose));
  printf("A new %s key is there. Now zegelctl reload, or restart in this order: %s\n",
         key_purpose_name(purpose), restart);
  return EX_OK;
}

static int
run_generate(int argc, char **argv)
{
  KeyPurpose purpose;
  GError *error = NULL;
  if (!key_purpose_parse(argv[0], &purpose)) {
    fprintf(stderr, "zegelctl: %s: link, store, ticket or phone is expected\n", argv[0]);
    return EX_USAGE;
  }
  if (argc == 1)
    return generate_everywhere(purpose);
  if (!key_file_generate(argv[1], purpose, &error))
    return command_fail(error);
  log_line(LOG_LEVEL_INFO, "key generated, purpose=%s, file=%s", key_purpose_name(purpose),
           argv[1]);
  return EX_OK;
}

const Command key_commands[] = {
    {{"key", "generate"},
     1,
     2,
     "link|store|ticket|phone [FILE]",
     "Put a new key into FILE, in front of those that are there; without FILE into the\n"
     "      files of every program that holds it",
     NULL,
     run_generate},
    {.words = {NULL}},
};
