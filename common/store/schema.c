/*
 * The tables. Their meaning is described in zegel-store(5).
 */
#include "common/store/internal.h"

#define APPLICATION_ID 0x7a67736c /* "zgsl" */

/* Step I makes version I + 1 of version I; an empty database is version 0. */
static const char *const steps[] = {
    "CREATE TABLE message ("
    "  id INTEGER PRIMARY KEY,"
    "  size INTEGER NOT NULL,"
    "  file TEXT,"
    "  sealed BLOB,"
    "  CHECK ((file IS NULL) <> (sealed IS NULL))"
    ") STRICT;"
    "CREATE UNIQUE INDEX message_file ON message (file) WHERE file IS NOT NULL;"

    "CREATE TABLE entry ("
    "  id INTEGER PRIMARY KEY,"
    "  organisation TEXT NOT NULL,"
    "  reference TEXT NOT NULL UNIQUE,"
    "  ticket BLOB NOT NULL,"
    "  recipient BLOB NOT NULL,"
    "  link BLOB NOT NULL UNIQUE,"
    "  link_nonce BLOB NOT NULL,"
    "  link_key INTEGER NOT NULL,"
    "  queue_id TEXT,"
    "  received_s INTEGER NOT NULL,"
    "  expires_s INTEGER NOT NULL,"
    "  notified TEXT,"
    "  notified_s INTEGER,"
    "  message INTEGER REFERENCES message (id),"
    "  message_key BLOB,"
    "  address BLOB,"
    "  number BLOB,"
    "  sender BLOB,"
    "  sender_name BLOB,"
    "  message_id BLOB,"
    "  body BLOB,"
    "  UNIQUE (ticket, recipient)"
    ") STRICT;"
    "CREATE INDEX entry_message ON entry (message) WHERE message IS NOT NULL;"
    "CREATE INDEX entry_expires ON entry (expires_s);"

    "CREATE TABLE code ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT," /* never used again: codes are bound to it */
    "  entry INTEGER REFERENCES entry (id) ON DELETE SET NULL,"
    "  organisation TEXT NOT NULL,"
    "  number BLOB NOT NULL,"
    "  sender BLOB NOT NULL,"
    "  store_key INTEGER NOT NULL,"
    "  mac BLOB NOT NULL,"
    "  issued_s INTEGER NOT NULL,"
    "  expires_s INTEGER NOT NULL,"
    "  tries INTEGER NOT NULL DEFAULT 0,"
    "  used INTEGER NOT NULL DEFAULT 0,"
    "  dead INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX code_entry ON code (entry, id);"
    "CREATE INDEX code_number ON code (number, issued_s);"
    "CREATE INDEX code_sender ON code (sender, issued_s);"
    "CREATE INDEX code_organisation ON code (organisation, issued_s);"
    "CREATE INDEX code_issued ON code (issued_s);"
    "CREATE INDEX code_living ON code (expires_s) WHERE dead = 0;"

    "CREATE TABLE session ("
    "  hash BLOB PRIMARY KEY,"
    "  entry INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,"
    "  started_s INTEGER NOT NULL,"
    "  seen_s INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX session_entry ON session (entry);"

    "CREATE TABLE store_key ("
    "  id INTEGER PRIMARY KEY,"
    "  proof BLOB NOT NULL"
    ") STRICT;"

    "CREATE TABLE state ("
    "  name TEXT PRIMARY KEY,"
    "  value INTEGER NOT NULL"
    ") STRICT;",

    "ALTER TABLE message ADD COLUMN parts BLOB;"
    "ALTER TABLE entry ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE entry ADD COLUMN from_reader INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE entry ADD COLUMN watch INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE entry ADD COLUMN answers INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE entry ADD COLUMN forwards INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE entry ADD COLUMN ended INTEGER;"
    "ALTER TABLE entry ADD COLUMN ended_s INTEGER;"
    "ALTER TABLE entry ADD COLUMN parent INTEGER REFERENCES entry (id) ON DELETE SET NULL;"
    "CREATE INDEX entry_parent ON entry (parent) WHERE parent IS NOT NULL;"
    "DROP INDEX entry_expires;"
    "CREATE INDEX entry_expires ON entry (expires_s, watch);" /* finds what is due as well
                                                               */

    "CREATE TABLE history ("
    "  entry INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,"
    "  kind INTEGER NOT NULL,"
    "  first_s INTEGER NOT NULL,"
    "  last_s INTEGER NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  PRIMARY KEY (entry, kind)"
    ") STRICT, WITHOUT ROWID;"
    /* What version 1 knew: its codes of a day (4), and what had expired (13). */
    "INSERT INTO history SELECT entry, 4, min(issued_s), max(issued_s), count(*)"
    "  FROM code WHERE entry IS NOT NULL GROUP BY entry;"
    "INSERT INTO history SELECT id, 13, expires_s, expires_s, 1"
    "  FROM entry WHERE message_key IS NULL;"

    "CREATE TABLE dispatch ("
    "  id INTEGER PRIMARY KEY,"
    "  ticket BLOB NOT NULL,"
    "  organisation TEXT NOT NULL,"
    "  status BLOB NOT NULL UNIQUE,"
    "  status_nonce BLOB NOT NULL,"
    "  status_key INTEGER NOT NULL,"
    "  received_s INTEGER NOT NULL,"
    "  expires_s INTEGER NOT NULL,"
    "  confirmed TEXT,"
    "  confirmed_s INTEGER,"
    "  sealed BLOB"
    ") STRICT;"
    "CREATE INDEX dispatch_waits ON dispatch (organisation, received_s)"
    "  WHERE confirmed IS NULL;"
    /* By the ticket of its entries a dispatch is found: it has no index for that. */
    "ALTER TABLE entry ADD COLUMN dispatch INTEGER;"

    "CREATE TABLE draft ("
    "  entry INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,"
    "  sealed BLOB NOT NULL"
    ") STRICT;"

    "CREATE TABLE event ("
    "  id INTEGER PRIMARY KEY,"
    "  subject BLOB NOT NULL,"
    "  counted_s INTEGER NOT NULL,"
    "  ends_s INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX event_subject ON event (subject, counted_s);"
    "CREATE INDEX event_ends ON event (ends_s);",

    /* What was recorded and is not yet in the audit trail, in the order of id. */
    "CREATE TABLE outbox ("
    "  id INTEGER PRIMARY KEY,"
    "  event TEXT NOT NULL,"
    "  sealed BLOB NOT NULL"
    ") STRICT;"
    /* Whose notification an administrator wants to be sent again. */
    "CREATE TABLE again ("
    "  entry INTEGER PRIMARY KEY REFERENCES entry (id) ON DELETE CASCADE,"
    "  asked_s INTEGER NOT NULL,"
    "  asker BLOB NOT NULL"
    ") STRICT;",

    /* Nearly always empty: how many readers were not mailed yet is asked all the time. */
    ("CREATE INDEX entry_unnotified ON entry (received_s)"
     "  WHERE notified IS NULL AND shared = 0 AND message_key IS NOT NULL;"),
};

const DbSchema store_schema = {APPLICATION_ID, steps, G_N_ELEMENTS(steps)};
