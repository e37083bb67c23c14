/*
 * client_rule.h - by what a server is known, as the domain book has it (O4).
 *
 *     sha256:HEX        the fingerprint of its certificate
 *     cn:NAME/ISSUER    the common names in a certificate of an issuer that Postfix trusts
 *     login:NAME        its SASL login
 *     ip:NETWORK        its address
 *
 * In names "%20" and the like stand for an octet.
 */
#pragma once

#include <glib.h>

/* What is known of a server that brings mail. All borrowed; NULL: not known. */
typedef struct {
  const char *fingerprint; /* 64 hexadecimal digits in lower case */
  const char *subject;     /* common names, of a certificate that is trusted */
  const char *issuer;
  const char *login;
  const char *address; /* textual */
} ClientFacts;

/* The rule in TEXT in the form in which it is kept and written, a new string. NULL with
 * ZEGEL_ERROR_CONFIG. Pure; any thread. */
char *
client_rule_parse(const char *text, GError **error);

/* Whether RULE, from client_rule_parse, is about addresses, which prove the least. Pure. */
gboolean
client_rule_is_address(const char *rule);

/* Whether RULE, from client_rule_parse, knows the server of FACTS. Pure; any thread. */
gboolean
client_rule_matches(const char *rule, const ClientFacts *facts);
