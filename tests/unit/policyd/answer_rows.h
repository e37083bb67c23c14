/*
 * answer_rows.h - questions, and what zegel-policyd answers to them: the table of
 * test_answer.c.
 */
#pragma once

#include <glib.h>

#define PRINT "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
#define BOOK_TEXT                                                                          \
  "partner.nl [mail.partner.nl]:25 dane-only client=login:partner client=sha256:" PRINT    \
  "\n"                                                                                     \
  "yes-book.nl [mail.book.nl]:25 secure\n"                                                 \
  "both.nl [mail.both.nl]:25 secure\n"                                                     \
  "yes-partner.nl nta secure\n"                                                            \
  "no-partner.nl nta secure\n"                                                             \
  "yes-other.nl nta secure match=other.nl\n"

/* What is asked, unless a test says otherwise. */
typedef struct {
  const char *organisation;
  const char *sender; /* NULL: one of OURS, which the resolver is asked about */
  gboolean plain;     /* not sensitive */
  gboolean inward;
  gboolean dry_run;
  const char *login; /* of who brings it; NULL: none */
  guint16 port;      /* of who brings it, at 192.0.2.7; 0: nobody is named */
} How;

#define OWN       "own Z-R1-OWN"
#define COMMUNITY "direct Z-R1-COMMUNITY"
#define NTA       "direct Z-R1-NTA Z-N1-FAKE"
#define VIEWER    "viewer Z-R1-VIEWER Z-N1-FAKE" /* they are not ready */
#define NOT_OURS  "viewer Z-R1-VIEWER Z-N2-FAKE" /* we are not */
#define NO_LABEL  "viewer Z-R1-NO-LABEL"
#define ORDINARY  "ordinary Z-R9-ORDINARY"
#define PREFER    "prefer Z-R1-COMMUNITY"
#define STRANGER  "ordinary Z-R2-PORTAL Z-O4-CLIENT"
#define L63       "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define UNKNOWN(domain, code)                                                              \
  "! policyd: Z-R6-UNKNOWN: whether " domain " is ready is not known now (" code ")"

static const struct {
  How how;
  const char *recipients;
  const char *answers;
} rows[] = {
    {{0}, "jan@zorg.nl", OWN},
    {{0}, "jan@ZORG.nl.", OWN},
    {{0}, "jan@m\xc3\xbcller.nl", OWN},
    {{0}, "jan@XN--MLLER-KVA.nl", OWN},
    {{0}, "jan@partner.nl", COMMUNITY},
    {{0}, "jan@PARTNER.nl", COMMUNITY},
    {{0}, "jan@both.nl", COMMUNITY},
    {{0}, "jan@example.com", VIEWER},
    {{0}, "jan@sub.zorg.nl", VIEWER},
    {{0}, "jan@sub.partner.nl", VIEWER},
    {{0}, "jan@ander.nl", VIEWER}, /* O2: another organisation's is not own */
    {{.organisation = "ander", .sender = "a@ander.nl"}, "jan@ander.nl", OWN},
    {{.organisation = "ander", .sender = "a@ander.nl"}, "jan@zorg.nl", NOT_OURS},
    {{.organisation = "ander"}, "jan@partner.nl", COMMUNITY},
    /* would leave again */
    {{0}, "jan%example.com@zorg.nl", "viewer Z-R1-VIEWER Z-R4-LOCAL-PART"},
    {{0}, "example.com!jan@zorg.nl", "viewer Z-R1-VIEWER Z-R4-LOCAL-PART"},
    {{0}, "\"jan@example.com\"@zorg.nl", "viewer Z-R1-VIEWER Z-R4-LOCAL-PART"},
    {{0}, "jan%x@ander.nl", "viewer Z-R1-VIEWER Z-R4-LOCAL-PART"},
    {{0}, "jan", NO_LABEL},
    {{0}, "jan@[192.0.2.1]", NO_LABEL},
    {{0}, "jan@" L63 "." L63 "." L63 "." L63 ".nl", NO_LABEL},
    {{0}, "jan@x.viewer.zegel.internal", NO_LABEL},
    {{0}, "a@zorg.nl,b@partner.nl,c@example.com", OWN "," COMMUNITY "," VIEWER},
    /* NTA 7516 */
    {{0}, "jan@yes.nl", NTA},
    {{0}, "jan@YES.nl.", NTA},
    {{0}, "jan%x@yes.nl", NTA}, /* a way on is theirs to read */
    {{0}, "jan@no.nl", VIEWER},
    {{0}, "jan@failure.nl", UNKNOWN("failure.nl", "Z-N1-FAKE")},
    {{0}, "a@yes.nl,b@no.nl,c@yes.nl,d@yes2.nl", NTA "," VIEWER "," NTA "," NTA},
    {{0}, "a@yes.nl,b@failure.nl", UNKNOWN("failure.nl", "Z-N1-FAKE")},
    {{0}, "jan@yes-partner.nl", NTA},
    {{0}, "jan@no-partner.nl", VIEWER},
    {{.sender = "a@zorg.nl"}, "jan@yes.nl", NOT_OURS},
    {{.sender = "noreply@veilig.zorg.nl"},
     "jan@yes.nl",
     NOT_OURS}, /* it is, but not ready */
    {{.sender = "noreply@VEILIG.zorg.nl"}, "jan@yes.nl", NOT_OURS},
    {{.sender = "noreply@veilig.zorg.nl"}, "jan@partner.nl", COMMUNITY},
    {{.sender = "x@x.veilig.zorg.nl"}, "jan@yes.nl", "viewer Z-R1-VIEWER Z-N2-NOT-OURS"},
    {{.sender = "x@veilig.ander.nl"}, "jan@yes.nl", "viewer Z-R1-VIEWER Z-N2-NOT-OURS"},
    {{.sender = "a@example.com"}, "jan@yes.nl", "viewer Z-R1-VIEWER Z-N2-NOT-OURS"},
    {{.sender = "a@ander.nl"}, "jan@yes.nl", "viewer Z-R1-VIEWER Z-N2-NOT-OURS"},
    {{.sender = ""}, "jan@yes.nl", "viewer Z-R1-VIEWER Z-N1-NO-DOMAIN"},
    /* not sensitive */
    {{.plain = TRUE}, "a@zorg.nl,d", ORDINARY "," ORDINARY},
    {{.plain = TRUE}, "a@partner.nl,b@both.nl", PREFER "," PREFER},
    {{.plain = TRUE}, "a@yes.nl", "prefer Z-R1-NTA Z-N1-FAKE"},
    {{.plain = TRUE}, "a@no.nl", ORDINARY " Z-N1-FAKE"},
    {{.plain = TRUE}, "a@failure.nl", ORDINARY " Z-N1-FAKE"},
    {{.organisation = "ander", .sender = "a@ander.nl", .plain = TRUE},
     "a@partner.nl,b@yes.nl",
     ORDINARY "," ORDINARY},
    /* inward */
    {{.inward = TRUE, .sender = "a@partner.nl", .login = "partner"},
     "b@zorg.nl",
     COMMUNITY},
    {{.inward = TRUE, .sender = "a@PARTNER.nl.", .port = 4000}, "b@zorg.nl", COMMUNITY},
    {{.inward = TRUE, .sender = "a@partner.nl", .port = 4001}, "b@zorg.nl", STRANGER},
    {{.inward = TRUE, .sender = "a@partner.nl", .login = "other"}, "b@zorg.nl", STRANGER},
    {{.inward = TRUE, .sender = "a@partner.nl"}, "b@ours.nl", STRANGER},
    {{.inward = TRUE, .sender = "a@yes-book.nl", .login = "partner"}, "b@ours.nl", NTA},
    {{.inward = TRUE, .sender = "a@zorg.nl"}, "b@zorg.nl", OWN},
    {{.inward = TRUE, .sender = "a@yes.nl"}, "b@ours.nl", NTA},
    {{.inward = TRUE, .sender = "a@yes.nl"}, "b@zorg.nl", "ordinary Z-R2-PORTAL Z-N2-FAKE"},
    {{.inward = TRUE, .sender = "a@no.nl"}, "b@ours.nl", "ordinary Z-R2-PORTAL Z-N1-FAKE"},
    {{.inward = TRUE, .sender = "a@yes.nl"},
     "b@ours.nl,c@zorg.nl",
     NTA ",ordinary Z-R2-PORTAL Z-N2-FAKE"},
    {{.inward = TRUE, .sender = ""}, "b@ours.nl", "ordinary Z-R2-PORTAL Z-N1-NO-DOMAIN"},
    {{.inward = TRUE, .sender = "a@failure.nl"},
     "b@ours.nl",
     UNKNOWN("ours.nl", "Z-N1-FAKE")},
    {{.organisation = "nobody"},
     "a@zorg.nl",
     "! policyd: there is no organisation nobody in zegel.conf here"},
};
