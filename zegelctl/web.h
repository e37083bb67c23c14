/*
 * web.h - one page of a web server, looked at as a visitor would: for doctor.
 *
 * Follows no redirect, and remembers nothing. What comes is a stranger's: run it without
 * rights, and with SIGPIPE ignored.
 */
#pragma once

#include <glib.h>

#define WEB_WAIT_MS        15000 /* for one address, with all that is said there */
#define WEB_HEAD_MAX_BYTES 65536 /* of status and headers; the page itself is not read */

/* Where a page is. All owned; free with web_place_clear. */
typedef struct {
  gboolean https;
  char *host; /* without [] */
  char *port;
} WebPlace;

/* What there was. All owned; free with web_page_clear. */
typedef struct {
  gboolean local;         /* the address is one of this machine */
  char *address;          /* which answered, or the last one that did not */
  gboolean connected;     /* by TCP */
  gboolean greeted;       /* by TLS; also for http */
  gboolean verified;      /* the certificate, for that host */
  char *problem;          /* with the first of these that was not; NULL: none */
  gint64 from_s, until_s; /* of the certificate, Unix time; 0: not known */
  guint status;           /* 0: there was no answer */
  GPtrArray *headers;     /* of char *: "name: value", names in lower case */
} WebPage;

/* Reads URL as the configuration has it, "https://host:port/...". FALSE when it is none. */
gboolean
web_place_parse(const char *url, WebPlace *place);

/* Frees what is in PLACE. */
void
web_place_clear(WebPlace *place);

/*
 * Connects to PLACE, at each of its addresses and then, when none was of this machine, at
 * loopback, until one answers, and asks for the page PATH; NULL: it only greets. PAGE gets
 * what there was.
 */
void
web_get(const WebPlace *place, const char *path, WebPage *page);

/* Frees what is in PAGE. */
void
web_page_clear(WebPage *page);

/*
 * Reads the head of an answer in TEXT (LEN octets, up to its empty line or cut) into
 * status and headers of PAGE. FALSE when it is none. Pure.
 */
gboolean
web_head_parse(const char *text, gsize len, WebPage *page);

/* The value of header NAME (lower case), number N (from 0) of those that are called so;
 * borrowed; NULL: there is none. */
const char *
web_header(const WebPage *page, const char *name, guint n);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WebPlace, web_place_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WebPage, web_page_clear)
