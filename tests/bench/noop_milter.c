/*
 * noop_milter - a filter of libmilter that does nothing: noop_milter SOCKET
 * skip|body|change.
 *
 * Asks for exactly the steps, changes and macros that zegel-milter asks for, and has the
 * same callbacks with the same replies: with "skip" it wants no body, like ours for mail
 * that is not sensitive and not signed; with "body" it takes it. It changes nothing. What
 * zegel-milter does beside this is its own cost. With "change" it takes the body and makes
 * the changes of a sensitive message, the same for all: what libmilter and Postfix need for
 * those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#include "milter/steps.h"

#define BACKLOG 512

#define TICKET_BYTES 415

static gboolean wants_body, changes;
static char ticket[TICKET_BYTES + 1];

static sfsistat
on_connect(G_GNUC_UNUSED SMFICTX *ctx, G_GNUC_UNUSED char *name,
           G_GNUC_UNUSED struct sockaddr *address)
{
  return SMFIS_NOREPLY;
}

static sfsistat
on_text(G_GNUC_UNUSED SMFICTX *ctx, G_GNUC_UNUSED char *text)
{
  return SMFIS_NOREPLY;
}

static sfsistat
on_address(G_GNUC_UNUSED SMFICTX *ctx, G_GNUC_UNUSED char **args)
{
  return SMFIS_NOREPLY;
}

static sfsistat
on_header(G_GNUC_UNUSED SMFICTX *ctx, G_GNUC_UNUSED char *name, G_GNUC_UNUSED char *value)
{
  return SMFIS_NOREPLY;
}

static sfsistat
on_end_of_header(G_GNUC_UNUSED SMFICTX *ctx)
{
  return SMFIS_NOREPLY;
}

static sfsistat
on_body(G_GNUC_UNUSED SMFICTX *ctx, G_GNUC_UNUSED unsigned char *bytes,
        G_GNUC_UNUSED size_t len)
{
  return wants_body ? SMFIS_CONTINUE : SMFIS_SKIP;
}

static sfsistat
on_event(G_GNUC_UNUSED SMFICTX *ctx)
{
  return SMFIS_CONTINUE;
}

/* What zegel-milter does to a message from bench to one partner. */
static gboolean
change(SMFICTX *ctx)
{
  static char subject[] = "Subject", text[] = " recept", nta[] = "X-NTA7516", one[] = " 1",
              ticket_name[] = "X-Zegel-Ticket", sender[] = "<janssen@bench.test>",
              ret[] = "RET=HDRS", labelled[] = "<jan@ready.test.direct.zegel.internal>",
              args[] = "NOTIFY=FAILURE,DELAY ORCPT=rfc822;jan@ready.test";
  const char *recipient = smfi_getpriv(ctx);
  return recipient != NULL && smfi_chgheader(ctx, subject, 1, text) == MI_SUCCESS &&
         smfi_insheader(ctx, 1, nta, one) == MI_SUCCESS &&
         smfi_insheader(ctx, 1, ticket_name, ticket) == MI_SUCCESS &&
         smfi_chgfrom(ctx, sender, ret) == MI_SUCCESS &&
         smfi_addrcpt_par(ctx, labelled, args) == MI_SUCCESS &&
         smfi_delrcpt(ctx, (char *) (gpointer) recipient) == MI_SUCCESS;
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
  return !changes || change(ctx) ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

static sfsistat
on_recipient(SMFICTX *ctx, char **args)
{
  if (changes) {
    g_free(smfi_getpriv(ctx));
    smfi_setpriv(ctx, g_strdup(args[0]));
  }
  return SMFIS_NOREPLY;
}

static sfsistat
on_close(SMFICTX *ctx)
{
  g_free(smfi_getpriv(ctx));
  smfi_setpriv(ctx, NULL);
  return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
  if (argc != 3)
    return EXIT_FAILURE;
  changes = strcmp(argv[2], "change") == 0;
  wants_body = changes || strcmp(argv[2], "body") == 0;
  memset(ticket, 'x', TICKET_BYTES);
  static char name[] = "noop_milter";
  struct smfiDesc callbacks = {
      .xxfi_name = name,
      .xxfi_version = SMFI_VERSION,
      .xxfi_flags = STEPS_ACTIONS,
      .xxfi_connect = on_connect,
      .xxfi_helo = on_text,
      .xxfi_envfrom = on_address,
      .xxfi_envrcpt = on_recipient,
      .xxfi_header = on_header,
      .xxfi_eoh = on_end_of_header,
      .xxfi_body = on_body,
      .xxfi_eom = on_end_of_message,
      .xxfi_abort = on_event,
      .xxfi_close = on_close,
      .xxfi_negotiate = steps_negotiate,
  };
  g_autofree char *connection = g_strconcat("unix:", argv[1], NULL);
  umask(0);
  if (smfi_setconn(connection) != MI_SUCCESS || smfi_register(callbacks) != MI_SUCCESS ||
      smfi_setbacklog(BACKLOG) != MI_SUCCESS || smfi_opensocket(TRUE) != MI_SUCCESS) {
    fprintf(stderr, "noop_milter: cannot listen at %s\n", argv[1]);
    return EXIT_FAILURE;
  }
  return smfi_main() == MI_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}
