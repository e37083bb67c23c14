/*
 * read_trail DATABASE KEY-FILE [AFTER] - prints the records of the audit trail behind
 * number AFTER, as blocks of attributes with that number in front ("record").
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/audit/trail.h"

static gboolean
print_record(const TrailRecord *record, gpointer data, GError **error)
{
  (void) data;
  (void) error;
  g_autofree char *text = attrs_format(record->attrs, ATTR_ESCAPED);
  printf("record=%" G_GUINT64_FORMAT "\n%s", record->number, text);
  return TRUE;
}

static gboolean
read_trail(int argc, char **argv, GError **error)
{
  TrailQuery query = {0};
  if (argc > 3 &&
      !g_ascii_string_to_unsigned(argv[3], 10, 0, G_MAXINT64, &query.after, error))
    return FALSE;
  g_autoptr(KeyRing) keys = keyring_load(argv[2], KEY_AUDIT, error);
  g_autoptr(Trail) trail = keys != NULL ? trail_open(argv[1], keys, error) : NULL;
  return trail != NULL && trail_each(trail, &query, print_record, NULL, error);
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  if (argc < 3)
    return EXIT_FAILURE;
  if (read_trail(argc, argv, &error))
    return EXIT_SUCCESS;
  fprintf(stderr, "read_trail: %s\n", error->message);
  return EXIT_FAILURE;
}
