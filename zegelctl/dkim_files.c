#include "zegelctl/dkim_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/crypt/dkim_record.h"
#include "common/crypt/key_file.h"
#include "zegelctl/command.h"

#define PUBLIC         ".pub"
#define PUBLIC_RETIRED ".pub.retired"
#define TEMPORARY      ".new" /* behind the name that the file will have */
#define STEP_US        1000   /* between two keys that are activated at one time */
#define PEM_MAX_BYTES  16384  /* of a public key, as policyd has it */

/* The private file's name in each state that has one. */
static const char *const suffixes[] = {[DKIM_WAITING] = ".key.waiting",
                                       [DKIM_ACTIVE] = ".key",
                                       [DKIM_RESTING] = ".key.resting"};

struct DkimPlace {
  char *key_path, *pub_path; /* for people */
  int keys, pubs;            /* open directories */
  uid_t uid;                 /* the milter's */
  gid_t gid;
};

const char *
dkim_state_name(DkimState state)
{
  static const char *const names[] = {[DKIM_WAITING] = "waiting",
                                      [DKIM_ACTIVE] = "active",
                                      [DKIM_RESTING] = "resting",
                                      [DKIM_RETIRED] = "retired",
                                      [DKIM_ELSEWHERE] = "elsewhere"};
  return names[state];
}

gboolean
dkim_selector_is_good(const char *text)
{
  gsize len = strlen(text);
  if (len == 0 || len > 63 /* RFC 1035 2.3.4 */ || *text == '-' || text[len - 1] == '-')
    return FALSE;
  return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static void
file_free(gpointer p)
{
  DkimFile *file = p;
  g_free(file->selector);
  g_free(file->record);
  g_free(file->fault);
  g_free(file);
}

static gboolean
fail_at(GError **error, const char *directory, const char *name)
{
  int reason = errno;
  g_autofree char *path = g_build_filename(directory, name, NULL);
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, reason, path);
  return FALSE;
}

/* ---- Directories ---- */

/* Who owns the private keys into PLACE. FALSE: the caller is neither him nor root. */
static gboolean
find_owner(DkimPlace *place, const char *user, GError **error)
{
  const struct passwd *entry = getpwnam(user);
  if (entry == NULL)
    return command_error(error, ZEGEL_ERROR_CONFIG, "user %s does not exist", user);
  if (geteuid() != 0 && geteuid() != entry->pw_uid)
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "the DKIM keys belong to %s: run this as root", user);
  place->uid = entry->pw_uid;
  place->gid = entry->pw_gid;
  return TRUE;
}

/* Makes directory NAME in AT with MODE for the ids, in one step. */
static gboolean
make_directory(int at, const char *name, mode_t mode, uid_t uid, gid_t gid)
{
  struct stat status;
  if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    return TRUE;
  g_autofree char *temp = g_strconcat(name, TEMPORARY, NULL);
  (void) unlinkat(at, temp, AT_REMOVEDIR); /* of a run that was cut off */
  if (mkdirat(at, temp, 0700) != 0)
    return FALSE;
  int fd = openat(at, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  gboolean good = fd >= 0 && (geteuid() != 0 || fchown(fd, uid, gid) == 0) &&
                  fchmod(fd, mode) == 0 &&
                  renameat2(at, temp, at, name, RENAME_NOREPLACE) == 0;
  int reason = errno;
  if (fd >= 0)
    close(fd);
  errno = reason;
  return good;
}

/* Opens directory NAME in AT, made with MODE for the ids when MAKE; -1 with errno. It must
 * be UID's or root's. */
static int
open_directory(int at, const char *name, gboolean make, mode_t mode, uid_t uid, gid_t gid)
{
  struct stat status;
  if (make && !make_directory(at, name, mode, uid, gid))
    return -1;
  int fd = openat(at, name,
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at != AT_FDCWD ? O_NOFOLLOW : 0));
  if (fd >= 0 && fstat(fd, &status) == 0 && (status.st_uid == uid || status.st_uid == 0))
    return fd;
  int reason = fd >= 0 ? EPERM : errno;
  if (fd >= 0)
    close(fd);
  errno = reason;
  return -1;
}

/* Opens DOMAIN in the directory at PATH, as open_directory does with both. */
static int
open_domain(const char *path, const char *domain, gboolean make, mode_t mode, uid_t uid,
            gid_t gid)
{
  g_autofree char *parent = g_path_get_dirname(path);
  if (make && g_mkdir_with_parents(parent, 0755) != 0)
    return -1;
  int base = open_directory(AT_FDCWD, path, make, mode, uid, gid);
  if (base < 0)
    return -1;
  int fd = open_directory(base, domain, make, mode, uid, gid);
  int reason = errno;
  close(base);
  errno = reason;
  return fd;
}

static gboolean
open_both(DkimPlace *place, const Config *config, const char *domain, gboolean make,
          GError **error)
{
  place->key_path = g_build_filename(config->dkim_keys, domain, NULL);
  place->pub_path = g_build_filename(config->dkim_directory, domain, NULL);
  place->keys = open_domain(config->dkim_keys, domain, make, 0700, place->uid, place->gid);
  if (place->keys < 0 && errno == ENOENT && !make)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s has no DKIM key: zegelctl dkim generate makes one", domain);
  if (place->keys < 0)
    return fail_at(error, place->key_path, "");
  /* The second may be missing when a run was cut off between them. */
  place->pubs =
      open_domain(config->dkim_directory, domain, TRUE, 0755, geteuid(), getegid());
  return place->pubs >= 0 || fail_at(error, place->pub_path, "");
}

DkimPlace *
dkim_place_open(const Config *config, const char *domain, gboolean make, GError **error)
{
  g_autoptr(DkimPlace) place = g_new0(DkimPlace, 1);
  place->keys = place->pubs = -1;
  if (!find_owner(place, config->milter_user, error) ||
      !open_both(place, config, domain, make, error))
    return NULL;
  if (flock(place->keys, LOCK_EX) != 0) {
    fail_at(error, place->key_path, "");
    return NULL;
  }
  return g_steal_pointer(&place);
}

void
dkim_place_close(DkimPlace *place)
{
  if (place == NULL)
    return;
  if (place->keys >= 0)
    close(place->keys);
  if (place->pubs >= 0)
    close(place->pubs);
  g_free(place->key_path);
  g_free(place->pub_path);
  g_free(place);
}

/* ---- What is there ---- */

/* Whether STATUS is of a private key that nobody can have put there but the milter's user
 * or root: no other name of a file of somebody else. */
static gboolean
is_own_file(const DkimPlace *place, const struct stat *status)
{
  return status->st_nlink == 1 && (status->st_uid == place->uid || status->st_uid == 0);
}

/* The private key in file NAME and when it was written; NULL with ZEGEL_ERROR_CONFIG. */
static SignKey *
read_private(const DkimPlace *place, const char *name, gint64 *time_us, GError **error)
{
  struct stat status;
  g_autofree char *path = g_build_filename(place->key_path, name, NULL);
  int fd = openat(place->keys, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &status) != 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    if (fd >= 0)
      close(fd);
    return NULL;
  }
  g_autoptr(Secret) pem = NULL;
  if (!is_own_file(place, &status))
    command_error(error, ZEGEL_ERROR_CONFIG,
                  "%s: not a file of the milter's user with this one name", path);
  else if (key_file_check(path, &status, error))
    pem = key_file_read_fd(fd, path, error);
  close(fd);
  *time_us = status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000;
  return pem != NULL ? sign_key_parse((const char *) secret_peek(pem), secret_size(pem),
                                      path, error)
                     : NULL;
}

/* The record of the public key in file NAME, or NULL with errno 0: it is none. */
static char *
read_public(const DkimPlace *place, const char *name)
{
  char pem[PEM_MAX_BYTES + 1];
  int fd = openat(place->pubs, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  gssize len = read(fd, pem, PEM_MAX_BYTES);
  close(fd);
  pem[MAX(len, 0)] = '\0';
  errno = 0;
  return dkim_record(pem);
}

static gboolean
is_there(int fd, const char *selector, const char *suffix)
{
  struct stat status;
  g_autofree char *name = g_strconcat(selector, suffix, NULL);
  return fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Says what the public files tell of FILE that is no state of the table. */
static void
find_fault(const DkimPlace *place, DkimFile *file)
{
  g_autofree char *public = g_strconcat(file->selector, PUBLIC, NULL);
  g_autofree char *theirs = read_public(place, public);
  gboolean is_missing = theirs == NULL && errno == ENOENT;
  if (is_there(place->pubs, file->selector, PUBLIC_RETIRED)) {
    file->fault = g_strdup("zegelctl dkim retire was cut off and is to be repeated");
  } else if (is_missing && file->state == DKIM_ACTIVE) {
    file->half = TRUE;
    file->fault = g_strdup_printf("%s/%s is missing: repeat zegelctl dkim activate",
                                  place->pub_path, public);
  } else if (!is_missing && g_strcmp0(theirs, file->record) != 0) {
    file->fault = g_strdup_printf("%s/%s is not the public half of this key: remove it",
                                  place->pub_path, public);
  } else if (!is_missing && file->state == DKIM_WAITING) {
    file->half = TRUE;
    file->fault = g_strdup("zegelctl dkim activate was cut off and is to be repeated");
  }
}

static void
read_pair(const DkimPlace *place, DkimFile *file)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *private = g_strconcat(file->selector, suffixes[file->state], NULL);
  g_autoptr(SignKey) key = read_private(place, private, &file->time_us, &error);
  g_autofree char *pem = key != NULL ? sign_key_format_public(key, &error) : NULL;
  if (pem == NULL) {
    file->fault = g_strdup(error->message);
    return;
  }
  file->algorithm = sign_key_algorithm(key);
  file->bits = sign_key_bits(key);
  file->record = dkim_record(pem);
  find_fault(place, file);
}

/* The selector in NAME, which ends in SUFFIX, or NULL. */
static char *
selector_in(const char *name, const char *suffix)
{
  gsize len = strlen(name), tail = strlen(suffix);
  if (len <= tail || strcmp(name + len - tail, suffix) != 0 || *name == '.')
    return NULL;
  return g_strndup(name, len - tail);
}

static void
add_file(GPtrArray *files, char *selector, DkimState state)
{
  DkimFile *file = g_new0(DkimFile, 1);
  file->selector = selector; /* takes */
  file->state = state;
  g_ptr_array_add(files, file);
}

/* Reads a private file's NAME. */
static void
see_private(const DkimPlace *place, GPtrArray *files, const char *name)
{
  for (DkimState state = DKIM_WAITING; state <= DKIM_RESTING; state++) {
    char *selector = selector_in(name, suffixes[state]);
    if (selector == NULL)
      continue;
    DkimFile *other = dkim_find(files, selector);
    if (other == NULL) {
      add_file(files, selector, state);
      read_pair(place, files->pdata[files->len - 1]);
      return;
    }
    g_free(other->fault);
    other->half = FALSE;
    other->fault = g_strdup_printf("%s has two private keys of this name: remove one",
                                   place->key_path);
    g_free(selector);
    return;
  }
}

/* Reads a public file's NAME, after all the private ones. */
static void
see_public(const DkimPlace *place, GPtrArray *files, const char *name)
{
  g_autofree char *retired = selector_in(name, PUBLIC_RETIRED);
  g_autofree char *public = selector_in(name, PUBLIC);
  if (retired != NULL && dkim_find(files, retired) == NULL)
    add_file(files, g_steal_pointer(&retired), DKIM_RETIRED);
  if (public == NULL || dkim_find(files, public) != NULL)
    return;
  add_file(files, g_steal_pointer(&public), DKIM_ELSEWHERE);
  DkimFile *file = files->pdata[files->len - 1];
  file->record = read_public(place, name);
  file->fault =
      g_strdup("its private key is not here: when no other program signs with it, "
               "zegelctl dkim retire puts it away");
}

/* Calls SEE with every name in directory FD. */
static gboolean
walk(const DkimPlace *place, int fd, GPtrArray *files,
     void (*see)(const DkimPlace *, GPtrArray *, const char *))
{
  int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = again >= 0 ? fdopendir(again) : NULL;
  if (dir == NULL)
    return FALSE;
  const struct dirent *entry;
  while ((entry = readdir(dir)) != NULL && files->len < DKIM_MAX)
    see(place, files, entry->d_name);
  closedir(dir);
  return TRUE;
}

/* Marks those that the milter takes: the newest of each algorithm. */
static void
mark_signing(GPtrArray *files)
{
  DkimFile *newest[] = {[SIGN_RSA_SHA256] = NULL, [SIGN_ED25519_SHA256] = NULL};
  for (guint i = 0; i < files->len; i++) {
    DkimFile *file = files->pdata[i];
    if (file->state != DKIM_ACTIVE || file->record == NULL)
      continue;
    DkimFile **best = &newest[file->algorithm];
    if (*best == NULL || file->time_us >= (*best)->time_us)
      *best = file;
  }
  for (guint i = 0; i < G_N_ELEMENTS(newest); i++)
    if (newest[i] != NULL)
      newest[i]->signs = TRUE;
}

static void
mark_overruled(GPtrArray *files)
{
  for (guint i = 0; i < files->len; i++) {
    DkimFile *file = files->pdata[i];
    if (file->state != DKIM_ACTIVE || file->record == NULL || file->signs ||
        file->fault != NULL)
      continue;
    file->half = TRUE;
    file->fault = g_strdup("a newer key signs instead: zegelctl dkim activate of that one "
                           "was cut off and is to be repeated");
  }
}

static gint
compare_files(gconstpointer a, gconstpointer b)
{
  const DkimFile *const *one = a;
  const DkimFile *const *other = b;
  return strcmp((*one)->selector, (*other)->selector);
}

GPtrArray *
dkim_place_list(const DkimPlace *place, GError **error)
{
  g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(file_free);
  if (!walk(place, place->keys, files, see_private)) {
    fail_at(error, place->key_path, "");
    return NULL;
  }
  if (!walk(place, place->pubs, files, see_public)) {
    fail_at(error, place->pub_path, "");
    return NULL;
  }
  g_ptr_array_sort(files, compare_files);
  mark_signing(files);
  mark_overruled(files);
  return g_steal_pointer(&files);
}

DkimFile *
dkim_find(const GPtrArray *files, const char *selector)
{
  for (guint i = 0; i < files->len; i++) {
    DkimFile *file = files->pdata[i];
    if (strcmp(file->selector, selector) == 0)
      return file;
  }
  return NULL;
}

gboolean
dkim_place_has(const DkimPlace *place, const char *selector)
{
  for (DkimState state = DKIM_WAITING; state <= DKIM_RESTING; state++)
    if (is_there(place->keys, selector, suffixes[state]))
      return TRUE;
  return is_there(place->pubs, selector, PUBLIC) ||
         is_there(place->pubs, selector, PUBLIC_RETIRED);
}

/* ---- Steps ---- */

static gboolean
write_all(int fd, const char *bytes, gsize len)
{
  while (len > 0) {
    gssize count = write(fd, bytes, len);
    if (count < 0 && errno != EINTR)
      return FALSE;
    bytes += count > 0 ? count : 0;
    len -= count > 0 ? (gsize) count : 0;
  }
  return TRUE;
}

/* Writes LEN bytes as TEMP in AT, on disk, with MODE, for the ids when we are root. */
static gboolean
write_temporary(int at, const char *temp, const char *bytes, gsize len, mode_t mode,
                uid_t uid, gid_t gid)
{
  (void) unlinkat(at, temp, 0); /* of a run that was cut off */
  int fd = openat(at, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
  gboolean good = fd >= 0 && write_all(fd, bytes, len) &&
                  (geteuid() != 0 || fchown(fd, uid, gid) == 0) && fchmod(fd, mode) == 0 &&
                  fsync(fd) == 0;
  int reason = errno;
  if (fd >= 0)
    close(fd);
  errno = reason;
  return good;
}

/* The same as NAME, in one step, which fails with EEXIST when there is one. */
static gboolean
write_new(int at, const char *name, const char *bytes, gsize len, mode_t mode, uid_t uid,
          gid_t gid)
{
  g_autofree char *temp = g_strconcat(name, TEMPORARY, NULL);
  gboolean good = write_temporary(at, temp, bytes, len, mode, uid, gid) &&
                  renameat2(at, temp, at, name, RENAME_NOREPLACE) == 0 && fsync(at) == 0;
  int reason = errno;
  if (!good)
    (void) unlinkat(at, temp, 0);
  errno = reason;
  return good;
}

gboolean
dkim_place_add(const DkimPlace *place, const char *selector, const SignKey *key,
               GError **error)
{
  g_autofree char *name = g_strconcat(selector, suffixes[DKIM_WAITING], NULL);
  g_autoptr(Secret) pem = sign_key_format(key, error);
  if (pem == NULL)
    return FALSE;
  return write_new(place->keys, name, (const char *) secret_peek(pem), secret_size(pem),
                   0400, place->uid, place->gid) ||
         fail_at(error, place->key_path, name);
}

/* The public half of FILE as PEM, or NULL with ZEGEL_ERROR_CONFIG. */
static char *
public_pem(const DkimPlace *place, const DkimFile *file, GError **error)
{
  gint64 time_us;
  g_autofree char *name = g_strconcat(file->selector, suffixes[file->state], NULL);
  g_autoptr(SignKey) key = read_private(place, name, &time_us, error);
  return key != NULL ? sign_key_format_public(key, error) : NULL;
}

/* Writes PEM as the file of FILE that ends in SUFFIX. */
static gboolean
write_public(const DkimPlace *place, const DkimFile *file, const char *suffix,
             const char *pem, GError **error)
{
  g_autofree char *name = g_strconcat(file->selector, suffix, NULL);
  return write_new(place->pubs, name, pem, strlen(pem), 0644, geteuid(), getegid()) ||
         fail_at(error, place->pub_path, name);
}

/* Gives FILE its public file, when it has none. */
static gboolean
publish(const DkimPlace *place, const DkimFile *file, GError **error)
{
  if (is_there(place->pubs, file->selector, PUBLIC))
    return TRUE;
  g_autofree char *pem = public_pem(place, file, error);
  return pem != NULL && write_public(place, file, PUBLIC, pem, error);
}

/* Gives FILE the name that it has in STATE. */
static gboolean
rename_private(const DkimPlace *place, const DkimFile *file, DkimState state,
               GError **error)
{
  g_autofree char *from = g_strconcat(file->selector, suffixes[file->state], NULL);
  g_autofree char *to = g_strconcat(file->selector, suffixes[state], NULL);
  if (file->state == state)
    return TRUE;
  return (renameat2(place->keys, from, place->keys, to, RENAME_NOREPLACE) == 0 &&
          fsync(place->keys) == 0) ||
         fail_at(error, place->key_path, from);
}

/* The time that makes a key the newest of FILES, also when the clock was set back. */
static gint64
newest_time(const GPtrArray *files)
{
  gint64 time_us = g_get_real_time();
  for (guint i = 0; i < files->len; i++)
    time_us = MAX(time_us, ((const DkimFile *) files->pdata[i])->time_us + STEP_US);
  return time_us;
}

gboolean
dkim_place_activate(const DkimPlace *place, const GPtrArray *files, const DkimFile *file,
                    GError **error)
{
  gint64 time_us = newest_time(files);
  struct timespec times[2];
  times[0].tv_sec = times[1].tv_sec = time_us / G_USEC_PER_SEC;
  times[0].tv_nsec = times[1].tv_nsec = time_us % G_USEC_PER_SEC * 1000;
  g_autofree char *name = g_strconcat(file->selector, suffixes[file->state], NULL);
  if (!publish(place, file, error))
    return FALSE;
  /* First the time: with its name it must be the newest at once. */
  if (utimensat(place->keys, name, times, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_at(error, place->key_path, name);
  return rename_private(place, file, DKIM_ACTIVE, error);
}

gboolean
dkim_place_rest(const DkimPlace *place, const DkimFile *file, GError **error)
{
  return rename_private(place, file, DKIM_RESTING, error);
}

/* Whether FILE is the only active key of FILES. */
static gboolean
is_last_active(const GPtrArray *files, const DkimFile *file)
{
  for (guint i = 0; i < files->len; i++) {
    const DkimFile *other = files->pdata[i];
    if (other != file && other->state == DKIM_ACTIVE && other->record != NULL)
      return FALSE;
  }
  return file->state == DKIM_ACTIVE;
}

/* Removes the public files of the keys that rest. */
static gboolean
hide_resting(const DkimPlace *place, const GPtrArray *files, GError **error)
{
  for (guint i = 0; i < files->len; i++) {
    const DkimFile *file = files->pdata[i];
    g_autofree char *name = g_strconcat(file->selector, PUBLIC, NULL);
    if (file->state == DKIM_RESTING && unlinkat(place->pubs, name, 0) != 0 &&
        errno != ENOENT)
      return fail_at(error, place->pub_path, name);
  }
  return TRUE;
}

/* Leaves the mark that the selector of FILE was used. */
static gboolean
mark_retired(const DkimPlace *place, const DkimFile *file, GError **error)
{
  g_autofree char *public = g_strconcat(file->selector, PUBLIC, NULL);
  g_autofree char *retired = g_strconcat(file->selector, PUBLIC_RETIRED, NULL);
  if (renameat(place->pubs, public, place->pubs, retired) == 0)
    return fsync(place->pubs) == 0 || fail_at(error, place->pub_path, retired);
  if (errno != ENOENT)
    return fail_at(error, place->pub_path, public);
  if (is_there(place->pubs, file->selector, PUBLIC_RETIRED))
    return TRUE;
  /* Also a key that cannot be read any more must be able to go. */
  g_autofree char *pem = public_pem(place, file, NULL);
  return write_public(place, file, PUBLIC_RETIRED, pem != NULL ? pem : "", error);
}

gboolean
dkim_place_retire(const DkimPlace *place, const GPtrArray *files, const DkimFile *file,
                  GError **error)
{
  if (is_last_active(files, file) && !hide_resting(place, files, error))
    return FALSE;
  if (!mark_retired(place, file, error))
    return FALSE;
  if (file->state > DKIM_RESTING)
    return TRUE;
  g_autofree char *name = g_strconcat(file->selector, suffixes[file->state], NULL);
  return (unlinkat(place->keys, name, 0) == 0 && fsync(place->keys) == 0) ||
         fail_at(error, place->key_path, name);
}

gint64
dkim_last_signed_us(const GPtrArray *files, const DkimFile *file, gint64 now_us)
{
  gint64 last_us = now_us;
  if (file->state == DKIM_WAITING)
    return 0;
  for (guint i = 0; i < files->len && !file->signs; i++) {
    const DkimFile *other = files->pdata[i];
    if ((other->state == DKIM_ACTIVE || other->state == DKIM_RESTING) &&
        other->record != NULL && other->algorithm == file->algorithm &&
        other->time_us > file->time_us)
      last_us = MIN(last_us, other->time_us);
  }
  return last_us;
}
