/*
 * store.h - sealed messages, and who may open them. The one door to the database.
 *
 * One function per operation of the domain; nothing here says how it is kept. A message is
 * sealed with its own key, and that key is stored only wrapped under HKDF(link secret,
 * store key): with the database and the store key alone nobody reads a message. Addresses,
 * names and numbers are sealed under the store key and found by HMAC (K1).
 *
 * Every function that fails with ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL changed nothing
 * that a repetition with the same arguments would double.
 *
 * Functions that take an EVENT (NULL: none; the caller's) record it in the transaction of
 * what it tells (outbox.h), and write it to the log after that. Some make it the kind of
 * what happened, and add to it. When they fail it is in no log; for what happened all the
 * same event_send is right: should the event be recorded yet, its id makes that harmless.
 */
#pragma once

#include <glib.h>

#include "common/base/event.h"
#include "common/crypt/crypt.h"
#include "common/crypt/key.h"
#include "common/crypt/ticket.h"

#define STORE_LINK_SECRET_BYTES 16 /* 128 bits, T1 */
#define STORE_NONCE_BYTES       16
#define STORE_SESSION_BYTES     32
#define STORE_REFERENCE_MAX     32 /* characters of a reference */
#define STORE_REFERENCE_CHARS   16 /* of each that is made */
#define STORE_CODE_DIGITS       6  /* V3 */
#define STORE_CODE_LIFE_S       600
#define STORE_CODE_TRIES        5
#define STORE_CODE_WAIT_S       60
#define STORE_CODES_PER_DAY     5    /* for one link */
#define STORE_SESSION_IDLE_S    1200 /* V10 */
#define STORE_SESSION_MAX_S     14400

typedef struct Store Store;

/*
 * Opens the database at PATH and the directory DIRECTORY for large sealed messages, makes
 * them when they are missing (for their group as well: deliver and viewer share them), and
 * upgrades older ones. KEYS (KEY_STORE) is borrowed until store_close. Returns NULL with
 * ZEGEL_ERROR_TEMPORARY, or ZEGEL_ERROR_CONFIG, also when KEYS lacks a key that stored
 * messages need. All functions of this room may then be called from any thread, but not by
 * a child after fork: each process opens the store itself.
 */
Store *
store_open(const char *path, const char *directory, const KeyRing *keys, GError **error);

/* Ends the writer, closes; NULL is allowed. */
void
store_close(Store *store);

/* ---- Filing: zegel-deliver ---- */

typedef struct Filing Filing;

/* One of all recipients of a message, by whatever way it went to him. Borrowed. */
typedef struct {
  const char *address;
  const char *route; /* as the milter logged it */
} FilingRoute;

/*
 * The message as its sender has it (dispatch.h). The first part goes in, the second comes
 * out: when another transaction of the same ticket made it before, nonce and key id are
 * those of the stored row, and the caller derives the same secret again.
 */
typedef struct {
  const FilingRoute *routes; /* of all recipients in the ticket */
  guint route_count;
  guint8 status_nonce[STORE_NONCE_BYTES];        /* random */
  guint32 status_key_id;                         /* the link key that was used */
  guint8 status_secret[STORE_LINK_SECRET_BYTES]; /* HKDF(link key, nonce) */

  gboolean confirmed; /* in: none is wanted; out: it went out before, or is not wanted */
} FilingDispatch;

/* What is filed with a message; all borrowed. */
typedef struct {
  const char *organisation;
  const guint8 *ticket_id;   /* TICKET_ID_BYTES */
  const guint8 *body_sha256; /* CRYPT_SHA256_BYTES */
  const char *sender;
  const char *sender_name;
  const char *message_id;
  const char *queue_id; /* Postfix's, for the log */
  gint64 received_s;
  gint64 expires_s;
  const GPtrArray *parts;   /* of TicketPart: the attachments as the milter saw them (K3);
                             * NULL: not known */
  gboolean parts_cut;       /* there were more */
  FilingDispatch *dispatch; /* the message as a whole; NULL: it has no status page */
} FilingMeta;

/* One recipient of a message being filed. The first part goes in, the second comes out. */
typedef struct {
  const char *address;  /* without label; borrowed */
  const char *number;   /* E.164; borrowed; NULL: the code goes by e-mail (S6) */
  gboolean shared;      /* opened with reference and password (share.h), not with a link */
  gboolean from_reader; /* the copy of what the reader himself wrote (V11) */
  guint8 link_nonce[STORE_NONCE_BYTES];        /* random */
  guint32 link_key_id;                         /* the link key that was used */
  guint8 link_secret[STORE_LINK_SECRET_BYTES]; /* HKDF(link key, nonce) */

  gboolean existed;  /* was filed before under the same ticket with the same body */
  gboolean conflict; /* was filed before with another body: nothing was changed */
  gboolean notified; /* its notification went out before */
  char reference[STORE_REFERENCE_MAX + 1]; /* in the log and in the 250 */
  gint64 expires_s;
  /* When it existed, link_nonce and link_key_id are those of the stored row: the caller
   * derives the same link secret again. */
} FilingRecipient;

/*
 * Begins to file one message; content follows with filing_write. Sealed bytes stay in
 * memory up to 128 KiB, then go to a file of their own. Never plaintext on disk. Returns
 * NULL with an error. A Filing is used by one thread.
 */
Filing *
filing_begin(Store *store, GError **error);

/* Seals LEN more bytes of the message (with CRLF line ends, as received). */
gboolean
filing_write(Filing *filing, gconstpointer bytes, gsize len, GError **error);

/*
 * Seals the end, syncs, and commits the message for COUNT recipients in one transaction
 * (which may be shared with other sessions), with an EVENT_STORED for each that is no
 * conflict. TRUE: every recipient that is neither conflict nor existed is on disk, and the
 * out fields are set. FALSE with an error: nothing may be assumed; the same call again (a
 * new Filing, same ticket and recipients) is safe.
 */
gboolean
filing_commit(Filing *filing, const FilingMeta *meta, FilingRecipient *recipients,
              guint count, GError **error);

/* Frees FILING and what was not committed; NULL is allowed. */
void
filing_free(Filing *filing);

/*
 * Records that the notification of REFERENCE was handed to Postfix as QUEUE_ID, and EVENT.
 * FALSE with ZEGEL_ERROR_INVALID when ORGANISATION has no such entry.
 */
gboolean
store_set_notified(Store *store, const char *organisation, const char *reference,
                   const char *queue_id, Event *event, GError **error);

/* ---- Reading: zegel-viewer ---- */

typedef enum {
  ENTRY_NONE,      /* no such link (also: of another organisation) */
  ENTRY_OPEN,      /* may be read */
  ENTRY_EXPIRED,   /* the time is over */
  ENTRY_WITHDRAWN, /* by its sender, or because its notification came back */
  ENTRY_DELETED    /* by its reader */
} EntryState;

/*
 * One recipient's entry, opened with the link. All strings owned, none NULL. Of an entry
 * that is over, only reference, organisation and times may be left.
 */
typedef struct {
  char *reference;
  char *organisation;
  char *address;
  char *number; /* E.164; "": the code goes by e-mail to ADDRESS (S6) */
  char *sender;
  char *sender_name;
  char *message_id;
  guint8 body_sha256[CRYPT_SHA256_BYTES];
  gint64 received_s;
  gint64 expires_s;
  gint64 ended_s;       /* when it was withdrawn or deleted; 0 otherwise */
  guint64 size_bytes;   /* of the plaintext */
  gboolean shared;      /* opened with reference and password: no number, no phone book */
  guint answers_left;   /* V5 */
  guint forwards_left;  /* V6; a shared entry has none */
  gboolean from_reader; /* the copy of what the reader himself wrote (V11): no answer */
} Entry;

/* Frees ENTRY; NULL is allowed. */
void
entry_free(Entry *entry);

/*
 * Looks up LINK_SECRET (STORE_LINK_SECRET_BYTES) for ORGANISATION. *STATE is set; *ENTRY
 * gets an entry that the caller frees unless the state is ENTRY_NONE. FALSE with an error
 * when the answer is not known: ZEGEL_ERROR_TEMPORARY, ZEGEL_ERROR_KEY_UNKNOWN (written
 * with a key that this process has not got yet), ZEGEL_ERROR_FORGED (damaged). Takes the
 * same time for a link that never existed.
 */
gboolean
store_find_entry(Store *store, const char *organisation, const guint8 *link_secret,
                 EntryState *state, Entry **entry, GError **error);

/*
 * The attachments of ENTRY as the milter saw them (K3): an array of TicketPart with its
 * free function set, that the caller unrefs; *CUT, whether there were more (also when the
 * message was filed without them). NULL with an error as store_open_message.
 */
GPtrArray *
store_entry_parts(Store *store, const Entry *entry, const guint8 *link_secret,
                  gboolean *cut, GError **error);

/*
 * Deletes ENTRY for its reader (V12): its wrapped key, codes, sessions and draft are gone
 * when this returns. One that is over already is no error, and EVENT is not recorded.
 */
gboolean
store_delete(Store *store, const Entry *entry, Event *event, GError **error);

typedef struct MessageSource MessageSource;

/*
 * Opens the message of ENTRY for reading with its LINK_SECRET. NULL with
 * ZEGEL_ERROR_FORGED when the stored bytes are not what was sealed, or with
 * ZEGEL_ERROR_INVALID when its time is over.
 */
MessageSource *
store_open_message(Store *store, const Entry *entry, const guint8 *link_secret,
                   GError **error);

/*
 * Reads the next verified plaintext, at most LEN bytes into BUFFER. Returns the count, 0 at
 * the (verified) end, or -1 with an error, and then ever after. Never returns a byte whose
 * tag was not checked.
 */
gssize
message_source_read(MessageSource *source, gpointer buffer, gsize len, GError **error);

/* Frees SOURCE; NULL is allowed. */
void
message_source_free(MessageSource *source);

typedef enum {
  CODE_ISSUED,     /* a new code; send it */
  CODE_WAIT,       /* one was sent less than STORE_CODE_WAIT_S ago and still counts */
  CODE_LIMIT_LINK, /* STORE_CODES_PER_DAY reached */
  CODE_LIMIT_OTHER /* number, sender, organisation or total reached */
} CodeIssue;

/* The limits of a day (rolling 24 hours) beyond the link's own. */
typedef struct {
  guint number, sender, organisation, total;
} CodeLimits;

/*
 * Issues an access code for ENTRY: on CODE_ISSUED, CODE gets STORE_CODE_DIGITS digits and
 * NUL (wipe it), *CODE_ID a handle, and every older code of the entry is dead. The code is
 * counted before it is sent, so that a crash never sends two. On CODE_WAIT *WAIT_S gets the
 * seconds until a new one may be asked. When a limit is reached EVENT is recorded as
 * EVENT_CODE_REFUSED with its reason; else it is left as it is, for whoever sends the code.
 * Safe against any number of parallel calls. FALSE with ZEGEL_ERROR_INVALID when the time
 * of the message is over.
 */
gboolean
store_issue_code(Store *store, const Entry *entry, const CodeLimits *limits, Event *event,
                 CodeIssue *result, char code[STORE_CODE_DIGITS + 1], gint64 *code_id,
                 guint *wait_s, GError **error);

/*
 * Counts into *ORGANISATION_USED and *TOTAL_USED the codes of the last 24 hours, of
 * ORGANISATION and in all, that code CODE_ID and those before it are. So each of several
 * parallel codes has numbers of its own.
 */
gboolean
store_count_codes(Store *store, const char *organisation, gint64 code_id,
                  guint *organisation_used, guint *total_used, GError **error);

/* Takes back a code that could not be sent: it is dead and counts for no limit. Records
 * EVENT. */
gboolean
store_revoke_code(Store *store, const Entry *entry, gint64 code_id, Event *event,
                  GError **error);

typedef enum {
  CODE_RIGHT,    /* consumed; a session began */
  CODE_WRONG,    /* counted */
  CODE_NO_TRIES, /* STORE_CODE_TRIES wrong ones: ask a new code */
  CODE_EXPIRED,  /* too old, used, or none was sent */
} CodeCheck;

/*
 * Checks CODE (STORE_CODE_DIGITS digits; anything else must be refused by the caller and
 * costs no try: ZEGEL_ERROR_INVALID). The try is counted before the comparison; a right
 * code is consumed and the session made in one transaction. On CODE_RIGHT the
 * STORE_SESSION_BYTES bytes at SESSION are the new session's id (only its hash is stored).
 * *TRIES_LEFT is always set. EVENT is recorded as EVENT_LOGIN, or as EVENT_CODE_WRONG with
 * a reason.
 */
gboolean
store_check_code(Store *store, const Entry *entry, const char *code, Event *event,
                 CodeCheck *result, guint8 session[STORE_SESSION_BYTES], guint *tries_left,
                 GError **error);

/*
 * Whether SESSION is alive for ENTRY; then its idle time starts again and *ENDS_S gets when
 * it ends without another request. *ALIVE FALSE when idle, over, or of another entry. While
 * the disk is full it lives, but its idle time goes on.
 */
gboolean
store_touch_session(Store *store, const Entry *entry, const guint8 *session,
                    gboolean *alive, gint64 *ends_s, GError **error);

/* Ends SESSION and records EVENT; one that does not exist is no error, and no event. */
gboolean
store_end_session(Store *store, const guint8 *session, Event *event, GError **error);

/*
 * Whether NOW_S is to be believed, into *BELIEVED: more than 36 hours after the last time
 * that was, the clock may have leapt (F20), and it is not until the new time has lasted for
 * a day of further calls. Call it every hour or so. FALSE with an error. Any thread.
 */
gboolean
store_check_clock(Store *store, gint64 now_s, gboolean *believed, GError **error);

/*
 * Removes what is past its time: expired messages with their keys and files, dead codes and
 * sessions, and files that a crash left behind. Each entry that ends so is an
 * EVENT_EXPIRED, recorded with it and logged. *REMOVED gets the number of messages. Call it
 * every hour or so, at least once a day: nothing is removed at a time that is not believed
 * (store_check_clock, which it calls by itself).
 */
gboolean
store_expire(Store *store, gint64 now_s, guint *removed, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Filing, filing_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Entry, entry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MessageSource, message_source_free)
