/*
 * page_forward.h - letting somebody else read the message (V6), and his way in.
 */
#pragma once

#include "viewer-cgi/page.h"

/* What the page shows. All borrowed. */
typedef struct {
  const char *form_token;
  const char *once; /* the form's id (once.h) */
  guint forwards_left;
  const char *address; /* what was typed already, or "" */
  const char *error;   /* what is wrong, translated; NULL: nothing */
} ForwardFacts;

/* "/m/forward": the form, and what will happen. */
Html *
page_forward(const Frame *frame, const ForwardFacts *facts);

/* It was delivered to ADDRESS as secure mail. */
Html *
page_forwarded(const Frame *frame, const char *address);

/* ADDRESS was mailed a link; PASSWORD is shown now and never again. */
Html *
page_forwarded_password(const Frame *frame, const char *address, const char *reference,
                        const char *password);

/* What the page of a forwarded message shows. All borrowed. */
typedef struct {
  const char *form_token;
  const char *reference; /* out of the link, or typed, or "" */
  const char *error;     /* translated; NULL: nothing */
} SharedFacts;

/* "/r": the fields for reference and password. */
Html *
page_shared(const Frame *frame, const SharedFacts *facts);
