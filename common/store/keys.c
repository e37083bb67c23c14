/*
 * Which store keys the database was written with. A store that was opened without one of
 * them, or with another key under its id (a backup of another day), would say of genuine
 * links that they never existed: it is not opened at all.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/store/internal.h"

#define PROOF_TEXT "proof"

/* What only the holder of key INDEX can write beside its id. */
static gboolean
make_proof(const Store *store, guint index, guint8 proof[CRYPT_SHA256_BYTES],
           GError **error)
{
  return store_mac(store, index, DERIVED_LINK, "", PROOF_TEXT, strlen(PROOF_TEXT), proof,
                   error);
}

/*
 * 1 when something that is stored needs key ID, 0 when nothing does, -1 with an error. The
 * id stands in octets 2 to 5 of all that is sealed; what was filed together has the same
 * key, what came later stands here by itself.
 */
static int
is_needed(Db *db, guint32 id, GError **error)
{
  guint32 id_be = GUINT32_TO_BE(id);
  g_autoptr(Query) query =
      db_query(db,
               "SELECT 1 FROM entry WHERE message_key IS NOT NULL"
               "  AND (substr(message_key, 3, 4) = ?1 OR substr(number, 3, 4) = ?1)"
               " UNION ALL SELECT 1 FROM dispatch WHERE substr(sealed, 3, 4) = ?1"
               " UNION ALL SELECT 1 FROM draft WHERE substr(sealed, 3, 4) = ?1"
               " UNION ALL SELECT 1 FROM outbox WHERE substr(sealed, 3, 4) = ?1 LIMIT 1",
               DB_VALUES(V_BLOB(&id_be, sizeof id_be)), error);
  return query != NULL ? query_step(query, error) : -1;
}

static gboolean
check_missing(Db *db, guint32 id, GError **error)
{
  int needed = is_needed(db, id, error);
  if (needed > 0)
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "store key %08x is not in the key file, and messages need it: restore it",
                id);
  return needed == 0;
}

/* Whether PROOF, which the database has for key INDEX, is the one that we would write. */
static gboolean
check_proof(const Store *store, guint index, gconstpointer proof, gsize len, GError **error)
{
  guint8 ours[CRYPT_SHA256_BYTES];
  if (!make_proof(store, index, ours, error))
    return FALSE;
  if (len == sizeof ours && crypt_equal(ours, proof, len))
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
              "store key %08x is another than the database was written with: restore the "
              "key file that belongs to it",
              g_array_index(store->derived, Derived, index).id);
  return FALSE;
}

/* Notes the current key in the database. */
static gboolean
note_current(const Store *store, Db *db, GError **error)
{
  guint8 proof[CRYPT_SHA256_BYTES];
  guint32 id = g_array_index(store->derived, Derived, 0).id;
  return make_proof(store, 0, proof, error) &&
         db_run(db, "INSERT OR IGNORE INTO store_key (id, proof) VALUES (?1, ?2)",
                DB_VALUES(V_INT(id), V_MAC(proof)), error);
}

/* The keys of the database: those that we do not have go to MISSING (ids). */
static gboolean
check_noted(const Store *store, Db *db, GArray *missing, gboolean *noted, GError **error)
{
  g_autoptr(Query) query =
      db_query(db, "SELECT id, proof FROM store_key", DB_NO_VALUES, error);
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0; step = query_step(query, error)) {
    gsize len = 0;
    guint32 id = (guint32) query_int(query, 0);
    gconstpointer proof = query_blob(query, 1, &len);
    int index = derived_find(store, id, NULL);
    if (index < 0)
      g_array_append_val(missing, id);
    else if (!check_proof(store, (guint) index, proof, len, error))
      return FALSE;
    *noted = *noted || index == 0;
  }
  return step == 0;
}

gboolean
derived_check(const Store *store, Db *db, GError **error)
{
  gboolean noted = FALSE;
  g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(guint32));
  if (!check_noted(store, db, missing, &noted, error))
    return FALSE;
  for (guint i = 0; i < missing->len; i++) {
    guint32 id = g_array_index(missing, guint32, i);
    if (!check_missing(db, id, error) ||
        !db_run(db, "DELETE FROM store_key WHERE id = ?1", DB_VALUES(V_INT(id)), error))
      return FALSE;
  }
  return noted || note_current(store, db, error);
}

gboolean
derived_examine(const Store *store, Db *db, GError **error)
{
  gboolean noted = FALSE;
  g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(guint32));
  gboolean good = check_noted(store, db, missing, &noted, error);
  for (guint i = 0; good && i < missing->len; i++)
    good = check_missing(db, g_array_index(missing, guint32, i), error);
  return good;
}

gboolean
derived_is_complete(const Store *store, Db *db, GError **error)
{
  g_autoptr(Query) query = db_query(db, "SELECT id FROM store_key", DB_NO_VALUES, error);
  int step = query != NULL ? query_step(query, error) : -1;
  for (; step > 0; step = query_step(query, error))
    if (derived_find(store, (guint32) query_int(query, 0), NULL) < 0 &&
        !check_missing(db, (guint32) query_int(query, 0), NULL))
      return derived_find(store, (guint32) query_int(query, 0), error) >= 0;
  return step == 0;
}
