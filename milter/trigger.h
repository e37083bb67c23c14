/*
 * trigger.h - what the subject of a message asks for (S2, S4).
 *
 * The forms are "SMS <number>" and "@SMS <number>" anywhere, and the words "veiligmailen"
 * and "veilig mailen"; case does not matter, parts of other words are no triggers. "@SMS",
 * or "SMS" as the first word, without a number that can be one is a mistake that the sender
 * must hear of. Everything here is pure; any thread.
 */
#pragma once

#include <glib.h>

typedef enum {
  MISTAKE_NONE,
  MISTAKE_NO_NUMBER,  /* "SMS" and then nothing */
  MISTAKE_BAD_NUMBER, /* "SMS" and then digits that are no mobile number (S3) */
  MISTAKE_TWO_NUMBERS /* different ones */
} TriggerMistake;

typedef struct {
  gboolean sensitive; /* a trigger stands in the subject */
  char *number;       /* E.164, or NULL; the first when there are two */
  TriggerMistake mistake;
  char *cleaned; /* the subject without trigger and number, or NULL: nothing to take out */
} Trigger;

/*
 * Reads SUBJECT (UTF-8, decoded and unfolded). COUNTRIES as phone_parse takes them. Never
 * NULL; the caller frees the result.
 */
Trigger *
trigger_parse(const char *subject, const char *const *countries);

/* Wipes and frees TRIGGER; NULL is allowed. */
void
trigger_free(Trigger *trigger);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trigger, trigger_free)
