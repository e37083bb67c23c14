#include "common/seen/sight.h"

#include <string.h>

static void
value_free(gpointer p)
{
  SightValue *value = p;
  g_free(value->text);
  g_free(value);
}

static void
look_free(gpointer p)
{
  SightLook *look = p;
  g_ptr_array_unref(look->values);
  g_free(look->name);
  g_free(look);
}

Sight *
sight_new(const char *domain, gboolean ours, gint64 at_s)
{
  Sight *sight = g_new0(Sight, 1);
  sight->domain = g_strdup(domain);
  sight->ours = ours;
  sight->readiness = SIGHT_UNKNOWN;
  sight->code = g_strdup("");
  sight->at_s = at_s;
  sight->looks = g_ptr_array_new_with_free_func(look_free);
  return sight;
}

void
sight_free(Sight *sight)
{
  if (sight == NULL)
    return;
  g_ptr_array_unref(sight->looks);
  g_free(sight->domain);
  g_free(sight->code);
  g_free(sight);
}

SightLook *
sight_look(Sight *sight, SeenKind kind, const char *name)
{
  SightLook *look = g_new0(SightLook, 1);
  look->kind = kind;
  look->name = g_strdup(name);
  look->values = g_ptr_array_new_with_free_func(value_free);
  g_ptr_array_add(sight->looks, look);
  return look;
}

void
sight_add(SightLook *look, const char *text, int begins, int ends)
{
  g_autofree char *cut = g_strndup(text, SIGHT_VALUE_MAX_BYTES);
  if (look->values->len == SIGHT_VALUES_MAX)
    return;
  for (guint i = 0; i < look->values->len; i++)
    if (strcmp(((const SightValue *) look->values->pdata[i])->text, cut) == 0)
      return;
  SightValue *value = g_new0(SightValue, 1);
  value->text = g_steal_pointer(&cut);
  value->begins = begins;
  value->ends = ends;
  g_ptr_array_add(look->values, value);
}

static int
compare_values(gconstpointer a, gconstpointer b)
{
  return strcmp((*(const SightValue *const *) a)->text,
                (*(const SightValue *const *) b)->text);
}

/* TEXT with the NUL behind it, so that no two lists read the same. */
static void
digest_text(GChecksum *sum, const char *text)
{
  g_checksum_update(sum, (const guchar *) text, (gssize) strlen(text) + 1);
}

/* The DNS gives records in any order. */
static void
digest_look(GChecksum *sum, const SightLook *look)
{
  g_autoptr(GPtrArray) sorted = g_ptr_array_new();
  for (guint i = 0; i < look->values->len; i++)
    g_ptr_array_add(sorted, look->values->pdata[i]);
  g_ptr_array_sort(sorted, compare_values);
  digest_text(sum, seen_kind_name(look->kind));
  digest_text(sum, look->name);
  for (guint i = 0; i < sorted->len; i++)
    digest_text(sum, ((const SightValue *) sorted->pdata[i])->text);
  digest_text(sum, "");
}

char *
sight_digest(const Sight *sight)
{
  static const char *const words[] = {
      [SIGHT_NOT_READY] = "no", [SIGHT_READY] = "yes", [SIGHT_UNKNOWN] = "unknown"};
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  digest_text(sum, sight->domain);
  digest_text(sum, sight->ours ? "ours" : "theirs");
  digest_text(sum, words[sight->readiness]);
  digest_text(sum, sight->code);
  for (guint i = 0; i < sight->looks->len; i++)
    digest_look(sum, sight->looks->pdata[i]);
  return g_strdup(g_checksum_get_string(sum));
}

const char *
seen_kind_name(SeenKind kind)
{
  static const char *const names[SEEN_KINDS] = {
      [SEEN_NTA] = "nta", [SEEN_NTAMX] = "ntamx", [SEEN_MX] = "mx", [SEEN_TLSA] = "tlsa"};
  return names[kind];
}
