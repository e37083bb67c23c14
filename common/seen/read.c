/*
 * What seen.db holds, and what was told of it.
 */
#include <string.h>

#include "common/seen/internal.h"

static const char records_sql[] =
    "SELECT value, begins, ends, record.first_s, record.last_s,"
    " record.last_s = look.last_s, record.first_s > min(record.first_s) OVER ()"
    " FROM record JOIN look USING (kind, name) WHERE kind = ?1 AND name = ?2"
    " ORDER BY record.first_s DESC, value";
static const char domains_sql[] =
    "SELECT domain, ours, ready, code, since_s, last_s, ready_s FROM domain"
    " ORDER BY domain, ours";
static const char domain_sql[] =
    "SELECT domain, ours, ready, code, since_s, last_s, ready_s FROM domain"
    " WHERE domain = ?1 AND ours = ?2";
static const char told_sql[] = "SELECT 1 FROM told WHERE how = ?1 AND key = ?2";
static const char tell_sql[] =
    "INSERT INTO told (how, key, first_s, last_s) VALUES (?1, ?2, ?3, ?3)"
    " ON CONFLICT (how, key) DO UPDATE SET last_s = excluded.last_s";

static void
record_free(gpointer p)
{
  SeenRecord *record = p;
  g_free(record->text);
  g_free(record);
}

void
seen_domain_free(SeenDomain *domain)
{
  if (domain == NULL)
    return;
  g_free(domain->domain);
  g_free(domain->code);
  g_free(domain);
}

static void
free_domain(gpointer p)
{
  seen_domain_free(p);
}

/* The row at hand. */
static SeenRecord *
read_record(Query *query)
{
  SeenRecord *record = g_new0(SeenRecord, 1);
  record->text = g_strdup(query_text(query, 0));
  record->begins = (int) query_int(query, 1);
  record->ends = (int) query_int(query, 2);
  record->first_s = query_int(query, 3);
  record->last_s = query_int(query, 4);
  record->there = query_int(query, 5) != 0;
  record->later = query_int(query, 6) != 0;
  return record;
}

GPtrArray *
seen_records(Seen *seen, SeenKind kind, const char *name, GError **error)
{
  g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(record_free);
  g_autoptr(Query) query = db_query(
      seen->db, records_sql, DB_VALUES(V_TEXT(seen_kind_name(kind)), V_TEXT(name)), error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0)
    g_ptr_array_add(records, read_record(query));
  return step < 0 ? NULL : g_steal_pointer(&records);
}

static SeenDomain *
read_domain(Query *query)
{
  SeenDomain *domain = g_new0(SeenDomain, 1);
  domain->domain = g_strdup(query_text(query, 0));
  domain->ours = query_int(query, 1) != 0;
  domain->ready = query_int(query, 2) != 0;
  domain->code = g_strdup(query_text(query, 3));
  domain->since_s = query_int(query, 4);
  domain->last_s = query_int(query, 5);
  domain->ready_s = query_int(query, 6);
  return domain;
}

GPtrArray *
seen_domains(Seen *seen, GError **error)
{
  g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(free_domain);
  g_autoptr(Query) query = db_query(seen->db, domains_sql, DB_NO_VALUES, error);
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0)
    g_ptr_array_add(domains, read_domain(query));
  return step < 0 ? NULL : g_steal_pointer(&domains);
}

gboolean
seen_domain(Seen *seen, const char *domain, gboolean ours, SeenDomain **found,
            GError **error)
{
  *found = NULL;
  g_autoptr(Query) query =
      db_query(seen->db, domain_sql, DB_VALUES(V_TEXT(domain), V_INT(ours)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  if (step > 0)
    *found = read_domain(query);
  return step >= 0;
}

/* ---- What was told ---- */

static const char *
how_name(SeenTold how)
{
  return how == SEEN_TOLD_MAIL ? "mail" : "event";
}

gboolean
seen_was_told(Seen *seen, SeenTold how, const char *key, gboolean *told, GError **error)
{
  g_autoptr(Query) query =
      db_query(seen->db, told_sql, DB_VALUES(V_TEXT(how_name(how)), V_TEXT(key)), error);
  int step = query != NULL ? query_step(query, error) : -1;
  *told = step > 0;
  return step >= 0;
}

gboolean
seen_tell(Seen *seen, SeenTold how, const char *key, gint64 at_s, GError **error)
{
  return db_run(seen->db, tell_sql,
                DB_VALUES(V_TEXT(how_name(how)), V_TEXT(key), V_INT(at_s)), error) &&
         db_checkpoint(seen->db, DB_CHECKPOINT_PASSIVE, error);
}
