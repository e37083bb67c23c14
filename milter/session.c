#include "milter/session.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/ask/ask.h"
#include "common/base/log.h"
#include "milter/act.h"
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

static const Config *config;
static const KeyRing *ring;

typedef struct {
  char *address;      /* of the client, textual; NULL when unknown */
  Message *message;   /* NULL: none, or not outward */
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
  static char mail[] = "{auth_authen} {client_addr}", end[] = "i";
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

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
  Session *session = smfi_getpriv(ctx);
  if (session == NULL)
    return SMFIS_NOREPLY;
  session_end_message(session);
  static char login_name[] = "{auth_authen}", address_name[] = "{client_addr}";
  const char *login = smfi_getsymval(ctx, login_name);
  const char *address = smfi_getsymval(ctx, address_name);
  if (login != NULL && *login == '\0')
    login = NULL;
  const Organisation *organisation = conf_organisation_of_client(
      config, login, address != NULL ? address : session->address);
  if (organisation != NULL || login != NULL)
    session->message =
        message_new(organisation, (const char *const *) config->sms_countries,
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

/* Decides as far as that goes without routes; idempotent. */
static void
judge(Session *session)
{
  if (session->message == NULL || session->decision != NULL)
    return;
  message_end_header(session->message);
  session->decision = decide(&session->message->facts);
  if (session->decision->kind == DECISION_ASK)
    session->message->body = crypt_hash_new();
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

/* Asks policyd for the routes and decides again. */
static void
ask_and_decide(Session *session, const char *queue_id)
{
  Message *message = session->message;
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup(message->organisation->name);
  question->sender = g_strdup(message->sender);
  question->queue_id = g_strdup(queue_id != NULL ? queue_id : "");
  question->sensitive = TRUE;
  for (guint i = 0; i < message->unique->len; i++)
    g_ptr_array_add(question->recipients, g_strdup(message->unique->pdata[i]));

  g_autoptr(GError) error = NULL;
  message->answers = ask_route(config->policyd_socket, question, &error);
  message->facts.answers = message->answers;
  message->facts.unanswered = message->answers == NULL;
  if (message->answers == NULL)
    log_line(LOG_LEVEL_WARNING, "%s: no route: %s", queue_id != NULL ? queue_id : "NOQUEUE",
             error->message);
  decision_free(session->decision);
  session->decision = decide(&message->facts);
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
