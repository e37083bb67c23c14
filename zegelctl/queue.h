/*
 * queue.h - the mail that waits in Postfix's queue, by label: what postqueue(1) -j prints.
 */
#pragma once

#include <glib.h>

#include "common/base/label.h"

#define QUEUE_LABELS  (LABEL_SEAL + 1)
#define QUEUE_WAIT_MS 5000 /* what postqueue may take */

typedef struct {
  guint64 messages;   /* with such a recipient */
  guint64 recipients; /* that still wait */
  gint64 oldest_s;    /* when the oldest such message came; 0: there is none */
} QueueCount;

/*
 * Adds LINE (LEN octets), one message as postqueue -j prints it, to COUNTS. FALSE when it
 * is none; COUNTS are then as they were. Pure.
 */
gboolean
queue_add_line(QueueCount counts[QUEUE_LABELS], const char *line, gsize len);

/*
 * Adds the queue of the Postfix of DIRECTORY to COUNTS. FALSE with ZEGEL_ERROR_TEMPORARY,
 * also when it takes too long.
 */
gboolean
queue_count(const char *directory, QueueCount counts[QUEUE_LABELS], GError **error);
