#include "zegelctl/mail_line.h"

#include <string.h>

#include "zegelctl/log_date.h"

#define TRADITIONAL_DATE 15 /* "Nov 22 04:18:37" */
#define ID_MIN           5

/* Programs of Postfix that tell what became of a message. */
static const char *const daemons[] = {"smtp", "lmtp",  "local", "virtual",
                                      "pipe", "error", "retry", "discard",
                                      "qmgr", "nqmgr", "smtpd", "bounce"};

static gboolean
is_postfix(const char *daemon, gsize len)
{
  for (guint i = 0; i < G_N_ELEMENTS(daemons); i++)
    if (strlen(daemons[i]) == len && strncmp(daemons[i], daemon, len) == 0)
      return TRUE;
  return FALSE;
}

/* What stands behind the date of LINE and one blank, or NULL. */
static const char *
skip_date(const char *line)
{
  if (g_ascii_isdigit(*line)) {
    line += strcspn(line, " ");
    return *line == ' ' ? line + 1 : NULL;
  }
  return strnlen(line, TRADITIONAL_DATE + 1) > TRADITIONAL_DATE &&
                 line[TRADITIONAL_DATE] == ' '
             ? line + TRADITIONAL_DATE + 1
             : NULL;
}

/* How many characters at TEXT can be a queue id, short or long. */
static gsize
id_length(const char *text)
{
  gsize len = 0;
  while (len <= MAIL_LINE_ID_MAX && g_ascii_isalnum(text[len]))
    len++;
  return len >= ID_MIN && len <= MAIL_LINE_ID_MAX ? len : 0;
}

/* The tag is "NAME[/SERVICE]/DAEMON[PID]: ": an instance or a service has a name of its
 * own (syslog_name), the daemon stands last. */
gboolean
mail_line_split(const char *line, MailHead *head)
{
  const char *host = skip_date(line);
  const char *tag = host != NULL ? strchr(host, ' ') : NULL;
  if (tag == NULL)
    return FALSE;
  tag++;
  const char *end = tag + strcspn(tag, " [");
  if (*end != '[')
    return FALSE;
  const char *slash = g_strrstr_len(tag, end - tag, "/");
  if (slash == NULL || !is_postfix(slash + 1, (gsize) (end - slash - 1)))
    return FALSE;
  const char *text = end + 1 + strspn(end + 1, "0123456789");
  if (text == end + 1 || strncmp(text, "]: ", 3) != 0)
    return FALSE;
  text += 3;
  gsize len = id_length(text);
  if (len == 0 || strncmp(text + len, ": ", 2) != 0)
    return FALSE;
  head->daemon = slash + 1;
  head->daemon_len = (gsize) (end - head->daemon);
  memcpy(head->id, text, len);
  head->id[len] = '\0';
  head->text = text + len + 2;
  return TRUE;
}

void
mail_line_clear(MailLine *line)
{
  char *const texts[] = {line->daemon, line->origin, line->to,  line->orig_to,
                         line->relay,  line->delay,  line->dsn, line->status,
                         line->reply,  line->next};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    g_free(texts[i]);
  memset(line, 0, sizeof *line);
}

/* ---- A delivery ---- */

/*
 * The value of KEY ("relay=") at *TEXT up to END, a new string; *TEXT goes behind it. NULL
 * when it does not stand here.
 */
static char *
take(const char **text, const char *key, const char *end)
{
  if (!g_str_has_prefix(*text, key))
    return NULL;
  const char *value = *text + strlen(key);
  const char *stop = strstr(value, end);
  if (stop == NULL)
    return NULL;
  *text = stop + strlen(end);
  return g_strndup(value, (gsize) (stop - value));
}

/* Goes behind the value of KEY, as take does; FALSE when it does not stand here. */
static gboolean
skip(const char **text, const char *key, const char *end)
{
  char *value = take(text, key, end);
  gboolean there = value != NULL;
  g_free(value);
  return there;
}

/* The queue id behind the last WORDS in REPLY, a new string, or NULL. */
static char *
id_behind(const char *reply, const char *words)
{
  const char *at = g_strrstr(reply, words);
  gsize len = at != NULL ? id_length(at + strlen(words)) : 0;
  return len > 0 ? g_strndup(at + strlen(words), len) : NULL;
}

/* "sent (250 2.0.0 Ok: queued as 4Xyz)" at TEXT. */
static void
take_status(MailLine *parsed, const char *text)
{
  gsize len = strspn(text, "abcdefghijklmnopqrstuvwxyz-");
  parsed->status = g_strndup(text, len);
  const char *reply = g_str_has_prefix(text + len, " (") ? text + len + 2 : "";
  gsize reply_len = strlen(reply);
  if (reply_len > 0 && reply[reply_len - 1] == ')')
    reply_len--;
  parsed->reply = g_strndup(reply, reply_len);
  parsed->next = id_behind(parsed->reply, "queued as ");
  if (parsed->next == NULL && g_strcmp0(parsed->daemon, "local") == 0)
    parsed->next = id_behind(parsed->reply, "forwarded as ");
}

/*
 * "to=<A>, [orig_to=<B>, ]relay=R, [conn_use=N, ]delay=D, delays=W/X/Y/Z, dsn=C, status=S
 * (REPLY)": in this order, so that nothing in the reply stands for a field.
 */
static gboolean
take_delivery(MailLine *parsed, const char *text)
{
  if ((parsed->to = take(&text, "to=<", ">, ")) == NULL)
    return FALSE;
  parsed->orig_to = take(&text, "orig_to=<", ">, ");
  if ((parsed->relay = take(&text, "relay=", ", ")) == NULL)
    return FALSE;
  (void) skip(&text,
              "conn_use=", ", "); /* one that is the first of its connection lacks it */
  if ((parsed->delay = take(&text, "delay=", ", ")) == NULL)
    return FALSE;
  if (!skip(&text, "delays=", ", ") || (parsed->dsn = take(&text, "dsn=", ", ")) == NULL ||
      !g_str_has_prefix(text, "status="))
    return FALSE;
  take_status(parsed, text + strlen("status="));
  return *parsed->status != '\0';
}

/* ---- The others ---- */

static gboolean
is_daemon(const MailHead *head, const char *name)
{
  return strlen(name) == head->daemon_len &&
         strncmp(name, head->daemon, head->daemon_len) == 0;
}

/* "client=HOST[ADDRESS], orig_queue_id=ID, ...": XFORWARD is taken from ourselves only. */
static gboolean
take_client(MailLine *parsed, const char *text)
{
  static const char key[] = ", orig_queue_id=";
  const char *at = g_str_has_prefix(text, "client=") ? strstr(text, key) : NULL;
  gsize len = at != NULL ? id_length(at + strlen(key)) : 0;
  if (len == 0)
    return FALSE;
  parsed->origin = g_strndup(at + strlen(key), len);
  return TRUE;
}

static MailLineKind
kind_of(const MailHead *head, MailLine *parsed)
{
  if (is_daemon(head, "smtpd"))
    return take_client(parsed, head->text) ? MAIL_LINE_CLIENT : MAIL_LINE_OTHER;
  if (is_daemon(head, "qmgr") || is_daemon(head, "nqmgr")) {
    if (strcmp(head->text, "removed") == 0)
      return MAIL_LINE_REMOVED;
    if (g_str_has_prefix(head->text, "from=<") &&
        (strstr(head->text, ">, status=expired,") != NULL ||
         strstr(head->text, ">, status=force-expired,") != NULL))
      return MAIL_LINE_EXPIRED;
  }
  return take_delivery(parsed, head->text) ? MAIL_LINE_DELIVERY : MAIL_LINE_OTHER;
}

gboolean
mail_line_parse(const char *line, const MailHead *head, gint64 now_s, MailLine *parsed)
{
  const char *rest = line;
  memset(parsed, 0, sizeof *parsed);
  parsed->daemon = g_strndup(head->daemon, head->daemon_len);
  parsed->kind = kind_of(head, parsed);
  parsed->at_s = parsed->kind != MAIL_LINE_OTHER ? log_date_parse(line, now_s, &rest) : 0;
  if (parsed->at_s != 0)
    return TRUE;
  mail_line_clear(parsed);
  return FALSE;
}
