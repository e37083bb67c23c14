/*
 * tester.h - checks a domain rule by rule for whoever asks (N3, request=domain).
 *
 * By the same lines as the router (ready.h), and the router takes over what was found.
 * One thread, in callbacks of a Loop.
 */
#pragma once

#include "common/base/attr.h"
#include "common/conf/conf.h"
#include "common/base/loop.h"
#include "policyd/verdicts.h"

#define TESTER_WAIT_MS 15000 /* less than CHECK_TIMEOUT_MS */
#define TESTER_MAX     64    /* checks at the same time */

typedef struct Tester Tester;

/* ATTRS (borrowed) is the answer for PEER. */
typedef void (*TesterAnswer)(gpointer data, guint64 peer, const Attrs *attrs);

/* All borrowed until tester_free. */
typedef struct {
  Loop *loop;
  Dns *dns; /* NULL: nothing is known of any domain (lookup.h) */
  Spf *spf;
  Verdicts *verdicts;
  TesterAnswer answer;
  gpointer data;
} TesterParts;

/* A tester of PARTS. tester_follow comes next. Never NULL; freed with tester_free. */
Tester *
tester_new(const TesterParts *parts);

/* Frees TESTER, and answers nobody any more; NULL is allowed. */
void
tester_free(Tester *tester);

/* From now on CONFIG (borrowed) says which domains are ours. */
void
tester_follow(Tester *tester, const Config *config);

/* PEER asks the question in ATTRS; it is answered now or later, once. FALSE with
 * ZEGEL_ERROR_INVALID when it is none. */
gboolean
tester_question(Tester *tester, guint64 peer, const Attrs *attrs, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tester, tester_free)
