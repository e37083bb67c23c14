#include "deliver/lmtp.h"

#include <string.h>

typedef enum {
  STATE_COMMAND,
  STATE_COMMAND_TOO_LONG, /* throwing away up to the line end */
  /* in a message: */
  STATE_LINE_START,
  STATE_TEXT,
  STATE_CR,    /* after a CR that was given out */
  STATE_DOT,   /* after a dot at line start that was not */
  STATE_DOT_CR /* after such a dot and a CR, both not given out */
} State;

struct Lmtp {
  State state;
  GString *line; /* a command so far */
  LmtpCommand command;
};

Lmtp *
lmtp_new(void)
{
  Lmtp *lmtp = g_new0(Lmtp, 1);
  lmtp->line = g_string_new(NULL);
  return lmtp;
}

void
lmtp_free(Lmtp *lmtp)
{
  if (lmtp == NULL)
    return;
  lmtp_command_clear(&lmtp->command);
  g_string_free(lmtp->line, TRUE);
  g_free(lmtp);
}

void
lmtp_command_clear(LmtpCommand *command)
{
  g_free(command->path);
  g_free(command->ident);
  memset(command, 0, sizeof *command);
}

void
lmtp_begin_content(Lmtp *lmtp)
{
  lmtp->state = STATE_LINE_START;
}

/* ---- Arguments ---- */

/*
 * The path at the start of TEXT: "<", an address whose local part may be quoted, ">". The
 * address goes into *PATH, what follows into *REST. FALSE when it is none.
 */
static gboolean
take_path(const char *text, char **path, const char **rest)
{
  if (*text != '<')
    return FALSE;
  gboolean quoted = FALSE;
  const char *p = text + 1;
  for (; *p != '\0' && (quoted || *p != '>'); p++) {
    if (*p == '"')
      quoted = !quoted;
    else if (*p == '\\' && quoted && p[1] != '\0')
      p++;
    else if (!quoted && (*p == ' ' || *p == '<' || *p == ',' || *p == ':'))
      return FALSE; /* source routes, RFC 5321 appendix C, are of the past */
  }
  if (*p != '>' || (p[1] != '\0' && p[1] != ' '))
    return FALSE;
  *path = g_strndup(text + 1, (gsize) (p - text - 1));
  *rest = p + 1;
  return TRUE;
}

static LmtpFault
read_mail_parameter(LmtpCommand *command, const char *word)
{
  const char *equals = strchr(word, '=');
  if (g_ascii_strcasecmp(word, "SMTPUTF8") == 0) {
    command->utf8 = TRUE;
    return LMTP_FAULT_NONE;
  }
  if (equals != NULL && g_ascii_strncasecmp(word, "SIZE=", 5) == 0)
    return g_ascii_string_to_unsigned(equals + 1, 10, 0, G_MAXINT64, &command->size_bytes,
                                      NULL)
               ? LMTP_FAULT_NONE
               : LMTP_FAULT_PARAMETER_VALUE;
  if (equals != NULL && g_ascii_strncasecmp(word, "BODY=", 5) == 0)
    return g_ascii_strcasecmp(equals + 1, "7BIT") == 0 ||
                   g_ascii_strcasecmp(equals + 1, "8BITMIME") == 0
               ? LMTP_FAULT_NONE
               : LMTP_FAULT_PARAMETER_VALUE;
  return LMTP_FAULT_PARAMETER;
}

static LmtpFault
read_envelope(LmtpCommand *command, const char *keyword, const char *arguments)
{
  gsize keyword_len = strlen(keyword);
  if (g_ascii_strncasecmp(arguments, keyword, keyword_len) != 0)
    return LMTP_FAULT_ARGUMENT;
  const char *text = arguments + keyword_len;
  while (*text == ' ')
    text++;
  if (!take_path(text, &command->path, &text))
    return LMTP_FAULT_ARGUMENT;
  const char *at = strrchr(command->path, '@');
  gboolean empty = command->verb == LMTP_MAIL && *command->path == '\0';
  if (!empty && (at == NULL || at == command->path || at[1] == '\0'))
    return LMTP_FAULT_ARGUMENT;

  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  for (char **word = words; *word != NULL; word++) {
    if (**word == '\0')
      continue;
    LmtpFault fault = command->verb == LMTP_MAIL ? read_mail_parameter(command, *word)
                                                 : LMTP_FAULT_PARAMETER;
    if (fault != LMTP_FAULT_NONE)
      return fault;
  }
  return LMTP_FAULT_NONE;
}

/* XFORWARD NAME=VALUE ...; values in xtext, which a queue id never needs. */
static LmtpFault
read_xforward(LmtpCommand *command, const char *arguments)
{
  g_auto(GStrv) words = g_strsplit(arguments, " ", -1);
  for (char **word = words; *word != NULL; word++) {
    const char *equals = strchr(*word, '=');
    if (**word != '\0' && equals == NULL)
      return LMTP_FAULT_ARGUMENT;
    if (equals == NULL || g_ascii_strncasecmp(*word, "IDENT=", 6) != 0)
      continue;
    g_free(command->ident);
    command->ident = g_strdup(equals + 1);
    for (const char *p = command->ident; *p != '\0'; p++)
      if (!g_ascii_isalnum(*p))
        return LMTP_FAULT_ARGUMENT;
  }
  return *arguments == '\0' ? LMTP_FAULT_ARGUMENT : LMTP_FAULT_NONE;
}

static LmtpFault
read_arguments(LmtpCommand *command, const char *arguments)
{
  switch (command->verb) {
  case LMTP_MAIL:
    return read_envelope(command, "FROM:", arguments);
  case LMTP_RCPT:
    return read_envelope(command, "TO:", arguments);
  case LMTP_XFORWARD:
    return read_xforward(command, arguments);
  case LMTP_LHLO:
  case LMTP_VRFY:
    return *arguments == '\0' ? LMTP_FAULT_ARGUMENT : LMTP_FAULT_NONE;
  case LMTP_DATA:
  case LMTP_RSET:
  case LMTP_QUIT:
    return *arguments != '\0' ? LMTP_FAULT_ARGUMENT : LMTP_FAULT_NONE;
  case LMTP_NOOP:
    return LMTP_FAULT_NONE;
  }
  return LMTP_FAULT_UNKNOWN;
}

/* ---- Command lines ---- */

static const struct {
  const char *name;
  LmtpVerb verb;
} verbs[] = {
    {"LHLO", LMTP_LHLO}, {"MAIL", LMTP_MAIL}, {"RCPT", LMTP_RCPT},
    {"DATA", LMTP_DATA}, {"RSET", LMTP_RSET}, {"NOOP", LMTP_NOOP},
    {"QUIT", LMTP_QUIT}, {"VRFY", LMTP_VRFY}, {"XFORWARD", LMTP_XFORWARD},
};

/* Commands of SMTP and its extensions that somebody might try. */
static const char *const not_here[] = {"HELO", "EHLO", "EXPN", "HELP",     "BDAT",   "AUTH",
                                       "ETRN", "TURN", "BURL", "STARTTLS", "XCLIENT"};

static LmtpFault
read_verb(LmtpCommand *command, const char *word)
{
  for (guint i = 0; i < G_N_ELEMENTS(verbs); i++)
    if (g_ascii_strcasecmp(word, verbs[i].name) == 0) {
      command->verb = verbs[i].verb;
      return LMTP_FAULT_NONE;
    }
  for (guint i = 0; i < G_N_ELEMENTS(not_here); i++)
    if (g_ascii_strcasecmp(word, not_here[i]) == 0)
      return LMTP_FAULT_NOT_HERE;
  return LMTP_FAULT_UNKNOWN;
}

static gboolean
bytes_are_clean(const char *line, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if ((guchar) line[i] < 0x20 || line[i] == 0x7f)
      return FALSE;
  return g_utf8_validate(line, (gssize) len, NULL);
}

void
lmtp_command_parse(LmtpCommand *command, const char *line, gsize len)
{
  lmtp_command_clear(command);
  if (!bytes_are_clean(line, len)) {
    command->fault = LMTP_FAULT_BYTES;
    return;
  }
  g_autofree char *word = g_strndup(line, len);
  g_strchomp(word);
  char *arguments = strchr(word, ' ');
  if (arguments != NULL) {
    *arguments++ = '\0';
    g_strchug(arguments);
  }
  command->fault = read_verb(command, word);
  if (command->fault == LMTP_FAULT_NONE)
    command->fault = read_arguments(command, arguments != NULL ? arguments : "");
}

static void
set_event(LmtpEvent *event, LmtpEventKind kind, const char *content, gsize content_len)
{
  event->kind = kind;
  event->command = NULL;
  event->content = content;
  event->content_len = content_len;
}

/* One line end was found: its command, or the complaint that it was too long. */
static void
end_command(Lmtp *lmtp, LmtpEvent *event)
{
  if (lmtp->state == STATE_COMMAND_TOO_LONG) {
    lmtp_command_clear(&lmtp->command);
    lmtp->command.fault = LMTP_FAULT_LENGTH;
  } else {
    lmtp_command_parse(&lmtp->command, lmtp->line->str, lmtp->line->len - 2);
  }
  lmtp->state = STATE_COMMAND;
  g_string_truncate(lmtp->line, 0);
  set_event(event, LMTP_EVENT_COMMAND, NULL, 0);
  event->command = &lmtp->command;
}

/* A bare LF does not end a line; the parser will find it among the bytes. */
static gsize
next_command(Lmtp *lmtp, const char *bytes, gsize len, LmtpEvent *event)
{
  for (gsize used = 0; used < len;) {
    const char *lf = memchr(bytes + used, '\n', len - used);
    gsize end = lf != NULL ? (gsize) (lf - bytes) + 1 : len;
    g_string_append_len(lmtp->line, bytes + used, (gssize) (end - used));
    used = end;
    GString *line = lmtp->line;
    gboolean ended = line->len >= 2 && memcmp(line->str + line->len - 2, "\r\n", 2) == 0;
    if (line->len > LMTP_LINE_MAX_BYTES)
      lmtp->state = STATE_COMMAND_TOO_LONG;
    if (ended) {
      end_command(lmtp, event);
      return used;
    }
    if (lmtp->state == STATE_COMMAND_TOO_LONG) /* only a CR may still matter */
      g_string_erase(line, 0, (gssize) line->len - 1);
  }
  set_event(event, LMTP_EVENT_MORE, NULL, 0);
  return len;
}

/* ---- Messages ---- */

/* What one byte does, and whether it belongs to the message. */
static gboolean
step_content(Lmtp *lmtp, char c)
{
  switch (lmtp->state) {
  case STATE_LINE_START:
    if (c == '.') {
      lmtp->state = STATE_DOT;
      return FALSE;
    }
    break;
  case STATE_CR:
    if (c == '\n') {
      lmtp->state = STATE_LINE_START;
      return TRUE;
    }
    break;
  case STATE_DOT:
    if (c == '\r') {
      lmtp->state = STATE_DOT_CR;
      return FALSE;
    }
    break;
  case STATE_TEXT:
  case STATE_DOT_CR:
  case STATE_COMMAND:
  case STATE_COMMAND_TOO_LONG:
    break;
  }
  lmtp->state = c == '\r' ? STATE_CR : STATE_TEXT;
  return TRUE;
}

/* The bytes from FROM on that are the message's without a look at each. */
static gsize
skip_text(const Lmtp *lmtp, const char *bytes, gsize from, gsize len)
{
  if (lmtp->state != STATE_TEXT)
    return from;
  const char *cr = memchr(bytes + from, '\r', len - from);
  return cr != NULL ? (gsize) (cr - bytes) : len;
}

static gsize
next_content(Lmtp *lmtp, const char *bytes, gsize len, LmtpEvent *event)
{
  gsize start = 0; /* of what is given out */
  for (gsize i = 0; i < len;) {
    if (lmtp->state == STATE_DOT_CR) { /* i is 0, or nothing is pending */
      if (bytes[i] == '\n') {
        lmtp->state = STATE_COMMAND;
        set_event(event, LMTP_EVENT_END, NULL, 0);
        return i + 1;
      }
      lmtp->state = STATE_CR; /* no end: the CR belonged to the message */
      set_event(event, LMTP_EVENT_CONTENT, "\r", 1);
      return i;
    }
    i = skip_text(lmtp, bytes, i, len);
    if (i == len)
      break;
    if (step_content(lmtp, bytes[i++]))
      continue;
    if (i - 1 > start) {
      set_event(event, LMTP_EVENT_CONTENT, bytes + start, i - 1 - start);
      return i;
    }
    start = i;
  }
  if (start < len)
    set_event(event, LMTP_EVENT_CONTENT, bytes + start, len - start);
  else
    set_event(event, LMTP_EVENT_MORE, NULL, 0);
  return len;
}

gsize
lmtp_next(Lmtp *lmtp, const char *bytes, gsize len, LmtpEvent *event)
{
  if (len == 0) {
    set_event(event, LMTP_EVENT_MORE, NULL, 0);
    return 0;
  }
  if (lmtp->state == STATE_COMMAND || lmtp->state == STATE_COMMAND_TOO_LONG)
    return next_command(lmtp, bytes, len, event);
  return next_content(lmtp, bytes, len, event);
}
