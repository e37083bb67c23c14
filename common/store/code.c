/*
 * Access codes. What counts a try or a code stands in the same transaction as what follows
 * from it, and the writer has one transaction at a time: no race can use a code twice.
 *
 * A code is dead once it was seen past its time, so that a clock that jumps back does not
 * revive it; one from the future is no code either.
 */
#include <string.h>

#include "common/base/error.h"
#include "common/store/internal.h"

#define DAY_S         86400
#define CODE_SPACE    1000000    /* 10 ^ STORE_CODE_DIGITS */
#define RANDOM_LIMIT  4294000000 /* the largest multiple of it below 2 ^ 32 */
#define CLOCK_SLACK_S 60         /* by so much a clock may be set back while a code lives */

typedef struct {
  const Store *store;
  const Entry *entry;
  const CodeLimits *limits;
  gint64 now_s;
  gint64 row; /* of the entry */
  CodeIssue result;
  char code[STORE_CODE_DIGITS + 1];
  gint64 code_id;
  guint wait_s;
  Record record;
} IssueJob;

/* HMAC of CODE under store key INDEX, bound to the entry and to the id of the code. */
static gboolean
mac_code(const Store *store, guint index, const Entry *entry, gint64 id, const char *code,
         guint8 mac[CRYPT_SHA256_BYTES], GError **error)
{
  guint8 bytes[STORE_REFERENCE_MAX + 1 + sizeof(guint64) + STORE_CODE_DIGITS] = {0};
  guint64 id_be = GUINT64_TO_BE((guint64) id);
  g_strlcpy((char *) bytes, entry->reference, STORE_REFERENCE_MAX + 1);
  memcpy(bytes + STORE_REFERENCE_MAX + 1, &id_be, sizeof id_be);
  memcpy(bytes + STORE_REFERENCE_MAX + 1 + sizeof id_be, code, STORE_CODE_DIGITS);
  gboolean done = store_mac(store, index, DERIVED_CODE, entry->organisation, bytes,
                            sizeof bytes, mac, error);
  secret_wipe(bytes, sizeof bytes);
  return done;
}

/* Each of the million codes with the same chance: what would favour some is thrown away. */
static gboolean
make_code(char code[STORE_CODE_DIGITS + 1], GError **error)
{
  guint32 random = 0;
  do {
    if (!crypt_random(&random, sizeof random, error))
      return FALSE;
  } while (random >= RANDOM_LIMIT);
  random %= CODE_SPACE;
  for (int i = STORE_CODE_DIGITS - 1; i >= 0; i--, random /= 10)
    code[i] = (char) ('0' + random % 10);
  code[STORE_CODE_DIGITS] = '\0';
  secret_wipe(&random, sizeof random);
  return TRUE;
}

static gboolean
bury_codes(Db *db, gint64 now_s, GError **error)
{
  return db_run(db, "UPDATE code SET dead = 1 WHERE dead = 0 AND expires_s <= ?1",
                DB_VALUES(V_INT(now_s)), error);
}

/* Adds to *COUNT what SQL counts of VALUE since SINCE_S. */
static gboolean
count_codes(Db *db, const char *sql, DbValue value, gint64 since_s, guint *count,
            GError **error)
{
  g_autoptr(Query) query = db_query(db, sql, DB_VALUES(V_INT(since_s), value), error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  *count += (guint) query_int(query, 0);
  return TRUE;
}

/* Number and sender are counted under each store key: a rotation forgets nothing. */
static gboolean
count_by_mac(Db *db, const IssueJob *job, DerivedUse use, const char *sql,
             const char *address, guint *count, GError **error)
{
  for (guint i = 0; i < job->store->derived->len; i++) {
    guint8 mac[CRYPT_SHA256_BYTES];
    if (!store_mac_address(job->store, i, use, job->entry->organisation, address, TRUE, mac,
                           error) ||
        !count_codes(db, sql, V_MAC(mac), job->now_s - DAY_S, count, error))
      return FALSE;
  }
  return TRUE;
}

/* Where the code goes, for the limit: a number, or else an address (S6). */
static const char *
goes_to(const Entry *entry)
{
  return *entry->number != '\0' ? entry->number : entry->address;
}

/* Sets the result to a limit that is reached. */
static gboolean
check_limits(Db *db, IssueJob *job, GError **error)
{
  guint link = 0, number = 0, sender = 0, organisation = 0, total = 0;
  gint64 since_s = job->now_s - DAY_S;
  if (!count_codes(db, "SELECT count(*) FROM code WHERE issued_s > ?1 AND entry = ?2",
                   V_INT(job->row), since_s, &link, error) ||
      !count_by_mac(db, job, DERIVED_NUMBER,
                    "SELECT count(*) FROM code WHERE issued_s > ?1 AND number = ?2",
                    goes_to(job->entry), &number, error) ||
      !count_by_mac(db, job, DERIVED_SENDER,
                    "SELECT count(*) FROM code WHERE issued_s > ?1 AND sender = ?2",
                    job->entry->sender, &sender, error) ||
      !count_codes(db,
                   "SELECT count(*) FROM code WHERE issued_s > ?1 AND organisation = ?2",
                   V_TEXT(job->entry->organisation), since_s, &organisation, error) ||
      !count_codes(db, "SELECT count(*) FROM code WHERE issued_s > ?1 AND ?2 IS NULL",
                   V_NULL, since_s, &total, error))
    return FALSE;
  if (link >= STORE_CODES_PER_DAY)
    job->result = CODE_LIMIT_LINK;
  else if (number >= job->limits->number || sender >= job->limits->sender ||
           organisation >= job->limits->organisation || total >= job->limits->total)
    job->result = CODE_LIMIT_OTHER;
  return TRUE;
}

/* Sets the result to CODE_WAIT when the last code is too young. */
static gboolean
check_wait(Db *db, IssueJob *job, GError **error)
{
  g_autoptr(Query) query = db_query(
      db,
      "SELECT max(issued_s) FROM code"
      "  WHERE entry = ?1 AND issued_s > ?2 AND issued_s <= ?3",
      DB_VALUES(V_INT(job->row), V_INT(job->now_s - STORE_CODE_WAIT_S), V_INT(job->now_s)),
      error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  if (query_is_null(query, 0))
    return TRUE;
  job->result = CODE_WAIT;
  job->wait_s = (guint) (query_int(query, 0) + STORE_CODE_WAIT_S - job->now_s);
  return TRUE;
}

/* The id is part of what is hashed, so the row comes first and its MAC after. */
static gboolean
insert_code(Db *db, IssueJob *job, GError **error)
{
  static const guint8 no_mac[CRYPT_SHA256_BYTES];
  guint8 number[CRYPT_SHA256_BYTES];
  guint8 sender[CRYPT_SHA256_BYTES];
  const Entry *entry = job->entry;
  guint32 key = g_array_index(job->store->derived, Derived, 0).id;
  if (!store_mac_address(job->store, 0, DERIVED_NUMBER, entry->organisation, goes_to(entry),
                         TRUE, number, error) ||
      !store_mac_address(job->store, 0, DERIVED_SENDER, entry->organisation, entry->sender,
                         TRUE, sender, error) ||
      !db_run(db, "UPDATE code SET dead = 1 WHERE entry = ?1 AND dead = 0",
              DB_VALUES(V_INT(job->row)), error) ||
      !db_run(db,
              "INSERT INTO code (entry, organisation, number, sender, store_key, mac,"
              "  issued_s, expires_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
              DB_VALUES(V_INT(job->row), V_TEXT(entry->organisation), V_MAC(number),
                        V_MAC(sender), V_INT(key), V_MAC(no_mac), V_INT(job->now_s),
                        V_INT(job->now_s + STORE_CODE_LIFE_S)),
              error))
    return FALSE;
  job->code_id = db_last_id(db);
  return TRUE;
}

static gboolean
issue_new(Db *db, IssueJob *job, GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  return make_code(job->code, error) && insert_code(db, job, error) &&
         mac_code(job->store, 0, job->entry, job->code_id, job->code, mac, error) &&
         db_run(db, "UPDATE code SET mac = ?1 WHERE id = ?2",
                DB_VALUES(V_MAC(mac), V_INT(job->code_id)), error) &&
         history_add(db, job->row, HISTORY_CODE_SENT, job->now_s, NULL, error);
}

/* The event EVENT is one of KIND, because of REASON (may be NULL). */
static void
become(Event *event, EventKind kind, const char *reason)
{
  if (event == NULL)
    return;
  event_become(event, kind);
  event_add(event, "reason", reason);
}

/* Who has to wait a little is refused nothing. */
static gboolean
record_refusal(Db *db, IssueJob *job, GError **error)
{
  if (job->result == CODE_WAIT)
    return TRUE;
  become(job->record.event, EVENT_CODE_REFUSED,
         job->result == CODE_LIMIT_LINK ? "link-limit" : "limit");
  return record_add(db, &job->record, error);
}

static gboolean
issue(Db *db, gpointer data, GError **error)
{
  IssueJob *job = data;
  job->result = CODE_ISSUED;
  if (!bury_codes(db, job->now_s, error) ||
      !entry_find_row(db, job->entry, job->now_s, &job->row, error))
    return FALSE;
  if (job->row == 0)
    return entry_set_gone(error);
  if (!check_wait(db, job, error) ||
      (job->result == CODE_ISSUED && !check_limits(db, job, error)))
    return FALSE;
  return job->result == CODE_ISSUED ? issue_new(db, job, error)
                                    : record_refusal(db, job, error);
}

gboolean
store_issue_code(Store *store, const Entry *entry, const CodeLimits *limits, Event *event,
                 CodeIssue *result, char code[STORE_CODE_DIGITS + 1], gint64 *code_id,
                 guint *wait_s, GError **error)
{
  IssueJob job = {.store = store, .entry = entry, .limits = limits};
  job.record = (Record){store, event, FALSE};
  job.now_s = store_now(store);
  memset(code, 0, STORE_CODE_DIGITS + 1);
  *code_id = 0;
  *wait_s = 0;
  gboolean done = record_run(store, issue, &job, &job.record, error);
  if (done) {
    *result = job.result;
    *wait_s = job.wait_s;
  }
  if (done && job.result == CODE_ISSUED) {
    memcpy(code, job.code, sizeof job.code);
    *code_id = job.code_id;
  }
  secret_wipe(&job, sizeof job);
  return done;
}

static gboolean
count_all(Db *db, const char *organisation, gint64 code_id, gint64 since_s,
          guint *organisation_used, guint *total_used, GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "SELECT count(*), count(CASE WHEN organisation = ?3 THEN 1 END) FROM code"
               "  WHERE issued_s > ?1 AND id <= ?2",
               DB_VALUES(V_INT(since_s), V_INT(code_id), V_TEXT(organisation)), error);
  if (query == NULL || query_step(query, error) != 1)
    return FALSE;
  *total_used = (guint) query_int(query, 0);
  *organisation_used = (guint) query_int(query, 1);
  return TRUE;
}

gboolean
store_count_codes(Store *store, const char *organisation, gint64 code_id,
                  guint *organisation_used, guint *total_used, GError **error)
{
  *organisation_used = *total_used = 0;
  Db *db = store_get_reader(store, error);
  if (db == NULL)
    return FALSE;
  gboolean done = count_all(db, organisation, code_id, store_now(store) - DAY_S,
                            organisation_used, total_used, error);
  store_put_reader(store, db);
  return done;
}

typedef struct {
  const Entry *entry;
  gint64 code_id;
  Record record;
} RevokeJob;

static gboolean
revoke_code(Db *db, gpointer data, GError **error)
{
  RevokeJob *job = data;
  gint64 entry = 0;
  if (!entry_find_any(db, job->entry->organisation, job->entry->reference, &entry, error) ||
      !db_run(db, "DELETE FROM code WHERE id = ?1 AND used = 0 AND entry = ?2",
              DB_VALUES(V_INT(job->code_id), V_INT(entry)), error))
    return FALSE;
  return (db_changes(db) == 0 || history_take_back(db, entry, HISTORY_CODE_SENT, error)) &&
         record_add(db, &job->record, error);
}

gboolean
store_revoke_code(Store *store, const Entry *entry, gint64 code_id, Event *event,
                  GError **error)
{
  RevokeJob job = {entry, code_id, {store, event, FALSE}};
  return record_run(store, revoke_code, &job, &job.record, error);
}

typedef struct {
  const Store *store;
  const Entry *entry;
  const char *code;
  gint64 now_s;
  gint64 row; /* of the entry */
  CodeCheck result;
  guint tries_left;
  guint8 session[STORE_SESSION_BYTES];
  Record record;
} CheckJob;

typedef struct {
  gint64 id;
  guint32 key;
  guint8 mac[CRYPT_SHA256_BYTES];
} FoundCode;

/* Counts a try of the entry's last code, before anything is compared. FOUND->id is 0 when
 * none may be tried. */
static gboolean
count_try(Db *db, CheckJob *job, FoundCode *found, GError **error)
{
  g_autoptr(Query) query = db_query(
      db,
      "UPDATE code SET tries = tries + 1"
      "  WHERE id = (SELECT max(id) FROM code WHERE entry = ?1)"
      "  AND tries < ?2 AND used = 0 AND dead = 0 AND expires_s > ?3 AND issued_s <= ?4"
      "  RETURNING id, store_key, mac, tries",
      DB_VALUES(V_INT(job->row), V_INT(STORE_CODE_TRIES), V_INT(job->now_s),
                V_INT(job->now_s + CLOCK_SLACK_S)),
      error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step <= 0)
    return step == 0;
  gsize len = 0;
  gconstpointer mac = query_blob(query, 2, &len);
  if (len == sizeof found->mac)
    memcpy(found->mac, mac, len);
  found->id = query_int(query, 0);
  found->key = (guint32) query_int(query, 1);
  job->tries_left = (guint) MAX(0, STORE_CODE_TRIES - query_int(query, 3));
  return query_step(query, error) >= 0; /* to its end: only then is it counted */
}

/* Why no code could be tried. */
static gboolean
explain(Db *db, CheckJob *job, GError **error)
{
  g_autoptr(Query) query =
      db_query(db,
               "SELECT tries >= ?2 AND used = 0 AND dead = 0 FROM code"
               "  WHERE id = (SELECT max(id) FROM code WHERE entry = ?1)",
               DB_VALUES(V_INT(job->row), V_INT(STORE_CODE_TRIES)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  job->result = step > 0 && query_int(query, 0) != 0 ? CODE_NO_TRIES : CODE_EXPIRED;
  return step >= 0;
}

static gboolean
begin_session(Db *db, CheckJob *job, gint64 code_id, GError **error)
{
  job->result = CODE_RIGHT;
  return db_run(db, "UPDATE code SET used = 1, dead = 1 WHERE id = ?1",
                DB_VALUES(V_INT(code_id)), error) &&
         session_begin(db, job->row, job->now_s, job->session, error);
}

static gboolean
compare(Db *db, CheckJob *job, const FoundCode *found, GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  int index = derived_find(job->store, found->key, error);
  if (index < 0 ||
      !mac_code(job->store, (guint) index, job->entry, found->id, job->code, mac, error))
    return FALSE;
  if (crypt_equal(mac, found->mac, sizeof mac))
    return begin_session(db, job, found->id, error);
  job->result = CODE_WRONG;
  return TRUE;
}

static gboolean
record_check(Db *db, CheckJob *job, GError **error)
{
  static const char *const reasons[] = {
      [CODE_NO_TRIES] = "no-tries", [CODE_EXPIRED] = "expired"};
  become(job->record.event, job->result == CODE_RIGHT ? EVENT_LOGIN : EVENT_CODE_WRONG,
         reasons[job->result]);
  return record_add(db, &job->record, error);
}

static gboolean
check(Db *db, gpointer data, GError **error)
{
  CheckJob *job = data;
  FoundCode found = {.id = 0};
  if (!bury_codes(db, job->now_s, error) ||
      !entry_find_row(db, job->entry, job->now_s, &job->row, error) ||
      !count_try(db, job, &found, error))
    return FALSE;
  if (found.id != 0 ? !compare(db, job, &found, error) : !explain(db, job, error))
    return FALSE;
  return record_check(db, job, error);
}

gboolean
store_check_code(Store *store, const Entry *entry, const char *code, Event *event,
                 CodeCheck *result, guint8 session[STORE_SESSION_BYTES], guint *tries_left,
                 GError **error)
{
  memset(session, 0, STORE_SESSION_BYTES);
  *tries_left = 0;
  *result = CODE_WRONG;
  if (strlen(code) != STORE_CODE_DIGITS ||
      strspn(code, "0123456789") != STORE_CODE_DIGITS) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "not a code");
    return FALSE;
  }
  CheckJob job = {.store = store, .entry = entry, .code = code};
  job.record = (Record){store, event, FALSE};
  job.now_s = store_now(store);
  gboolean done = record_run(store, check, &job, &job.record, error);
  if (done) {
    *result = job.result;
    *tries_left = job.tries_left;
  }
  if (done && job.result == CODE_RIGHT)
    memcpy(session, job.session, STORE_SESSION_BYTES);
  secret_wipe(&job, sizeof job);
  return done;
}
