/*
 * dkim_files.h - the DKIM keys of a domain and what became of them, which their file names
 * say: there is nothing else to keep in step.
 *
 *   [milter] dkim_keys/DOMAIN/          [policyd] dkim_directory/DOMAIN/
 *   SELECTOR.key.waiting                -                      waiting: signs nothing yet
 *   SELECTOR.key                        SELECTOR.pub           active
 *   SELECTOR.key.resting                SELECTOR.pub, or -     resting: signs no more
 *   -                                   SELECTOR.pub.retired   retired
 *
 * policyd takes every SELECTOR.pub for a key that we sign with (N2). So a key gets its
 * public file just before it becomes active; and when the last active one is retired, those
 * that rest lose theirs: their records come from the private keys.
 *
 * Every step is one rename or one unlink, so that whatever cuts a command off leaves one of
 * these, or one step between two of them, which the same command takes. The milter reads
 * SELECTOR.key alone, and of each algorithm the one that was written last: a key becomes
 * active with the time of its file, and only then the older one is put to rest.
 *
 * The private directory belongs to the milter's user, whom root does not trust: nothing in
 * it is followed, and nothing in it gets another owner or mode but what was made just now.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"
#include "common/crypt/sign_key.h"

#define DKIM_LOOK_S 2   /* the milter looks once a second whether a file changed */
#define DKIM_MAX    256 /* keys of one domain */

typedef enum {
  DKIM_WAITING,
  DKIM_ACTIVE,
  DKIM_RESTING,
  DKIM_RETIRED,
  DKIM_ELSEWHERE /* only a public key is here */
} DkimState;

/* One key. All owned. */
typedef struct {
  char *selector;
  DkimState state;
  gboolean signs; /* it is the one of its algorithm that the milter takes */
  SignAlgorithm
      algorithm; /* this and BITS when RECORD is not NULL and it is not elsewhere */
  guint bits;
  char *record;   /* to publish; NULL when retired, or when it cannot be read */
  gint64 time_us; /* when it was made or activated, since 1970; 0: not known */
  char *fault;    /* what is wrong with the files, and the cure; or NULL */
  gboolean half;  /* the cure is dkim_place_activate */
} DkimFile;

/* Both directories of a domain, open, and locked against another zegelctl. */
typedef struct DkimPlace DkimPlace;

/* "waiting", ...: static. */
const char *
dkim_state_name(DkimState state);

/* Whether TEXT may be the selector of a new key: a label of lower-case letters, digits and
 * '-', with which it neither begins nor ends. Pure. */
gboolean
dkim_selector_is_good(const char *text);

/*
 * Opens the directories of DOMAIN (canonical), which are made when MAKE. Waits for another
 * zegelctl. Owned by the caller, or NULL with ZEGEL_ERROR_CONFIG: the caller may not, or
 * they are not what they must be; or, without MAKE, with ZEGEL_ERROR_INVALID: there are
 * none.
 */
DkimPlace *
dkim_place_open(const Config *config, const char *domain, gboolean make, GError **error);

/* Closes and unlocks PLACE; NULL is allowed. */
void
dkim_place_close(DkimPlace *place);

/* What is in PLACE: an array of DkimFile, sorted by selector, owned by the caller; NULL
 * with ZEGEL_ERROR_CONFIG. */
GPtrArray *
dkim_place_list(const DkimPlace *place, GError **error);

/* The one of FILES with SELECTOR, owned by FILES, or NULL. */
DkimFile *
dkim_find(const GPtrArray *files, const char *selector);

/* Whether SELECTOR was ever used in PLACE by something that is there to see. */
gboolean
dkim_place_has(const DkimPlace *place, const char *selector);

/* Makes KEY the waiting key SELECTOR, and never overwrites one. FALSE with
 * ZEGEL_ERROR_CONFIG. */
gboolean
dkim_place_add(const DkimPlace *place, const char *selector, const SignKey *key,
               GError **error);

/* Has the milter sign with FILE (waiting, resting, or active) from its next look on: it
 * gets its public file, and becomes the newest of FILES. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
dkim_place_activate(const DkimPlace *place, const GPtrArray *files, const DkimFile *file,
                    GError **error);

/* Puts FILE, active, to rest. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
dkim_place_rest(const DkimPlace *place, const DkimFile *file, GError **error);

/* Destroys the private key of FILE, one of FILES, and puts its public one away; with the
 * last active one also those of the keys that rest. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
dkim_place_retire(const DkimPlace *place, const GPtrArray *files, const DkimFile *file,
                  GError **error);

/*
 * When FILE, one of FILES, signed for the last time, since 1970: when the next one of its
 * algorithm was activated. NOW_US when it still may, or when no file says it any more; 0
 * when it never did. Pure.
 */
gint64
dkim_last_signed_us(const GPtrArray *files, const DkimFile *file, gint64 now_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimPlace, dkim_place_close)
