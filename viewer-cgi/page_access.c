/* The pages on the way to a message. */
#include "viewer-cgi/page.h"

#include <string.h>

#define NUMBER_TAIL 2 /* digits that the holder of a link may see (T16) */

/* The last digits of NUMBER, borrowed. */
static const char *
number_tail(const char *number)
{
  gsize len = strlen(number);
  return len > NUMBER_TAIL ? number + (len - NUMBER_TAIL) : "";
}

static void
append_send_button(Html *html, const char *token, const char *form_token, const char *label,
                   gboolean first)
{
  g_autofree char *path = g_strconcat("/l/", token, "/send", NULL);
  page_form(html, path, form_token);
  page_button(html, label, first ? BUTTON_MAIN : BUTTON_PLAIN);
  page_form_end(html);
}

/* For who has no number, and gets the code by e-mail. */
static void
append_way_out_mail(Html *html)
{
  html_markup(html, "<details><summary>");
  html_text(html, _("Rather a text message than an e-mail?"));
  html_markup(html, "</summary>\n");
  page_paragraph(html,
                 _("A text message to your mobile phone is safer. Ask the person who wrote "
                   "to you to send the message again with your mobile number."));
  html_markup(html, "</details>\n");
}

static void
append_way_out(Html *html, const char *token, const char *number)
{
  if (*number == '\0') {
    append_way_out_mail(html);
    return;
  }
  g_autofree char *wrong = g_strconcat("/l/", token, "/wrong", NULL);
  g_autofree char *no_phone = g_strconcat("/l/", token, "/no-phone", NULL);
  page_heading(html, _("Does this not work?"));
  page_ways_begin(html);
  page_way(html, wrong, _("This is not my number"));
  page_way(html, no_phone, _("I have no phone at hand"));
  page_ways_end(html);
}

/* How the code comes; the weak way says that it is weak (S6), and no address (T16). */
static void
append_how(Html *html, const LinkFacts *facts)
{
  if (*facts->number == '\0') {
    page_paragraph(
        html, _("To read the message you need an access code. We send it by e-mail, to "
                "the address where you received this link."));
    page_warning(html,
                 _("This is less safe than a code on your mobile phone: whoever can read "
                   "your e-mail can read this message."));
    return;
  }
  g_autofree char *text =
      g_strdup_printf(_("To read the message you need an access code. We send it as a text "
                        "message (SMS) to your mobile phone. Your number ends in %s."),
                      number_tail(facts->number));
  page_paragraph(html, text);
}

Html *
page_link(const Frame *frame, const LinkFacts *facts)
{
  Html *html = page_begin(frame, _("A secure message is waiting for you"));
  page_facts_begin(html);
  page_fact_person(html, _("From"), facts->sender_name, facts->sender);
  page_fact(html, _("Organisation"), frame->organisation->display_name);
  g_autofree char *date = text_date(facts->expires_s);
  page_fact(html, _("You can read it until"), date);
  page_facts_end(html);

  append_how(html, facts);
  append_send_button(html, facts->token, facts->form_token, _("Send access code"), TRUE);

  g_autofree char *href = g_strconcat("/l/", facts->token, "/code", NULL);
  page_ways_begin(html);
  page_way(html, href, _("I have a code already"));
  page_ways_end(html);
  append_way_out(html, facts->token, facts->number);
  page_end(html, frame);
  return html;
}

/* The words of a note, a new string; NULL when there is nothing to say. */
static char *
note_text(CodeNote note, guint count)
{
  switch (note) {
  case CODE_NOTE_NONE:
    return NULL;
  case CODE_NOTE_MALFORMED:
    return g_strdup(_("Type the 6 digits of the code. This did not count as a try."));
  case CODE_NOTE_WRONG:
    return g_strdup_printf(ngettext("This code is not right. You can try %u more time.",
                                    "This code is not right. You can try %u more times.",
                                    count),
                           count);
  case CODE_NOTE_NO_TRIES:
    return g_strdup(_("This code was wrong too often. Ask for a new code."));
  case CODE_NOTE_EXPIRED:
    return g_strdup(_("This code is not valid any more. Ask for a new code."));
  case CODE_NOTE_WAIT:
    return g_strdup_printf(
        ngettext("We have just sent you a code. You can ask for a new one "
                 "in %u second.",
                 "We have just sent you a code. You can ask for a new one "
                 "in %u seconds.",
                 count),
        count);
  case CODE_NOTE_SLOW:
    return g_strdup(_("Sending text messages is slow just now. If you have no code after a "
                      "minute, ask for a new one."));
  }
  return NULL;
}

static void
append_code_form(Html *html, const CodeFacts *facts, gboolean noted)
{
  g_autofree char *path = g_strconcat("/l/", facts->token, "/code", NULL);
  page_form(html, path, facts->code_token);
  html_markup(html, "<p><label for=\"code\">");
  html_text(html, _("Access code (6 digits)"));
  /* No maxlength: a pasted code may have spaces. */
  html_markup(html, "</label><br><input class=\"code\" id=\"code\" name=\"code\" "
                    "type=\"text\" inputmode=\"numeric\" autocomplete=\"one-time-code\" "
                    "spellcheck=\"false\" required size=\"9\"");
  if (noted)
    html_markup(html, " aria-describedby=\"notice\"");
  html_markup(html, "></p>\n");
  page_button(html, _("Read the message"), BUTTON_MAIN);
  page_form_end(html);
}

/* Where to look for the code. */
static void
append_where(Html *html, const char *number)
{
  if (*number == '\0') {
    page_paragraph(html,
                   _("You get an e-mail with the code, at the address where you received "
                     "the link. It can take a few minutes. The code is valid for 10 "
                     "minutes."));
    return;
  }
  g_autofree char *text = g_strdup_printf(
      _("You get a text message (SMS) on the phone with the number that ends "
        "in %s. It can take a minute. The code is valid for 10 minutes."),
      number_tail(number));
  page_paragraph(html, text);
}

Html *
page_code(const Frame *frame, const CodeFacts *facts)
{
  Html *html = page_begin(frame, _("Type your access code"));
  g_autofree char *note = note_text(facts->note, facts->count);
  if (note != NULL)
    page_notice(html, note, facts->note != CODE_NOTE_WAIT && facts->note != CODE_NOTE_SLOW);
  append_where(html, facts->number);
  append_code_form(html, facts, note != NULL);
  page_heading(html, *facts->number != '\0' ? _("No text message?") : _("No e-mail?"));
  if (*facts->number == '\0')
    page_paragraph(html, _("Look in the folder for unwanted e-mail (spam) as well."));
  page_paragraph(html,
                 _("After one minute you can ask for a new code. The old code is then "
                   "not valid any more."));
  append_send_button(html, facts->token, facts->send_token, _("Send a new code"), FALSE);
  append_way_out(html, facts->token, facts->number);
  page_end(html, frame);
  return html;
}

Html *
page_session_over(const Frame *frame, const char *path)
{
  Html *html = page_begin(frame, _("You are not logged in"));
  page_paragraph(html,
                 _("For your safety we log you out when you do nothing for 20 minutes. "
                   "The message is still there."));
  if (path != NULL && g_str_has_prefix(path, "/r/")) {
    page_action(html, path, _("Type the password again"), BUTTON_MAIN);
  } else if (path != NULL) {
    page_action(html, path, _("Ask for a new code"), BUTTON_MAIN);
  } else {
    page_paragraph(html, _("Open the link in your e-mail again to ask for a new code."));
  }
  page_end(html, frame);
  return html;
}

/* "/l/TOKEN": back to where the visitor came from. */
static void
append_back(Html *html, const char *token)
{
  g_autofree char *href = g_strconcat("/l/", token, NULL);
  page_ways_begin(html);
  page_way(html, href, _("Back"));
  page_ways_end(html);
}

Html *
page_wrong(const Frame *frame, const WrongFacts *facts)
{
  Html *html = page_begin(frame, _("Is this not your number?"));
  if (facts->unticked)
    page_notice(html, _("Tick the box first. Then press the button."), TRUE);
  page_paragraph(html, _("You cannot change the number here. That keeps your message safe. "
                         "Only the person who wrote to you can change it."));
  page_paragraph(html, _("We can send that person an e-mail, which says that the number is "
                         "not yours."));
  g_autofree char *label = g_strdup_printf(
      _("The number that ends in %s is not my number."), number_tail(facts->number));
  g_autofree char *path = g_strconcat("/l/", facts->token, "/wrong", NULL);
  const Field tick = {.name = "sure",
                      .label = label,
                      .error = facts->unticked ? _("This box must be ticked.") : NULL};
  page_form(html, path, facts->form_token);
  page_tick(html, &tick);
  page_button(html, _("Tell the sender"), BUTTON_MAIN);
  page_form_end(html);
  append_back(html, facts->token);
  page_end(html, frame);
  return html;
}

Html *
page_wrong_told(const Frame *frame, const char *token, gboolean before)
{
  Html *html = page_begin(frame, before ? _("The sender knows already")
                                        : _("We have told the sender"));
  page_paragraph(html, before ? _("We have sent an e-mail about the number already. We "
                                  "send one a day at most.")
                              : _("The person who wrote to you now gets an e-mail, which "
                                  "says that the number is not yours."));
  page_paragraph(html, _("When the number has been changed, open the link in your e-mail "
                         "again. Then you can ask for a code."));
  append_back(html, token);
  page_end(html, frame);
  return html;
}

Html *
page_no_phone(const Frame *frame, const LinkFacts *facts)
{
  Html *html = page_begin(frame, _("No phone at hand?"));
  page_paragraph(html,
                 _("Without the text message nobody can read this message. That keeps "
                   "it safe."));
  g_autofree char *date = text_date(facts->expires_s);
  g_autofree char *text = g_strdup_printf(
      _("You need the phone with the number that ends in %s. Do you have it "
        "later? Then open the link in your e-mail again. That works until "
        "%s."),
      number_tail(facts->number), date);
  page_paragraph(html, text);
  page_paragraph(html, _("Do you have another number now, or no mobile phone at all? Ask "
                         "the person who wrote to you what you can do."));
  append_back(html, facts->token);
  page_end(html, frame);
  return html;
}
