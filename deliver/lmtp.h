/*
 * lmtp.h - LMTP (RFC 2033, RFC 5321) as a pure state machine: bytes in, events out.
 *
 * Whoever reads the socket gives what it read to lmtp_next, again and again, and acts on
 * the events. Nothing here does input or output, looks at a clock, or knows in which order
 * commands may come.
 */
#pragma once

#include <glib.h>

#define LMTP_LINE_MAX_BYTES 2048 /* octets of a command with CRLF; RFC 5321 wants 512 */

typedef enum {
  LMTP_LHLO,
  LMTP_MAIL,
  LMTP_RCPT,
  LMTP_DATA,
  LMTP_RSET,
  LMTP_NOOP,
  LMTP_QUIT,
  LMTP_VRFY,
  LMTP_XFORWARD
} LmtpVerb;

/* What is wrong with a command line. */
typedef enum {
  LMTP_FAULT_NONE,
  LMTP_FAULT_LENGTH,         /* longer than LMTP_LINE_MAX_BYTES */
  LMTP_FAULT_BYTES,          /* a control character, or no UTF-8 */
  LMTP_FAULT_UNKNOWN,        /* no command */
  LMTP_FAULT_NOT_HERE,       /* a command that we do not have */
  LMTP_FAULT_ARGUMENT,       /* an argument that cannot be read */
  LMTP_FAULT_PARAMETER,      /* a parameter that we did not announce */
  LMTP_FAULT_PARAMETER_VALUE /* one that we did, with a value that cannot be */
} LmtpFault;

/* A command line; verb and the rest mean nothing when there is a fault. */
typedef struct {
  LmtpFault fault;
  LmtpVerb verb;
  char *path;         /* MAIL, RCPT: the address without <>; "" only for MAIL */
  guint64 size_bytes; /* MAIL: SIZE=, else 0 */
  gboolean utf8;      /* MAIL: SMTPUTF8 */
  char *ident;        /* XFORWARD: IDENT=, or NULL when it did not say */
} LmtpCommand;

typedef enum {
  LMTP_EVENT_MORE,    /* every byte was used */
  LMTP_EVENT_COMMAND, /* one command line */
  LMTP_EVENT_CONTENT, /* bytes of the message, without the dots of transparency */
  LMTP_EVENT_END      /* the message is over; command lines follow */
} LmtpEventKind;

/* What it points to lives until the next call of lmtp_next, or as long as its bytes. */
typedef struct {
  LmtpEventKind kind;
  const LmtpCommand *command;
  const char *content;
  gsize content_len;
} LmtpEvent;

typedef struct Lmtp Lmtp;

/* A machine that expects commands. Never NULL. Free with lmtp_free. */
Lmtp *
lmtp_new(void);

/* Frees LMTP; NULL is allowed. */
void
lmtp_free(Lmtp *lmtp);

/*
 * Reads from LEN bytes at BYTES (what came in, minus what was used before) up to the next
 * event, which goes into *EVENT. Returns how many bytes were used: all of them for
 * LMTP_EVENT_MORE. Only CRLF ends a line, and only CRLF.CRLF a message.
 */
gsize
lmtp_next(Lmtp *lmtp, const char *bytes, gsize len, LmtpEvent *event);

/* From here on a message comes, up to LMTP_EVENT_END: call when DATA was answered 354. */
void
lmtp_begin_content(Lmtp *lmtp);

/*
 * Parses LEN bytes at LINE, one command line without CRLF, into COMMAND (which is cleared
 * first; free what it holds with lmtp_command_clear).
 */
void
lmtp_command_parse(LmtpCommand *command, const char *line, gsize len);

/* Frees what COMMAND holds and zeroes it. */
void
lmtp_command_clear(LmtpCommand *command);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lmtp, lmtp_free)
