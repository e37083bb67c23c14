#include "milter/session.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/statistics.h"
#include "milter/apply.h"
#include "milter/arrival.h"
#include "milter/flow.h"
#include "milter/steps.h"
#include "milter/tools.h"

static Current *tools;

/* The messages of all sessions. */
static struct {
  GMutex lock;
  GCond changed;
  guint begun;
  gboolean stopping; /* no other may begin */
  gboolean over;     /* and those that have begun are cut off */
} messages;

typedef struct {
  char *address;        /* of the client, textual; NULL when unknown */
  char *helo;           /* or NULL */
  Arrival *arrival;     /* NULL: no message */
  Flow *flow;           /* of it, from the end of its header on */
  Tools *tools;         /* of the flow */
  gboolean turned_away; /* a message, because we end */
} Session;

/* ---- Messages ---- */

/* FALSE: it must come again. */
static gboolean
begin_message(void)
{
  g_mutex_lock(&messages.lock);
  gboolean may = !messages.stopping;
  messages.begun += may;
  g_mutex_unlock(&messages.lock);
  return may;
}

static gboolean
is_over(void)
{
  g_mutex_lock(&messages.lock);
  gboolean over = messages.over;
  g_mutex_unlock(&messages.lock);
  return over;
}

static void
end_message(void)
{
  g_mutex_lock(&messages.lock);
  messages.begun--;
  g_cond_signal(&messages.changed);
  g_mutex_unlock(&messages.lock);
}

guint
session_drain(guint wait_ms)
{
  gint64 until_us = g_get_monotonic_time() + wait_ms * G_TIME_SPAN_MILLISECOND;
  g_mutex_lock(&messages.lock);
  messages.stopping = TRUE;
  while (messages.begun > 0 &&
         g_cond_wait_until(&messages.changed, &messages.lock, until_us))
    continue;
  guint left = messages.begun;
  messages.over = TRUE;
  g_mutex_unlock(&messages.lock);
  return left;
}

static void
session_end_message(Session *session)
{
  session->turned_away = FALSE;
  if (session->arrival == NULL)
    return;
  g_clear_pointer(&session->flow, flow_free);
  g_clear_pointer(&session->arrival, arrival_free);
  current_give(tools, g_steal_pointer(&session->tools));
  end_message();
}

/* ---- Callbacks ---- */

static char *
format_address(const struct sockaddr *address)
{
  char text[INET6_ADDRSTRLEN];
  const void *bytes = NULL;
  if (address != NULL && address->sa_family == AF_INET)
    bytes = &((const struct sockaddr_in *) (gconstpointer) address)->sin_addr;
  else if (address != NULL && address->sa_family == AF_INET6)
    bytes = &((const struct sockaddr_in6 *) (gconstpointer) address)->sin6_addr;
  if (bytes == NULL || inet_ntop(address->sa_family, bytes, text, sizeof text) == NULL)
    return NULL;
  return g_strdup(text);
}

static sfsistat
on_connect(SMFICTX *ctx, G_GNUC_UNUSED char *name, struct sockaddr *address)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL) {
    session = g_new0(Session, 1);
    smfi_setpriv(ctx, session);
    statistics_count(STATISTIC_SESSIONS);
  }
  g_free(session->address); /* XCLIENT connects again */
  session->address = format_address(address);
  return SMFIS_NOREPLY;
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL)
    return SMFIS_NOREPLY;
  g_free(session->helo);
  session->helo = g_strdup(name);
  return SMFIS_NOREPLY;
}

/* The value of the macro NAME as a new string; NULL: it has none, or an empty one. */
static char *
take_macro(SMFICTX *ctx, const char *name)
{
  const char *value = smfi_getsymval(ctx, (char *) (gpointer) name);
  return value != NULL && *value != '\0' ? g_strdup(value) : NULL;
}

static void
fill_client(SMFICTX *ctx, const Session *session, Client *client)
{
  client->address = take_macro(ctx, "{client_addr}");
  if (client->address == NULL)
    client->address = g_strdup(session->address);
  g_autofree char *port = take_macro(ctx, "{client_port}");
  guint64 number = 0;
  if (port != NULL && g_ascii_string_to_unsigned(port, 10, 1, G_MAXUINT16, &number, NULL))
    client->port = (guint16) number;
  client->helo = g_strdup(session->helo);
  client->login = take_macro(ctx, "{auth_authen}");
  client->tls_version = take_macro(ctx, "{tls_version}");
  client->daemon = take_macro(ctx, "{daemon_name}");
}

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL)
    return SMFIS_NOREPLY;
  session_end_message(session);
  session->turned_away = !begin_message();
  if (session->turned_away)
    return SMFIS_NOREPLY;
  session->arrival = arrival_new((const char *const *) args);
  fill_client(ctx, session, &session->arrival->client);
  return SMFIS_NOREPLY;
}

static sfsistat
on_recipient(SMFICTX *ctx, char **args)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL && session->arrival != NULL)
    arrival_add_recipient(session->arrival, (const char *const *) args);
  return SMFIS_NOREPLY;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL && session->arrival != NULL)
    arrival_add_field(session->arrival, name, value);
  return SMFIS_NOREPLY;
}

/* Begins the flow of the message, its header complete; idempotent. */
static void
begin(SMFICTX *ctx, Session *session)
{
  static char id[] = "i";
  if (session->arrival == NULL || session->flow != NULL)
    return;
  session->tools = current_take(tools);
  session->flow = flow_new(session->tools, session->arrival, smfi_getsymval(ctx, id));
}

static sfsistat
on_end_of_header(SMFICTX *ctx)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL)
    begin(ctx, session);
  return SMFIS_NOREPLY;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL || session->arrival == NULL)
    return SMFIS_SKIP;
  begin(ctx, session);
  if (!flow_needs_body(session->flow))
    return SMFIS_SKIP;
  flow_body(session->flow, bytes, len);
  return SMFIS_CONTINUE;
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL && (session->turned_away || is_over()))
    return SMFIS_TEMPFAIL;
  if (session == NULL || session->arrival == NULL)
    return SMFIS_CONTINUE;
  begin(ctx, session);
  static char id[] = "i";
  gboolean done;
  g_autoptr(Plan) plan = flow_finish(session->flow);
  sfsistat status =
      apply(ctx, plan, flow_message(session->flow), smfi_getsymval(ctx, id), &done);
  if (done)
    flow_log(session->flow);
  statistics_count(STATISTIC_MESSAGES);
  session_end_message(session);
  return status;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL)
    session_end_message(session);
  return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL)
    return SMFIS_CONTINUE;
  session_end_message(session);
  g_free(session->address);
  g_free(session->helo);
  g_free(session);
  smfi_setpriv(ctx, NULL);
  return SMFIS_CONTINUE;
}

void
session_use(Current *the_tools)
{
  tools = the_tools;
}

struct smfiDesc
session_callbacks(void)
{
  static char name[] = "zegel-milter";
  return (struct smfiDesc){
      .xxfi_name = name,
      .xxfi_version = SMFI_VERSION,
      .xxfi_flags = STEPS_ACTIONS,
      .xxfi_connect = on_connect,
      .xxfi_helo = on_helo,
      .xxfi_envfrom = on_mail,
      .xxfi_envrcpt = on_recipient,
      .xxfi_header = on_header,
      .xxfi_eoh = on_end_of_header,
      .xxfi_body = on_body,
      .xxfi_eom = on_end_of_message,
      .xxfi_abort = on_abort,
      .xxfi_close = on_close,
      .xxfi_negotiate = steps_negotiate,
  };
}
