/* Pages of a few words: what this is, help, and what is no more. */
#include "viewer-cgi/page.h"

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
page_with_way_back(const Frame *frame, const char *title, const char *const *texts)
{
  Html *html = page_begin(frame, title);
  for (; *texts != NULL; texts++)
    page_paragraph(html, *texts);
  page_ways_begin(html);
  page_way(html, "/m", _("Back to the message"));
  page_ways_end(html);
  page_end(html, frame);
  return html;
}

Html *
page_home(const Frame *frame)
{
  Html *html = page_begin(frame, _("Secure mail"));
  page_paragraph(html, _("This is where you read secure mail. You cannot read anything "
                         "here without the link "
                         "from the e-mail that you received."));
  page_paragraph(html,
                 _("Did you get an e-mail that says that a secure message is waiting? "
                   "Open the link in that e-mail."));
  page_ways_begin(html);
  page_way(html, "/r", _("Read a message that was forwarded to you"));
  if (frame->organisation != NULL && *frame->organisation->form_recipient != '\0')
    page_way(html, "/form", _("Write us a secure message"));
  page_ways_end(html);
  page_end(html, frame);
  return html;
}

static void
append_question(Html *html, const char *question, const char *answer)
{
  page_heading(html, question);
  page_paragraph(html, answer);
}

static void
append_reading_help(Html *html)
{
  append_question(
      html, _("How do I read my message?"),
      _("Open the link in the e-mail that you received. Press \"Send access "
        "code\". You get a code of 6 digits, by text message (SMS) or by e-mail: the page "
        "says which. Type the code on the page. Then you see the message."));
  append_question(
      html, _("I do not get a text message"),
      _("Wait a minute. Check that your phone is on and has a signal. Then ask for "
        "a new code. You can get 5 codes a day."));
  append_question(html, _("The telephone number is not mine"),
                  _("Open the link in your e-mail and press \"This is not my number\". "
                    "Then we tell the "
                    "person who wrote to you. You cannot change the number here."));
  append_question(
      html, _("How long can I read the message?"),
      _("The date is on the page of the message. Save what you want to keep: print "
        "the page, or download the message and its attachments."));
  append_question(
      html, _("Can I answer, or let somebody else read the message?"),
      _("Yes. Open the message and press \"Answer\" or \"Forward\". You can do each of "
        "them "
        "two times for one message. A message that was forwarded to you cannot be "
        "forwarded again."));
  append_question(
      html, _("Somebody forwarded a message to me"),
      _("Open the link in the e-mail that you received. Type the reference, and the "
        "password that this person gave you. Is the password lost? Ask this person to "
        "forward the message again: we do not have it."));
}

Html *
page_help(const Frame *frame)
{
  Html *html = page_begin(frame, _("Help"));
  append_reading_help(html);
  append_question(
      html, _("Why am I logged out?"),
      _("We log you out when you do nothing for 20 minutes. So nobody else reads your "
        "message on your phone or computer. Ask for a new code to read on."));
  append_question(
      html, _("How do I know that this page is genuine?"),
      _("Look at the address at the top of your browser. It begins with the name "
        "below. We never ask for your bank account, and never for a password of your "
        "own."));
  html_markup(html, "<p class=\"strong\">");
  html_isolated(html, frame->organisation->viewer_url);
  html_markup(html, "</p>\n");
  if (*frame->organisation->contact != '\0') {
    page_heading(html, _("Do you need more help?"));
    html_markup(html, "<p>");
    html_isolated(html, frame->organisation->contact);
    html_markup(html, "</p>\n");
  }
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

/* What became of the message, in words with its date; a new string. */
static char *
over_text(EntryState state, const char *date)
{
  switch (state) {
  case ENTRY_WITHDRAWN:
    return g_strdup_printf(
        _("The message was withdrawn on %s. Nobody can read it any more."), date);
  case ENTRY_DELETED:
    return g_strdup_printf(_("The message was deleted on %s, from the page with the "
                             "message. Nobody can read it any more."),
                           date);
  case ENTRY_NONE:
  case ENTRY_OPEN:
  case ENTRY_EXPIRED:
    break;
  }
  return g_strdup_printf(_("You could read this message until %s. It has been removed."),
                         date);
}

Html *
page_over(const Frame *frame, EntryState state, gint64 date_s)
{
  g_autofree char *date = text_date(date_s);
  g_autofree char *text = over_text(state, date);
  const char *const texts[] = {
      text,
      _("Do you still need it? Ask the person who wrote to you to send it again."),
      NULL,
  };
  return page_simple(frame,
                     state == ENTRY_WITHDRAWN ? _("This message was withdrawn")
                     : state == ENTRY_DELETED ? _("This message was deleted")
                                              : _("This message has expired"),
                     texts);
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
