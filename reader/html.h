/*
 * html.h - HTML of strangers, as HTML that does nothing (T9, T10) and as text.
 *
 * libxml2 parses; what comes out is written anew from allow-lists, with every byte of
 * theirs escaped for its place. Nothing of the source is copied, so that it does not matter
 * how a browser would have read it.
 */
#pragma once

#include <glib.h>

#define HTML_MAX_BYTES        (1024 * 1024)     /* of source; the rest is not read */
#define HTML_IMAGE_MAX_BYTES  (2 * 1024 * 1024) /* of one image that is shown */
#define HTML_IMAGES_MAX_BYTES (8 * 1024 * 1024) /* of all images of a message */
#define HTML_HREF_MAX_BYTES   8192
#define HTML_TARGET_MAX_BYTES 60 /* of a link's target, beside its words */

/*
 * Gives the bytes of the message's own image CONTENT_ID (from a cid: address, RFC 2392), at
 * most HTML_IMAGE_MAX_BYTES, that the caller unrefs, or NULL.
 */
typedef GByteArray *(*HtmlImage)(const char *content_id, gpointer data);

/* What one document is made with. Set image, image_data and images_left_bytes at first. */
typedef struct {
  HtmlImage image; /* NULL: images are not shown */
  gpointer image_data;
  gsize images_left_bytes; /* HTML_IMAGES_MAX_BYTES, and what is left of it */
  gboolean is_cut;         /* becomes TRUE when not all of the source was read */
} HtmlContext;

/* Appends LEN bytes of valid UTF-8 at TEXT to OUT, escaped for content or a quoted
 * attribute. */
void
html_append_escaped(GString *out, const char *text, gsize len);

/*
 * Appends SOURCE (valid UTF-8; more than HTML_MAX_BYTES are left out) to OUT as one
 * harmless div element. Links open outside, and their target stands behind their words when
 * these are something else.
 */
void
html_append_safe(GString *out, const char *source, HtmlContext *context);

/*
 * Appends SOURCE (as above) to OUT as text to read: blocks and rows on lines of their own,
 * quotations behind "> ", the address of a link behind its words.
 */
void
html_append_text(GString *out, const char *source, HtmlContext *context);

/*
 * HREF as an address that a link may have: http, https, mailto or tel, everything but plain
 * ASCII percent-encoded. A new string, or NULL when it is anything else.
 */
char *
html_clean_href(const char *href);

/*
 * HREF (from html_clean_href) as short text that tells where it goes: without scheme and
 * without what a web address has before its host, which is there to deceive; the end of the
 * host, and as much of the path as HTML_TARGET_MAX_BYTES leave. A new string.
 */
char *
html_short_target(const char *href);
