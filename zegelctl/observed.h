/*
 * observed.h - the events "observed" of a mail log, counted for each sender (S5).
 *
 * Pure but for the time zone of the log's dates, which is ours.
 */
#pragma once

#include <glib.h>

#define OBSERVED_MAX_SENDERS                                                               \
  100000 /* what others sent is counted under OBSERVED_OTHERS                              \
          */
#define OBSERVED_OTHERS "(others)"

/* Messages; each is in one of pass, own, direct, viewer, refused and unknown. */
typedef struct {
  guint messages;
  guint pass;       /* would go as ordinary mail */
  guint own;        /* sealed, all recipients inside */
  guint direct;     /* sealed, some go direct and none to the viewer */
  guint viewer;     /* sealed, some go to the viewer */
  guint refused;    /* see codes */
  guint unknown;    /* sensitive, and the routes were not known */
  guint by_default; /* of those that do not pass: only the default makes them sensitive */
} ObservedCount;

/* All owned. */
typedef struct {
  char *organisation;
  char *sender;
  ObservedCount count;
  GHashTable *codes; /* of the refused: char * to GUINT_TO_POINTER */
} ObservedSender;

typedef struct {
  GHashTable *senders; /* of ObservedSender, by organisation and sender */
  ObservedCount total;
  GHashTable *codes;
  gint64 first_s, last_s; /* Unix time of the first and last event; 0: none */
} Observed;

/* Nothing counted; freed with observed_free. */
Observed *
observed_new(void);

/* Frees OBSERVED; NULL is allowed. */
void
observed_free(Observed *observed);

/*
 * Counts LINE of a mail log (without its end) when it is such an event of zegel-milter and
 * not older than SINCE_S. A date may be as syslog writes it, without a year, or ISO 8601;
 * NOW_S says which year. Returns whether it was counted.
 */
gboolean
observed_add_line(Observed *observed, const char *line, gint64 now_s, gint64 since_s);

/* The senders of OBSERVED: by organisation, who sends most first. Free the array only. */
GPtrArray *
observed_sorted(const Observed *observed);

/* The keys of CODES (as above), the most frequent first. Free the array only. */
GPtrArray *
observed_sorted_codes(GHashTable *codes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Observed, observed_free)
