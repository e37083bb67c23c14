/*
 * mailbox.h - an e-mail address as a person types it, or an administrator writes it down.
 *
 * What mail brings is checked elsewhere (milter/envelope.h): this is for addresses that we
 * shall mail because somebody gave them to us, and takes less.
 */
#pragma once

#include <glib.h>

#define MAILBOX_MAX_BYTES       254 /* RFC 5321 4.5.3.1.3, without <> */
#define MAILBOX_LOCAL_MAX_BYTES 64  /* RFC 5321 4.5.3.1.1 */

/*
 * The one address in TEXT (NULL is allowed), as a new string: spaces around it are gone,
 * the domain is in lower case and in ASCII. NULL when it is anything else: two addresses, a
 * display name, quotes, an address literal, a domain of one label or of our own labels
 * (label.h), a local part that Postfix could send on to another domain ('%', '!'), or one
 * that is not ASCII. Pure.
 */
char *
mailbox_parse(const char *text);

/* The domain of MAILBOX, an address as mailbox_parse gives it; borrowed. */
const char *
mailbox_domain(const char *mailbox);

/*
 * What MAILBOX is counted as, a new string: one person has one, however often he writes his
 * address otherwise (capitals, dots, "+anything"). Not an address to mail to. Pure.
 */
char *
mailbox_count_key(const char *mailbox);
