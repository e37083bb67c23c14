#include "milter/arrival.h"

Arrival *
arrival_new(const char *const *args)
{
  Arrival *arrival = g_new0(Arrival, 1);
  arrival->sender = g_strdupv((GStrv) args);
  arrival->recipients = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
  arrival->fields = fields_new();
  return arrival;
}

void
arrival_free(Arrival *arrival)
{
  if (arrival == NULL)
    return;
  client_clear(&arrival->client);
  g_strfreev(arrival->sender);
  g_ptr_array_unref(arrival->recipients);
  fields_free(arrival->fields);
  g_free(arrival);
}

void
arrival_add_recipient(Arrival *arrival, const char *const *args)
{
  g_ptr_array_add(arrival->recipients, g_strdupv((GStrv) args));
}

void
arrival_add_field(Arrival *arrival, const char *given, const char *value)
{
  g_autofree char *name = g_strchomp(g_strdup(given)); /* "Subject :" */
  fields_add(arrival->fields, name, value);
}
