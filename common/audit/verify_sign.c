/*
 * Trust begins with one public key. What it signed vouches for the chain up to there, and
 * so for the records there that name the keys after it.
 */
#include <string.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

typedef struct {
  gboolean has_id; /* FALSE: its id is not known yet */
  guint32 id;
  guint8 public_key[CHECKPOINT_PUBLIC_BYTES];
} Trusted;

static void
trust(GArray *trusted, gboolean has_id, guint32 id, const guint8 *public_key)
{
  Trusted key = {.has_id = has_id, .id = id};
  memcpy(key.public_key, public_key, sizeof key.public_key);
  g_array_append_val(trusted, key);
}

static Trusted *
find(GArray *trusted, gboolean has_id, guint32 id)
{
  for (guint i = 0; i < trusted->len; i++) {
    Trusted *key = &g_array_index(trusted, Trusted, i);
    if (key->has_id == has_id && (!has_id || key->id == id))
      return key;
  }
  return NULL;
}

/* Whether STATEMENT is signed with a key that is trusted. FALSE may come with an error: it
 * should be, and is not. */
static gboolean
is_signed(const Statement *statement, GArray *trusted, GError **error)
{
  Trusted *key = find(trusted, TRUE, statement->point.key_id);
  if (key != NULL)
    return line_check(statement->text, key->public_key, error);
  key = find(trusted, FALSE, 0);
  if (key == NULL || !line_check(statement->text, key->public_key, NULL))
    return FALSE;
  key->has_id = TRUE;
  key->id = statement->point.key_id;
  return TRUE;
}

/* Trusts the keys that were announced up to record NUMBER. */
static gboolean
trust_announced(const GArray *announcements, guint64 number, GArray *trusted)
{
  gboolean more = FALSE;
  for (guint i = 0; i < announcements->len; i++) {
    const Announcement *key = &g_array_index(announcements, Announcement, i);
    if (key->number > number || find(trusted, TRUE, key->id) != NULL)
      continue;
    trust(trusted, TRUE, key->id, key->public_key);
    more = TRUE;
  }
  return more;
}

gboolean
statements_check(GArray *statements, const GArray *announcements, guint64 last,
                 const guint8 *public_key, const GPtrArray *keys, guint64 *number,
                 GError **error)
{
  g_autoptr(GArray) trusted = g_array_new(FALSE, TRUE, sizeof(Trusted));
  if (public_key != NULL)
    trust(trusted, FALSE, 0, public_key);
  for (guint i = 0; public_key == NULL && i < keys->len; i++) {
    const TrailKey *key = g_ptr_array_index(keys, i);
    trust(trusted, TRUE, key->id, ed25519_public(key->signer));
  }
  for (gboolean more = TRUE; more;) {
    more = FALSE;
    for (guint i = 0; i < statements->len; i++) {
      Statement *statement = &g_array_index(statements, Statement, i);
      GError *problem = NULL;
      if (statement->vouched)
        continue;
      statement->vouched = is_signed(statement, trusted, &problem);
      if (problem != NULL && statement->kind == STATEMENT_OUTSIDE)
        g_clear_error(&problem); /* a stranger's: it says nothing of the trail */
      if (problem != NULL) {
        *number = statement->point.count;
        g_propagate_error(error, problem);
        return FALSE;
      }
      if (statement->vouched && statement->differs_after == 0 &&
          statement->point.count <= last)
        more = trust_announced(announcements, statement->point.count, trusted) || more;
    }
  }
  return TRUE;
}
