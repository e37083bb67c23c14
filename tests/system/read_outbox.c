/*
 * read_outbox DATABASE DIRECTORY KEY-FILE - prints the events that wait in the store, as
 * blocks of attributes, in their order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/store/outbox.h"

static gboolean
print_waiting(Store *store, GError **error)
{
  g_autoptr(GPtrArray) list = store_waiting_events(store, G_MAXINT, error);
  for (guint i = 0; list != NULL && i < list->len; i++) {
    const WaitingEvent *one = list->pdata[i];
    g_autoptr(Attrs) attrs = one->event != NULL ? event_format(one->event) : attrs_new();
    g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
    fputs(text, stdout);
  }
  return list != NULL;
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  if (argc != 4)
    return EXIT_FAILURE;
  g_autoptr(KeyRing) keys = keyring_load(argv[3], KEY_STORE, &error);
  g_autoptr(Store) store = keys != NULL ? store_open(argv[1], argv[2], keys, &error) : NULL;
  if (store != NULL && print_waiting(store, &error))
    return EXIT_SUCCESS;
  fprintf(stderr, "read_outbox: %s\n", error->message);
  return EXIT_FAILURE;
}
