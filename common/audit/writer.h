/*
 * writer.h - the one hand that writes the audit trail: zegel-auditd's.
 *
 * Each record is chained to the one before with SHA-256, and the chain carries a MAC at
 * each record, under a key that only zegel-auditd has. Values that say something of a
 * person are in the chain as salted commitments, so that erasing them breaks nothing.
 * Format: zegel-audit(5).
 */
#pragma once

#include "common/audit/checkpoint.h"
#include "common/base/event.h"

typedef struct TrailWriter TrailWriter;

/*
 * Opens the trail at PATH to write, makes it when it is missing, and looks at its end: a
 * trail whose last records are not chained as they should be is not written on. When the
 * current key of KEYS (KEY_AUDIT, borrowed until trail_writer_close) is another than the
 * last one used, the change becomes a record, and a checkpoint of both. NULL with
 * ZEGEL_ERROR_CONFIG, ZEGEL_ERROR_FORGED, ZEGEL_ERROR_KEY_UNKNOWN or ZEGEL_ERROR_TEMPORARY.
 * Used by one thread.
 */
TrailWriter *
trail_writer_open(const char *path, const KeyRing *keys, GError **error);

/* Closes WRITER; NULL is allowed. */
void
trail_writer_close(TrailWriter *writer);

/* An event, and the user who brought it. */
typedef struct {
  const Event *event;
  const char *source;
} TrailEntry;

/*
 * Chains COUNT ENTRIES in one transaction, synced when this returns; an event whose id is
 * there already is passed over. FALSE with ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL: none
 * was chained, and the same call again is safe.
 */
gboolean
trail_writer_append(TrailWriter *writer, const TrailEntry *entries, guint count,
                    GError **error);

/* Whether there are records behind the last checkpoint. */
gboolean
trail_writer_needs_checkpoint(const TrailWriter *writer);

/* Signs and keeps a checkpoint of the end. Its text, owned by the caller, or NULL with an
 * error as above. */
char *
trail_writer_checkpoint(TrailWriter *writer, GError **error);

/*
 * Erases all that says something of PERSON (an address, any case) in records of
 * ORGANISATION; which records they were is recorded with WHO, who asked for it. *COUNT gets
 * how many. FALSE with an error as above: nothing was erased.
 */
gboolean
trail_writer_erase(TrailWriter *writer, const char *organisation, const char *person,
                   const char *who, guint *count, GError **error);

/*
 * Removes records that happened before BEFORE_US from the beginning, up to a checkpoint,
 * which stays as what the rest is chained to, and records that. *COUNT gets how many. FALSE
 * with an error as above.
 */
gboolean
trail_writer_expire(TrailWriter *writer, gint64 before_us, guint *count, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrailWriter, trail_writer_close)
