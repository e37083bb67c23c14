#include "milter/refusal.h"

#include <string.h>

#include "common/base/reply.h"

/* "{}" stands for the names, or the limit. */
static const struct {
  const char *code, *smtp_code, *enhanced_code, *dutch, *english;
} table[] = {
    [REFUSAL_NUMBER] = {"Z-S7-NUMBER", "550", "5.7.1",
                        "Zet vooraan in het onderwerp SMS met het mobiele nummer van de "
                        "ontvanger, zoals SMS 0612345678, en verstuur opnieuw. Geen nummer "
                        "bekend van: {}. Er is niets verzonden.",
                        "Put SMS and the recipient's mobile number at the start of the "
                        "subject, like SMS 0612345678, and send again. No number is known "
                        "of: {}. Nothing was sent."},
    [REFUSAL_NUMBERS] =
        {"Z-S7-NUMBER", "550", "5.7.1",
         "Stuur iedere ontvanger een eigen bericht, met SMS en zijn mobiele "
         "nummer vooraan in het onderwerp, zoals SMS 0612345678. Geen "
         "nummer bekend van: {}. Er is niets verzonden.",
         "Send each recipient a message of their own, with SMS and their "
         "mobile number at the start of the subject, like SMS 0612345678. "
         "No number is known of: {}. Nothing was sent."},
    [REFUSAL_ONE_NUMBER] =
        {"Z-S7-ONE-NUMBER", "550", "5.7.1",
         "Stuur iedere ontvanger een eigen bericht met zijn eigen nummer "
         "in het onderwerp. Er staat maar 1 nummer, en meer ontvangers "
         "hebben er nog geen: {}. Er is niets verzonden.",
         "Send each recipient a message of their own with their own "
         "number in the subject. There is one number, and more "
         "recipients without one: {}. Nothing was sent."},
    [REFUSAL_WHOSE_NUMBER] =
        {"Z-S7-ONE-NUMBER", "550", "5.7.1",
         "Stuur de ontvanger van wie dit nummer is een eigen bericht, of haal het nummer "
         "uit het onderwerp. Van deze ontvangers is al een ander nummer bekend: {}. Er is "
         "niets verzonden.",
         "Send the recipient whose number this is a message of their own, or take the "
         "number out of the subject. Another number is known already of: {}. Nothing was "
         "sent."},
    [REFUSAL_NO_NUMBER] = {"Z-S2-NO-NUMBER", "550", "5.7.1",
                           "Zet achter SMS in het onderwerp het mobiele nummer van de "
                           "ontvanger, zoals SMS 0612345678, en verstuur opnieuw. Er is "
                           "niets verzonden.",
                           "Put the recipient's mobile number after SMS in the subject, "
                           "like SMS 0612345678, and send again. Nothing was sent."},
    [REFUSAL_BAD_NUMBER] = {"Z-S3-NUMBER", "550", "5.7.1",
                            "Verbeter het nummer achter SMS, zoals SMS 0612345678, en "
                            "verstuur opnieuw. Wat er staat is geen mobiel nummer, of van "
                            "een land dat hier niet mag. Er is niets verzonden.",
                            "Correct the number after SMS, like SMS 0612345678, and send "
                            "again. It is not a mobile number, or of a country that is not "
                            "allowed here. Nothing was sent."},
    [REFUSAL_TWO_NUMBERS] = {"Z-S2-TWO-NUMBERS", "550", "5.7.1",
                             "Laat 1 nummer staan, of stuur iedere ontvanger een eigen "
                             "bericht, en verstuur opnieuw. Er staan twee verschillende "
                             "nummers. Er is niets verzonden.",
                             "Leave one number, or send each recipient a message of their "
                             "own, and send again. There are two different numbers. "
                             "Nothing was sent."},
    [REFUSAL_NUMBER_HEADER] =
        {"Z-S7-HEADER", "550", "5.7.1",
         "Schrijf in elke kopregel X-Zegel-SMS een adres en een "
         "mobiel nummer, zoals jan@example.com +31612345678. Er is "
         "niets verzonden.",
         "Write one address and one mobile number in each X-Zegel-SMS "
         "header, like jan@example.com +31612345678. Nothing was "
         "sent."},
    [REFUSAL_CONTRADICTION] = {"Z-S1-CONTRADICTION", "550", "5.7.1",
                               "Kies: haal het nummer weg, of verstuur veilig, en probeer "
                               "opnieuw. Een nummer vraagt om veilig, de kopregel "
                               "x-ezorg-secbypass om onveilig. Er is niets verzonden.",
                               "Choose: take the number out, or send securely, and try "
                               "again. A number asks for secure, the header "
                               "x-ezorg-secbypass for not secure. Nothing was sent."},
    [REFUSAL_SENDER] =
        {"Z-O3-SENDER", "550", "5.7.1",
         "Verstuur van een adres van uw eigen organisatie. Dit hoort er niet "
         "bij: {}. Er is niets verzonden.",
         "Send from an address of your own organisation. This is not one: "
         "{}. Nothing was sent."},
    [REFUSAL_LOGIN] =
        {"Z-O3-LOGIN", "550", "5.7.1",
         "Vraag uw beheerder uw login of computer aan uw organisatie toe te voegen: van "
         "dit adres kan nu niet veilig worden gemaild: {}. Er is niets verzonden.",
         "Ask your administrator to add your login or computer to your organisation: no "
         "secure "
         "mail can be sent from this address now: {}. Nothing was sent."},
    [REFUSAL_ADDRESS] =
        {"Z-R4-ADDRESS", "550", "5.1.3",
         "Schrijf het adres als naam@domein, of laat deze ontvanger weg. "
         "Hiernaartoe kan niets beveiligd worden verzonden: {}. Er is niets "
         "verzonden.",
         "Write the address as name@domain, or leave this recipient out. "
         "Nothing can be sent securely to: {}. Nothing was sent."},
    [REFUSAL_NO_VIEWER] =
        {"Z-S6-NO-VIEWER", "550", "5.7.1",
         "Laat deze ontvanger weg, en bereik hem op een andere manier: uw organisatie "
         "mailt alleen veilig met wie is aangesloten. Niet aangesloten: {}. Er is niets "
         "verzonden.",
         "Leave this recipient out, and reach them in another way: your organisation sends "
         "secure mail only to those who are connected. Not connected: {}. Nothing was "
         "sent."},
    [REFUSAL_TOO_MANY] =
        {"Z-S9-RECIPIENTS", "550", "5.5.3",
         "Verdeel de ontvangers over meer berichten: een beveiligd bericht mag er "
         "hoogstens "
         "{} hebben. Er is niets verzonden.",
         "Divide the recipients over more messages: a secure message may have at most {}. "
         "Nothing was sent."},
    [REFUSAL_EXTENSION] =
        {"Z-S10-EXTENSION", "550", "5.7.1",
         "Haal deze bijlage weg, of stuur de inhoud als gewoon document zoals PDF: {}. Dit "
         "soort bestand kan gevaarlijk zijn en mag niet mee, ook niet in een zip. Er is "
         "niets verzonden.",
         "Take this attachment out, or send its content as an ordinary document such as "
         "PDF: {}. Files of this kind can be dangerous and are not allowed, not in a zip "
         "either. Nothing was sent."},
    [REFUSAL_ARCHIVE] =
        {"Z-S10-ARCHIVE", "550", "5.7.1",
         "Pak deze bijlage uit en stuur de bestanden los, of maak het archief opnieuw: {}. "
         "Er is niet te zien wat erin zit. Er is niets verzonden.",
         "Unpack this attachment and send the files themselves, or make the archive anew: "
         "{}. What is in it cannot be seen. Nothing was sent."},
    [REFUSAL_DEEP] =
        {"Z-S10-DEEP", "550", "5.7.1",
         "Stuur minder bijlagen in elkaar, zoals berichten in berichten of een zip in een "
         "zip, of verdeel ze over meer berichten: het zijn er te veel om na te kijken. Er "
         "is niets verzonden.",
         "Send fewer attachments inside each other, such as messages in messages or a zip "
         "in a zip, or divide them over more messages: there are too many to look at. "
         "Nothing was sent."},
    [REFUSAL_ATTACHMENTS] =
        {"Z-S11-ATTACHMENTS", "550", "5.3.4",
         "Verdeel de bijlagen over meer berichten, of maak ze kleiner: samen mogen ze in "
         "een beveiligd bericht hoogstens {} MB groot zijn. Er is niets verzonden.",
         "Divide the attachments over more messages, or make them smaller: together they "
         "may be at most {} MB in a secure message. Nothing was sent."},
    [REFUSAL_HEADERS] = {"Z-S1-HEADERS", "550", "5.6.0",
                         "Laat uw mailprogramma het bericht opnieuw maken: het heeft te "
                         "veel kopregels. Er is niets verzonden.",
                         "Have your mail program make the message anew: it has too many "
                         "header lines. Nothing was sent."},
    [REFUSAL_EXPANDED] =
        {"Z-R7-NUMBER", "550", "5.7.1",
         "Stuur deze ontvanger een eigen bericht, met SMS en het mobiele nummer vooraan "
         "in het onderwerp: het adres dat u schreef stuurt door, en er is geen nummer "
         "bekend van: {}. Deze ontvanger heeft niets gekregen.",
         "Send this recipient a message of their own, with SMS and their mobile number at "
         "the start of the subject: the address that you wrote to forwards, and no number "
         "is known of: {}. This recipient got nothing."},
    [REFUSAL_EXPANDED_NONE] =
        {"Z-S6-NO-VIEWER", "550", "5.7.1",
         "Bereik deze ontvanger op een andere manier: het adres dat u schreef stuurt door, "
         "en uw organisatie mailt alleen veilig met wie is aangesloten. Niet aangesloten: "
         "{}. Deze ontvanger heeft niets gekregen.",
         "Reach this recipient in another way: the address that you wrote to forwards, and "
         "your organisation sends secure mail only to those who are connected. Not "
         "connected: {}. This recipient got nothing."},
    [REFUSAL_TICKET_FORGED] =
        {"Z-TICKET-FORGED", "550", "5.7.1",
         "Verstuur het bericht opnieuw vanuit uw mailprogramma: het draagt een kenmerk dat "
         "niet van deze server is. Deze ontvanger heeft niets gekregen.",
         "Send the message again from your mail program: it carries a mark that is not of "
         "this server. This recipient got nothing."},
    [REFUSAL_TICKET_DOUBLE] =
        {"Z-TICKET-DOUBLE", "550", "5.7.1",
         "Verstuur het bericht opnieuw vanuit uw mailprogramma: het draagt meer dan een "
         "kenmerk van deze server. Deze ontvanger heeft niets gekregen.",
         "Send the message again from your mail program: it carries more than one mark of "
         "this server. This recipient got nothing."},
    [REFUSAL_TICKET_KEY] =
        {"Z-TICKET-KEY", "451", "4.7.0",
         "Probeer het later opnieuw: het bericht heeft een sleutel nodig die hier niet is. "
         "Deze ontvanger heeft niets gekregen.",
         "Try again later: the message needs a key that is not here. This recipient got "
         "nothing."},
    [REFUSAL_ORGANISATION] =
        {"Z-O1-ORGANISATION", "451", "4.3.5",
         "Probeer het later opnieuw: het bericht is van een organisatie die hier niet is "
         "ingesteld. Deze ontvanger heeft niets gekregen.",
         "Try again later: the message is of an organisation that is not configured here. "
         "This recipient got nothing."},
    [REFUSAL_HASH] =
        {"Z-K3-HASH", "550", "5.7.7",
         "Vraag uw beheerder wat berichten onderweg verandert, en verstuur opnieuw: de "
         "inhoud is niet meer die van de afzender. Deze ontvanger heeft niets gekregen.",
         "Ask your administrator what changes messages on their way, and send again: the "
         "content is not the sender's any more. This recipient got nothing."},
    [REFUSAL_SERVICE] =
        {"Z-V5-ADDRESS", "550", "5.1.1",
         "Antwoord aan het adres dat bij Antwoord aan staat, of schrijf aan de organisatie "
         "zelf: dit adres leest niemand: {}. Het bericht is niet aangenomen.",
         "Reply to the address in Reply-To, or write to the organisation itself: nobody "
         "reads this address: {}. The message was not accepted."},
    [REFUSAL_MARK_NONE] =
        {"Z-V5-NO-MARK", "550", "5.7.1",
         "Verstuur via poort 587: deze poort is voor wat bezoekers van de webpagina "
         "schrijven. Er is niets verzonden.",
         "Send through port 587: this port is for what visitors of the web page write. "
         "Nothing was sent."},
    [REFUSAL_MARK_FORGED] =
        {"Z-V5-FORGED", "550", "5.7.1",
         "Schrijf het bericht opnieuw op de webpagina: het draagt een kenmerk dat niet van "
         "deze server is. Er is niets verzonden.",
         "Write the message again on the web page: it carries a mark that is not of this "
         "server. Nothing was sent."},
    [REFUSAL_MARK_KEY] =
        {"Z-V5-KEY", "451", "4.7.0",
         "Probeer het later opnieuw: het bericht heeft een sleutel nodig die hier niet is. "
         "Er is niets verzonden.",
         "Try again later: the message needs a key that is not here. Nothing was sent."},
    [REFUSAL_MARK_FROM] =
        {"Z-V5-FROM", "550", "5.7.1",
         "Schrijf het bericht opnieuw op de webpagina: het komt niet van het adres waarmee "
         "bezoekers schrijven. Er is niets verzonden.",
         "Write the message again on the web page: it is not from the address with which "
         "visitors write. Nothing was sent."},
    [REFUSAL_MARK_RECIPIENT] =
        {"Z-V5-RECIPIENT", "550", "5.7.1",
         "Schrijf het bericht opnieuw op de webpagina: het is niet bedoeld voor: {}. Er is "
         "niets verzonden.",
         "Write the message again on the web page: it is not meant for: {}. Nothing was "
         "sent."},
    [REFUSAL_MARK_BODY] =
        {"Z-V5-BODY", "550", "5.7.7",
         "Schrijf het bericht opnieuw op de webpagina: de inhoud is onderweg veranderd. Er "
         "is niets verzonden.",
         "Write the message again on the web page: its content was changed on the way. "
         "Nothing was sent."},
    [REFUSAL_VISITOR_ROUTE] =
        {"Z-V5-NO-ROUTE", "550", "5.7.1",
         "Kies een andere ontvanger: vanaf de webpagina kan niets beveiligd worden "
         "verzonden aan: {}. Er is niets verzonden.",
         "Choose another recipient: from the web page nothing can be sent securely to: {}. "
         "Nothing was sent."},
    [REFUSAL_FROM] =
        {"Z-T28-FROM", "550", "5.7.1",
         "Zet 1 kopregel From met 1 afzender in het bericht, en verstuur opnieuw: er staan "
         "er meer, of adressen van verschillende domeinen. Het bericht is niet aangenomen.",
         "Put one From header with one sender in the message, and send again: there are "
         "several, or addresses of different domains. The message was not accepted."},
    [REFUSAL_DMARC] =
        {"Z-N5-DMARC", "550", "5.7.1",
         "Vraag de beheerder van dit domein zijn SPF en DKIM na te kijken: het bericht "
         "komt er niet aantoonbaar vandaan, en het DMARC-beleid vraagt het te weigeren: "
         "{}. "
         "Het bericht is niet aangenomen.",
         "Ask the administrator of this domain to check its SPF and DKIM: nothing proves "
         "that the message is from there, and its DMARC policy asks to refuse it: {}. The "
         "message was not accepted."},
    [REFUSAL_INSTANCE] =
        {"Z-O4-INSTANCE", "451", "4.3.5",
         "Vraag uw beheerder uw server in zegel_milter_clients te zetten, of verstuur over "
         "poort 587: hier kan uw mail niet worden beveiligd. Er is niets verzonden.",
         "Ask your administrator to put your server into zegel_milter_clients, or send "
         "over "
         "port 587: your mail cannot be protected here. Nothing was sent."},
    [REFUSAL_LATER] =
        {"Z-R6-LATER", "451", "4.7.1",
         "Probeer het over enkele minuten opnieuw: de beveiligde route kan nu "
         "niet worden bepaald. Er is niets verzonden.",
         "Try again in a few minutes: the secure route cannot be determined "
         "now. Nothing was sent."},
    [REFUSAL_TROUBLE] = {"Z-R6-TROUBLE", "451", "4.3.0",
                         "Probeer het over enkele minuten opnieuw: het bericht kan nu niet "
                         "worden beveiligd. Er is niets verzonden.",
                         "Try again in a few minutes: the message cannot be protected now. "
                         "Nothing was sent."},
};

const char *
refusal_code(Refusal refusal)
{
  return table[refusal].code;
}

gboolean
refusal_is_temporary(Refusal refusal)
{
  return table[refusal].smtp_code[0] == '4';
}

static void
append_names(GString *line, const GPtrArray *names, const char *others)
{
  guint count = names != NULL ? names->len : 0;
  for (guint i = 0; i < MIN(count, REFUSAL_MAX_NAMES); i++) {
    g_string_append(line, i > 0 ? ", " : "");
    reply_append_name(line, names->pdata[i]);
  }
  if (count > REFUSAL_MAX_NAMES)
    g_string_append_printf(line, " (+%u %s)", count - REFUSAL_MAX_NAMES, others);
  if (count == 0)
    g_string_append_c(line, '-');
}

static char *
fill_line(const char *text, const GPtrArray *names, const char *others, const char *code)
{
  GString *line = g_string_new(NULL);
  const char *gap = strstr(text, "{}");
  if (gap != NULL) {
    g_string_append_len(line, text, gap - text);
    append_names(line, names, others);
    g_string_append(line, gap + strlen("{}"));
  } else {
    g_string_append(line, text);
  }
  g_string_append_printf(line, " (%s)", code);
  return g_string_free(line, FALSE);
}

RefusalReply *
refusal_reply(Refusal refusal, const GPtrArray *names)
{
  RefusalReply *reply = g_new0(RefusalReply, 1);
  const char *code = table[refusal].code;
  reply->smtp_code = table[refusal].smtp_code;
  reply->enhanced_code = table[refusal].enhanced_code;
  reply->lines[0] = fill_line(table[refusal].dutch, names, "andere", code);
  reply->lines[1] = fill_line(table[refusal].english, names, "others", code);
  return reply;
}

void
refusal_reply_free(RefusalReply *reply)
{
  if (reply == NULL)
    return;
  g_free(reply->lines[0]);
  g_free(reply->lines[1]);
  g_free(reply);
}
