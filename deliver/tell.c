#include "deliver/tell.h"

#include <string.h>

#include "common/base/secret.h"
#include "common/submit/letter.h"
#include "deliver/prose.h"

#define RULE "----------------------------------------\n\n"

/* The letter with TEXT, which it takes and wipes. */
static GString *
finish(const TellFacts *facts, const char *subject, const char *id, GString *text)
{
  const LetterFacts letter = {
      .organisation_name = facts->organisation->display_name,
      .service_domain = facts->organisation->service_domain,
      .recipient = facts->sender,
      .subject = subject,
      .id = id,
      .now_s = facts->now_s,
      .reply_to = facts->correct,
      .in_reply_to = facts->message_id,
  };
  g_autofree char *name =
      letter_line(facts->organisation->display_name, LETTER_NAME_MAX_CHARS);
  g_string_append_printf(text, "%s\n", name);
  GString *message = letter_format(&letter, text->str);
  secret_wipe(text->str, text->len);
  g_string_free(text, TRUE);
  return message;
}

static char *
clean_address(const char *address)
{
  return letter_line(address, LETTER_ADDRESS_MAX_CHARS);
}

/* ---- What several letters say ---- */

static void
append_status_dutch(GString *text, const TellFacts *facts)
{
  if (facts->status_url != NULL)
    g_string_append_printf(
        text,
        "Op deze pagina ziet u wat er met het bericht gebeurt. U kunt het daar\n"
        "ook intrekken:\n"
        "\n"
        "%s\n"
        "\n"
        "Deze link is alleen voor u: stuur deze e-mail niet door.\n"
        "\n",
        facts->status_url);
}

static void
append_status_english(GString *text, const TellFacts *facts)
{
  if (facts->status_url != NULL)
    g_string_append_printf(
        text,
        "This page shows what happens to the message. You can also recall it\n"
        "there:\n"
        "\n"
        "%s\n"
        "\n"
        "This link is only for you: do not forward this email.\n"
        "\n",
        facts->status_url);
}

/* How one number is corrected: by an answer. */
static void
append_answer_dutch(GString *text)
{
  g_string_append(text,
                  "Klopt het mobiele nummer niet? Beantwoord dan deze e-mail. Zet het\n"
                  "goede nummer vooraan in het onderwerp, zo: SMS 0612345678\n"
                  "\n");
}

static void
append_answer_english(GString *text)
{
  g_string_append(text,
                  "Is the mobile number wrong? Then answer this email. Type the right\n"
                  "number at the start of the subject, like this: SMS 0612345678\n"
                  "\n");
}

/* ---- The confirmation ---- */

static char *
route_dutch(const TellRecipient *recipient)
{
  if (g_str_equal(recipient->route, "viewer") && *recipient->number != '\0')
    return g_strdup_printf("krijgt een e-mail met een link. De code om het bericht te\n"
                           "  openen komt per sms op het nummer dat eindigt op %s.",
                           prose_number_end(recipient->number));
  if (g_str_equal(recipient->route, "viewer"))
    return g_strdup("krijgt een e-mail met een link. De code om het bericht te\n"
                    "  openen komt in een aparte e-mail.");
  if (g_str_equal(recipient->route, "direct"))
    return g_strdup("krijgt het bericht in de eigen mailbox, over een beveiligde\n"
                    "  verbinding.");
  if (g_str_equal(recipient->route, "own"))
    return g_strdup("krijgt het bericht in de eigen mailbox, bij uw organisatie.");
  return g_strdup("krijgt het bericht beveiligd.");
}

static char *
route_english(const TellRecipient *recipient)
{
  if (g_str_equal(recipient->route, "viewer") && *recipient->number != '\0')
    return g_strdup_printf("gets an email with a link. The code that opens the message\n"
                           "  comes by text message on the number that ends in %s.",
                           prose_number_end(recipient->number));
  if (g_str_equal(recipient->route, "viewer"))
    return g_strdup("gets an email with a link. The code that opens the message\n"
                    "  comes in a separate email.");
  if (g_str_equal(recipient->route, "direct"))
    return g_strdup("gets the message in the mailbox there, over a secure connection.");
  if (g_str_equal(recipient->route, "own"))
    return g_strdup("gets the message in the mailbox there, at your organisation.");
  return g_strdup("gets the message in a secure way.");
}

static void
append_recipients(GString *text, const TellRecipient *recipients, guint count,
                  char *(*describe)(const TellRecipient *) )
{
  for (guint i = 0; i < count; i++) {
    g_autofree char *address = clean_address(recipients[i].address);
    g_autofree char *way = describe(&recipients[i]);
    g_string_append_printf(text, "- %s\n  %s\n", address, way);
  }
  g_string_append_c(text, '\n');
}

/* With several numbers each has an address of its own. */
static void
append_corrections(GString *text, const TellRecipient *recipients, guint count,
                   const char *head)
{
  g_string_append(text, head);
  for (guint i = 0; i < count; i++) {
    if (recipients[i].correct == NULL)
      continue;
    g_autofree char *address = clean_address(recipients[i].address);
    g_string_append_printf(text, "- %s\n  %s\n", address, recipients[i].correct);
  }
  g_string_append_c(text, '\n');
}

/* How many of RECIPIENTS have a number that can be corrected; *ONE gets the address that
 * does it for the only one. */
static guint
count_corrections(const TellRecipient *recipients, guint count, const char **one)
{
  guint found = 0;
  for (guint i = 0; i < count; i++)
    if (recipients[i].correct != NULL) {
      *one = recipients[i].correct;
      found++;
    }
  return found;
}

static void
append_confirmation_dutch(GString *text, const TellFacts *facts,
                          const TellRecipient *recipients, guint count, guint corrections)
{
  g_autofree char *day = prose_day_dutch(facts->expires_s);
  g_string_append(text, "(English below)\n"
                        "\n"
                        "Uw beveiligde bericht staat klaar. Zo bereikt het de ontvangers:\n"
                        "\n");
  append_recipients(text, recipients, count, route_dutch);
  g_string_append_printf(text, "Wie een link krijgt, kan het bericht lezen tot %s.\n\n",
                         day);
  append_status_dutch(text, facts);
  if (corrections == 1)
    append_answer_dutch(text);
  else if (corrections > 1)
    append_corrections(text, recipients, count,
                       "Klopt een mobiel nummer niet? Stuur dan een e-mail met het goede\n"
                       "nummer vooraan in het onderwerp, zo: SMS 0612345678\n"
                       "Stuur die naar het adres dat hier onder de ontvanger staat:\n"
                       "\n");
}

static void
append_confirmation_english(GString *text, const TellFacts *facts,
                            const TellRecipient *recipients, guint count, guint corrections)
{
  g_autofree char *day = prose_day_english(facts->expires_s);
  g_string_append(text, RULE "Your secure message is ready. This is how it reaches its\n"
                             "recipients:\n"
                             "\n");
  append_recipients(text, recipients, count, route_english);
  g_string_append_printf(text, "Who gets a link can read the message until %s.\n\n", day);
  append_status_english(text, facts);
  if (corrections == 1)
    append_answer_english(text);
  else if (corrections > 1)
    append_corrections(
        text, recipients, count,
        "Is a mobile number wrong? Then send an email with the right number\n"
        "at the start of the subject, like this: SMS 0612345678\n"
        "Send it to the address that stands below the recipient here:\n"
        "\n");
}

GString *
tell_confirmation(const TellFacts *facts, const TellRecipient *recipients, guint count,
                  const char *id)
{
  const char *one = NULL;
  guint corrections = count_corrections(recipients, count, &one);
  TellFacts all = *facts;
  all.correct = corrections == 1 ? one : NULL;
  GString *text = g_string_sized_new(8192);
  append_confirmation_dutch(text, &all, recipients, count, corrections);
  append_confirmation_english(text, &all, recipients, count, corrections);
  return finish(&all,
                "Uw beveiligde bericht staat klaar /\r\n Your secure message is ready", id,
                text);
}

/* ---- Notifications that do not arrive ---- */

TellReason
tell_reason(const char *status)
{
  static const struct {
    const char *prefix;
    TellReason reason;
  } rows[] = {
      {"5.1.0", TELL_NO_SUCH},      {"5.1.1", TELL_NO_SUCH},
      {"5.1.6", TELL_NO_SUCH},      {"5.2.1", TELL_NO_SUCH},
      {"5.2.2", TELL_FULL},         {"5.1.2", TELL_UNREACHABLE},
      {"5.1.10", TELL_UNREACHABLE}, {"5.4.4", TELL_UNREACHABLE},
      {"4.4.1", TELL_UNREACHABLE},  {"4.2.2", TELL_FULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    if (g_str_equal(status, rows[i].prefix))
      return rows[i].reason;
  return TELL_REFUSED;
}

GString *
tell_bounced(const TellFacts *facts, TellReason reason, const char *id)
{
  static const char *const why_nl[] = {
      [TELL_REFUSED] = "De mailserver van de ontvanger nam de e-mail niet aan.",
      [TELL_NO_SUCH] = "Dit e-mailadres bestaat niet, of niet meer.",
      [TELL_FULL] = "De mailbox van de ontvanger is vol.",
      [TELL_UNREACHABLE] = "Er is geen mailserver bereikbaar voor dit adres."};
  static const char *const why_en[] = {
      [TELL_REFUSED] = "The recipient's mail server did not take the email.",
      [TELL_NO_SUCH] = "This email address does not exist, or not any more.",
      [TELL_FULL] = "The recipient's mailbox is full.",
      [TELL_UNREACHABLE] = "No mail server can be reached for this address."};
  g_autofree char *address = clean_address(facts->recipient);
  g_autofree char *day_nl = prose_day_dutch(facts->received_s);
  g_autofree char *day_en = prose_day_english(facts->received_s);
  GString *text = g_string_sized_new(8192);
  g_string_append_printf(
      text,
      "(English below)\n"
      "\n"
      "Uw beveiligde bericht van %s is niet aangekomen bij:\n"
      "\n"
      "%s\n"
      "\n"
      "%s De ontvanger\n"
      "kan het bericht niet lezen. De link in de e-mail werkt niet meer.\n"
      "\n"
      "Wat kunt u doen?\n"
      "- Controleer het e-mailadres, en stuur het bericht opnieuw.\n"
      "- Of neem op een andere manier contact op met de ontvanger.\n"
      "\n",
      day_nl, address, why_nl[reason]);
  g_string_append_printf(
      text,
      RULE "Your secure message of %s did not arrive at:\n"
           "\n"
           "%s\n"
           "\n"
           "%s The recipient\n"
           "cannot read the message. The link in the email does not work any more.\n"
           "\n"
           "What can you do?\n"
           "- Check the email address, and send the message again.\n"
           "- Or contact the recipient in another way.\n"
           "\n",
      day_en, address, why_en[reason]);
  return finish(
      facts,
      "Uw beveiligde bericht is niet aangekomen /\r\n Your secure message did not arrive",
      id, text);
}

GString *
tell_delayed(const TellFacts *facts, const char *id)
{
  g_autofree char *address = clean_address(facts->recipient);
  g_autofree char *day_nl = prose_day_dutch(facts->received_s);
  g_autofree char *day_en = prose_day_english(facts->received_s);
  GString *text = g_string_sized_new(8192);
  g_string_append_printf(
      text,
      "(English below)\n"
      "\n"
      "Uw beveiligde bericht van %s is nog onderweg naar:\n"
      "\n"
      "%s\n"
      "\n"
      "De mailserver van de ontvanger neemt de e-mail met de link nog niet aan.\n"
      "Wij blijven het proberen. U hoeft niets te doen. Als het niet lukt, dan\n"
      "hoort u dat van ons.\n"
      "\n"
      "Is er haast bij? Neem dan op een andere manier contact op met de\n"
      "ontvanger.\n"
      "\n",
      day_nl, address);
  g_string_append_printf(
      text,
      RULE "Your secure message of %s is still on its way to:\n"
           "\n"
           "%s\n"
           "\n"
           "The recipient's mail server does not take the email with the link yet.\n"
           "We keep trying. There is nothing that you need to do. When it fails we\n"
           "will tell you.\n"
           "\n"
           "Is it urgent? Then contact the recipient in another way.\n"
           "\n",
      day_en, address);
  return finish(facts,
                "Uw beveiligde bericht is vertraagd /\r\n Your secure message is delayed",
                id, text);
}

GString *
tell_lost(const TellFacts *facts, const char *reference, const char *id)
{
  g_autofree char *name =
      letter_line(facts->organisation->display_name, LETTER_NAME_MAX_CHARS);
  GString *text = g_string_sized_new(4096);
  g_string_append_printf(text,
                         "(English below)\n"
                         "\n"
                         "U schreef of stuurde iets door op de beveiligde website van\n"
                         "%s.\n"
                         "Dat is niet aangekomen. Niemand heeft het gelezen.\n"
                         "\n"
                         "Wat kunt u doen?\n"
                         "- Bel de organisatie, of neem op een andere manier contact op.\n"
                         "- Stuurde u een bericht door? Controleer dan het e-mailadres.\n"
                         "\n"
                         "Referentie: %s\n"
                         "Wat u schreef staat niet in deze e-mail: dat is veiliger.\n"
                         "\n",
                         name, reference);
  g_string_append_printf(text,
                         RULE "You wrote or forwarded something on the secure website of\n"
                              "%s.\n"
                              "It could not be delivered. Nobody has read it.\n"
                              "\n"
                              "What can you do?\n"
                              "- Call the organisation, or contact it in another way.\n"
                              "- Did you forward a message? Then check the email address.\n"
                              "\n"
                              "Reference: %s\n"
                              "What you wrote is not in this email: that is safer.\n"
                              "\n",
                         name, reference);
  return finish(facts,
                "Uw bericht is niet aangekomen /\r\n Your message could not be delivered",
                id, text);
}

/* ---- Numbers, and messages that nobody opens ---- */

GString *
tell_number_changed(const TellFacts *facts, const char *id)
{
  g_autofree char *address = clean_address(facts->recipient);
  g_autofree char *day_nl = prose_day_dutch(facts->received_s);
  g_autofree char *day_en = prose_day_english(facts->received_s);
  const char *end = prose_number_end(facts->number);
  GString *text = g_string_sized_new(8192);
  g_string_append_printf(
      text,
      "(English below)\n"
      "\n"
      "Het mobiele nummer is veranderd. Bij uw beveiligde bericht van %s\n"
      "krijgt deze ontvanger de code nu op het nummer dat eindigt op %s:\n"
      "\n"
      "%s\n"
      "\n"
      "De link van de ontvanger blijft hetzelfde. Codes van vóór deze wijziging\n"
      "werken niet meer; de ontvanger kan een nieuwe code vragen.\n"
      "\n"
      "Hebt u dit nummer niet opgegeven? Vertel het dan meteen uw beheerder.\n"
      "\n",
      day_nl, end, address);
  g_string_append_printf(
      text,
      RULE "The mobile number was changed. For your secure message of %s\n"
           "this recipient now gets the code on the number that ends in %s:\n"
           "\n"
           "%s\n"
           "\n"
           "The recipient's link stays the same. Codes from before this change do\n"
           "not work any more; the recipient can ask for a new one.\n"
           "\n"
           "Did you not give this number? Then tell your administrator at once.\n"
           "\n",
      day_en, end, address);
  return finish(facts,
                "Het mobiele nummer is veranderd /\r\n The mobile number was changed", id,
                text);
}

static void
append_unopened_dutch(GString *text, const TellFacts *facts, const char *address)
{
  g_autofree char *sent = prose_day_dutch(facts->received_s);
  g_autofree char *until = prose_day_dutch(facts->expires_s);
  g_string_append_printf(text,
                         "(English below)\n"
                         "\n"
                         "Uw beveiligde bericht van %s is nog niet geopend door:\n"
                         "\n"
                         "%s\n"
                         "\n"
                         "De ontvanger kan het lezen tot %s.\n"
                         "\n"
                         "Wat kunt u doen?\n"
                         "- Controleer het e-mailadres.\n",
                         sent, address, until);
  if (*facts->number != '\0')
    g_string_append_printf(text, "- Controleer het mobiele nummer, dat eindigt op %s.\n",
                           prose_number_end(facts->number));
  g_string_append(text, "- Neem op een andere manier contact op met de ontvanger.\n"
                        "\n");
  if (facts->correct != NULL)
    append_answer_dutch(text);
  append_status_dutch(text, facts);
}

static void
append_unopened_english(GString *text, const TellFacts *facts, const char *address)
{
  g_autofree char *sent = prose_day_english(facts->received_s);
  g_autofree char *until = prose_day_english(facts->expires_s);
  g_string_append_printf(text,
                         RULE "Your secure message of %s has not been opened yet by:\n"
                              "\n"
                              "%s\n"
                              "\n"
                              "The recipient can read it until %s.\n"
                              "\n"
                              "What can you do?\n"
                              "- Check the email address.\n",
                         sent, address, until);
  if (*facts->number != '\0')
    g_string_append_printf(text, "- Check the mobile number, which ends in %s.\n",
                           prose_number_end(facts->number));
  g_string_append(text, "- Contact the recipient in another way.\n"
                        "\n");
  if (facts->correct != NULL)
    append_answer_english(text);
  append_status_english(text, facts);
}

GString *
tell_unopened(const TellFacts *facts, const char *id)
{
  g_autofree char *address = clean_address(facts->recipient);
  GString *text = g_string_sized_new(8192);
  append_unopened_dutch(text, facts, address);
  append_unopened_english(text, facts, address);
  return finish(facts,
                "Uw beveiligde bericht is nog niet gelezen /\r\n"
                " Your secure message has not been read",
                id, text);
}
