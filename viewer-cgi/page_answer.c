#include "viewer-cgi/page_answer.h"

#define TEXT_ROWS 12

static void
append_left(Html *html, guint answers_left)
{
  g_autofree char *text = g_strdup_printf(
      ngettext("You can write %u more answer to this message.",
               "You can write %u more answers to this message.", answers_left),
      answers_left);
  page_paragraph(html, text);
}

static void
append_notices(Html *html, const AnswerFacts *facts)
{
  if (facts->error != NULL)
    page_notice(html, facts->error, TRUE);
  else if (facts->restored)
    page_notice(
        html,
        _("This is what you typed before. If you had chosen attachments, choose them "
          "again."),
        FALSE);
}

static void
append_fields(Html *html, const AnswerFacts *facts)
{
  g_autofree char *hint = g_strdup_printf(
      _("Together at most %u MB, and at most 20 files."), facts->attachments_max_mb);
  const Field text = {.name = "text",
                      .label = _("Your answer"),
                      .value = facts->text,
                      .rows = TEXT_ROWS,
                      .optional = TRUE, /* somebody may send a photo and no words */
                      .spells = TRUE};
  const Field files = {
      .name = "files", .label = _("Attachments"), .hint = hint, .optional = TRUE};
  page_textarea(html, &text);
  page_files(html, &files);
}

Html *
page_answer(const Frame *frame, const AnswerFacts *facts)
{
  Html *html = page_begin(frame, _("Write an answer"));
  append_notices(html, facts);
  page_facts_begin(html);
  page_fact_person(html, _("To"), facts->sender_name, facts->sender);
  page_facts_end(html);
  page_paragraph(html, _("Your answer goes to this address only, by a secure way."));
  append_left(html, facts->answers_left);
  page_upload_form(html, "/m/answer", facts->form_token);
  html_markup(html, "<input type=\"hidden\" name=\"once\"");
  html_attribute(html, "value", facts->once);
  html_markup(html, ">\n");
  append_fields(html, facts);
  page_button(html, _("Send answer"), BUTTON_MAIN);
  page_form_end(html);
  page_ways_begin(html);
  page_way(html, "/m", _("Back to the message"));
  page_ways_end(html);
  page_end(html, frame);
  return html;
}

Html *
page_answer_sent(const Frame *frame, const char *sender, const char *sender_name,
                 guint answers_left)
{
  Html *html = page_begin(frame, _("Your answer has been sent"));
  page_facts_begin(html);
  page_fact_person(html, _("To"), sender_name, sender);
  page_facts_end(html);
  page_paragraph(html, _("It went by a secure way. You do not have to do anything more."));
  append_left(html, answers_left);
  page_action(html, "/m", _("Back to the message"), BUTTON_PLAIN);
  page_end(html, frame);
  return html;
}

Html *
page_text_kept(const Frame *frame, const char *path)
{
  Html *html = page_begin(frame, _("You are not logged in any more"));
  page_notice(html, _("Your answer has not been sent yet. We have kept what you typed."),
              FALSE);
  page_paragraph(
      html, _("For your safety we log you out when you do nothing for 20 minutes. Log in "
              "again and press \"Answer\": then your text is there again. "
              "Attachments have to be chosen again."));
  page_action(html, path, _("Log in again"), BUTTON_MAIN);
  page_end(html, frame);
  return html;
}
