/*
 * seen.h - seen.db: what domains showed, with the first and the last time.
 *
 * One SQLite file of zegel-policyd, which writes it; zegelctl domain watch reads it, and
 * notes there what it told. Format: zegel-store(5). A Seen is used by one thread.
 */
#pragma once

#include "common/seen/sight.h"

#define SEEN_KEEP_S      (2 * 366 * 86400) /* rows of what was not there since then go */
#define SEEN_MAX_RECORDS 50000             /* of at most SIGHT_VALUE_MAX_BYTES */
#define SEEN_MAX_NAMES   50000             /* of domains, and of looks */

typedef struct Seen Seen;

/*
 * Opens the file at PATH; makes it (0600) when it is missing, and when it is damaged puts
 * it aside as PATH.damaged and begins a new one, with an alarm line. NULL with
 * ZEGEL_ERROR_CONFIG when it is another program's, a newer one's or cannot be had,
 * or ZEGEL_ERROR_TEMPORARY.
 */
Seen *
seen_open(const char *path, GError **error);

/* The same for a file that is there, as who writes it; never makes or moves anything. */
Seen *
seen_open_existing(const char *path, GError **error);

/* Closes SEEN; NULL is allowed. */
void
seen_close(Seen *seen);

/* Whether the open file still has its name. */
gboolean
seen_is_in_place(Seen *seen);

/* Keeps SIGHTS (of Sight) in one transaction. FALSE with ZEGEL_ERROR_TEMPORARY or
 * ZEGEL_ERROR_FULL: none was kept. */
gboolean
seen_write(Seen *seen, const GPtrArray *sights, GError **error);

/*
 * Removes what was not there since BEFORE_S and, when there is more than MAX_RECORDS, what
 * was seen only once and then what was longest not there; names likewise by MAX_NAMES.
 * FALSE as seen_write.
 */
gboolean
seen_expire(Seen *seen, gint64 before_s, guint max_records, guint max_names,
            GError **error);

/* ---- Reading ---- */

typedef struct {
  char *text;
  int begins, ends; /* as SightValue */
  gint64 first_s, last_s;
  gboolean there; /* at the last look */
  gboolean later; /* it came after the first ones: it is a change */
} SeenRecord;

/* All that was seen of KIND at NAME (of SeenRecord), the newest first; owned by the caller.
 * NULL with an error. */
GPtrArray *
seen_records(Seen *seen, SeenKind kind, const char *name, GError **error);

typedef struct {
  char *domain;
  gboolean ours;
  gboolean ready;
  char *code;
  gint64 since_s; /* since when it is so */
  gint64 last_s;  /* when that was last found */
  gint64 ready_s; /* when it was last found ready; 0: never */
} SeenDomain;

/* Every domain (of SeenDomain), by name; owned by the caller. NULL with an error. */
GPtrArray *
seen_domains(Seen *seen, GError **error);

/* The domain DOMAIN of OURS; *FOUND is NULL when it was never seen, and owned by the
 * caller. FALSE with an error. */
gboolean
seen_domain(Seen *seen, const char *domain, gboolean ours, SeenDomain **found,
            GError **error);

/* Frees DOMAIN; NULL is allowed. */
void
seen_domain_free(SeenDomain *domain);

/* ---- What was told ---- */

typedef enum {
  SEEN_TOLD_EVENT,
  SEEN_TOLD_MAIL
} SeenTold;

/* Whether the finding KEY was told in the way HOW: into *TOLD. FALSE with an error. */
gboolean
seen_was_told(Seen *seen, SeenTold how, const char *key, gboolean *told, GError **error);

/* The finding KEY was told in the way HOW at AT_S, or is there still. FALSE as seen_write.
 */
gboolean
seen_tell(Seen *seen, SeenTold how, const char *key, gint64 at_s, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Seen, seen_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SeenDomain, seen_domain_free)
