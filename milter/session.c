#include "milter/session.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/ask/ask.h"
#include "common/base/log.h"
#include "milter/act.h"
#include "milter/again.h"
#include "milter/decide.h"
#include "milter/message.h"

/* What Postfix must let us do, leave out, and not wait for. */
#define ACTIONS                                                                            \
  (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT |     \
   SMFIF_CHGFROM | SMFIF_SETSYMLIST)
#define UNWANTED (SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN)
#define NO_REPLY                                                                           \
  (SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_EOH)
#define PROTOCOL (UNWANTED | NO_REPLY | SMFIP_SKIP)

/* milter_macro_daemon_name of the smtpd behind the expansions (R7), see master.cf.zegel. */
#define AGAIN_DAEMON "ZEGEL_PASS2"

/* After policyd let mail wait that goes on without it, it is left alone so long (R9). */
#define PREFER_PAUSE_S 10

static const Config *config;
static const KeyRing *ring;
static gint prefer_again_s; /* monotonic; not before this is it asked again; atomic */

typedef struct {
  char *address;      /* of the client, textual; NULL when unknown */
  Message *message;   /* NULL: none */
  Decision *decision; /* of the message, from the end of its header on */
} Session;

static void
session_end_message(Session *session)
{
  g_clear_pointer(&session->decision, decision_free);
  g_clear_pointer(&session->message, message_free);
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
             G_GNUC_UNUSED unsigned long f2, G_GNUC_UNUSED unsigned long f3,
             unsigned long *want_actions, unsigned long *want_protocol,
             unsigned long *want_f2, unsigned long *want_f3)
{
  if ((actions & ACTIONS) != ACTIONS || (protocol & PROTOCOL) != PROTOCOL) {
    log_line(LOG_LEVEL_ALARM, "the mail server is too old: milter protocol 6 is needed");
    return SMFIS_REJECT;
  }
  static char mail[] = "{auth_authen} {client_addr} {daemon_name}", end[] = "i";
  if (smfi_setsymlist(ctx, SMFIM_ENVFROM, mail) != MI_SUCCESS ||
      smfi_setsymlist(ctx, SMFIM_EOM, end) != MI_SUCCESS)
    return SMFIS_REJECT;
  *want_actions = ACTIONS;
  *want_protocol = PROTOCOL;
  *want_f2 = 0;
  *want_f3 = 0;
  return SMFIS_CONTINUE;
}

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
  }
  g_free(session->address); /* XCLIENT connects again */
  session->address = format_address(address);
  return SMFIS_NOREPLY;
}

/* The kind of a message of this client, and in *ORGANISATION to whom it belongs, or NULL.
 */
static MessageKind
kind_of(SMFICTX *ctx, const Session *session, const Organisation **organisation)
{
  static char login_name[] = "{auth_authen}", address_name[] = "{client_addr}",
              daemon_name[] = "{daemon_name}";
  *organisation = NULL;
  if (g_strcmp0(smfi_getsymval(ctx, daemon_name), AGAIN_DAEMON) == 0)
    return MESSAGE_AGAIN;
  const char *login = smfi_getsymval(ctx, login_name);
  const char *address = smfi_getsymval(ctx, address_name);
  if (login != NULL && *login == '\0')
    login = NULL;
  *organisation = conf_organisation_of_client(config, login,
                                              address != NULL ? address : session->address);
  if (*organisation != NULL)
    return MESSAGE_OUTWARD;
  return login != NULL ? MESSAGE_STRANGER : MESSAGE_INWARD;
}

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL)
    return SMFIS_NOREPLY;
  session_end_message(session);
  const Organisation *organisation;
  MessageKind kind = kind_of(ctx, session, &organisation);
  session->message =
      message_new(kind, organisation, (const char *const *) config->sms_countries,
                  (const char *const *) args);
  return SMFIS_NOREPLY;
}

static sfsistat
on_recipient(SMFICTX *ctx, char **args)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL && session->message != NULL)
    message_add_recipient(session->message, (const char *const *) args);
  return SMFIS_NOREPLY;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL && session->message != NULL)
    message_add_header(session->message, name, value);
  return SMFIS_NOREPLY;
}

static void
decide_anew(Session *session)
{
  const Message *message = session->message;
  decision_free(session->decision);
  session->decision = message->kind == MESSAGE_AGAIN ? decide_again(&message->again)
                                                     : decide(&message->facts);
}

/* Decides as far as that goes without routes; idempotent. */
static void
judge(Session *session)
{
  Message *message = session->message;
  if (message == NULL || session->decision != NULL)
    return;
  message_end_header(message);
  if (message->kind == MESSAGE_AGAIN)
    again_open(message, config, ring);
  decide_anew(session);
  if (session->decision->kind == DECISION_ASK && session->decision->sensitive)
    message->body = crypt_hash_new();
}

static sfsistat
on_end_of_header(SMFICTX *ctx)
{
  Session *session = smfi_getpriv(ctx);
  if (session != NULL)
    judge(session);
  return SMFIS_NOREPLY;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL || session->message == NULL)
    return SMFIS_SKIP;
  judge(session);
  if (session->message->body == NULL)
    return SMFIS_SKIP;
  crypt_hash_update(session->message->body, bytes, len);
  return SMFIS_CONTINUE;
}

static gint
now_s(void)
{
  return (gint) (g_get_monotonic_time() / G_USEC_PER_SEC);
}

/* The routes from policyd, or NULL with an error. */
static GPtrArray *
ask(const Message *message, gboolean sensitive, const char *queue_id, GError **error)
{
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup(message->organisation->name);
  question->sender =
      g_strdup(message->ticket != NULL ? message->ticket->sender : message->sender);
  question->queue_id = g_strdup(queue_id != NULL ? queue_id : "");
  question->sensitive = sensitive;
  for (guint i = 0; i < message->unique->len; i++)
    g_ptr_array_add(question->recipients, g_strdup(message->unique->pdata[i]));
  return ask_route(config->policyd_socket, question, error);
}

/*
 * For mail that is not sensitive: NULL also when policyd let the last such message wait,
 * so that one that hangs costs little.
 */
static GPtrArray *
ask_gently(const Message *message, const char *queue_id, GError **error)
{
  gint begin_s = now_s();
  if (begin_s < g_atomic_int_get(&prefer_again_s))
    return NULL;
  GPtrArray *answers = ask(message, FALSE, queue_id, error);
  gint end_s = now_s();
  if (answers == NULL && end_s > begin_s)
    g_atomic_int_set(&prefer_again_s, end_s + PREFER_PAUSE_S);
  return answers;
}

/* Asks policyd for the routes and decides again. */
static void
ask_and_decide(Session *session, const char *queue_id)
{
  Message *message = session->message;
  gboolean sensitive = session->decision->sensitive;
  g_autoptr(GError) error = NULL;
  message->answers = sensitive ? ask(message, TRUE, queue_id, &error)
                               : ask_gently(message, queue_id, &error);
  message->facts.answers = message->again.answers = message->answers;
  message->facts.unanswered = message->again.unanswered = message->answers == NULL;
  if (error != NULL)
    log_line(LOG_LEVEL_WARNING, "%s: no route: %s", queue_id != NULL ? queue_id : "NOQUEUE",
             error->message);
  decide_anew(session);
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL || session->message == NULL)
    return SMFIS_CONTINUE;
  static char id_name[] = "i";
  const char *queue_id = smfi_getsymval(ctx, id_name);
  judge(session);
  if (session->message->ticket != NULL && again_check_body(session->message))
    decide_anew(session);
  if (session->decision->kind == DECISION_ASK)
    ask_and_decide(session, queue_id);
  sfsistat status = act(ctx, session->message, session->decision, ring, queue_id);
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
  g_free(session);
  smfi_setpriv(ctx, NULL);
  return SMFIS_CONTINUE;
}

struct smfiDesc
session_callbacks(const Config *the_config)
{
  static char name[] = "zegel-milter";
  config = the_config;
  return (struct smfiDesc){
      .xxfi_name = name,
      .xxfi_version = SMFI_VERSION,
      .xxfi_flags = ACTIONS,
      .xxfi_connect = on_connect,
      .xxfi_envfrom = on_mail,
      .xxfi_envrcpt = on_recipient,
      .xxfi_header = on_header,
      .xxfi_eoh = on_end_of_header,
      .xxfi_body = on_body,
      .xxfi_eom = on_end_of_message,
      .xxfi_abort = on_abort,
      .xxfi_close = on_close,
      .xxfi_negotiate = on_negotiate,
  };
}

void
session_set_keys(const KeyRing *the_ring)
{
  ring = the_ring;
}
