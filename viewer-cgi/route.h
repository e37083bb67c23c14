/*
 * route.h - which page a method and a path mean. Whatever is not here does not exist.
 */
#pragma once

#include <glib.h>

#define ROUTE_TOKEN_CHARS   22   /* base64url of STORE_LINK_SECRET_BYTES */
#define ROUTE_PART_MAX      9999 /* attachments of one message */
#define ROUTE_REFERENCE_MAX 32   /* STORE_REFERENCE_MAX */

typedef enum {
  METHOD_GET, /* and HEAD: changes nothing */
  METHOD_POST,
  METHOD_OTHER
} Method;

typedef enum {
  ROUTE_NONE,
  ROUTE_HOME,
  ROUTE_HELP,
  ROUTE_STYLE,
  ROUTE_LOGO,         /* /logo */
  ROUTE_LINK,         /* /l/TOKEN */
  ROUTE_SEND,         /* POST /l/TOKEN/send */
  ROUTE_CODE,         /* /l/TOKEN/code */
  ROUTE_CHECK,        /* POST /l/TOKEN/code */
  ROUTE_WRONG,        /* /l/TOKEN/wrong */
  ROUTE_TELL,         /* POST /l/TOKEN/wrong */
  ROUTE_NO_PHONE,     /* /l/TOKEN/no-phone */
  ROUTE_MESSAGE,      /* /m */
  ROUTE_HTML,         /* /m/html */
  ROUTE_TEXT,         /* /m/text */
  ROUTE_PART,         /* /m/part/N */
  ROUTE_ORIGINAL,     /* /m/original */
  ROUTE_PDF,          /* /m/pdf */
  ROUTE_ZIP,          /* /m/zip */
  ROUTE_DELETE,       /* /m/delete: asks */
  ROUTE_DESTROY,      /* POST /m/delete: does */
  ROUTE_LOGOUT,       /* POST /logout */
  ROUTE_ANSWER,       /* /m/answer */
  ROUTE_ANSWER_SEND,  /* POST /m/answer: with files */
  ROUTE_FORWARD,      /* /m/forward */
  ROUTE_FORWARD_SEND, /* POST /m/forward */
  ROUTE_SHARED,       /* /r and /r/REFERENCE */
  ROUTE_SHARED_OPEN,  /* POST /r */
  ROUTE_STATUS,       /* /s/TOKEN */
  ROUTE_RECALL_ASK,   /* /s/TOKEN/recall */
  ROUTE_RECALL,       /* POST /s/TOKEN/recall */
  ROUTE_FORM,         /* /form */
  ROUTE_FORM_ASK,     /* POST /form */
  ROUTE_FORM_WRITE,   /* /form/TICKET */
  ROUTE_FORM_SEND,    /* POST /form/TICKET: with files */
  ROUTE_COUNT
} RouteKind;

typedef struct {
  RouteKind kind;
  char token[ROUTE_TOKEN_CHARS + 1];       /* of /l/... and /s/...; else "" */
  guint part;                              /* of /m/part/N, from 1 */
  char reference[ROUTE_REFERENCE_MAX + 1]; /* of /r/REFERENCE; else "" */
} Route;

/* The route of METHOD and PATH (as it was sent, without query). Pure. */
Route
route_find(Method method, const char *path);

/* Whether a POST to KIND may have files. Pure. */
gboolean
route_takes_files(RouteKind kind);

/* "GET", "HEAD" and "POST" as a Method; anything else, and NULL, is METHOD_OTHER. */
Method
method_parse(const char *text);
