#include "viewer-cgi/page_message.h"

#include "viewer-cgi/disposition.h"

char *
page_attachment_name(const Attachment *attachment)
{
  g_autofree char *fallback = g_strdup_printf(_("attachment-%u"), attachment->part);
  return disposition_file_name(attachment->name, fallback);
}

/* Ours, outside of what the sender wrote (V8, T30). */
static void
append_secure_mark(Html *html, const Frame *frame, const MessageFacts *facts)
{
  g_autofree char *text =
      g_strdup_printf(_("This message came to you by a secure way, through %s."),
                      frame->organisation->display_name);
  html_markup(html, "<p class=\"secure\">");
  html_line(html, text);
  html_markup(html, "</p>\n");
  if (facts->weak)
    page_paragraph(
        html, _("You opened it with a code by e-mail. That is less safe than a code on "
                "your mobile phone."));
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
    page_fact(html, _("To"), summary->to);
    page_fact(html, _("Copy to"), summary->cc);
    g_autofree char *date = summary->date_s > 0 ? text_date_time(summary->date_s)
                                                : g_strdup(summary->date_text);
    page_fact(html, _("Date"), date);
  }
  page_facts_end(html);
}

static void
append_words(Html *html, const char *text)
{
  html_markup(html, "<div class=\"words\" dir=\"auto\">");
  html_text(html, text);
  html_markup(html, "</div>\n");
}

/* The cage: no scripts, no forms, no plug-ins, an origin of its own (T9). */
static void
append_frame(Html *html)
{
  html_markup(html, "<iframe class=\"mail\" src=\"/m/html\" "
                    "sandbox=\"allow-popups allow-popups-to-escape-sandbox\" "
                    "referrerpolicy=\"no-referrer\"");
  html_attribute(html, "title", _("The message"));
  html_markup(html, "></iframe>\n");
  page_ways_begin(html);
  page_way(html, "/m/html", _("Show the message on a page of its own"));
  page_way(html, "/m/text", _("Show only the text"));
  page_ways_end(html);
}

static void
append_body(Html *html, const MessageFacts *facts)
{
  html_markup(html, "<section");
  html_attribute(html, "aria-label", _("The message"));
  html_markup(html, ">\n");
  if (facts->summary == NULL || facts->text_failed)
    page_notice(html,
                _("We cannot show this message on a page. You can download it and open it "
                  "with an e-mail program."),
                TRUE);
  else if (facts->summary->body == BODY_HTML)
    append_frame(html);
  else if (facts->text != NULL && facts->text[0] != '\0')
    append_words(html, facts->text);
  else
    page_paragraph(html, _("There is no text in this message."));
  html_markup(html, "</section>\n");
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
  html_markup(html, "</span></li>\n");
}

static void
append_attachments(Html *html, const MessageFacts *facts)
{
  const GPtrArray *all = facts->summary != NULL ? facts->summary->attachments : NULL;
  if (all != NULL && all->len > 0) {
    page_heading(html, _("Attachments"));
    html_markup(html, "<ul class=\"attachments\">\n");
    for (guint i = 0; i < all->len; i++)
      append_attachment(html, all->pdata[i]);
    html_markup(html, "</ul>\n");
  }
  if (facts->summary != NULL && facts->summary->cut)
    page_notice(html,
                _("This message has more parts than we can show. You find all of them when "
                  "you download the whole message."),
                FALSE);
}

/* Until when it is here, and the way to keep it. */
static void
append_keeping(Html *html, const MessageFacts *facts)
{
  page_heading(html, _("Keep this message"));
  g_autofree char *date = text_date(facts->expires_s);
  g_autofree char *text = g_strdup_printf(
      _("You can read this message here until %s. After that it is removed."), date);
  page_paragraph(html, text);
  page_ways_begin(html);
  page_way(html, "/m/original", _("Download the whole message (.eml)"));
  page_ways_end(html);
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
  append_headers(html, facts);
  append_body(html, facts);
  append_attachments(html, facts);
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
