/*
 * noop_milter - a filter of libmilter that does nothing: noop_milter SOCKET skip|body.
 *
 * Asks for exactly the steps, changes and macros that zegel-milter asks for, and has the
 * same callbacks with the same replies: with "skip" it wants no body, like ours for mail
 * that is not sensitive and not signed; with "body" it takes it. It changes nothing. What
 * zegel-milter does beside this is its own cost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#include "milter/steps.h"

#define BACKLOG 512

static gboolean wants_body;

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

int
main(int argc, char **argv)
{
  if (argc != 3)
    return EXIT_FAILURE;
  wants_body = strcmp(argv[2], "body") == 0;
  static char name[] = "noop_milter";
  struct smfiDesc callbacks = {
      .xxfi_name = name,
      .xxfi_version = SMFI_VERSION,
      .xxfi_flags = STEPS_ACTIONS,
      .xxfi_connect = on_connect,
      .xxfi_helo = on_text,
      .xxfi_envfrom = on_address,
      .xxfi_envrcpt = on_address,
      .xxfi_header = on_header,
      .xxfi_eoh = on_end_of_header,
      .xxfi_body = on_body,
      .xxfi_eom = on_event,
      .xxfi_abort = on_event,
      .xxfi_close = on_event,
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
