/*
 * setup_record.h - what zegelctl setup did here, so that it can be continued and undone.
 *
 * One file, replaced as a whole, says everything; it is on disk before anything is changed.
 * Beside it are copies of main.cf and master.cf from before, for people.
 */
#pragma once

#include <glib.h>

#include "zegelctl/cf.h"
#include "zegelctl/setup_plan.h"

#define SETUP_DIRECTORY ZEGEL_STATEDIR "/setup"

typedef struct {
  char *directory;   /* of the instance: "/etc/postfix" */
  char *before[2];   /* the files as they were, by CfKind */
  char *after[2];    /* what was made of them, when all was done */
  GPtrArray *made;   /* of char *: hashes of all texts that are BEFORE, but for us */
  GHashTable *files; /* of ours: path to the hash of what we wrote */
  guint ports[SETUP_PORTS];
} SetupRecord;

/* A record of the instance in DIRECTORY, without anything; freed with setup_record_free. */
SetupRecord *
setup_record_new(const char *directory);

/* Frees RECORD; NULL is allowed. */
void
setup_record_free(SetupRecord *record);

/* The record of this machine; NULL without an error when there is none. */
SetupRecord *
setup_record_load(GError **error);

/* Writes RECORD. FALSE with ZEGEL_ERROR_CONFIG (or _FULL). */
gboolean
setup_record_save(const SetupRecord *record, GError **error);

/* Removes the record of this machine and what lies beside it. */
gboolean
setup_record_remove(GError **error);

/* The text of the file KIND in DIRECTORY, a new string, or NULL with ZEGEL_ERROR_CONFIG. */
char *
setup_read(const char *directory, CfKind kind, GError **error);

/*
 * NOTED: notes in RECORD, on disk, that TEXT is BEFORE but for us, which it may not be when
 * somebody changed the file since. Makes it the file KIND in one step, with
 * its owner and mode. Nothing happens when it has that text.
 */
gboolean
setup_record_put(SetupRecord *record, CfKind kind, const char *text, gboolean noted,
                 GError **error);

/*
 * What CURRENT, the text of file KIND, would be without us: byte for byte what was there
 * before when nobody else changed it since. What cannot be taken out is said in CONFLICTS
 * (of char *). A new string.
 */
char *
setup_record_base(const SetupRecord *record, CfKind kind, const char *current,
                  GPtrArray *conflicts);

typedef enum {
  SETUP_WRITTEN_SAME, /* it was there already */
  SETUP_WRITTEN_NEW,
  SETUP_WRITTEN_KEPT /* it is not by us, or was changed since, and stays */
} SetupWritten;

/* Writes FILE, in a directory that is made when it is missing, and notes it; WRITTEN says
 * how it went. */
gboolean
setup_record_file(SetupRecord *record, const SetupFile *file, SetupWritten *written,
                  GError **error);

/* Removes all our files that nobody changed, and directories made for them; the others move
 * into SETUP_DIRECTORY/kept. */
gboolean
setup_record_remove_files(SetupRecord *record, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SetupRecord, setup_record_free)
