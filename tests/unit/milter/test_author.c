/* One From, one domain, one parser (T28). */
#include "milter/author.h"

#include "common/mail/header.h"
#include "tests/unit/tap.h"

typedef struct {
  const char *from; /* fields are parted by '|', each "Name:value" */
  Author author;
  const char *domain;
} Row;

static const Row rows[] = {
    {"From: jan@ready.nl", AUTHOR_ONE, "ready.nl"},
    {"FROM:<jan@Ready.NL>", AUTHOR_ONE, "ready.nl"},
    {"From: \"jan@evil.nl\" <jan@ready.nl> (piet@evil.nl)", AUTHOR_ONE, "ready.nl"},
    {"From: jan@ready.nl, piet@ready.nl", AUTHOR_ONE, "ready.nl"},
    {"From: jan@ready.nl.", AUTHOR_ONE, "ready.nl"},
    {"From: jan@caf\xc3\xa9.nl", AUTHOR_ONE, "xn--caf-dma.nl"},
    {"From: a: jan@ready.nl;", AUTHOR_ONE, "ready.nl"},
    {"Sender: jan@ready.nl", AUTHOR_NONE, NULL},
    {"Resent-From: jan@ready.nl", AUTHOR_NONE, NULL},
    {"X-From: jan@ready.nl", AUTHOR_NONE, NULL},
    {"From:", AUTHOR_NONE, NULL},
    {"From: jan", AUTHOR_NONE, NULL},
    {"From: jan@[192.0.2.1]", AUTHOR_NONE, NULL},
    {"From: jan@", AUTHOR_NONE, NULL},
    {"From: \"jan@ready.nl", AUTHOR_NONE, NULL},
    {"From: jan@ready.nl|From: piet@ready.nl", AUTHOR_SEVERAL, NULL},
    {"From: jan@ready.nl|from: jan@ready.nl", AUTHOR_SEVERAL, NULL},
    {"From: jan@ready.nl|From : piet@evil.nl", AUTHOR_SEVERAL, NULL},
    {"From\t: jan@ready.nl|From: piet@evil.nl", AUTHOR_SEVERAL, NULL},
    {"From: jan@ready.nl|From:", AUTHOR_SEVERAL, NULL},
    {"From: jan@ready.nl, piet@evil.nl", AUTHOR_SEVERAL, NULL},
    {"From: jan@ready.nl, piet@", AUTHOR_SEVERAL, NULL},
    {"From: jan@ready.nl, \"piet", AUTHOR_SEVERAL, NULL},
    {"From: <@evil.nl,@any.nl:jan@ready.nl>", AUTHOR_SEVERAL, NULL},
    {"From: <jan@evil.nl>admin@ready.nl", AUTHOR_SEVERAL, NULL},
    {"From: <jan@ready.nl>\\,<piet@evil.nl>", AUTHOR_SEVERAL, NULL},
    /* a name of the parent is another domain */
    {"From: jan@ready.nl, piet@sub.ready.nl", AUTHOR_SEVERAL, NULL},
};

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Fields) fields = fields_new();
    g_auto(GStrv) given = g_strsplit(rows[i].from, "|", -1);
    for (char **one = given; *one != NULL; one++) {
      g_auto(GStrv) parts = g_strsplit(*one, ":", 2);
      fields_add(fields, parts[0], parts[1]);
    }
    g_test_message("%s", rows[i].from);
    char *untouched = (char *) "untouched", *domain = untouched;
    Author author = author_find(fields, &domain);
    g_assert_true(domain != untouched);
    g_assert_cmpint(author, ==, rows[i].author);
    g_assert_cmpstr(domain, ==, rows[i].domain);
    g_free(domain);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  mail_init();
  g_test_add_func("/author/T28-rows", test_rows);
  return g_test_run();
}
