#include "viewer-cgi/page_forward.h"

#include "common/store/share.h"

static void
append_back(Html *html)
{
  page_ways_begin(html);
  page_way(html, "/m", _("Back to the message"));
  page_ways_end(html);
}

static void
append_explanation(Html *html)
{
  page_heading(html, _("What happens then?"));
  page_paragraph(
      html, _("Can this person get secure e-mail? Then the message comes in his or her own "
              "mailbox, with all attachments."));
  page_paragraph(
      html,
      _("If not, he or she gets an e-mail with a link, and you get a password on the "
        "next page. Give that password yourself, by telephone for example. Without it "
        "nobody can read the message."));
  page_paragraph(html,
                 _("The organisation that wrote to you can see that you forwarded the "
                   "message. You cannot add words of your own."));
}

Html *
page_forward(const Frame *frame, const ForwardFacts *facts)
{
  Html *html = page_begin(frame, _("Forward this message"));
  g_autofree char *left = g_strdup_printf(
      ngettext("You can forward this message %u more time.",
               "You can forward this message %u more times.", facts->forwards_left),
      facts->forwards_left);
  const Field address = {.name = "address",
                         .label = _("E-mail address"),
                         .hint =
                             _("Of one person. Look twice: whoever has this address gets "
                               "your message."),
                         .error = facts->error,
                         .value = facts->address,
                         .type = "email",
                         .autocomplete = "off",
                         .max_chars = 254};
  if (facts->error != NULL)
    page_notice(html, facts->error, TRUE);
  page_paragraph(html, left);
  page_form(html, "/m/forward", facts->form_token);
  html_markup(html, "<input type=\"hidden\" name=\"once\"");
  html_attribute(html, "value", facts->once);
  html_markup(html, ">\n");
  page_field(html, &address);
  page_button(html, _("Forward"), BUTTON_MAIN);
  page_form_end(html);
  append_explanation(html);
  append_back(html);
  page_end(html, frame);
  return html;
}

Html *
page_forwarded(const Frame *frame, const char *address)
{
  Html *html = page_begin(frame, _("The message has been forwarded"));
  page_facts_begin(html);
  page_fact(html, _("To"), address);
  page_facts_end(html);
  page_paragraph(html, _("It went by a secure way. You do not have to do anything more."));
  append_back(html);
  page_end(html, frame);
  return html;
}

Html *
page_forwarded_password(const Frame *frame, const char *address, const char *reference,
                        const char *password)
{
  Html *html = page_begin(frame, _("Pass on this password"));
  page_notice(html, _("We show the password only once. Write it down now."), FALSE);
  page_facts_begin(html);
  page_fact(html, _("To"), address);
  page_fact(html, _("Reference"), reference);
  html_markup(html, "<div><dt>");
  html_text(html, _("Password"));
  html_markup(html, "</dt><dd class=\"password\">");
  html_isolated(html, password);
  html_markup(html, "</dd></div>\n");
  page_facts_end(html);
  page_paragraph(html,
                 _("We have sent this person an e-mail with a link. With the link and "
                   "this password he or she can read the message."));
  page_paragraph(
      html, _("Call this person and read the password aloud. Capitals and dashes do not "
              "matter. Do not send the password by e-mail: whoever reads that e-mail "
              "could read your message too."));
  append_back(html);
  page_end(html, frame);
  return html;
}

Html *
page_shared(const Frame *frame, const SharedFacts *facts)
{
  Html *html = page_begin(frame, _("Read a message that was forwarded to you"));
  const Field reference = {.name = "reference",
                           .label = _("Reference"),
                           .hint = _("It stands in the e-mail that you received."),
                           .value = facts->reference,
                           .autocomplete = "off",
                           .max_chars = STORE_REFERENCE_MAX};
  const Field password = {.name = "password",
                          .label = _("Password"),
                          .hint = _("You get it from the person who forwarded the message. "
                                    "Capitals and dashes do not matter."),
                          .autocomplete = "off",
                          .max_chars = 2 * STORE_PASSWORD_MAX};
  if (facts->error != NULL)
    page_notice(html, facts->error, TRUE);
  page_form(html, "/r", facts->form_token);
  page_field(html, &reference);
  page_field(html, &password);
  page_button(html, _("Read the message"), BUTTON_MAIN);
  page_form_end(html);
  page_end(html, frame);
  return html;
}
