/*
 * share.h - entries that are opened with a reference and a password, and what a reader may
 * do only so often.
 *
 * A forwarded message (V6) and the copy of what somebody wrote in the web form (V11) are
 * entries like others, but their link secret is scrypt(password, nonce): nobody is mailed
 * it, and the database knows it as little as any other. The password is made here (60 bits
 * at least), shown once, and passed on by whoever got it.
 */
#pragma once

#include "common/store/store.h"

#define STORE_PASSWORD_MAX    32 /* characters */
#define STORE_PASSWORD_BYTES  12
#define STORE_PASSWORD_TRIES  5 /* wrong ones within STORE_PASSWORD_WAIT_S */
#define STORE_PASSWORD_WAIT_S 900
#define STORE_ANSWERS_MAX     2 /* V5 */
#define STORE_FORWARDS_MAX    2 /* V6 */

/*
 * A new password of STORE_PASSWORD_MAX characters at most, in groups that people can read
 * out ("k7mq-...": no characters that look alike), into PASSWORD, which has room for
 * STORE_PASSWORD_MAX + 1; wipe it.
 */
gboolean
store_make_password(char *password, GError **error);

/* The same, made of STORE_PASSWORD_BYTES bytes at RANDOM that nobody can guess. */
void
store_password_from(const guint8 random[STORE_PASSWORD_BYTES], char *password);

/* The link secret of PASSWORD (case, spaces and dashes do not matter) and NONCE into
 * SECRET: takes about 50 ms and 16 MiB. */
gboolean
store_password_secret(const char *password, const guint8 nonce[STORE_NONCE_BYTES],
                      guint8 secret[STORE_LINK_SECRET_BYTES], GError **error);

typedef enum {
  SHARED_RIGHT, /* a session began */
  SHARED_WRONG, /* counted; also when there is no such reference */
  SHARED_WAIT,  /* too many wrong ones: later */
  SHARED_OVER   /* the password was right, but its time is over: *STATE says how */
} SharedCheck;

/*
 * Opens the shared entry REFERENCE of ORGANISATION with PASSWORD. The try is counted before
 * the comparison. On SHARED_RIGHT the link secret and the id of a new session are set; on
 * SHARED_OVER *ENTRY and *STATE are (as store_find_entry). On SHARED_RIGHT EVENT is
 * recorded as EVENT_LOGIN with reader and sender; else it is left as it is. Takes the same
 * time for a reference that never existed.
 */
gboolean
store_open_shared(Store *store, const char *organisation, const char *reference,
                  const char *password, Event *event, SharedCheck *result,
                  guint8 link_secret[STORE_LINK_SECRET_BYTES],
                  guint8 session[STORE_SESSION_BYTES], EntryState *state, Entry **entry,
                  GError **error);

/*
 * Makes of ENTRY, opened with LINK_SECRET, an entry for ADDRESS that PASSWORD (out, see
 * store_make_password) opens: the same message, the same end. REFERENCE gets its reference,
 * and EVENT too, as its key "new". Take a use first, and note HISTORY_FORWARDED after: this
 * does neither. FALSE with ZEGEL_ERROR_INVALID when ENTRY is over.
 */
gboolean
store_share(Store *store, const Entry *entry, const guint8 *link_secret,
            const char *address, Event *event, char *reference, char *password,
            GError **error);

typedef enum {
  USE_ANSWER,
  USE_FORWARD
} EntryUse;

/*
 * Takes one of the uses that ENTRY has (STORE_ANSWERS_MAX, STORE_FORWARDS_MAX), before
 * anything is sent. *GRANTED FALSE: there is none left; a shared entry has no forwards, and
 * what its reader wrote himself no answers. When the mail could not go, give it back. FALSE
 * with ZEGEL_ERROR_INVALID when ENTRY is over.
 */
gboolean
store_take_use(Store *store, const Entry *entry, EntryUse use, gboolean *granted,
               GError **error);

/* Takes back a use that came to nothing. */
gboolean
store_return_use(Store *store, const Entry *entry, EntryUse use, GError **error);

/*
 * Counts one more event called WHAT (our own word: "form-address", "form-client", ...) for
 * SUBJECT (kept as HMAC only) of ORGANISATION within WINDOW_S seconds. *GRANTED FALSE, and
 * nothing counted, when there were MAX already.
 */
gboolean
store_count(Store *store, const char *organisation, const char *what, const char *subject,
            guint max, gint64 window_s, gboolean *granted, GError **error);

/* Whether store_count granted WHAT for SUBJECT within the last WINDOW_S seconds, into
 * *COUNTED. FALSE with an error when that is not known. Any thread. */
gboolean
store_was_counted(Store *store, const char *organisation, const char *what,
                  const char *subject, gint64 window_s, gboolean *counted, GError **error);

/* ---- Drafts: typed text outlives a session (V10) ---- */

#define STORE_DRAFT_MAX_BYTES 65536

/*
 * Keeps TEXT (UTF-8) as the draft of ENTRY, sealed under its link secret; "" removes it. It
 * goes with the entry. FALSE with ZEGEL_ERROR_LIMIT for more than STORE_DRAFT_MAX_BYTES, or
 * with ZEGEL_ERROR_INVALID when ENTRY is over.
 */
gboolean
store_put_draft(Store *store, const Entry *entry, const guint8 *link_secret,
                const char *text, GError **error);

/* The draft of ENTRY, "" when there is none: a new string that the caller wipes; NULL with
 * an error. */
char *
store_get_draft(Store *store, const Entry *entry, const guint8 *link_secret,
                GError **error);
