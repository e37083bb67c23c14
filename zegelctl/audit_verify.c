#include "zegelctl/audit_verify.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/audit/client.h"
#include "common/audit/verify.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "zegelctl/audit_key.h"
#include "zegelctl/audit_mail.h"
#include "zegelctl/audit_reader.h"
#include "zegelctl/command.h"
#include "zegelctl/file.h"
#include "zegelctl/record.h"

#define EX_WRONG 1
/* Not where somebody likes: who may verify as root may not write everywhere. */
#define KEPT_FILE             ZEGEL_STATEDIR "/audit-checkpoint"
#define KEPT_MODE             0600
#define CHECKPOINT_TIMEOUT_MS 30000

static char **option_checkpoints;
static char *option_public_key, *option_database;
static gboolean option_remember, option_alarm;

const GOptionEntry audit_verify_options[] = {
    {"checkpoint", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &option_checkpoints,
     "Against the checkpoints in FILE, a mail or a log; - is standard input", "FILE"},
    {"public-key", 0, 0, G_OPTION_ARG_FILENAME, &option_public_key,
     "With this key alone, as audit key prints it", "FILE"},
    {"database", 0, 0, G_OPTION_ARG_FILENAME, &option_database,
     "Verify FILE, a copy of the trail", "FILE"},
    {"remember", 0, 0, G_OPTION_ARG_NONE, &option_remember,
     "Against the checkpoint of the last time, and keep a new one", NULL},
    {"alarm", 0, 0, G_OPTION_ARG_NONE, &option_alarm,
     "For a timer: tell the log and [audit] mail", NULL},
    G_OPTION_ENTRY_NULL,
};

/* What a verification goes by; all owned. */
typedef struct {
  AuditReader reader;     /* without anything in it: with the public key alone */
  GPtrArray *checkpoints; /* of texts, with NULL at the end */
  guint8 public_key[CHECKPOINT_PUBLIC_BYTES];
} Job;

static void
job_clear(Job *job)
{
  audit_reader_clear(&job->reader);
  if (job->checkpoints != NULL)
    g_ptr_array_unref(job->checkpoints);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

/* ---- What was given ---- */

/* All of the file at PATH, or of standard input for "-". NULL with an error. */
static char *
read_text(const char *path, GError **error)
{
  char *text = NULL;
  g_autoptr(GError) reason = NULL;
  const char *name = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
  if (g_file_get_contents(name, &text, NULL, &reason))
    return text;
  command_error(error, ZEGEL_ERROR_INVALID, "%s", reason->message);
  return NULL;
}

static gboolean
read_checkpoints(Job *job, const char *path, GError **error)
{
  g_autofree char *text = read_text(path, error);
  if (text == NULL)
    return FALSE;
  if (audit_checkpoints_find(text, job->checkpoints) == 0)
    return command_error(error, ZEGEL_ERROR_INVALID, "%s: there is no checkpoint here",
                         path);
  return TRUE;
}

static gboolean
read_all_checkpoints(Job *job, GError **error)
{
  job->checkpoints = g_ptr_array_new_with_free_func(g_free);
  for (char **path = option_checkpoints; path != NULL && *path != NULL; path++)
    if (!read_checkpoints(job, *path, error))
      return FALSE;
  /* The first time there is none. */
  if (option_remember && access(KEPT_FILE, F_OK) == 0 &&
      !read_checkpoints(job, KEPT_FILE, error))
    return FALSE;
  g_ptr_array_add(job->checkpoints, NULL);
  return TRUE;
}

/* With the key of the trail: somebody of the works looks, which is recorded. */
static gboolean
prepare_with_key(Job *job, GError **error)
{
  if (!audit_reader_open(&job->reader, error))
    return FALSE;
  g_autoptr(Event) event = audit_reader_event(&job->reader, "verify", NULL, NULL);
  return record_first(job->reader.config, event, error);
}

/* An auditor with a copy: there need not even be a configuration. */
static gboolean
prepare_with_public_key(Job *job, GError **error)
{
  g_autofree char *text = read_text(option_public_key, error);
  return text != NULL && audit_key_parse(option_public_key, text, job->public_key, error) &&
         (option_database != NULL || (job->reader.config = command_config(error)) != NULL);
}

static gboolean
prepare(Job *job, GError **error)
{
  return read_all_checkpoints(job, error) &&
         (option_public_key != NULL ? prepare_with_public_key(job, error)
                                    : prepare_with_key(job, error));
}

static gboolean
verify(const Job *job, VerifyResult *result, GError **error)
{
  const VerifyWith with = {
      .keys = job->reader.keys,
      .public_key = option_public_key != NULL ? job->public_key : NULL,
      .checkpoints = (const char *const *) job->checkpoints->pdata,
  };
  return verify_trail(audit_reader_path(&job->reader, option_database), &with, result,
                      error);
}

/* ---- What was found ---- */

static void
print_good(const VerifyResult *result, guint checkpoints)
{
  if (result->last == 0) {
    puts("good: the trail is empty");
    return;
  }
  printf("good: records %" G_GUINT64_FORMAT " through %" G_GUINT64_FORMAT
         " are what was written\n",
         result->first, result->last);
  printf("signed through record %" G_GUINT64_FORMAT, result->proven);
  if (result->erased > 0)
    printf("; of %" G_GUINT64_FORMAT " records something was erased, which is recorded",
           result->erased);
  if (checkpoints > 0)
    printf("; it agrees with %u checkpoint%s that %s given", checkpoints,
           checkpoints == 1 ? "" : "s", checkpoints == 1 ? "was" : "were");
  putchar('\n');
}

static void
print_wrong(const VerifyResult *result)
{
  if (result->wrong_at > 0)
    printf("WRONG at record %" G_GUINT64_FORMAT ": %s\n", result->wrong_at, result->what);
  else
    printf("WRONG: %s\n", result->what);
}

/* A checkpoint of now from zegel-auditd; a new string or NULL. */
static char *
fetch_checkpoint(const Config *config, GError **error)
{
  g_autoptr(Attrs) request = attrs_new();
  attrs_add(request, "request", "checkpoint");
  g_autoptr(Attrs) answer =
      audit_request(config->audit_socket, request, CHECKPOINT_TIMEOUT_MS, error);
  const char *text = answer != NULL ? attrs_get(answer, "checkpoint") : NULL;
  if (answer != NULL && text == NULL)
    command_error(error, ZEGEL_ERROR_TEMPORARY, "zegel-auditd gave no checkpoint");
  return g_strdup(text);
}

static gboolean
remember(const char *checkpoint, GError **error)
{
  const FileRights rights = {KEPT_MODE, (uid_t) -1, (gid_t) -1};
  g_autofree char *line = g_strconcat(checkpoint, "\n", NULL);
  return file_replace(KEPT_FILE, line, strlen(line), &rights, error);
}

/* What a good trail brings: a checkpoint that is kept elsewhere. */
static gboolean
keep_checkpoint(const Job *job, const VerifyResult *result, GError **error)
{
  const Config *config = job->reader.config;
  if (!option_remember && !option_alarm)
    return TRUE;
  g_autofree char *checkpoint = fetch_checkpoint(config, error);
  return checkpoint != NULL && (!option_remember || remember(checkpoint, error)) &&
         (!option_alarm || audit_mail_send(config, result, checkpoint, NULL, error));
}

static int
tell_wrong(const Job *job, const VerifyResult *result)
{
  GError *error = NULL;
  print_wrong(result);
  if (!option_alarm)
    return command_done(EX_WRONG);
  log_line(LOG_LEVEL_ALARM,
           "the audit trail is not what was written: record %" G_GUINT64_FORMAT ": %s",
           result->wrong_at, result->what);
  if (!audit_mail_send(job->reader.config, result, NULL, NULL, &error))
    command_fail(error);
  return EX_WRONG;
}

/* Takes ERROR. */
static int
tell_unknown(const Job *job, GError *error)
{
  g_autoptr(GError) mail_error = NULL;
  if (option_alarm) {
    log_line(LOG_LEVEL_ALARM, "the audit trail could not be verified: %s", error->message);
    if (job->reader.config != NULL &&
        !audit_mail_send(job->reader.config, NULL, NULL, error->message, &mail_error))
      fprintf(stderr, "zegelctl: %s\n", mail_error->message);
  }
  return command_fail(error);
}

int
audit_verify_run(int argc, char **argv)
{
  GError *error = NULL;
  g_auto(Job) job = {.checkpoints = NULL};
  g_auto(VerifyResult) result = {.what = NULL};
  (void) argc;
  (void) argv;
  if ((option_public_key != NULL || option_database != NULL) &&
      (option_alarm || option_remember)) {
    fputs("zegelctl: --alarm and --remember are for the trail itself, with its key\n",
          stderr);
    return EX_USAGE;
  }
  if (!prepare(&job, &error) || !verify(&job, &result, &error))
    return tell_unknown(&job, error);
  if (!result.good)
    return tell_wrong(&job, &result);
  if (!keep_checkpoint(&job, &result, &error))
    return tell_unknown(&job, error);
  print_good(&result, job.checkpoints->len - 1);
  return command_done(EX_OK);
}
