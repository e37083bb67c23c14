#include "common/store/share.h"

#include <string.h>

#include "common/base/error.h"
#include "common/store/internal.h"

/* ---- Passwords ---- */

#define GROUP_CHARS 4     /* of 5 bits each */
#define SCRYPT_COST 16384 /* with blocks of 1 KiB: 16 MiB */

static const char alphabet[32] = "0123456789abcdefghjkmnpqrstvwxyz";

void
store_password_from(const guint8 random[STORE_PASSWORD_BYTES], char *password)
{
  gsize n = 0;
  for (gsize i = 0; i < STORE_PASSWORD_BYTES; i++) {
    if (i > 0 && i % GROUP_CHARS == 0)
      password[n++] = '-';
    password[n++] = alphabet[random[i] & 31];
  }
  password[n] = '\0';
}

gboolean
store_make_password(char *password, GError **error)
{
  guint8 random[STORE_PASSWORD_BYTES];
  if (!crypt_random(random, sizeof random, error))
    return FALSE;
  store_password_from(random, password);
  secret_wipe(random, sizeof random);
  return TRUE;
}

/* As it was made, however it was typed: there is no o, i or l in it. */
static Secret *
normal_password(const char *password)
{
  Secret *plain = secret_new(strlen(password));
  gsize n = 0;
  for (const char *p = password; *p != '\0'; p++) {
    char c = g_ascii_tolower(*p);
    if (c == 'o')
      c = '0';
    if (c == 'i' || c == 'l')
      c = '1';
    if (c != '-' && !g_ascii_isspace(c))
      secret_bytes(plain)[n++] = (guint8) c;
  }
  Secret *cut = secret_new_from(secret_peek(plain), n);
  secret_free(plain);
  return cut;
}

gboolean
store_password_secret(const char *password, const guint8 nonce[STORE_NONCE_BYTES],
                      guint8 secret[STORE_LINK_SECRET_BYTES], GError **error)
{
  g_autoptr(Secret) plain = normal_password(password);
  return crypt_scrypt(plain, nonce, STORE_NONCE_BYTES, SCRYPT_COST, secret,
                      STORE_LINK_SECRET_BYTES, error);
}

/* ---- Opening ---- */

#define TRY_WORD "password"

typedef struct {
  Store *store;
  const char *organisation, *reference;
  EventCount tries;
  const Entry *entry; /* that the password opened */
  guint8 session[STORE_SESSION_BYTES];
  Record record;
  gboolean began;
} SharedJob;

static gboolean
count_try(Db *db, gpointer data, GError **error)
{
  SharedJob *job = data;
  return event_count_add(db, &job->tries, error);
}

/* The nonce of the shared entry, or zeros when there is none: scrypt runs all the same. */
static gboolean
find_nonce(SharedJob *job, guint8 nonce[STORE_NONCE_BYTES], GError **error)
{
  memset(nonce, 0, STORE_NONCE_BYTES);
  Db *db = store_get_reader(job->store, error);
  if (db == NULL)
    return FALSE;
  Query *query =
      db_query(db,
               "SELECT link_nonce FROM entry"
               "  WHERE reference = ?1 AND organisation = ?2 AND shared <> 0",
               DB_VALUES(V_TEXT(job->reference), V_TEXT(job->organisation)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  gsize len = 0;
  gconstpointer stored = step > 0 ? query_blob(query, 0, &len) : NULL;
  if (len == STORE_NONCE_BYTES)
    memcpy(nonce, stored, len);
  query_done(query);
  store_put_reader(job->store, db);
  return step >= 0;
}

/* The event says who reads what somebody wrote, which nobody knew before. */
static gboolean
record_login(Db *db, SharedJob *job, GError **error)
{
  Event *event = job->record.event;
  if (event == NULL)
    return TRUE;
  event_become(event, EVENT_LOGIN);
  event_add(event, "to", job->entry->address);
  event_add(event, "for", job->entry->sender);
  return record_add(db, &job->record, error);
}

/* The password was right: the try counts no more, and when the entry is open he is in. */
static gboolean
let_in(Db *db, gpointer data, GError **error)
{
  SharedJob *job = data;
  gint64 row = 0;
  if (!event_count_remove(db, &job->tries, error) ||
      !entry_find_row(db, job->entry, job->tries.now_s, &row, error))
    return FALSE;
  job->began = row != 0;
  return row == 0 || (session_begin(db, row, job->tries.now_s, job->session, error) &&
                      record_login(db, job, error));
}

/* The try was counted: compares, and lets in. */
static gboolean
open_counted(SharedJob *job, const char *password, SharedCheck *result,
             guint8 link_secret[STORE_LINK_SECRET_BYTES], EntryState *state, Entry **entry,
             GError **error)
{
  guint8 nonce[STORE_NONCE_BYTES];
  if (!find_nonce(job, nonce, error) ||
      !store_password_secret(password, nonce, link_secret, error) ||
      !store_find_entry(job->store, job->organisation, link_secret, state, entry, error))
    return FALSE;
  *result = SHARED_WRONG;
  if (*entry == NULL || !(*entry)->shared ||
      strcmp((*entry)->reference, job->reference) != 0)
    return TRUE;
  job->entry = *entry;
  if (!record_run(job->store, let_in, job, &job->record, error))
    return FALSE;
  *result = job->began ? SHARED_RIGHT : SHARED_OVER;
  /* It may have ended between the two. */
  if (!job->began && *state == ENTRY_OPEN) {
    g_clear_pointer(entry, entry_free);
    return store_find_entry(job->store, job->organisation, link_secret, state, entry,
                            error);
  }
  return TRUE;
}

gboolean
store_open_shared(Store *store, const char *organisation, const char *reference,
                  const char *password, Event *event, SharedCheck *result,
                  guint8 link_secret[STORE_LINK_SECRET_BYTES],
                  guint8 session[STORE_SESSION_BYTES], EntryState *state, Entry **entry,
                  GError **error)
{
  SharedJob job = {.store = store, .organisation = organisation, .reference = reference};
  job.record = (Record){store, event, FALSE};
  job.tries.max = STORE_PASSWORD_TRIES;
  job.tries.window_s = STORE_PASSWORD_WAIT_S;
  memset(link_secret, 0, STORE_LINK_SECRET_BYTES);
  memset(session, 0, STORE_SESSION_BYTES);
  *result = SHARED_WAIT;
  *state = ENTRY_NONE;
  *entry = NULL;
  gboolean done =
      event_count_prepare(store, organisation, TRY_WORD, reference, &job.tries, error) &&
      writer_run(store->writer, count_try, &job, error);
  if (done && job.tries.id != 0)
    done = open_counted(&job, password, result, link_secret, state, entry, error);
  if (done && *result == SHARED_RIGHT)
    memcpy(session, job.session, sizeof job.session);
  else
    secret_wipe(link_secret, STORE_LINK_SECRET_BYTES);
  if (!done || *result != SHARED_OVER) {
    g_clear_pointer(entry, entry_free);
    *state = ENTRY_NONE;
  }
  g_array_unref(job.tries.macs);
  secret_wipe(&job, sizeof job);
  return done;
}

/* ---- Sharing ---- */

typedef struct {
  const Entry *entry;
  const FilingMeta *meta;
  const FilingRecipient *recipient;
  EntryRow row;
  gint64 now_s;
  Record record;
} ShareJob;

/* The key of the message of ENTRY. NULL with an error. */
static Secret *
find_key(Store *store, const Entry *entry, const guint8 *link_secret, GError **error)
{
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return NULL;
  Secret *key = NULL;
  FieldPlace place = {entry->organisation, entry->reference, "message_key"};
  Query *query =
      db_query(db,
               "SELECT message_key FROM entry WHERE reference = ?1 AND organisation = ?2"
               "  AND message_key IS NOT NULL AND expires_s > ?3",
               DB_VALUES(V_TEXT(entry->reference), V_TEXT(entry->organisation),
                         V_INT(store_now(store))),
               error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step == 0)
    entry_set_gone(error);
  if (step > 0) {
    gsize len = 0;
    gconstpointer wrapped = query_blob(query, 0, &len);
    key = key_unwrap(store, &place, link_secret, wrapped, len, error);
  }
  query_done(query);
  store_put_reader(store, db);
  return key;
}

static gboolean
insert_shared(Db *db, gpointer data, GError **error)
{
  ShareJob *job = data;
  gint64 parent = 0;
  if (!entry_find_row(db, job->entry, job->now_s, &parent, error))
    return FALSE;
  if (parent == 0)
    return entry_set_gone(error);
  g_autoptr(Query) query = db_query(db, "SELECT message FROM entry WHERE id = ?1",
                                    DB_VALUES(V_INT(parent)), error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  gint64 message = query_int(query, 0);
  return entry_row_insert(db, job->meta, job->recipient, &job->row, message, parent,
                          error) &&
         record_add(db, &job->record, error);
}

/* The password, and what is derived of it, into RECIPIENT. */
static gboolean
make_access(FilingRecipient *recipient, char *password, GError **error)
{
  return crypt_random(recipient->link_nonce, STORE_NONCE_BYTES, error) &&
         store_make_password(password, error) &&
         store_password_secret(password, recipient->link_nonce, recipient->link_secret,
                               error);
}

gboolean
store_share(Store *store, const Entry *entry, const guint8 *link_secret,
            const char *address, Event *event, char *reference, char *password,
            GError **error)
{
  guint8 ticket[TICKET_ID_BYTES]; /* of no message: a share is in nobody's dispatch */
  FilingRecipient recipient = {.address = address, .shared = TRUE};
  recipient.from_reader = entry->from_reader;
  const FilingMeta meta = {.organisation = entry->organisation,
                           .ticket_id = ticket,
                           .body_sha256 = entry->body_sha256,
                           .sender = entry->sender,
                           .sender_name = entry->sender_name,
                           .message_id = entry->message_id,
                           .received_s = entry->received_s,
                           .expires_s = entry->expires_s};
  ShareJob job = {.entry = entry, .meta = &meta, .recipient = &recipient};
  job.record = (Record){store, event, FALSE};
  job.now_s = store_now(store);
  g_autoptr(Secret) key = find_key(store, entry, link_secret, error);
  gboolean done = key != NULL && crypt_random(ticket, sizeof ticket, error) &&
                  make_access(&recipient, password, error) &&
                  entry_row_make(store, &meta, &recipient, key, &job.row, error);
  if (done && event != NULL)
    event_add(event, "new", job.row.reference);
  done = done && record_run(store, insert_shared, &job, &job.record, error);
  if (done)
    g_strlcpy(reference, job.row.reference, STORE_REFERENCE_MAX + 1);
  else
    secret_wipe(password, STORE_PASSWORD_MAX + 1);
  entry_row_clear(&job.row);
  secret_wipe(&recipient, sizeof recipient);
  return done;
}
