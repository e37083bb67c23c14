/*
 * answer.h - what zegel-policyd answers to a question.
 *
 * Gathers the facts, waits for those that the DNS must give, decides (decide.h), promises
 * (promise.h), and only then answers. Also has the domain book, and reads it again. One
 * thread, in callbacks of a Loop.
 */
#pragma once

#include "common/ask/ask.h"
#include "common/book/book.h"
#include "common/conf/conf.h"
#include "policyd/clients.h"
#include "policyd/keeper.h"
#include "common/base/loop.h"
#include "policyd/promise.h"
#include "policyd/verdicts.h"

/* How long an answer is given again without deciding anew, when no promise stands behind
 * it; never longer than a verdict behind it is kept. */
#define SERVICE_MEMO_MS 100

/* Time to wait for facts; each is less than its asker waits (ask.h). */
#define SERVICE_WAIT_MS       4500 /* longer than VERDICTS_TIMEOUT_MS */
#define SERVICE_PREFER_MS     1000
#define SERVICE_MAX_QUESTIONS 4096 /* that wait at the same time */

typedef struct Service Service;

/* TEXT (borrowed) is the answer for PEER; NULL: it talks another language. May come from
 * within service_question. */
typedef void (*ServiceAnswer)(gpointer data, guint64 peer, const char *text);

/* Fills the numbers of ANSWERS to PEER's QUESTION, if it asks for them and as far as it may
 * know them (S8); such answers are never kept. FALSE with ZEGEL_ERROR_TEMPORARY: no answer
 * now. */
typedef gboolean (*ServiceNumbers)(gpointer data, guint64 peer,
                                   const RouteQuestion *question, GPtrArray *answers,
                                   GError **error);

/* Whatever else hangs on CONFIG, which is to count, follows it. FALSE with an error: it
 * cannot, and CONFIG is refused. */
typedef gboolean (*ServiceFollow)(gpointer data, const Config *config, GError **error);

/* All borrowed until service_free. */
typedef struct {
  const char *config_path; /* for service_reload; copied */
  Loop *loop;
  Dns *dns; /* NULL: nothing is known of any domain (lookup.h) */
  Spf *spf; /* NULL: the same */
  Promises *promises;
  Keeper *keeper;         /* of what domains showed; NULL: nobody keeps it */
  ServiceNumbers numbers; /* NULL: there are none */
  Clients *clients;       /* NULL: nobody's certificate is known */
  ServiceFollow follow;   /* NULL: nothing */
  ServiceAnswer answer;
  gpointer data;
} ServiceParts;

/* A service of PARTS with CONFIG and BOOK, both taken over. Never NULL. */
Service *
service_new(const ServiceParts *parts, Config *config, Book *book);

/* Frees SERVICE, and answers nobody any more; NULL is allowed. */
void
service_free(Service *service);

/* PEER asks the question in LEN octets at BLOCK. It is answered now or later, once. */
void
service_question(Service *service, guint64 peer, const char *block, gsize len);

/*
 * Brings routes.db up to date with the book, and logs both. FALSE with an error when
 * routes.db cannot be written now.
 */
gboolean
service_start(Service *service, GError **error);

/*
 * Reads configuration and book again. FALSE with an error when one of them is bad, or
 * routes.db or somebody else cannot follow: the old ones stay.
 */
gboolean
service_reload(Service *service, GError **error);

/* The configuration that counts now; borrowed until the next service_reload. */
const Config *
service_config(const Service *service);

/* The domain book that counts now; borrowed until the next service_reload. */
const Book *
service_book(const Service *service);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Service, service_free)
