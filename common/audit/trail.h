/*
 * trail.h - the audit trail, read. What is here changes nothing.
 *
 * zegel-auditd alone writes (auditd/); whoever has the file can prove it with the public
 * key (verify.h), and read what says nothing of persons. Values that do are sealed under
 * the audit key. Format: zegel-audit(5).
 */
#pragma once

#include "common/base/attr.h"
#include "common/base/event.h"
#include "common/crypt/key.h"

typedef struct Trail Trail;

/*
 * Opens the trail at PATH to read. KEYS (KEY_AUDIT, borrowed until trail_close) may be
 * NULL: then sealed values are not there. NULL with ZEGEL_ERROR_CONFIG when there is no
 * trail, or it is another program's or a newer one's, or ZEGEL_ERROR_TEMPORARY. A Trail is
 * used by one thread; zegel-auditd may go on writing meanwhile.
 */
Trail *
trail_open(const char *path, const KeyRing *keys, GError **error);

/* Closes TRAIL; NULL is allowed. */
void
trail_close(Trail *trail);

/* Which records; what is 0 or NULL does not count. All must hold. */
typedef struct {
  gint64 from_us, until_us; /* when it happened: from included, until not; Unix time */
  guint64 after;            /* records behind this number */
  const char *organisation;
  const char *event; /* its name */
  NtaKind nta;
  const char *reference; /* ref, of one message for one recipient */
  const char *queue_id;
  const char *message_id; /* needs the key */
  const char *person;     /* who is named by from, to, by, for or about; needs the key */
  gboolean newest_first;
  guint limit; /* at most so many records */
} TrailQuery;

/* One record, borrowed for the call. */
typedef struct {
  guint64 number;     /* from 1, without gaps */
  gint64 at_us;       /* when it happened */
  const Attrs *attrs; /* as event_format has it; of values that were erased, or that
                         cannot be opened without the key, the value is "" */
  gboolean erased;    /* some were erased */
} TrailRecord;

/* Called for each record. FALSE with an error ends the reading. */
typedef gboolean (*TrailFunc)(const TrailRecord *record, gpointer data, GError **error);

/*
 * Calls FUNC with DATA for the records that QUERY asks for, in their order. FALSE with
 * ZEGEL_ERROR_FORGED when a sealed value is not what was sealed, ZEGEL_ERROR_KEY_UNKNOWN,
 * ZEGEL_ERROR_TEMPORARY, or what FUNC said. Queries by organisation and time, reference,
 * queue id, Message-ID and person use an index.
 */
gboolean
trail_each(Trail *trail, const TrailQuery *query, TrailFunc func, gpointer data,
           GError **error);

/* How a trail stands. */
typedef struct {
  guint64 last;                /* number of the last record; 0: there is none */
  gint64 checkpoint_s;         /* when the newest checkpoint was signed; 0: there is none */
  guint64 counts[EVENT_COUNT]; /* records of each kind, of what happened lately */
} TrailStatus;

/* Looks at TRAIL, and counts what happened from SINCE_US on. FALSE with
 * ZEGEL_ERROR_TEMPORARY. Takes no longer for a long trail. */
gboolean
trail_status(Trail *trail, gint64 since_us, TrailStatus *status, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trail, trail_close)
