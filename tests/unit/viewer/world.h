/*
 * world.h - a viewer with the real store, the real reader, and a script for SMS adapter,
 * and somebody who visits it.
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/viewer.h"

#define HOST       "mail.first.nl"
#define OTHER      "mail.second.nl"
#define ATTACHMENT "<script>alert(1)</script>" /* the one of the message */

typedef struct {
  char *dir;
  char *adapter;
  char *outbox; /* what the adapter was given */
  char *link;   /* of the message */
  KeyRing *keys;
  KeyRing *origin_keys;
  Config *config;
  Viewer viewer;
} World;

/* What came back. */
typedef struct {
  guint status;
  char *head;
  char *body;
  gsize body_len;
} Answer;

/* Frees what ANSWER owns. */
void
answer_clear(Answer *answer);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

/* For g_test_add: a world in which "first" has one message. */
void
set_up(World *world, gconstpointer data);

/* Its end. */
void
tear_down(World *world, gconstpointer data);

/* Makes the adapter take what it gets and then run END, a line of shell. */
void
write_adapter(const World *world, const char *end);

/* The message as it was filed. */
const char *
message_bytes(gsize *len);

/* Adds an attachment of LEN bytes at BYTES to PARTS, which frees with g_free. */
void
add_part(GPtrArray *parts, const char *bytes, gsize len);

/* Files the message for ORGANISATION, with PARTS as the milter saw them; its link's token
 * is a new string. */
char *
file_parts(const World *world, const char *organisation, const char *number, gint64 life_s,
           const GPtrArray *parts);

/* The same, and the milter saw what is there. */
char *
file_message(const World *world, const char *organisation, const char *number,
             gint64 life_s);

/* Asks METHOD URI of HOST_NAME with the headers EXTRA ("HTTP_X=..", may be NULL) and FORM.
 */
Answer
ask(const World *world, const char *method, const char *host_name, const char *uri,
    const char *extra, const char *form);

/* The token of the form that posts to ACTION, a new string; NULL when there is none. */
char *
find_token(const Answer *answer, const char *action);

/* POSTs to ACTION with the token that PAGE has for it, and with FIELDS ("&a=b" or ""). */
Answer
submit(const World *world, const char *page, const char *action, const char *cookie,
       const char *fields);

/* How many SMS were sent. */
guint
count_sms(const World *world);

/* The code of the last SMS, a new string. */
char *
last_code(const World *world);

/* Presses the button on the page of LINK. */
Answer
send_code(const World *world, const char *link);

/* Types CODE. */
Answer
try_code(const World *world, const char *link, const char *code);

/* The header "HTTP_COOKIE=..." that a browser sends after ANSWER; a new string. */
char *
take_cookie(const Answer *answer);

/* Sends a code for LINK and types it; the cookie header of the session, a new string. */
char *
log_in(const World *world, const char *link);

/* The status of a GET. */
guint
status_of(const World *world, const char *host_name, const char *uri, const char *cookie);
