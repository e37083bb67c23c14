/*
 * phone_ask.h - who may ask the phone book what, and what is logged of it (S8, A1).
 *
 * Each user has the one right that his program needs: the one that meets visitors can look
 * nobody up. One thread.
 */
#pragma once

#include "common/ask/ask.h"
#include "common/conf/conf.h"
#include "policyd/phone_book.h"

/* What a peer may; flags. */
typedef enum {
  PHONE_MAY_NOTHING = 0,
  PHONE_MAY_READ = 1 << 0,    /* numbers in the answers to routes */
  PHONE_MAY_LEARN = 1 << 1,   /* phone-learn */
  PHONE_MAY_CONFIRM = 1 << 2, /* phone-confirm */
  PHONE_MAY_MANAGE = 1 << 3   /* phone-show, phone-forget */
} PhoneRights;

/*
 * The answer to the question in LEN octets at BLOCK, of a peer with RIGHTS: a block, which
 * the caller frees. NULL: it is no question, or not for this peer; that is logged, cut him
 * off.
 */
char *
phone_ask(PhoneBook *book, const Config *config, const char *block, gsize len,
          PhoneRights rights);

/*
 * Fills the numbers of ANSWERS to QUESTION, if it asks for them and its organisation
 * remembers any, for recipients that may read in the viewer. Without the book they stay
 * empty, since the sender can give the number himself; only where that would make the
 * method weaker (METHOD_OPTIONAL) FALSE with ZEGEL_ERROR_TEMPORARY.
 */
gboolean
phone_ask_numbers(PhoneBook *book, const Config *config, const RouteQuestion *question,
                  GPtrArray *answers, GError **error);
