/*
 * doctor_trail.c - the audit trail: whether it is what was written, and whether events come
 * into it. Nobody is shown what stands in it, so looking is no look (A1).
 */
#include <errno.h>
#include <unistd.h>

#include "common/audit/trail.h"
#include "common/audit/verify.h"
#include "common/base/error.h"
#include "common/store/look.h"
#include "zegelctl/apart.h"
#include "zegelctl/doctor_parts.h"

#define VERIFY_S 300 /* a trail of years is long */
#define LOOK_S   60
#define MOVES_S  4 /* zegel-deliver brings what waits twice a second */
#define FEW      5000
#define NEWEST   200 /* records, some of which say something of a person */
#define OLD_KEYS                                                                           \
  "restore the trail and its key file of the same day, or add the lines of the old key "   \
  "file below those that are there"
#define RESTORE                                                                            \
  "keep a copy of the trail as it is; then find out with \"zegelctl audit verify "         \
  "--checkpoint FILE\" and the checkpoints of [audit] mail what is missing"

/* ---- audit-chain ---- */

static void
say_result(const VerifyResult *result, Apart *apart)
{
  if (!result->good && result->wrong_at > 0)
    apart_say(apart, DOCTOR_WRONG, RESTORE,
              "the audit trail is not what was written: record %" G_GUINT64_FORMAT ": %s",
              result->wrong_at, result->what);
  else if (!result->good)
    apart_say(apart, DOCTOR_WRONG, RESTORE, "the audit trail is not what was written: %s",
              result->what);
}

static gboolean
pass_over(const TrailRecord *record, gpointer data, GError **error)
{
  (void) record;
  (void) data;
  (void) error;
  return TRUE;
}

/* Whether the newest records were sealed with a key that is not in KEYS. */
static gboolean
is_of_other_key(const char *path, const KeyRing *keys, GError **error)
{
  static const TrailQuery query = {.newest_first = TRUE, .limit = NEWEST};
  g_autoptr(Trail) trail = trail_open(path, keys, NULL);
  return trail != NULL && !trail_each(trail, &query, pass_over, NULL, error) &&
         g_error_matches(*error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN);
}

static void
verify(const char *path, const KeyRing *keys, Apart *apart)
{
  g_autoptr(GError) error = NULL;
  g_auto(VerifyResult) result = {.what = NULL};
  const VerifyWith with = {.keys = keys};
  if (verify_trail(path, &with, &result, &error))
    say_result(&result, apart);
  else if (g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG))
    apart_say(apart, DOCTOR_WRONG, OLD_KEYS, "the audit trail cannot be verified: %s",
              error->message);
  else
    apart_say(apart, DOCTOR_UNKNOWN, NULL, "the audit trail cannot be verified: %s",
              error->message);
}

static void
look_at_chain(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  const Config *config = subject->config;
  g_autoptr(GError) error = NULL;
  g_autoptr(KeyRing) keys = keyring_load(config->audit_key, KEY_AUDIT, &error);
  if (keys == NULL)
    apart_say(apart, DOCTOR_UNKNOWN, NULL, "%s", error->message);
  else if (access(config->audit_database, F_OK) != 0 && errno == ENOENT)
    apart_say(apart, DOCTOR_WRONG,
              "put it back from the backup; on a new installation: \"systemctl restart "
              "zegel-auditd\"",
              "there is no audit trail at %s", config->audit_database);
  else if (is_of_other_key(config->audit_database, keys, &error))
    apart_say(apart, DOCTOR_WRONG, OLD_KEYS,
              "the audit trail and its key are not of the same day: %s", error->message);
  else
    verify(config->audit_database, keys, apart);
}

void
doctor_check_chain(const DoctorSubject *subject, DoctorReport *report)
{
  apart_run(subject, report, subject->config->audit_user, VERIFY_S, look_at_chain, NULL);
}

/* ---- audit-waiting ---- */

static void
look_at_waiting(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  const char *path = subject->config->store_database;
  g_autoptr(GError) error = NULL;
  StoreLook before = {.first = 0}, after = {.first = 0};
  if (access(path, F_OK) != 0 && errno == ENOENT) {
    apart_say(apart, DOCTOR_ABSENT, NULL, "nothing was stored yet");
    return;
  }
  gboolean known = store_look(path, &before, &error);
  if (known && before.waiting > 0) {
    g_usleep(MOVES_S * G_USEC_PER_SEC);
    known = store_look(path, &after, &error);
  }
  if (!known)
    apart_say(apart, DOCTOR_UNKNOWN, NULL, "%s", error->message);
  else if (after.waiting > 0 && after.first == before.first)
    apart_say(apart, DOCTOR_WRONG,
              "see that zegel-auditd and zegel-deliver run (daemon-running); the mail log "
              "has why the trail does not take them",
              "%" G_GINT64_FORMAT
              " events wait in the store and do not come into the audit "
              "trail",
              after.waiting);
  else if (after.waiting > FEW)
    apart_say(apart, DOCTOR_WARNING,
              "look again in some minutes; if it does not shrink the disk of the audit "
              "trail is too slow",
              "%" G_GINT64_FORMAT " events wait to come into the audit trail",
              after.waiting);
}

void
doctor_check_waiting(const DoctorSubject *subject, DoctorReport *report)
{
  apart_run(subject, report, subject->config->deliver_user, LOOK_S, look_at_waiting, NULL);
}
