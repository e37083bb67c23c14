#include "zegelctl/observed.h"

#include <string.h>

#include "zegelctl/log_date.h"

#define TAG            "zegel-milter["
#define EVENT          "event=observed, "
#define BY_DEFAULT     "Z-S5-DEFAULT"
#define MAX_RECIPIENTS 1000000

static void
sender_free(gpointer p)
{
  ObservedSender *sender = p;
  g_free(sender->organisation);
  g_free(sender->sender);
  g_hash_table_unref(sender->codes);
  g_free(sender);
}

Observed *
observed_new(void)
{
  Observed *observed = g_new0(Observed, 1);
  observed->senders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, sender_free);
  observed->codes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return observed;
}

void
observed_free(Observed *observed)
{
  if (observed == NULL)
    return;
  g_hash_table_unref(observed->senders);
  g_hash_table_unref(observed->codes);
  g_free(observed);
}

/* ---- The line ---- */

/* The number in the LEN characters at TEXT, blanks before it left aside; -1: none. */
static gint
number_at(const char *text, gsize len, guint max)
{
  g_autofree char *digits = g_strndup(text, len);
  guint64 number = 0;
  return g_ascii_string_to_unsigned(g_strchug(digits), 10, 0, max, &number, NULL)
             ? (gint) number
             : -1;
}

/*
 * What stands behind "event=observed, " when the milter itself wrote REST (" HOST
 * zegel-milter[PID]: QUEUEID: ..."): other programs log what strangers say.
 */
static const char *
find_event(const char *rest)
{
  if (*rest != ' ')
    return NULL;
  const char *tag = strchr(rest + 1, ' ');
  if (tag == NULL || !g_str_has_prefix(tag + 1, TAG))
    return NULL;
  const char *id = strstr(tag + 1, "]: ");
  if (id == NULL ||
      strspn(tag + 1 + strlen(TAG), "0123456789") != (gsize) (id - (tag + 1 + strlen(TAG))))
    return NULL;
  id += strlen("]: ");
  const char *event = id + strcspn(id, " ");
  return event > id && event[-1] == ':' && g_str_has_prefix(event, " " EVENT)
             ? event + strlen(" " EVENT)
             : NULL;
}

/* "KEY=VALUE, ..." as a table. */
static GHashTable *
parse_pairs(const char *text)
{
  GHashTable *pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_auto(GStrv) words = g_strsplit(text, ", ", -1);
  for (char **word = words; *word != NULL; word++) {
    char *sign = strchr(*word, '=');
    if (sign != NULL)
      g_hash_table_replace(pairs, g_strndup(*word, (gsize) (sign - *word)),
                           g_strdup(sign + 1));
  }
  return pairs;
}

/* ---- Counting ---- */

static ObservedSender *
find_sender(Observed *observed, const char *organisation, const char *sender)
{
  if (g_hash_table_size(observed->senders) >= OBSERVED_MAX_SENDERS)
    sender = OBSERVED_OTHERS;
  g_autofree char *key = g_strdup_printf("%s %s", organisation, sender);
  ObservedSender *found = g_hash_table_lookup(observed->senders, key);
  if (found != NULL)
    return found;
  found = g_new0(ObservedSender, 1);
  found->organisation = g_strdup(organisation);
  found->sender = g_strdup(sender);
  found->codes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert(observed->senders, g_steal_pointer(&key), found);
  return found;
}

/* Whether PAIRS says that more than nobody would have gone by ROUTE. */
static gboolean
has_route(GHashTable *pairs, const char *route)
{
  const char *text = g_hash_table_lookup(pairs, route);
  return text != NULL && number_at(text, strlen(text), MAX_RECIPIENTS) > 0;
}

/* Where in COUNT the message of PAIRS belongs, or NULL. */
static guint *
find_class(ObservedCount *count, GHashTable *pairs)
{
  const char *would = g_hash_table_lookup(pairs, "would");
  if (g_strcmp0(would, "pass") == 0)
    return &count->pass;
  if (g_strcmp0(would, "refuse") == 0)
    return &count->refused;
  if (g_strcmp0(would, "unknown") == 0)
    return &count->unknown;
  if (g_strcmp0(would, "seal") != 0)
    return NULL;
  if (has_route(pairs, "viewer"))
    return &count->viewer;
  return has_route(pairs, "direct") ? &count->direct : &count->own;
}

static void
add_count(ObservedCount *count, GHashTable *codes, GHashTable *pairs)
{
  guint *one = find_class(count, pairs);
  const char *code = g_hash_table_lookup(pairs, "code");
  const char *reason = g_hash_table_lookup(pairs, "reason");
  count->messages++;
  (*one)++;
  if (one == &count->refused) {
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(codes, code));
    g_hash_table_replace(codes, g_strdup(code), GUINT_TO_POINTER(before + 1));
  }
  if (one != &count->pass && g_strcmp0(reason != NULL ? reason : code, BY_DEFAULT) == 0)
    count->by_default++;
}

gboolean
observed_add_line(Observed *observed, const char *line, gint64 now_s, gint64 since_s)
{
  const char *rest = line;
  gint64 date_s = log_date_parse(line, now_s, &rest);
  const char *event = date_s != 0 && date_s >= since_s ? find_event(rest) : NULL;
  if (event == NULL)
    return FALSE;
  g_autoptr(GHashTable) pairs = parse_pairs(event);
  const char *organisation = g_hash_table_lookup(pairs, "org");
  const char *from = g_hash_table_lookup(pairs, "from");
  if (organisation == NULL || from == NULL || g_hash_table_lookup(pairs, "code") == NULL ||
      find_class(&observed->total, pairs) == NULL)
    return FALSE;
  g_autofree char *lower = g_ascii_strdown(from, -1);
  ObservedSender *sender = find_sender(observed, organisation, lower);
  add_count(&sender->count, sender->codes, pairs);
  add_count(&observed->total, observed->codes, pairs);
  if (observed->first_s == 0 || date_s < observed->first_s)
    observed->first_s = date_s;
  observed->last_s = MAX(observed->last_s, date_s);
  return TRUE;
}

/* ---- Order ---- */

static gint
compare_senders(gconstpointer a, gconstpointer b)
{
  const ObservedSender *one = *(const ObservedSender *const *) a;
  const ObservedSender *other = *(const ObservedSender *const *) b;
  gint order = strcmp(one->organisation, other->organisation);
  if (order == 0 && one->count.messages != other->count.messages)
    order = one->count.messages > other->count.messages ? -1 : 1;
  return order != 0 ? order : strcmp(one->sender, other->sender);
}

GPtrArray *
observed_sorted(const Observed *observed)
{
  GPtrArray *senders = g_ptr_array_new();
  GHashTableIter iter;
  gpointer sender;
  g_hash_table_iter_init(&iter, observed->senders);
  while (g_hash_table_iter_next(&iter, NULL, &sender))
    g_ptr_array_add(senders, sender);
  g_ptr_array_sort(senders, compare_senders);
  return senders;
}

static gint
compare_codes(gconstpointer a, gconstpointer b, gpointer codes)
{
  const char *one = *(const char *const *) a, *other = *(const char *const *) b;
  guint n = GPOINTER_TO_UINT(g_hash_table_lookup(codes, one));
  guint m = GPOINTER_TO_UINT(g_hash_table_lookup(codes, other));
  return n != m ? (n > m ? -1 : 1) : strcmp(one, other);
}

GPtrArray *
observed_sorted_codes(GHashTable *codes)
{
  GPtrArray *sorted = g_ptr_array_new();
  GHashTableIter iter;
  gpointer code;
  g_hash_table_iter_init(&iter, codes);
  while (g_hash_table_iter_next(&iter, &code, NULL))
    g_ptr_array_add(sorted, code);
  g_ptr_array_sort_with_data(sorted, compare_codes, codes);
  return sorted;
}
