#include <string.h>

#include "common/base/error.h"
#include "common/crypt/box.h"
#include "common/crypt/ticket.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

#define FOLDED_MAX 76

static Ticket *
sample(const char *sender_name, guint recipients)
{
  Ticket *ticket = ticket_new(NULL);
  ticket->organisation = g_strdup("ziekenhuis");
  ticket->sender = g_strdup("dokter@own.example");
  ticket->sender_name = g_strdup(sender_name);
  ticket->message_id = g_strdup("<1@own.example>");
  ticket->made_s = 1700000000;
  memset(ticket->body_sha256, 0x5a, sizeof ticket->body_sha256);
  for (guint i = 0; i < recipients; i++) {
    g_autofree char *address = g_strdup_printf("jan%u@example.com", i);
    g_autofree char *number = g_strdup_printf("+316%08u", i);
    TicketRecipient *added =
        ticket_add_recipient(ticket, address, i % 3 == 2 ? NULL : number);
    added->by_mail = i % 6 == 2;
    added->learn = i % 3 == 1;
    added->route = i % 4 == 3 ? NULL : g_strdup(i % 4 == 0 ? "viewer" : "own");
  }
  for (guint i = 0; i < recipients && i < 3; i++) {
    g_autofree char *name = g_strdup_printf("verslag %u van Zo\u00eb.pdf", i);
    guint8 hash[CRYPT_SHA256_BYTES];
    memset(hash, (int) i, sizeof hash);
    ticket_add_part(ticket, name, 1000u * i, hash);
  }
  return ticket;
}

static void
assert_same(const Ticket *a, const Ticket *b)
{
  g_assert_cmpmem(a->id, sizeof a->id, b->id, sizeof b->id);
  g_assert_cmpstr(a->organisation, ==, b->organisation);
  g_assert_cmpstr(a->sender, ==, b->sender);
  g_assert_cmpstr(a->sender_name, ==, b->sender_name);
  g_assert_cmpstr(a->message_id, ==, b->message_id);
  g_assert_cmpint(a->made_s, ==, b->made_s);
  g_assert_cmpmem(a->body_sha256, 32, b->body_sha256, 32);
  g_assert_cmpuint(a->recipients->len, ==, b->recipients->len);
  for (guint i = 0; i < a->recipients->len; i++) {
    const TicketRecipient *x = g_ptr_array_index(a->recipients, i);
    const TicketRecipient *y = g_ptr_array_index(b->recipients, i);
    g_assert_cmpstr(x->address, ==, y->address);
    g_assert_cmpstr(x->number, ==, y->number);
    g_assert_cmpint(x->by_mail, ==, y->by_mail);
    g_assert_cmpint(x->learn, ==, y->learn);
    g_assert_cmpstr(x->route, ==, y->route);
  }
  g_assert_cmpint(a->parts_cut, ==, b->parts_cut);
  g_assert_cmpint(a->signature_broken, ==, b->signature_broken);
  g_assert_cmpuint(a->parts->len, ==, b->parts->len);
  for (guint i = 0; i < a->parts->len; i++) {
    const TicketPart *x = g_ptr_array_index(a->parts, i);
    const TicketPart *y = g_ptr_array_index(b->parts, i);
    g_assert_cmpstr(x->name, ==, y->name);
    g_assert_cmpuint(x->size, ==, y->size);
    g_assert_cmpmem(x->sha256, sizeof x->sha256, y->sha256, sizeof y->sha256);
  }
}

static void
assert_round_trip(const Ticket *ticket)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(GError) error = NULL;
  g_autofree char *value = ticket_seal(ring, ticket, &error);
  g_assert_no_error(error);
  g_autoptr(Ticket) back = ticket_open(ring, value, &error);
  g_assert_no_error(error);
  assert_same(ticket, back);
}

static void
test_round_trip(void)
{
  static const char *const names[] = {
      "",
      "Dr. Jansen",
      "Zo\u00eb \u00c5ngstr\u00f6m",
      "\u5f20\u4f1f \U0001F469\u200D\u2695\uFE0F",
      "a\u202Eb\u2066c",
      "100% = \"x\" \\ ; name=value",
      "line\nrcpt=evil@example.org\nnumber=+31600000000\n\n",
      "\r\n\t\x01\x7f",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(Ticket) ticket = sample(names[i], 2);
    ticket->signature_broken = i % 2 == 0;
    assert_round_trip(ticket);
  }
  static const guint counts[] = {0, 1, 100, TICKET_MAX_RECIPIENTS};
  for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
    g_autoptr(Ticket) ticket = sample("Dr. Jansen", counts[i]);
    assert_round_trip(ticket);
  }
}

/* A name that is no UTF-8 is mended, not refused: the mail must go on. */
static void
test_not_utf8(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(Ticket) ticket = sample("Jos\xe9 \xff\xc0", 1);
  gsize len = 0;
  g_autofree char *text = ticket_format(ticket, &len, NULL);
  g_assert_true(g_utf8_validate(text, (gssize) len, NULL));
  g_autofree char *value = ticket_seal(ring, ticket, NULL);
  g_autoptr(Ticket) back = ticket_open(ring, value, NULL);
  g_assert_nonnull(back);
  g_assert_true(g_utf8_validate(back->sender_name, -1, NULL));
  g_assert_true(g_str_has_prefix(back->sender_name, "Jos"));
}

static void
test_empty_sender(void)
{
  g_autoptr(Ticket) ticket = sample("", 1);
  g_free(ticket->sender);
  ticket->sender = g_strdup("");
  g_free(ticket->message_id);
  ticket->message_id = g_strdup("");
  assert_round_trip(ticket);
}

static void
test_too_many(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(Ticket) ticket = sample("x", TICKET_MAX_RECIPIENTS + 1);
  g_autoptr(GError) error = NULL;
  g_assert_null(ticket_seal(ring, ticket, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
}

/* More attachments than a ticket holds are left out, and it says so; a long or dirty name
 * neither breaks the ticket nor makes it grow. */
static void
test_many_parts(void)
{
  static const guint8 hash[CRYPT_SHA256_BYTES] = {1};
  g_autofree char *long_name = g_strnfill(100000, 'x');
  static const struct {
    const char *name;
    guint count;
    guint kept;
  } rows[] = {
      {"a.pdf", TICKET_MAX_PARTS, TICKET_MAX_PARTS},
      {"a.pdf", TICKET_MAX_PARTS + 1, TICKET_MAX_PARTS},
      {NULL, TICKET_MAX_PARTS, TICKET_MAX_PART_BYTES / (64 + 1 + 1 + 1 + 255)},
      {"\xff\n\nrcpt=evil@example.org\r", 1, 1},
      {"", 1, 1},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Ticket) ticket = sample("x", 0);
    for (guint n = 0; n < rows[i].count; n++)
      ticket_add_part(ticket, rows[i].name != NULL ? rows[i].name : long_name, 1, hash);
    g_assert_cmpuint(ticket->parts->len, ==, rows[i].kept);
    g_assert_cmpint(ticket->parts_cut, ==, rows[i].kept < rows[i].count);
    assert_round_trip(ticket);
  }
}

/* The name is never cut inside a character. */
static void
test_part_name_cut(void)
{
  static const guint8 hash[CRYPT_SHA256_BYTES] = {1};
  for (guint shift = 0; shift < 4; shift++) {
    g_autoptr(GString) name = g_string_new(NULL);
    for (guint i = 0; i < shift; i++)
      g_string_append_c(name, 'a');
    while (name->len < 300)
      g_string_append(name, "\u5f20");
    g_autoptr(Ticket) ticket = sample("x", 0);
    ticket_add_part(ticket, name->str, 1, hash);
    const TicketPart *part = ticket->parts->pdata[0];
    g_assert_true(g_utf8_validate(part->name, -1, NULL));
    g_assert_cmpuint(strlen(part->name), >, 252);
    g_assert_cmpuint(strlen(part->name), <=, 255);
  }
}

static void
test_folding(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  for (guint recipients = 0; recipients < 12; recipients++) {
    g_autoptr(Ticket) ticket = sample("Dr. Jansen", recipients);
    g_autofree char *value = ticket_seal(ring, ticket, NULL);
    g_autofree char *header = g_strconcat(TICKET_HEADER, ": ", value, NULL);
    g_auto(GStrv) lines = g_strsplit(header, "\r\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >, 1);
    for (char **line = lines; *line != NULL; line++) {
      g_assert_cmpuint(strlen(*line), <=, FOLDED_MAX);
      g_assert_cmpuint(strlen(*line), >, 1);
      g_assert_null(strpbrk(*line, "\r\n"));
      if (line > lines)
        g_assert_true((*line)[0] == ' ' && (*line)[1] != ' ');
    }
    g_autoptr(Ticket) folded = ticket_open(ring, value, NULL);
    assert_same(ticket, folded);
    g_autofree char *flat = g_strjoinv("", lines);
    g_autoptr(Ticket) unfolded = ticket_open(ring, flat + strlen(TICKET_HEADER ": "), NULL);
    assert_same(ticket, unfolded);
    g_autofree char *tabs = g_strjoinv("\n\t", lines); /* as a relay may fold it again */
    g_autoptr(Ticket) refolded = ticket_open(ring, tabs + strlen(TICKET_HEADER ": "), NULL);
    assert_same(ticket, refolded);
  }
}

static void
assert_refused(const KeyRing *ring, const char *value, ZegelError code)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Ticket) ticket = ticket_open(ring, value, &error);
  g_assert_null(ticket);
  g_assert_error(error, ZEGEL_ERROR, (int) code);
}

static void
test_unknown_key(void)
{
  g_autoptr(KeyRing) old = ring_new(KEY_TICKET, FALSE);
  g_autoptr(KeyRing) rotated = ring_new(KEY_TICKET, TRUE);
  g_autoptr(Ticket) ticket = sample("x", 1);
  g_autofree char *queued = ticket_seal(old, ticket, NULL);
  g_autoptr(Ticket) later = ticket_open(rotated, queued, NULL);
  assert_same(ticket, later);
  g_autofree char *newer = ticket_seal(rotated, ticket, NULL);
  assert_refused(old, newer, ZEGEL_ERROR_KEY_UNKNOWN);
}

/* A box of another purpose under the same key is no ticket. */
static void
test_forged(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(Ticket) ticket = sample("x", 1);
  gsize len = 0;
  g_autofree char *plain = ticket_format(ticket, &len, NULL);
  g_autoptr(GBytes) box = box_seal(ring, "other", NULL, 0, plain, len, NULL);
  g_autofree char *value =
      g_base64_encode(g_bytes_get_data(box, NULL), g_bytes_get_size(box));
  assert_refused(ring, value, ZEGEL_ERROR_FORGED);
}

static void
test_tampered(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(Ticket) ticket = sample("x", 2);
  g_autofree char *value = ticket_seal(ring, ticket, NULL);
  for (gsize i = 0; i < strlen(value); i++) {
    if (!g_ascii_isalnum(value[i]))
      continue;
    g_autofree char *copy = g_strdup(value);
    copy[i] = copy[i] == 'A' ? 'E' : 'A';
    gsize from_end = strlen(value) - i;
    if (from_end <= 3 && strchr(value, '=') != NULL)
      continue; /* its last bits may be padding */
    g_autoptr(GError) error = NULL;
    g_autoptr(Ticket) bad = ticket_open(ring, copy, &error);
    g_assert_null(bad);
    g_assert_cmpint(error->domain, ==, (int) ZEGEL_ERROR);
    g_assert_cmpint(error->code, !=, ZEGEL_ERROR_TEMPORARY);
  }
  g_auto(GStrv) lines = g_strsplit(value, "\r\n ", -1);
  g_autofree char *cut = g_strjoinv("", lines);
  cut[strlen(cut) - 4] = '\0';
  assert_refused(ring, cut, ZEGEL_ERROR_FORGED);
}

static void
test_not_base64(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  static const char *const bad[] = {"",     " \r\n ", "=",    "====", "A",    "A===",
                                    "AA=A", "AAAA",   "AQ==", "%00",  "AAA-", "AAAAA=="};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    assert_refused(ring, bad[i], ZEGEL_ERROR_INVALID);
}

#define HASH "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define ID   "id=000102030405060708090a0b0c0d0e0f\n"
#define BODY "body=5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n"
#define REST "org=o\nsender=a@b\nsender-name=\nmessage-id=\nmade=1\n" BODY

static void
test_parse(void)
{
  static const struct {
    const char *text;
    gboolean good;
  } rows[] = {
      {ID REST, TRUE},
      {ID REST "rcpt=a@b\n\n", TRUE},
      {ID REST "rcpt=a@b\nnumber=+31612345678\n\n", TRUE},
      {ID REST "later=unknown\n\n", TRUE},
      {"", FALSE},
      {REST, FALSE},
      {ID, FALSE},
      {"id=00\n" REST, FALSE},
      {"id=zz0102030405060708090a0b0c0d0e0f\n" REST, FALSE},
      {ID "org=\nsender=a@b\nmessage-id=\nmade=1\n" BODY, FALSE},
      {ID "sender=a@b\nmessage-id=\nmade=1\n" BODY, FALSE},
      {ID "org=o\nmessage-id=\nmade=1\n" BODY, FALSE},
      {ID "org=o\nsender=a@b\nmade=1\n" BODY, FALSE},
      {ID "org=o\nsender=a@b\nmessage-id=\nmade=-1\n" BODY, FALSE},
      {ID "org=o\nsender=a@b\nmessage-id=\nmade=9223372036854775808\n" BODY, FALSE},
      {ID REST "number=+31612345678\n", FALSE},
      {ID REST "rcpt=a@b\nnumber=+31612345678\nnumber=+31612345678\n", FALSE},
      {ID REST "rcpt=a@b\nnumber=0612345678\n", FALSE},
      {ID REST "rcpt=a@b\nnumber=+316\n", FALSE},
      {ID REST "rcpt=a@b\nnumber=+1234567890123456\n", FALSE},
      {ID REST "rcpt=a@b\nnumber=+3161234567x\n", FALSE},
      {ID REST "rcpt=\n", FALSE},
      {ID REST "rcpt=a@b\nnumber=+31612345678\nlearn=yes\n\n", TRUE},
      {ID REST "rcpt=a@b\nby-mail=yes\n\n", TRUE},
      {ID REST "rcpt=a@b\nlearn=yes\n", FALSE},
      {ID REST "rcpt=a@b\nnumber=+31612345678\nby-mail=yes\n", FALSE},
      {ID REST "rcpt=a@b\nby-mail=no\n", FALSE},
      {ID REST "rcpt=a@b\nby-mail=yes\nnumber=+31612345678\n", FALSE},
      {ID REST "by-mail=yes\n", FALSE},
      {ID REST "rcpt=a@b\nroute=own\n\n", TRUE},
      {ID REST "rcpt=a@b\nnumber=+31612345678\nroute=nta-ready\nrcpt=b@b\n\n", TRUE},
      {ID REST "rcpt=a@b\nroute=own\nroute=own\n", FALSE},
      {ID REST "rcpt=a@b\nroute=\n", FALSE},
      {ID REST "rcpt=a@b\nroute=Own way\n", FALSE},
      {ID REST "rcpt=a@b\nroute=abcdefghijklmnopq\n", FALSE},
      {ID REST "route=own\n", FALSE},
      {ID REST "part=" HASH " 12 a b.pdf\nparts-cut=yes\n\n", TRUE},
      {ID REST "signature-broken=yes\n\n", TRUE},
      {ID REST "part=" HASH " 12\n", FALSE},
      {ID REST "part=" HASH " -1 a\n", FALSE},
      {ID REST "part=00 12 a\n", FALSE},
      {ID REST "rcpt=a%0A@b\n", FALSE},
      {ID REST "rcpt=a%00@b\n", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Ticket) ticket = ticket_parse(rows[i].text, strlen(rows[i].text), &error);
    if ((ticket != NULL) != rows[i].good)
      g_test_message("row %" G_GSIZE_FORMAT, i);
    g_assert_true((ticket != NULL) == rows[i].good);
    if (!rows[i].good)
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

/* A header that another implementation of the format made, from zegel-ticket(5), before
 * there were methods and attachments: what is in the queue stays good. */
static void
test_known_answer(void)
{
  static const char value[] =
      "AQEAAAAKAAECAwQFBgcICQoLDA0OD/1PPHtEpU5+3ns6IShRpVnzS1v5fxAK\r\n "
      "aiAQxAck8+VCcvDq8E2dbzFtKZrpxZg3AAaGfPCBGEVOWRxVbcuw0DhykYRS5VKuNEI1R70jKq7\r\n "
      "Row1wE7fEQTFRFOCuYGIBYyJtxU7bk5hEdaDonep1vavbbC0f7dEOFly7eRRuRxrZAQrKd2zkDF\r\n "
      "R64fUUMFFyoQKIMCwfiYvSR8FiiAXTximbcIYxag3J2yGDswAvtAVEESEn2WwhZc7+rIKzlcLiE\r\n "
      "8ca5H51+75cCMApjGZjNB2DjlvLNbASAQx8OyqA4ejzAFUETCcGefEBc0hCtuhkNP9gwLp0OTBv\r\n "
      "dvpu8AU6wKrBTF2YwVFTfDlnXcr+9wdBed0jEWAEppcBNDBFVrDL2xIx2U6d";
  g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, FALSE);
  g_autoptr(GError) error = NULL;
  g_autoptr(Ticket) ticket = ticket_open(ring, value, &error);
  g_assert_no_error(error);
  g_autofree char *id = crypt_hex(ticket->id, sizeof ticket->id);
  g_assert_cmpstr(id, ==, "000102030405060708090a0b0c0d0e0f");
  g_assert_cmpstr(ticket->sender, ==, "dokter@own.example");
  g_assert_cmpstr(ticket_find_recipient(ticket, "jan@example.com")->number, ==,
                  "+31612345678");
  g_assert_null(ticket_find_recipient(ticket, "piet@example.org")->number);
  g_assert_false(ticket_find_recipient(ticket, "piet@example.org")->by_mail);
  g_assert_false(ticket_find_recipient(ticket, "jan@example.com")->learn);
  g_assert_null(ticket_find_recipient(ticket, "jan@example.com")->route);
  g_assert_cmpuint(ticket->parts->len, ==, 0);
}

static void
test_find(void)
{
  g_autoptr(Ticket) ticket = sample("x", 2);
  ticket_add_recipient(ticket, "\"odd@local\"@Example.ORG", "+31600000009");
  g_assert_nonnull(ticket_find_recipient(ticket, "jan1@example.com"));
  g_assert_cmpstr(ticket_find_recipient(ticket, "jan1@EXAMPLE.com")->number, ==,
                  "+31600000001");
  g_assert_cmpstr(ticket_find_recipient(ticket, "\"odd@local\"@example.org")->number, ==,
                  "+31600000009");
  g_assert_null(ticket_find_recipient(ticket, "JAN1@example.com"));
  g_assert_null(ticket_find_recipient(ticket, "jan1@example.co"));
  g_assert_null(ticket_find_recipient(ticket, "jan@example.com"));
  g_assert_null(ticket_find_recipient(ticket, ""));
}

static void
test_ids_differ(void)
{
  g_autoptr(Ticket) a = ticket_new(NULL);
  g_autoptr(Ticket) b = ticket_new(NULL);
  g_assert_cmpint(memcmp(a->id, b->id, sizeof a->id), !=, 0);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/ticket/round trip", test_round_trip);
  g_test_add_func("/ticket/not utf-8", test_not_utf8);
  g_test_add_func("/ticket/empty sender", test_empty_sender);
  g_test_add_func("/ticket/too many recipients", test_too_many);
  g_test_add_func("/ticket/many parts", test_many_parts);
  g_test_add_func("/ticket/part name cut", test_part_name_cut);
  g_test_add_func("/ticket/folding", test_folding);
  g_test_add_func("/ticket/unknown key", test_unknown_key);
  g_test_add_func("/ticket/forged", test_forged);
  g_test_add_func("/ticket/tampered", test_tampered);
  g_test_add_func("/ticket/not base64", test_not_base64);
  g_test_add_func("/ticket/parse", test_parse);
  g_test_add_func("/ticket/known answer", test_known_answer);
  g_test_add_func("/ticket/find recipient", test_find);
  g_test_add_func("/ticket/ids differ", test_ids_differ);
  return g_test_run();
}
