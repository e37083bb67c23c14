#include "viewer-cgi/page_message.h"

#include <string.h>

#include "viewer-cgi/disposition.h"

/* A shield with a tick; drawn here, so that nothing is loaded. */
#define SHIELD                                                                             \
  "<svg viewBox=\"0 0 24 24\" width=\"36\" height=\"36\" aria-hidden=\"true\" "            \
  "focusable=\"false\"><path fill=\"currentColor\" d=\"M12 1 3 4.5v6.6c0 5.3 3.8 10.1 9 "  \
  "11.9 5.2-1.8 9-6.6 9-11.9V4.5zm-1.3 15.6-4-4 1.7-1.7 2.3 2.3 5-5.1 1.7 1.7z\"/></svg>"

/* An exclamation mark in a triangle. */
#define WARNING                                                                            \
  "<svg viewBox=\"0 0 24 24\" width=\"36\" height=\"36\" aria-hidden=\"true\" "            \
  "focusable=\"false\"><path fill=\"currentColor\" d=\"M12 2 .8 21.5h22.4zm-1.2 "          \
  "7h2.4v6.4h-2.4zm0 8.2h2.4v2.3h-2.4z\"/></svg>"

char *
page_attachment_name(const Attachment *attachment)
{
  g_autofree char *fallback = g_strdup_printf(_("attachment-%u"), attachment->part);
  return disposition_file_name(attachment->name, fallback);
}

static gboolean
has_difference(const Summary *summary)
{
  if (summary == NULL)
    return FALSE;
  gboolean found = summary->missing;
  for (guint i = 0; i < summary->attachments->len && !found; i++)
    found = ((const Attachment *) summary->attachments->pdata[i])->check == CHECK_DIFFERS;
  return found;
}

/* Ours, outside of what the sender wrote: how it came, and whether it is what was sent (V8,
 * T30, K3). */
static void
append_genuine(Html *html, const Frame *frame)
{
  g_autofree char *text =
      g_strdup_printf(_("This message came to you by a secure way, through %s."),
                      frame->organisation->display_name);
  html_markup(html, "<div class=\"secure\">" SHIELD "<div><p>");
  html_text(html, _("This is a genuine secure message."));
  html_markup(html, "</p>\n<p>");
  html_line(html, text);
  html_markup(html, " ");
  html_text(html, _("It was not changed on the way."));
  html_markup(html, "</p></div></div>\n");
}

static void
append_doubtful(Html *html)
{
  html_markup(html, "<div class=\"secure doubtful\" role=\"alert\">" WARNING "<div><p>");
  html_text(html, _("Be careful: the attachments are not as they were sent."));
  html_markup(html, "</p>\n<p>");
  html_text(html, _("Do not open an attachment that is marked below. Ask the person who "
                    "wrote to you to send the message again."));
  html_markup(html, "</p></div></div>\n");
}

static void
append_secure_mark(Html *html, const Frame *frame, const MessageFacts *facts)
{
  if (has_difference(facts->summary))
    append_doubtful(html);
  else
    append_genuine(html, frame);
  if (facts->weak)
    page_warning(html, _("You opened it with a code by e-mail. That is less safe than a "
                         "code on your mobile phone."));
}

/* He saw that it was sent: here he sees that it did not get there. */
static void
append_lost(Html *html, const Frame *frame, gint64 lost_s)
{
  if (lost_s == 0)
    return;
  g_autofree char *day = text_date_time(lost_s);
  g_autofree char *text = g_strdup_printf(
      _("Something that you sent from this page (an answer, or to somebody else) could not "
        "be delivered. We heard that on %s. Please call %s."),
      day, frame->organisation->display_name);
  page_warning(html, text);
}

static void
append_headers(Html *html, const MessageFacts *facts)
{
  const Summary *summary = facts->summary;
  gboolean known = summary != NULL && summary->from[0] != '\0';
  page_facts_begin(html);
  page_fact_person(html, _("From"), summary != NULL ? summary->from_name : "",
                   known ? summary->from : facts->sender);
  if (summary != NULL) {
    g_autofree char *date = summary->date_s > 0 ? text_date_time(summary->date_s)
                                                : g_strdup(summary->date_text);
    page_fact(html, _("To"), summary->to);
    page_fact(html, _("Copy to"), summary->cc);
    page_fact(html, _("Date"), date);
  }
  page_facts_end(html);
}

/* Text browsers know no white-space: pre-wrap, so each line ends with an element. */
static void
append_words(Html *html, const char *text)
{
  html_markup(html, "<div class=\"words\" dir=\"auto\">");
  for (const char *end = NULL; (end = strchr(text, '\n')) != NULL; text = end + 1) {
    g_autofree char *line = g_strndup(text, (gsize) (end - text));
    html_text(html, line);
    html_markup(html, "<br>");
  }
  html_text(html, text);
  html_markup(html, "</div>\n");
}

/* The cage: no scripts, no forms, no plug-ins, an origin of its own (T9). On paper a frame
 * would be cut off, and a text browser has none: both get the words. */
static void
append_frame(Html *html, const char *text)
{
  html_markup(html, "<iframe class=\"mail\" src=\"/m/html\" "
                    "sandbox=\"allow-popups allow-popups-to-escape-sandbox\" "
                    "referrerpolicy=\"no-referrer\"");
  html_attribute(html, "title", _("The message"));
  html_markup(html, "></iframe>\n");
  if (text != NULL) {
    html_markup(html, "<div class=\"paper-only\">\n");
    append_words(html, text);
    html_markup(html, "</div>\n");
  }
}

static void
append_sheet(Html *html, const MessageFacts *facts)
{
  const Summary *summary = facts->summary;
  Body body = summary != NULL ? summary->body : BODY_TEXT;
  if (body == BODY_HTML)
    append_frame(html, facts->text);
  else if (body == BODY_TEXT && facts->text == NULL)
    page_paragraph(html, _("We cannot show this message on a page. You can download it and "
                           "open it with an e-mail program."));
  else if (facts->text != NULL && facts->text[0] != '\0')
    append_words(html, facts->text);
  else
    page_paragraph(html, _("There is no text in this message."));
}

static void
append_body(Html *html, const MessageFacts *facts)
{
  html_markup(html, "<section class=\"letter\" aria-labelledby=\"letter\">\n"
                    "<h2 id=\"letter\">");
  html_text(html, _("The message"));
  html_markup(html, "</h2>\n");
  append_sheet(html, facts);
  html_markup(html, "</section>\n");
  if (facts->summary == NULL || facts->summary->body != BODY_HTML)
    return;
  page_ways_begin(html);
  page_way(html, "/m/html", _("Show the message on a page of its own"));
  page_way(html, "/m/text", _("Show only the text"));
  page_ways_end(html);
}

static void
append_attachment(Html *html, const Attachment *attachment)
{
  g_autofree char *name = page_attachment_name(attachment);
  g_autofree char *size = text_size(attachment->size_bytes);
  g_autofree char *path = g_strdup_printf("/m/part/%u", attachment->part);
  html_markup(html, "<li><a download");
  html_attribute(html, "href", path);
  html_markup(html, ">");
  html_isolated(html, name);
  html_markup(html, "</a> <span class=\"size\">");
  html_text(html, size);
  html_markup(html, "</span>");
  if (attachment->check == CHECK_DIFFERS) {
    html_markup(html, "\n<p class=\"wrong\">");
    html_text(html, _("This is not the file that was sent."));
    html_markup(html, "</p>");
  }
  html_markup(html, "</li>\n");
}

static void
append_hash(Html *html, const Attachment *attachment)
{
  g_autofree char *name = page_attachment_name(attachment);
  g_autofree char *hash = crypt_hex(attachment->sha256, sizeof attachment->sha256);
  html_markup(html, "<dt>");
  html_isolated(html, name);
  html_markup(html, "</dt>\n<dd><span class=\"hash\">");
  html_text(html, hash);
  html_markup(html, "</span><br>");
  html_text(html, attachment->check == CHECK_SAME ? _("The same as when it was sent.")
                  : attachment->check == CHECK_DIFFERS
                      ? _("Not the same as when it was sent.")
                      : _("Not compared."));
  html_markup(html, "</dd>\n");
}

/* For who wants to see for himself (K3). */
static void
append_hashes(Html *html, const GPtrArray *all)
{
  page_details_begin(html, _("Are these the files that were sent?"));
  page_paragraph(html, _("Each file has a number of its own, the SHA-256. We compare it "
                         "with the number that the file had when it was sent."));
  html_markup(html, "<dl class=\"hashes\">\n");
  for (guint i = 0; i < all->len; i++) {
    const Attachment *attachment = all->pdata[i];
    if (attachment->has_sha256)
      append_hash(html, attachment);
  }
  html_markup(html, "</dl>\n");
  page_details_end(html);
}

static void
append_attachment_list(Html *html, const GPtrArray *all)
{
  page_heading(html, _("Attachments"));
  html_markup(html, "<ul class=\"attachments\">\n");
  for (guint i = 0; i < all->len; i++)
    append_attachment(html, all->pdata[i]);
  html_markup(html, "</ul>\n");
  page_ways_begin(html);
  page_way(html, "/m/zip", _("Download the text and all attachments in one file (.zip)"));
  page_ways_end(html);
  append_hashes(html, all);
}

static void
append_attachments(Html *html, const Summary *summary)
{
  if (summary == NULL)
    return;
  if (summary->attachments->len > 0)
    append_attachment_list(html, summary->attachments);
  if (summary->missing)
    page_notice(html, _("An attachment that was sent with this message is missing."), TRUE);
  if (summary->cut)
    page_notice(html,
                _("This message has more parts than we can show. You find all of them when "
                  "you download the whole message."),
                FALSE);
}

static void
append_actions(Html *html, const MessageFacts *facts)
{
  if (!facts->may_answer && !facts->may_forward)
    return;
  html_markup(html, "<div class=\"actions\">\n");
  if (facts->may_answer)
    page_action(html, "/m/answer", _("Answer"), BUTTON_MAIN);
  if (facts->may_forward)
    page_action(html, "/m/forward", _("Forward"), BUTTON_PLAIN);
  html_markup(html, "</div>\n");
}

/* Until when it is here, the ways to keep it, and to be rid of it. */
static void
append_keeping(Html *html, const MessageFacts *facts)
{
  g_autofree char *date = text_date(facts->expires_s);
  g_autofree char *text = g_strdup_printf(
      _("You can read this message here until %s. After that it is removed."), date);
  page_heading(html, _("Keep this message"));
  page_paragraph(html, text);
  page_ways_begin(html);
  page_way(html, "/m/pdf", _("Download the message as PDF"));
  page_way(html, "/m/original", _("Download the whole message (.eml)"));
  page_ways_end(html);
  html_markup(html, "<div class=\"screen-only\">\n");
  page_heading(html, _("Delete this message"));
  page_paragraph(html, _("Do you not need it any more? You can delete it now."));
  page_action(html, "/m/delete", _("Delete the message"), BUTTON_DANGER);
  html_markup(html, "</div>\n");
}

/* The subject, or what stands for it; borrowed. */
static const char *
title_of(const MessageFacts *facts)
{
  gboolean has_subject = facts->summary != NULL && facts->summary->subject[0] != '\0';
  return has_subject ? facts->summary->subject : _("Message without a subject");
}

Html *
page_message(const Frame *frame, const MessageFacts *facts)
{
  Html *html = page_begin(frame, title_of(facts));
  append_secure_mark(html, frame, facts);
  append_lost(html, frame, facts->lost_s);
  append_headers(html, facts);
  append_body(html, facts);
  append_attachments(html, facts->summary);
  append_actions(html, facts);
  append_keeping(html, facts);
  page_end(html, frame);
  return html;
}

Html *
page_message_text(const Frame *frame, const MessageFacts *facts)
{
  Html *html = page_begin(frame, title_of(facts));
  append_secure_mark(html, frame, facts);
  append_headers(html, facts);
  if (facts->text != NULL)
    append_words(html, facts->text);
  else
    page_notice(html, _("The text of this message cannot be shown."), TRUE);
  page_ways_begin(html);
  page_way(html, "/m", _("Back to the message"));
  page_ways_end(html);
  page_end(html, frame);
  return html;
}

Html *
page_delete(const Frame *frame, const char *form_token, gint64 expires_s)
{
  Html *html = page_begin(frame, _("Do you want to delete this message?"));
  g_autofree char *date = text_date(expires_s);
  g_autofree char *text =
      g_strdup_printf(_("If you do nothing, you can read it until %s."), date);
  page_paragraph(html,
                 _("Nobody can read the message here after that, and neither can you. "
                   "We cannot bring it back. The person who wrote to you sees that it "
                   "was deleted."));
  page_paragraph(html, text);
  html_markup(html, "<div class=\"actions\">\n");
  page_form(html, "/m/delete", form_token);
  page_button(html, _("Delete for good"), BUTTON_DANGER);
  page_form_end(html);
  page_action(html, "/m", _("Keep it: back to the message"), BUTTON_PLAIN);
  html_markup(html, "</div>\n");
  page_end(html, frame);
  return html;
}

Html *
page_deleted(const Frame *frame)
{
  const char *const texts[] = {
      _("The message is gone, and you are logged out. You may close this page."),
      NULL,
  };
  return page_simple(frame, _("The message has been deleted"), texts);
}
