/*
 * clock.h - whether a clock can be right, by what needs no internet but DNS.
 *
 * The signatures of the root zone are renewed every day and hold for some days (RFC 4035):
 * a clock outside of that time is wrong by days. Within it only the kernel knows whether
 * something keeps it. Pure.
 */
#pragma once

#include <glib.h>

#define CLOCK_QUESTION_BYTES 28
#define CLOCK_ANSWER_MAX     4096

/* Asks for the SOA of the root with its signatures, whether or not they are valid by the
 * resolver's clock (CD). ID is the question's. */
void
clock_question(guint16 id, guint8 question[CLOCK_QUESTION_BYTES]);

/*
 * How many seconds NOW_S (Unix time) lies outside of the time of a signature in the answer
 * of LEN octets at ANSWER to question ID, into *OFF_S: below 0 when the clock is behind, 0
 * when it is within. FALSE when there is no signature in it, or it is no answer.
 */
gboolean
clock_answer(guint16 id, const guint8 *answer, gsize len, gint64 now_s, gint64 *off_s);

typedef enum {
  CLOCK_KEPT,
  CLOCK_HOST,    /* by who runs this container */
  CLOCK_WAITING, /* a program is there for it, and had no success */
  CLOCK_ALONE    /* by nothing */
} ClockKeeper;

/* What is known of the clock. */
typedef struct {
  gboolean container;
  gboolean synchronised;      /* the kernel says so: adjtimex(2) */
  const char *const *running; /* names of all processes, as in /proc/PID/comm; NULL-ended */
} ClockFacts;

/* Who keeps the clock by FACTS; *PROGRAM gets the one that does or tries to, static, or
 * NULL. */
ClockKeeper
clock_keeper(const ClockFacts *facts, const char **program);
