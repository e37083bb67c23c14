#include "milter/plan.h"

#include <string.h>

static void
change_free(gpointer p)
{
  Change *change = p;
  g_free(change->name);
  g_free(change->value);
  g_free(change);
}

Plan *
plan_new(void)
{
  Plan *plan = g_new0(Plan, 1);
  plan->changes = g_ptr_array_new_with_free_func(change_free);
  return plan;
}

void
plan_free(Plan *plan)
{
  if (plan == NULL)
    return;
  refusal_reply_free(plan->reply);
  g_free(plan->reason);
  g_ptr_array_unref(plan->changes);
  g_free(plan);
}

void
plan_add(Plan *plan, ChangeKind kind, const char *name, guint index, const char *value)
{
  Change *change = g_new0(Change, 1);
  change->kind = kind;
  change->name = g_strdup(name);
  change->index = index;
  change->value = g_strdup(value);
  g_ptr_array_add(plan->changes, change);
}

void
plan_refuse(Plan *plan, Refusal refusal, const GPtrArray *names)
{
  plan->verdict = PLAN_REFUSE;
  refusal_reply_free(plan->reply);
  plan->reply = refusal_reply(refusal, names);
  g_ptr_array_set_size(plan->changes, 0);
}

/* Whether PATTERN, which may end with '*', is the name of FIELD. */
static gboolean
is_called(const Field *field, const char *pattern)
{
  gsize len = strlen(pattern);
  if (len > 0 && pattern[len - 1] == '*')
    return g_ascii_strncasecmp(field->name, pattern, len - 1) == 0;
  return field_is(field, pattern);
}

/* The name of FIELD without the blanks that may stand before its colon: a new string. */
static char *
bare_name(const Field *field)
{
  return g_strchomp(g_strdup(field->name));
}

/* The number, from 1, of field I of all among those called NAME. */
static guint
index_of(const Fields *fields, guint i, const char *name)
{
  guint index = 1;
  for (guint before = 0; before < i; before++)
    if (field_is(fields->list->pdata[before], name))
      index++;
  return index;
}

void
plan_remove_field(Plan *plan, const Fields *fields, guint i)
{
  g_autofree char *name = bare_name(fields->list->pdata[i]);
  plan_add(plan, CHANGE_HEADER_REMOVE, name, index_of(fields, i, name), NULL);
}

void
plan_remove_fields(Plan *plan, const Fields *fields, const char *name)
{
  for (guint i = fields->list->len; i > 0; i--)
    if (is_called(fields->list->pdata[i - 1], name))
      plan_remove_field(plan, fields, i - 1);
}

gboolean
plan_inserts(const Plan *plan, const char *name)
{
  for (guint i = 0; i < plan->changes->len; i++) {
    const Change *change = plan->changes->pdata[i];
    if (change->kind == CHANGE_HEADER_INSERT && g_ascii_strcasecmp(change->name, name) == 0)
      return TRUE;
  }
  return FALSE;
}

/* The change that PLAN has for field INDEX of those called NAME, or NULL. */
static const Change *
find_change(const Plan *plan, const char *name, guint index)
{
  for (guint i = 0; i < plan->changes->len; i++) {
    const Change *change = plan->changes->pdata[i];
    if ((change->kind == CHANGE_HEADER_REMOVE || change->kind == CHANGE_HEADER_SET) &&
        change->index == index && g_ascii_strcasecmp(change->name, name) == 0)
      return change;
  }
  return NULL;
}

/* Appends NAME: VALUE with the blank that libmilter's callers put in front. */
static void
add_set(Fields *fields, const char *name, const char *value)
{
  g_autofree char *spaced = g_strconcat(" ", value, NULL);
  fields_add(fields, name, spaced);
}

/* Moves the last field of FIELDS to PLACE. */
static void
move_last(Fields *fields, guint place)
{
  GPtrArray *list = fields->list;
  if (place + 1 >= list->len)
    return;
  gpointer last = list->pdata[list->len - 1];
  memmove(list->pdata + place + 1, list->pdata + place,
          (list->len - 1 - place) * sizeof(gpointer));
  list->pdata[place] = last;
}

Fields *
plan_leaving_fields(const Plan *plan, const Fields *fields)
{
  Fields *leaving = fields_new();
  for (guint i = 0; i < fields->list->len; i++) {
    const Field *field = fields->list->pdata[i];
    g_autofree char *name = bare_name(field);
    const Change *change = find_change(plan, name, index_of(fields, i, name));
    if (change == NULL)
      fields_add(leaving, field->name, field->value);
    else if (change->kind == CHANGE_HEADER_SET)
      add_set(leaving, change->name, change->value);
  }
  for (guint i = 0; i < plan->changes->len; i++) {
    const Change *change = plan->changes->pdata[i];
    if (change->kind != CHANGE_HEADER_INSERT)
      continue;
    guint before = leaving->list->len;
    add_set(leaving, change->name, change->value);
    if (leaving->list->len > before)
      move_last(leaving, change->index);
  }
  leaving->cut = leaving->cut || fields->cut;
  return leaving;
}
