/*
 * answer.h - what zegel-policyd answers to one question.
 *
 * Gathers the facts, decides (decide.h), promises (promise.h), and only then answers.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"
#include "common/book/book.h"
#include "policyd/promise.h"

typedef struct Service Service;

/*
 * A service with CONFIG and BOOK, both taken over, and PROMISES, borrowed until
 * service_free. CONFIG_PATH is for service_reload. Never NULL.
 */
Service *
service_new(const char *config_path, Config *config, Book *book, Promises *promises);

/* Frees SERVICE; NULL is allowed. */
void
service_free(Service *service);

/*
 * The answer to the question in LEN bytes at BLOCK, as text that the caller frees, or NULL
 * when it is no question: the peer talks another language.
 */
char *
service_answer(Service *service, const char *block, gsize len);

/*
 * Brings routes.db up to date with the book, and logs both. FALSE with an error when
 * routes.db cannot be written now.
 */
gboolean
service_start(Service *service, GError **error);

/*
 * Reads configuration and book again. When one of them is bad, or routes.db cannot follow,
 * the old ones stay and an alarm is logged.
 */
void
service_reload(Service *service);
