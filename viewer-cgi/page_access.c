/* The pages on the way to a message, and those beside it. */
#include "viewer-cgi/page.h"

#include <string.h>

#define NUMBER_TAIL 2 /* digits that the holder of a link may see (T16) */

Html *
page_simple(const Frame *frame, const char *title, const char *const *texts)
{
  Html *html = page_begin(frame, title);
  for (; *texts != NULL; texts++)
    page_paragraph(html, *texts);
  page_end(html, frame);
  return html;
}

Html *
page_home(const Frame *frame)
{
  const char *const texts[] = {
      _("This is where you read secure mail. You cannot read anything here without the "
        "link "
        "from the e-mail that you received."),
      _("Did you get an e-mail that says that a secure message is waiting? Open the link "
        "in "
        "that e-mail."),
      NULL,
  };
  return page_simple(frame, _("Secure mail"), texts);
}

static void
append_question(Html *html, const char *question, const char *answer)
{
  html_markup(html, "<h2>");
  html_text(html, question);
  html_markup(html, "</h2>\n");
  page_paragraph(html, answer);
}

Html *
page_help(const Frame *frame)
{
  Html *html = page_begin(frame, _("Help"));
  append_question(
      html, _("How do I read my message?"),
      _("Open the link in the e-mail that you received. Press \"Send access "
        "code\". You get a code of 6 digits, by text message (SMS) or by e-mail: the "
        "page says which. Type the code on the page. Then you see the message."));
  append_question(
      html, _("I do not get a text message"),
      _("Wait a minute. Check that your phone is on and has a signal. Then ask for "
        "a new code. You can get 5 codes a day."));
  append_question(
      html, _("The telephone number is not mine"),
      _("You cannot change the number here. Tell the person who wrote to you. He "
        "or she can send the message again with the right number."));
  append_question(
      html, _("How do I know that this page is genuine?"),
      _("Look at the address at the top of your browser. It begins with the name "
        "below. We never ask for a password or for your bank account."));
  html_markup(html, "<p class=\"strong\">");
  html_isolated(html, frame->organisation->viewer_url);
  html_markup(html, "</p>\n");
  append_question(
      html, _("How long can I read the message?"),
      _("The date is on the page of the message. Save what you want to keep: print "
        "the page, or download the message and its attachments."));
  page_end(html, frame);
  return html;
}

Html *
page_not_found(const Frame *frame)
{
  const char *const texts[] = {
      _("This page does not exist. Nothing was lost."),
      _("Did you follow a link from an e-mail? Then the link may not be complete. Open the "
        "e-mail again and press the link, or copy the whole link."),
      NULL,
  };
  return page_simple(frame, _("We cannot find this page"), texts);
}

Html *
page_expired(const Frame *frame, gint64 expires_s)
{
  g_autofree char *date = text_date(expires_s);
  g_autofree char *text = g_strdup_printf(
      _("You could read this message until %s. It has been removed."), date);
  const char *const texts[] = {
      text,
      _("Do you still need it? Ask the person who wrote to you to send it again."),
      NULL,
  };
  return page_simple(frame, _("This message has expired"), texts);
}

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
append_way_out(Html *html, const char *number)
{
  if (*number == '\0') {
    append_way_out_mail(html);
    return;
  }
  html_markup(html, "<details><summary>");
  html_text(html, _("Not your number, or no phone at hand?"));
  html_markup(html, "</summary>\n");
  page_paragraph(html,
                 _("Without the text message nobody can read this message. That keeps "
                   "it safe."));
  page_paragraph(html,
                 _("Is the number wrong or old? Tell the person who wrote to you. He or "
                   "she can send the message again to the right number."));
  page_paragraph(html,
                 _("No phone at hand? Come back later. Your link stays valid until the "
                   "date that is shown with the message."));
  html_markup(html, "</details>\n");
}

/* How the code comes; the weak way says that it is weak (S6), and no address (T16). */
static void
append_how(Html *html, const LinkFacts *facts)
{
  if (*facts->number == '\0') {
    page_paragraph(
        html, _("To read the message you need an access code. We send it by e-mail, to "
                "the address where you received this link."));
    page_paragraph(html,
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
  html_markup(html, "<p><a");
  html_attribute(html, "href", href);
  html_markup(html, ">");
  html_text(html, _("I have a code already"));
  html_markup(html, "</a></p>\n");
  append_way_out(html, facts->number);
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
  html_markup(html, "<h2>");
  html_text(html, *facts->number != '\0' ? _("No text message?") : _("No e-mail?"));
  html_markup(html, "</h2>\n");
  if (*facts->number == '\0')
    page_paragraph(html, _("Look in the folder for unwanted e-mail (spam) as well."));
  page_paragraph(html,
                 _("After one minute you can ask for a new code. The old code is then "
                   "not valid any more."));
  append_send_button(html, facts->token, facts->send_token, _("Send a new code"), FALSE);
  append_way_out(html, facts->number);
  page_end(html, frame);
  return html;
}

Html *
page_session_over(const Frame *frame, const char *token)
{
  Html *html = page_begin(frame, _("You are not logged in"));
  page_paragraph(html,
                 _("For your safety we log you out when you do nothing for 20 minutes. "
                   "The message is still there."));
  if (token != NULL) {
    g_autofree char *href = g_strconcat("/l/", token, NULL);
    page_action(html, href, _("Ask for a new code"), BUTTON_MAIN);
  } else {
    page_paragraph(html, _("Open the link in your e-mail again to ask for a new code."));
  }
  page_end(html, frame);
  return html;
}

Html *
page_logged_out(const Frame *frame)
{
  const char *const texts[] = {
      _("Nobody can read the message on this device now. You may close this page."),
      _("Do you want to read the message again? Open the link in your e-mail and ask for a "
        "new code."),
      NULL,
  };
  return page_simple(frame, _("You are logged out"), texts);
}
