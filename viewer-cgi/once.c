#include "viewer-cgi/once.h"

#include "common/base/error.h"
#include "common/crypt/crypt.h"

#define ID_BYTES 16
#define KEPT_S   86400  /* longer than any session, and than any page stays open */
#define WAIT_US  200000 /* between two looks */

char *
once_new(GError **error)
{
  guint8 bytes[ID_BYTES];
  return crypt_random(bytes, sizeof bytes, error) ? crypt_base64url(bytes, sizeof bytes)
                                                  : NULL;
}

static gboolean
is_id(const char *id)
{
  g_autoptr(Secret) bytes = id != NULL ? crypt_base64url_decode(id, ID_BYTES) : NULL;
  return bytes != NULL;
}

/* What the store counts: step STEP of WHAT, for the form ID on ENTRY alone. */
static char *
word_of(const char *what, const char *step)
{
  return g_strconcat(what, "-", step, NULL);
}

static char *
subject_of(const Entry *entry, const char *id)
{
  return g_strconcat(entry->reference, ":", id, NULL);
}

static gboolean
count(Store *store, const Entry *entry, const char *word, const char *id, gboolean *granted,
      GError **error)
{
  g_autofree char *subject = subject_of(entry, id);
  return store_count(store, entry->organisation, word, subject, 1, KEPT_S, granted, error);
}

gboolean
once_is_done(Store *store, const Entry *entry, const char *what, const char *id,
             gboolean *done, GError **error)
{
  *done = FALSE;
  if (!is_id(id))
    return TRUE;
  g_autofree char *word = word_of(what, "done");
  g_autofree char *subject = subject_of(entry, id);
  return store_was_counted(store, entry->organisation, word, subject, KEPT_S, done, error);
}

gboolean
once_begin(Store *store, const Entry *entry, const char *what, const char *id, Once *result,
           GError **error)
{
  gboolean granted = FALSE;
  gboolean done = FALSE;
  g_autofree char *word = word_of(what, "begun");
  if (!is_id(id)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "the form has no id");
    return FALSE;
  }
  if (!count(store, entry, word, id, &granted, error))
    return FALSE;
  gint64 until_us = g_get_monotonic_time() + ONCE_WAIT_S * G_USEC_PER_SEC;
  while (!granted && !done && g_get_monotonic_time() < until_us) {
    if (!once_is_done(store, entry, what, id, &done, error))
      return FALSE;
    if (!done)
      g_usleep(WAIT_US);
  }
  *result = granted ? ONCE_FIRST : done ? ONCE_DONE : ONCE_UNKNOWN;
  return TRUE;
}

gboolean
once_finish(Store *store, const Entry *entry, const char *what, const char *id,
            GError **error)
{
  gboolean granted = FALSE;
  g_autofree char *word = word_of(what, "done");
  return count(store, entry, word, id, &granted, error);
}
