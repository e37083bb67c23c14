/* Control addresses, and answers in a conversation (V5, S14). */
#include "milter/service.h"

#include <string.h>

#include "common/mail/header.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

static const char conf_text[] = "[organisation zorg]\n"
                                "domains = own.nl, mail.s.own.nl\n"
                                "service_domain = s.own.nl\n"
                                "viewer_url = https://v.own.nl/\n"
                                "display_name = Zorg\n"
                                "[organisation ander]\n"
                                "domains = ander.nl\n"
                                "service_domain = s.ander.nl\n"
                                "viewer_url = https://v.ander.nl/\n"
                                "display_name = Ander\n";

static Config *config;

static void
assert_address(const KeyRing *ring, const char *local, const char *domain,
               ServiceAddress expected)
{
  g_autofree char *address = g_strconcat(local, "@", domain, NULL);
  g_test_message("%s", address);
  const Organisation *zorg = config->organisations->pdata[0];
  g_assert_cmpint(service_address(config, zorg, ring, address), ==, expected);
}

/* The local part of a control address of ORGANISATION. */
static char *
control(const KeyRing *ring, ControlKind kind, const char *organisation)
{
  char *address = control_address(ring, kind, organisation, "ref", "x", NULL);
  *strchr(address, '@') = '\0';
  return address;
}

static void
test_addresses(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autofree char *bounce = control(ring, CONTROL_BOUNCE, "zorg");
  g_autofree char *number = control(ring, CONTROL_NUMBER, "zorg");
  g_autofree char *visitor = control(ring, CONTROL_VISITOR, "zorg");
  g_autofree char *theirs = control(ring, CONTROL_BOUNCE, "ander");
  g_autofree char *their_number = control(ring, CONTROL_NUMBER, "ander");
  g_autofree char *forged = g_strdup(bounce);
  forged[strlen(forged) - 5] = forged[strlen(forged) - 5] == 'a' ? 'b' : 'a';
  assert_address(ring, bounce, "s.own.nl", SERVICE_BOUNCE);
  assert_address(ring, visitor, "s.own.nl", SERVICE_BOUNCE);
  assert_address(ring, number, "S.own.nl", SERVICE_NUMBER);
  assert_address(ring, theirs, "s.ander.nl", SERVICE_BOUNCE);
  assert_address(ring, their_number, "s.ander.nl", SERVICE_STRANGE);
  assert_address(ring, theirs, "s.own.nl", SERVICE_STRANGE);
  assert_address(ring, forged, "s.own.nl", SERVICE_STRANGE);
  assert_address(ring, "noreply", "s.own.nl", SERVICE_STRANGE);
  assert_address(ring, "postmaster", "s.own.nl", SERVICE_NONE);
  assert_address(NULL, "PostMaster", "S.ander.nl", SERVICE_NONE);
  assert_address(ring, "postmaster", "x.s.own.nl", SERVICE_STRANGE);
  assert_address(ring, "postmaster2", "s.own.nl", SERVICE_STRANGE);
  assert_address(ring, bounce, "x.s.own.nl", SERVICE_STRANGE);
  assert_address(ring, bounce, "own.nl", SERVICE_NONE);
  assert_address(ring, bounce, "xs.own.nl", SERVICE_NONE);
  assert_address(ring, "jan", "mail.s.own.nl", SERVICE_NONE);
  assert_address(ring, "jan", "ext.nl", SERVICE_NONE);
  /* without a key only the shape can be seen */
  assert_address(NULL, bounce, "s.own.nl", SERVICE_BOUNCE);
  assert_address(NULL, forged, "s.ander.nl", SERVICE_BOUNCE);
  assert_address(NULL, "noreply", "s.own.nl", SERVICE_STRANGE);
  assert_address(NULL, bounce, "x.s.own.nl", SERVICE_STRANGE);
  assert_address(NULL, bounce, "ext.nl", SERVICE_NONE);
}

/* Whether a message to jan@ext.nl and piet@ext.nl with the field NAME is in a conversation;
 * "@" in VALUE stands for "@s.own.nl". */
static gboolean
answers(const KeyRing *ring, const char *name, const char *value)
{
  const char *const sender[] = {"<dokter@own.nl>", NULL};
  const char *const jan[] = {"<Jan@Ext.nl>", NULL};
  const char *const piet[] = {"<piet@ext.nl>", NULL};
  g_autoptr(Message) message =
      message_new(MESSAGE_OUTWARD, config->organisations->pdata[0], NULL, sender);
  message_add_recipient(message, piet);
  message_add_recipient(message, jan);
  message_add_header(message, name, value);
  message_end_header(message);
  service_look(message, config, ring);
  return message->facts.conversation;
}

static void
test_conversation(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autofree char *id = conversation_id(ring, "zorg", "jan@ext.nl", NULL);
  g_autofree char *other = conversation_id(ring, "zorg", "kees@ext.nl", NULL);
  g_autofree char *elsewhere = conversation_id(ring, "ander", "jan@ext.nl", NULL);
  g_autofree char *good = g_strdup_printf(" <%s@s.own.nl>", id);
  g_autofree char *last = g_strdup_printf(" <1@own.nl>\n <%s@S.OWN.nl>\n <2@x>", id);
  g_autofree char *domain = g_strdup_printf(" <%s@own.nl>", id);
  g_autofree char *kees = g_strdup_printf(" <%s@s.own.nl>", other);
  g_autofree char *ander = g_strdup_printf(" <%s@s.own.nl>", elsewhere);
  g_autofree char *confirmation = control(ring, CONTROL_NUMBER, "zorg");
  g_autofree char *own = g_strdup_printf(" <%s@s.own.nl>", confirmation);
  g_assert_true(answers(ring, "In-Reply-To", good));
  g_assert_true(answers(ring, "references", last));
  g_assert_false(answers(ring, "Subject", good));
  g_assert_false(answers(ring, "References", domain));
  g_assert_false(answers(ring, "References", kees));
  g_assert_false(answers(ring, "References", ander));
  g_assert_false(answers(ring, "In-Reply-To", own));
  g_assert_false(answers(ring, "In-Reply-To", " <abc.confirm@s.own.nl>"));
  g_assert_false(answers(NULL, "In-Reply-To", good));
}

/* Of a long row the last ones count. */
static void
test_many(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autofree char *id = conversation_id(ring, "zorg", "jan@ext.nl", NULL);
  g_autoptr(GString) many = g_string_new(NULL);
  for (guint i = 0; i < 100; i++)
    g_string_append_printf(many, " <%u@s.own.nl>", i);
  g_autofree char *last = g_strdup_printf("%s <%s@s.own.nl>", many->str, id);
  g_autofree char *first = g_strdup_printf(" <%s@s.own.nl>%s", id, many->str);
  g_assert_true(answers(ring, "References", last));
  g_assert_false(answers(ring, "References", first));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  mail_init();
  config = conf_parse("test", conf_text, strlen(conf_text), NULL);
  g_assert_nonnull(config);
  g_test_add_func("/service/S14-addresses", test_addresses);
  g_test_add_func("/service/V5-conversation", test_conversation);
  g_test_add_func("/service/many", test_many);
  int result = g_test_run();
  conf_free(config);
  return result;
}
