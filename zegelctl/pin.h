/*
 * pin.h - do servers still show the certificates that the domain book has pinned?
 *
 * Connects to strangers: run it without rights.
 */
#pragma once

#include "common/book/book.h"

#define PIN_TOTAL_MS 60000 /* after that no other server is tried */

/* A next hop of the book whose rule is a fingerprint. */
typedef struct {
  char *host, *port;
  GStrv tlsa; /* each pin as "3 0 1 HEX" and "3 1 1 HEX": what would match it */
  GPtrArray
      *domains; /* of char *, borrowed from the book, by name: whose mail goes there */
} Pinned;

/* The servers of BOOK that are pinned (of Pinned), those of "[host]:port" only: whom the MX
 * of a domain names is not looked up. Borrows BOOK; freed by the caller. Pure. */
GPtrArray *
pin_list(const Book *book);

/*
 * Adds to FINDINGS (of Finding) a Z-M4-PIN for each pinned server of BOOK that shows
 * another certificate and key. One that cannot be reached is none. HELO is our name. No
 * mail is sent.
 */
void
pin_search(const Book *book, const char *helo, GPtrArray *findings);
