#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "milter/dkim.h"
#include "milter/dkim_key.h"
#include "milter/dkim_tags.h"

#define SUFFIX      ".key"
#define FILES_MAX   64   /* of one domain, with those that rest */
#define DOMAINS_MAX 1000 /* that are remembered */
#define LOOK_US     G_USEC_PER_SEC

/* What is known of one domain. */
typedef struct {
  gint64 looked_us; /* monotonic */
  char *state;      /* of the files when they were read */
  GPtrArray *keys;  /* of DkimKey */
} Place;

struct DkimKeys {
  char *directory;
  GMutex lock;
  GHashTable *places; /* of Place, by domain */
};

static void
key_clear(gpointer p)
{
  DkimKey *key = p;
  g_free(key->selector);
  sign_key_free(key->key);
}

static void
key_unref(gpointer p)
{
  g_atomic_rc_box_release_full(p, key_clear);
}

const char *
dkim_key_selector(const DkimKey *key)
{
  return key->selector;
}

const char *
dkim_key_algorithm(const DkimKey *key)
{
  return sign_key_algorithm(key->key) == SIGN_ED25519_SHA256 ? "ed25519-sha256"
                                                             : "rsa-sha256";
}

static void
place_free(gpointer p)
{
  Place *place = p;
  g_free(place->state);
  g_ptr_array_unref(place->keys);
  g_free(place);
}

DkimKeys *
dkim_keys_new(const char *directory)
{
  DkimKeys *keys = g_new0(DkimKeys, 1);
  keys->directory = g_strdup(directory);
  g_mutex_init(&keys->lock);
  keys->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, place_free);
  return keys;
}

void
dkim_keys_free(DkimKeys *keys)
{
  if (keys == NULL)
    return;
  g_hash_table_unref(keys->places);
  g_mutex_clear(&keys->lock);
  g_free(keys->directory);
  g_free(keys);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The paths of the key files of DOMAIN, sorted; empty when there is no directory. */
static GPtrArray *
list_files(const DkimKeys *keys, const char *domain)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *place = g_build_filename(keys->directory, domain, NULL);
  g_autoptr(GDir) dir = g_dir_open(place, 0, NULL);
  if (dir == NULL)
    return paths;
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
    if (g_str_has_suffix(name, SUFFIX) && paths->len < FILES_MAX)
      g_ptr_array_add(paths, g_build_filename(place, name, NULL));
  g_ptr_array_sort(paths, compare_names);
  return paths;
}

static gint64
written_us(const struct stat *status)
{
  return status->st_mtim.tv_sec * G_USEC_PER_SEC + status->st_mtim.tv_nsec / 1000;
}

/* A text that changes when any file of PATHS does. */
static char *
describe(const GPtrArray *paths)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < paths->len; i++) {
    struct stat status = {.st_mode = 0};
    (void) stat(paths->pdata[i], &status);
    g_string_append_printf(
        text, "%s %lu %lu %o %u %lu %" G_GINT64_FORMAT "\n", (const char *) paths->pdata[i],
        (gulong) status.st_dev, (gulong) status.st_ino, (guint) status.st_mode,
        (guint) status.st_uid, (gulong) status.st_size, written_us(&status));
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The key in the file at PATH, or NULL and a line in the log. */
static DkimKey *
read_file(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *base = g_path_get_basename(path);
  g_autofree char *selector = g_strndup(base, strlen(base) - strlen(SUFFIX));
  struct stat status;
  if (!dkim_is_selector(selector)) {
    log_line(LOG_LEVEL_WARNING, "%s: its name is no selector: it signs nothing", path);
    return NULL;
  }
  if (stat(path, &status) < 0) {
    log_line(LOG_LEVEL_WARNING, "%s: %s: it signs nothing", path, g_strerror(errno));
    return NULL;
  }
  g_autoptr(SignKey) secret = sign_key_load(path, &error);
  if (secret == NULL) {
    log_line(LOG_LEVEL_WARNING, "%s; it signs nothing", error->message);
    return NULL;
  }
  DkimKey *key = g_atomic_rc_box_new0(DkimKey);
  key->selector = g_steal_pointer(&selector);
  key->key = g_steal_pointer(&secret);
  key->time_us = written_us(&status);
  return key;
}

/* The newest key in PATHS of each algorithm. */
static GPtrArray *
read_files(const GPtrArray *paths)
{
  DkimKey *newest[] = {[SIGN_RSA_SHA256] = NULL, [SIGN_ED25519_SHA256] = NULL};
  GPtrArray *keys = g_ptr_array_new_with_free_func(key_unref);
  for (guint i = 0; i < paths->len; i++) {
    DkimKey *key = read_file(paths->pdata[i]);
    if (key == NULL)
      continue;
    DkimKey **best = &newest[sign_key_algorithm(key->key)];
    if (*best != NULL && (*best)->time_us > key->time_us) {
      key_unref(key);
      continue;
    }
    if (*best != NULL)
      key_unref(*best);
    *best = key;
  }
  for (guint i = 0; i < G_N_ELEMENTS(newest); i++)
    if (newest[i] != NULL)
      g_ptr_array_add(keys, newest[i]);
  return keys;
}

/* What is known of DOMAIN, owned by KEYS; with the lock held. */
static Place *
find_place(DkimKeys *keys, const char *domain)
{
  Place *place = g_hash_table_lookup(keys->places, domain);
  gint64 now = g_get_monotonic_time();
  if (place != NULL && now - place->looked_us < LOOK_US)
    return place;
  if (place == NULL) {
    if (g_hash_table_size(keys->places) >= DOMAINS_MAX)
      g_hash_table_remove_all(keys->places);
    place = g_new0(Place, 1);
    place->keys = g_ptr_array_new_with_free_func(key_unref);
    g_hash_table_insert(keys->places, g_strdup(domain), place);
  }
  g_autoptr(GPtrArray) paths = list_files(keys, domain);
  g_autofree char *state = describe(paths);
  place->looked_us = now;
  if (g_strcmp0(state, place->state) == 0)
    return place;
  g_free(place->state);
  place->state = g_steal_pointer(&state);
  g_ptr_array_unref(place->keys);
  place->keys = read_files(paths);
  return place;
}

GPtrArray *
dkim_keys_of(DkimKeys *keys, const char *domain)
{
  GPtrArray *found = g_ptr_array_new_with_free_func(key_unref);
  /* A name that is no domain must not lead out of the directory. */
  if (!dkim_is_selector(domain))
    return found;
  g_mutex_lock(&keys->lock);
  const Place *place = find_place(keys, domain);
  for (guint i = 0; i < place->keys->len; i++)
    g_ptr_array_add(found, g_atomic_rc_box_acquire(place->keys->pdata[i]));
  g_mutex_unlock(&keys->lock);
  return found;
}
