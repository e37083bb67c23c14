/*
 * label.h - the labels that a recipient address carries between milter and delivery.
 *
 * jan@example.com becomes jan@example.com.viewer.zegel.internal: the domain then resolves
 * nowhere but through our own transports, so a protected message cannot take the ordinary
 * way out (doc/architecture.md). ".internal" is reserved for private use by ICANN.
 */
#pragma once

#include <glib.h>

#define LABEL_ROOT             "zegel.internal"
#define LABEL_DOMAIN_MAX_BYTES 255 /* octets, RFC 5321 4.5.3.1.2 */

typedef enum {
  LABEL_NONE,
  LABEL_VIEWER, /* goes to zegel-deliver */
  LABEL_DIRECT, /* goes to the other side's server over verified TLS */
  LABEL_PREFER, /* not sensitive: the same when it can, else the ordinary way */
  LABEL_OWN,    /* sensitive, to a domain of our own: before aliases are expanded */
  LABEL_SEAL    /* what an expansion yielded: the milter looks at it once more */
} Label;

/*
 * ADDRESS (local@domain, without <>) with LABEL at its domain. Returns a new string, or
 * NULL with ZEGEL_ERROR_INVALID when there is no domain, it is an address literal, or it
 * has a label already, and ZEGEL_ERROR_LIMIT when it grows too long for the label.
 */
char *
label_add(const char *address, Label label, GError **error);

/* The label of ADDRESS or of a bare domain; LABEL_NONE when it carries none. */
Label
label_of(const char *address);

/* ADDRESS or a bare domain without its label, as a new string. */
char *
label_strip(const char *address);

/* ".viewer.zegel.internal" and the like, static. LABEL_NONE gives "". */
const char *
label_suffix(Label label);
