#include "zegelctl/message_find.h"

#include <string.h>

#include "common/base/error.h"

/* Whether WORD (NULL is allowed) is an address or a Message-ID, and no "@domain". */
static gboolean
is_address(const char *word)
{
  return word != NULL && *word != '@' && strchr(word, '@') != NULL;
}

/* ---- Records as rows ---- */

static gboolean
is_event(const TrailRecord *record, const char *name)
{
  return g_strcmp0(attrs_get(record->attrs, "event"), name) == 0;
}

/* A TrailFunc that collects the rows that records make, each once. */
typedef struct {
  GPtrArray *rows;
  GHashTable *seen; /* their numbers */
} Collect;

static gboolean
collect(const TrailRecord *record, gpointer data, GError **error)
{
  Collect *into = data;
  gint64 number = (gint64) record->number;
  (void) error;
  if ((is_event(record, "routed") || is_event(record, "refused")) &&
      g_hash_table_add(into->seen, g_memdup2(&number, sizeof number)))
    g_ptr_array_add(into->rows, message_row_new(record));
  return TRUE;
}

static Collect
collect_new(void)
{
  return (Collect){g_ptr_array_new_with_free_func((GDestroyNotify) message_row_free),
                   g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)};
}

/* Ends INTO, and returns its rows, or NULL when it is not DONE. */
static GPtrArray *
collect_end(Collect *into, gboolean done)
{
  g_hash_table_unref(into->seen);
  if (!done)
    g_clear_pointer(&into->rows, g_ptr_array_unref);
  return into->rows;
}

/* ---- More of one row ---- */

static gboolean
take(const TrailRecord *record, gpointer row, GError **error)
{
  (void) error;
  message_row_take(row, record);
  return TRUE;
}

gboolean
message_complete(Trail *trail, MessageRow *row, GError **error)
{
  const TrailQuery by_queue_id = {.queue_id = row->queue_id, .event = "stored"};
  const TrailQuery by_message = {.message_id = row->message_id, .event = "stored"};
  gboolean passed = row->passed && *row->message_id != '\0';
  if (row->refused || *row->queue_id == '\0')
    return TRUE;
  if (!trail_each(trail, passed ? &by_message : &by_queue_id, take, row, error))
    return FALSE;
  const TrailQuery by_reference = {.reference = row->reference};
  return *row->reference == '\0' || trail_each(trail, &by_reference, take, row, error);
}

/* Whether the same recipient has a row of the first pass. */
typedef struct {
  const MessageRow *row;
  gboolean found;
} First;

static gboolean
look_for_first(const TrailRecord *record, gpointer data, GError **error)
{
  First *first = data;
  g_autoptr(MessageRow) other = message_row_new(record);
  (void) error;
  if (!other->passed && other->number < first->row->number &&
      g_ascii_strcasecmp(other->to, first->row->to) == 0 &&
      g_ascii_strcasecmp(other->from, first->row->from) == 0)
    first->found = TRUE;
  return TRUE;
}

/* ROW is of a later pass, and its recipient has one already: into *REPEAT. */
static gboolean
is_repeat(Trail *trail, const MessageRow *row, gboolean *repeat, GError **error)
{
  First first = {row, FALSE};
  const TrailQuery query = {.message_id = row->message_id, .event = "routed"};
  gboolean done = !row->passed || *row->message_id == '\0' ||
                  trail_each(trail, &query, look_for_first, &first, error);
  *repeat = first.found;
  return done;
}

/* ---- Going through all ---- */

typedef struct {
  Trail *trail;
  const MessageFilter *filter;
  MessageFunc func;
  gpointer data;
} Each;

/* Whether ADDRESS is WORD, an address or a domain. */
static gboolean
is_named(const char *address, const char *word)
{
  const MessageRow row = {.from = (char *) address,
                          .to = (char *) "",
                          .queue_id = (char *) "",
                          .reference = (char *) "",
                          .message_id = (char *) ""};
  return word == NULL || message_row_has(&row, word);
}

static gboolean
fits(const MessageRow *row, const MessageFilter *filter)
{
  return (filter->organisation == NULL ||
          strcmp(row->organisation, filter->organisation) == 0) &&
         (filter->from_us == 0 || row->at_us >= filter->from_us) &&
         (filter->until_us == 0 || row->at_us < filter->until_us) &&
         is_named(row->from, filter->sender) && is_named(row->to, filter->recipient) &&
         (filter->route == NULL || strcmp(row->route, filter->route) == 0);
}

static gboolean
each_record(const TrailRecord *record, gpointer data, GError **error)
{
  const Each *each = data;
  gboolean repeat = FALSE;
  g_autoptr(MessageRow) row = message_row_new(record);
  if (!fits(row, each->filter))
    return TRUE;
  if (!is_repeat(each->trail, row, &repeat, error))
    return FALSE;
  return repeat || each->func(g_steal_pointer(&row), each->data, error);
}

gboolean
message_find_each(Trail *trail, const MessageFilter *filter, MessageFunc func,
                  gpointer data, GError **error)
{
  Each each = {trail, filter, func, data};
  const char *person = is_address(filter->recipient) ? filter->recipient
                       : is_address(filter->sender)  ? filter->sender
                                                     : NULL;
  const TrailQuery query = {.from_us = filter->from_us,
                            .until_us = filter->until_us,
                            .organisation = filter->organisation,
                            .event = filter->refused ? "refused" : "routed",
                            .person = person,
                            .newest_first = TRUE};
  return trail_each(trail, &query, each_record, &each, error);
}

/* ---- By word ---- */

/* With a TrailFunc that collects the rows of the messages that records are about. */
typedef struct {
  Trail *trail;
  Collect *into;
} Messages;

static gboolean
collect_message(const TrailRecord *record, gpointer data, GError **error)
{
  const Messages *messages = data;
  const TrailQuery of_id = {.queue_id = attrs_get(record->attrs, "queue-id")};
  const TrailQuery of_message = {.message_id = attrs_get(record->attrs, "message-id")};
  gboolean named = of_message.message_id != NULL && *of_message.message_id != '\0';
  return (of_id.queue_id == NULL ||
          trail_each(messages->trail, &of_id, collect, messages->into, error)) &&
         (!named ||
          trail_each(messages->trail, &of_message, collect, messages->into, error));
}

static gboolean
collect_of_reference(Trail *trail, const char *reference, Collect *into, GError **error)
{
  Messages messages = {trail, into};
  const TrailQuery query = {.reference = reference, .event = "stored"};
  return trail_each(trail, &query, collect_message, &messages, error);
}

/* Whether WORD looks like a reference. */
static gboolean
may_be_reference(const char *word)
{
  return strlen(word) == STORE_REFERENCE_CHARS && strpbrk(word, "@.<>") == NULL;
}

/* Whether ROW has all of WORDS: its reference is looked up when it takes one. */
static gboolean
has_all(Trail *trail, MessageRow *row, char **words, guint count, gboolean *has,
        GError **error)
{
  *has = TRUE;
  for (guint i = 0; i < count && *has; i++) {
    if (!message_row_has(row, words[i]) && *row->reference == '\0' &&
        may_be_reference(words[i]) && !message_complete(trail, row, error))
      return FALSE;
    *has = message_row_has(row, words[i]);
  }
  return TRUE;
}

/* What is searched for. Borrowed. */
typedef struct {
  Trail *trail;
  const MessageFilter *filter;
  char **words;
  guint count, limit;
  Collect *into;
  gboolean enough;
} Search;

/* Whether ROW is wanted: into *WANTED. */
static gboolean
is_wanted(const Search *search, MessageRow *row, gboolean *wanted, GError **error)
{
  gboolean repeat = FALSE;
  *wanted = FALSE;
  if (!fits(row, search->filter))
    return TRUE;
  if (!has_all(search->trail, row, search->words, search->count, wanted, error) ||
      (*wanted && !is_repeat(search->trail, row, &repeat, error)))
    return FALSE;
  *wanted = *wanted && !repeat;
  return TRUE;
}

/* A TrailFunc that keeps what is wanted, until that is enough. */
static gboolean
collect_wanted(const TrailRecord *record, gpointer data, GError **error)
{
  Search *search = data;
  gboolean wanted = FALSE;
  g_autoptr(MessageRow) row = message_row_new(record);
  if (!is_wanted(search, row, &wanted, error))
    return FALSE;
  if (!wanted)
    return TRUE;
  g_ptr_array_add(search->into->rows, g_steal_pointer(&row));
  search->enough = search->into->rows->len >= search->limit;
  if (search->enough) /* nobody sees this error: it ends the reading */
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "enough");
  return !search->enough;
}

/* Rows of a domain are found by looking at all EVENTs of that time. */
static gboolean
collect_of_domain(const Search *search, const char *event, GError **error)
{
  Collect found = collect_new();
  Search part = *search;
  g_autoptr(GError) problem = NULL;
  const TrailQuery query = {.from_us = search->filter->from_us,
                            .until_us = search->filter->until_us,
                            .event = event,
                            .newest_first = TRUE};
  part.into = &found;
  gboolean done = trail_each(search->trail, &query, collect_wanted, &part, &problem);
  if (!done && !part.enough)
    g_propagate_error(error, g_steal_pointer(&problem));
  g_autoptr(GPtrArray) rows = collect_end(&found, done || part.enough);
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    g_ptr_array_add(search->into->rows, rows->pdata[i]);
    rows->pdata[i] = NULL;
  }
  return rows != NULL;
}

/* Rows that may have the first of the words, whatever it is. */
static gboolean
collect_of_word(const Search *search, GError **error)
{
  const char *word = search->words[0];
  Trail *trail = search->trail;
  const TrailQuery of_person = {.person = word};
  const TrailQuery of_message = {.message_id = word};
  const TrailQuery of_queue_id = {.queue_id = word};
  if (is_address(word))
    return trail_each(trail, &of_person, collect, search->into, error) &&
           trail_each(trail, &of_message, collect, search->into, error);
  if (strchr(word, '.') != NULL || *word == '@')
    return collect_of_domain(search, "routed", error) &&
           collect_of_domain(search, "refused", error);
  return trail_each(trail, &of_queue_id, collect, search->into, error) &&
         collect_of_reference(trail, word, search->into, error);
}

static gint
newest_first(gconstpointer a, gconstpointer b)
{
  const MessageRow *one = *(const MessageRow *const *) a;
  const MessageRow *other = *(const MessageRow *const *) b;
  return (one->number < other->number) - (one->number > other->number);
}

static gint
oldest_first(gconstpointer a, gconstpointer b)
{
  return -newest_first(a, b);
}

GPtrArray *
message_search(Trail *trail, const MessageFilter *filter, char **words, guint word_count,
               guint limit, GError **error)
{
  Collect into = collect_new();
  Search search = {trail, filter, words, word_count, limit, &into, FALSE};
  gboolean done = collect_of_word(&search, error);
  g_autoptr(GPtrArray) rows = collect_end(&into, done);
  if (rows == NULL)
    return NULL;
  g_autoptr(GPtrArray) wanted =
      g_ptr_array_new_with_free_func((GDestroyNotify) message_row_free);
  g_ptr_array_sort(rows, newest_first);
  for (guint i = 0; i < rows->len && wanted->len < limit; i++) {
    gboolean want = FALSE;
    if (!is_wanted(&search, rows->pdata[i], &want, error))
      return NULL;
    if (want) {
      g_ptr_array_add(wanted, rows->pdata[i]);
      rows->pdata[i] = NULL;
    }
  }
  return g_steal_pointer(&wanted);
}

/* ---- A whole message ---- */

/*
 * With which queue id the message of row PLACE of ROWS came in: its own, or when it is a
 * later pass, that of the last one before it that its sender sent with this Message-ID.
 */
static const char *
came_as(const GPtrArray *rows, guint place)
{
  const MessageRow *row = rows->pdata[place];
  for (guint i = place; row->passed && i > 0; i--) {
    const MessageRow *before = rows->pdata[i - 1];
    if (!before->passed && strcmp(before->organisation, row->organisation) == 0 &&
        g_ascii_strcasecmp(before->from, row->from) == 0)
      return before->queue_id;
  }
  return row->queue_id;
}

/* The queue ids with which the messages came in that SEEDS are rows of. */
static GHashTable *
came_ids(const GPtrArray *rows, const GPtrArray *seeds)
{
  GHashTable *seed_ids = g_hash_table_new(g_str_hash, g_str_equal);
  GHashTable *ids = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < seeds->len; i++)
    g_hash_table_add(seed_ids, ((MessageRow *) seeds->pdata[i])->queue_id);
  for (guint i = 0; i < rows->len; i++)
    if (g_hash_table_contains(seed_ids, ((MessageRow *) rows->pdata[i])->queue_id))
      g_hash_table_add(ids, (gpointer) came_as(rows, i));
  g_hash_table_unref(seed_ids);
  return ids;
}

/* Whether row PLACE of ROWS is a later pass for somebody who has a row of the first. */
static gboolean
is_repeated(const GPtrArray *rows, guint place)
{
  const MessageRow *row = rows->pdata[place];
  const char *came = came_as(rows, place);
  for (guint i = 0; row->passed && i < place; i++) {
    const MessageRow *before = rows->pdata[i];
    if (g_ascii_strcasecmp(before->to, row->to) == 0 && strcmp(came_as(rows, i), came) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Of ROWS (the oldest first) those of the messages that SEEDS are rows of. */
static GPtrArray *
take_messages(GPtrArray *rows, const GPtrArray *seeds)
{
  GPtrArray *wanted = g_ptr_array_new_with_free_func((GDestroyNotify) message_row_free);
  g_autoptr(GHashTable) ids = came_ids(rows, seeds);
  g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < rows->len; i++)
    if (g_hash_table_contains(ids, came_as(rows, i)) && !is_repeated(rows, i))
      g_array_append_val(places, i);
  for (guint i = 0; i < places->len; i++) {
    gpointer *place = &rows->pdata[g_array_index(places, guint, i)];
    g_ptr_array_add(wanted, *place);
    *place = NULL;
  }
  return wanted;
}

/* Rows that may have WORD, a reference, a queue id or a Message-ID. */
static gboolean
collect_of_name(Trail *trail, const char *word, Collect *into, GError **error)
{
  const TrailQuery of_message = {.message_id = word};
  const TrailQuery of_queue_id = {.queue_id = word};
  if (strchr(word, '@') != NULL)
    return trail_each(trail, &of_message, collect, into, error);
  return trail_each(trail, &of_queue_id, collect, into, error) &&
         collect_of_reference(trail, word, into, error);
}

/* Those that have it, also of later passes, the oldest first; NULL with an error. */
static GPtrArray *
find_seeds(Trail *trail, const char *word, GError **error)
{
  char *words[] = {(char *) word};
  Collect found = collect_new();
  gboolean done = collect_of_name(trail, word, &found, error);
  g_autoptr(GPtrArray) rows = collect_end(&found, done);
  if (rows == NULL)
    return NULL;
  for (guint i = rows->len; i > 0; i--) {
    gboolean has = FALSE;
    if (!has_all(trail, rows->pdata[i - 1], words, 1, &has, error))
      return NULL;
    if (!has)
      g_ptr_array_remove_index(rows, i - 1);
  }
  g_ptr_array_sort(rows, oldest_first);
  return g_steal_pointer(&rows);
}

GPtrArray *
message_find(Trail *trail, const char *word, GError **error)
{
  g_autoptr(GPtrArray) seeds = find_seeds(trail, word, error);
  if (seeds == NULL)
    return NULL;
  const char *id = seeds->len > 0 ? ((MessageRow *) seeds->pdata[0])->message_id : "";
  if (*id == '\0')
    return g_steal_pointer(&seeds);
  Collect all = collect_new();
  const TrailQuery of_message = {.message_id = id};
  gboolean done = trail_each(trail, &of_message, collect, &all, error);
  g_autoptr(GPtrArray) rows = collect_end(&all, done);
  if (rows == NULL)
    return NULL;
  g_ptr_array_sort(rows, oldest_first);
  return take_messages(rows, seeds);
}
