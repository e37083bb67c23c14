#include "zegelctl/setup_undo.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "zegelctl/command.h"
#include "zegelctl/setup_ask.h"
#include "zegelctl/setup_make.h"
#include "zegelctl/setup_postfix.h"

#define DRAIN_WAIT_S 30 /* most mail is gone in a moment */
#define LOOK_MS      500

/* What makes labels, in main.cf; in master.cf it is every service but local. */
static const char *const labelling[] = {"non_smtpd_milters", "recipient_bcc_maps",
                                        "sender_bcc_maps", "always_bcc"};
#define LOCAL "local/unix"

typedef enum {
  STAGE_NO_LABELS, /* no mail is labelled by a milter or a table of copies any more */
  STAGE_LOCAL,     /* nor by local(8) */
  STAGE_ALL
} Stage;

/* Whether entry KEY of the file KIND goes back in STAGE already. */
static gboolean
goes_back(CfKind kind, const char *key, Stage stage)
{
  if (stage == STAGE_ALL)
    return TRUE;
  if (kind == CF_MASTER)
    return stage == STAGE_LOCAL || strcmp(key, LOCAL) != 0;
  for (guint i = 0; i < G_N_ELEMENTS(labelling); i++)
    if (strcmp(labelling[i], key) == 0)
      return TRUE;
  return FALSE;
}

/*
 * What setup left in the file KIND, but for the entries that go back in STAGE. New entries
 * of ours stay until the end: mail in the queue needs them.
 */
static char *
text_of_stage(const SetupRecord *record, CfKind kind, Stage stage)
{
  g_autoptr(Cf) before = cf_parse(kind, record->before[kind]);
  g_autoptr(Cf) cf = cf_parse(kind, record->after[kind]);
  g_autoptr(GPtrArray) keys = cf_keys(cf);
  for (guint i = 0; i < keys->len; i++) {
    const char *key = keys->pdata[i];
    g_autofree char *was = cf_entry(before, key);
    gboolean added = was == NULL && kind == CF_MASTER;
    if (goes_back(kind, key, stage) && !added)
      cf_put(cf, key, was);
  }
  return cf_text(cf);
}

/*
 * The file KIND as it is now, taken back to STAGE. What nobody changed since comes out byte
 * for byte.
 */
static char *
take_back(SetupRecord *record, CfKind kind, const char *current, Stage stage,
          GPtrArray *conflicts)
{
  if (stage == STAGE_ALL)
    return setup_record_base(record, kind, current, conflicts);
  g_autofree char *staged = text_of_stage(record, kind, stage);
  g_autofree char *base = setup_record_base(record, kind, current, conflicts);
  if (strcmp(base, record->before[kind]) == 0)
    return g_steal_pointer(&staged);
  return cf_take_out(kind, staged, record->after[kind], current, conflicts);
}

static gboolean
put_stage(SetupRecord *record, Stage stage, GError **error)
{
  for (guint i = 0; i < 2; i++) {
    /* What master.cf names is in main.cf: at the end it goes first. */
    CfKind kind = (i == 0) == (stage == STAGE_ALL) ? CF_MASTER : CF_MAIN;
    g_autoptr(GPtrArray) conflicts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *current = setup_read(record->directory, kind, error);
    if (current == NULL)
      return FALSE;
    g_autofree char *text = take_back(record, kind, current, stage, conflicts);
    g_autofree char *base = setup_record_base(record, kind, current, conflicts);
    gboolean untouched = strcmp(base, record->before[kind]) == 0;
    if (!setup_record_put(record, kind, text, untouched, error))
      return FALSE;
  }
  return setup_postfix_reload(record->directory, error);
}

/*
 * Waits until nothing in the queue has a label, and nothing can come there from OLD,
 * processes that still work as before. FALSE with ZEGEL_ERROR_TEMPORARY.
 */
static gboolean
drain(const SetupRecord *record, GHashTable *old, GError **error)
{
  gint64 end_us = g_get_monotonic_time() + DRAIN_WAIT_S * G_USEC_PER_SEC;
  for (;;) {
    gboolean lives = setup_postfix_lives(record->directory, old);
    int count = setup_postfix_labelled(record->directory, error);
    if (count < 0 || (count == 0 && !lives))
      return count == 0;
    if (g_get_monotonic_time() >= end_us)
      return command_error(error, ZEGEL_ERROR_TEMPORARY,
                           "there is still mail that zegel protects, in the queue (%d "
                           "addresses: postqueue -p | "
                           "grep zegel.internal)%s. No new mail is protected any more. Run "
                           "zegelctl setup --undo "
                           "again later: it goes on from here.",
                           count,
                           lives ? ", or it may come by a connection of before" : "");
    g_usleep(LOOK_MS * 1000);
  }
}

static int
say_conflicts(const SetupRecord *record, const char *file, const GPtrArray *conflicts)
{
  fprintf(
      stderr,
      "zegelctl: %s/%s was changed since zegelctl setup, where it is not clear what was "
      "meant:\n",
      record->directory, file);
  for (guint i = 0; i < conflicts->len; i++)
    fprintf(stderr, "  %s\n", (const char *) conflicts->pdata[i]);
  fprintf(stderr,
          "Nothing was done. Take these changes out, run zegelctl setup --undo, and make "
          "them again then. The file from before is " SETUP_DIRECTORY "/%s.before.\n",
          file);
  return EX_CONFIG;
}

/* EX_OK when both files can be taken back whole. */
static int
check_all(SetupRecord *record, GError **error)
{
  static const char *const names[] = {[CF_MAIN] = "main.cf", [CF_MASTER] = "master.cf"};
  for (guint kind = CF_MAIN; kind <= CF_MASTER; kind++) {
    g_autoptr(GPtrArray) conflicts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *current = setup_read(record->directory, (CfKind) kind, error);
    if (current == NULL)
      return EX_CONFIG;
    g_free(setup_record_base(record, (CfKind) kind, current, conflicts));
    if (conflicts->len > 0)
      return say_conflicts(record, names[kind], conflicts);
  }
  return EX_OK;
}

static void
show(const SetupRecord *record)
{
  GHashTableIter iter;
  gpointer path;
  printf("This takes zegel out of the Postfix in %s:\n"
         "  1. main.cf and master.cf, without the milters and tables that label mail\n"
         "  2. when no labelled mail is in the queue: both files as they were before\n"
         "  3. systemctl disable --now zegel-milter zegel-milter-mx zegel-policyd "
         "zegel-deliver \\\n     zegel-probe.timer zegel-watch.timer\n"
         "  4. these files go:\n",
         record->directory);
  g_hash_table_iter_init(&iter, record->files);
  while (g_hash_table_iter_next(&iter, &path, NULL))
    printf("     %s\n", (const char *) path);
  printf("Messages, keys, the audit trail and /etc/zegel stay. zegel-viewer and "
         "zegel-auditd run "
         "on:\nend them when the last message has expired.\n");
}

static gboolean
take_step(SetupRecord *record, Stage stage, GError **error)
{
  g_autoptr(GHashTable) old = setup_postfix_processes(record->directory);
  return put_stage(record, stage, error) && drain(record, old, error);
}

static gboolean
undo_all(SetupRecord *record, GError **error)
{
  return take_step(record, STAGE_NO_LABELS, error) &&
         take_step(record, STAGE_LOCAL, error) && put_stage(record, STAGE_ALL, error) &&
         setup_postfix_check(record->directory, error);
}

/* Whether some file of RECORD was for systemd, which must forget it. */
static gboolean
has_units(const SetupRecord *record)
{
  GHashTableIter iter;
  gpointer path;
  g_hash_table_iter_init(&iter, record->files);
  while (g_hash_table_iter_next(&iter, &path, NULL))
    if (g_str_has_prefix(path, SETUP_UNITS))
      return TRUE;
  return FALSE;
}

int
setup_undo(SetupRecord *record, gboolean yes, gboolean dry_run)
{
  GError *error = NULL;
  int status = check_all(record, &error);
  if (error != NULL)
    return command_fail(error);
  if (status != EX_OK)
    return status;
  show(record);
  if (dry_run)
    return command_done(EX_OK);
  if (!yes && !setup_confirm("Go on?"))
    return EX_NOPERM;
  if (!undo_all(record, &error))
    return command_fail(error);
  setup_stop_programs();
  if (!setup_record_remove_files(record, &error) ||
      (has_units(record) && !setup_make_units(&error)) || !setup_record_remove(&error))
    return command_fail(error);
  log_line(LOG_LEVEL_INFO, "setup undone, directory=%s", record->directory);
  printf("Done: %s is as it was.\n", record->directory);
  return command_done(EX_OK);
}
