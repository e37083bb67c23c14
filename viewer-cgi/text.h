/*
 * text.h - words in the visitor's language.
 *
 * The language of a request is that of the whole process while the request is served: a
 * worker serves one request at a time, and only its main thread asks for words.
 */
#pragma once

#include <glib.h>
#include <libintl.h>

#define _(text)  gettext(text)
#define N_(text) (text)

typedef enum {
  LANGUAGE_NL,
  LANGUAGE_EN
} Language;

/* Prepares translations from LOCALEDIR. Call once, before the first request. */
void
text_init(const char *localedir);

/* From now on gettext answers in LANGUAGE. Main thread. */
void
text_use(Language language);

/* "nl" or "en", static. */
const char *
language_code(Language language);

/* The language called CODE into *LANGUAGE; FALSE for NULL and all others. */
gboolean
language_parse(const char *code, Language *language);

/*
 * The language to answer in: what the visitor chose (CHOSEN, then REMEMBERED, each NULL or
 * a code), else the best of ACCEPT (the header Accept-Language, RFC 9110 12.5.4, or NULL),
 * else FALLBACK (a code). Pure.
 */
Language
language_choose(const char *chosen, const char *remembered, const char *accept,
                const char *fallback);

/* "dinsdag 14 januari 2025" in local time; a new string. */
char *
text_date(gint64 unix_s);

/* "dinsdag 14 januari 2025, 14:03" in local time; a new string. */
char *
text_date_time(gint64 unix_s);

/* "14:03" in local time; a new string. */
char *
text_time(gint64 unix_s);

/* "3,4 MB": BYTES for people; a new string. */
char *
text_size(guint64 bytes);
