#include "viewer-cgi/page_status.h"

#include <string.h>

#include "viewer-cgi/page_form.h"

#define NUMBER_TAIL 2 /* digits, as on the other pages (T16) */

/* What is said of each line: marked for translation here, translated where it is shown. */
static const char *const history_words[HISTORY_COUNT] = {
    [HISTORY_STORED] = N_("Stored safely"),
    [HISTORY_NOTIFIED] = N_("E-mail with the link sent"),
    [HISTORY_DELAYED] = N_("The e-mail with the link is delayed: we keep trying"),
    [HISTORY_BOUNCED] = N_("The e-mail with the link could not be delivered"),
    [HISTORY_CODE_SENT] = N_("Access code sent"),
    [HISTORY_OPENED] = N_("Opened"),
    [HISTORY_DOWNLOADED] = N_("Downloaded"),
    [HISTORY_ANSWERED] = N_("Answered"),
    [HISTORY_FORWARDED] = N_("Forwarded"),
    [HISTORY_WRONG_NUMBER] = N_("The recipient says that the mobile number is wrong"),
    [HISTORY_NUMBER_CHANGED] = N_("Mobile number changed"),
    [HISTORY_TOLD] = N_("We told you that it was not opened"),
    [HISTORY_REMINDED] = N_("We reminded the recipient"),
    [HISTORY_EXPIRED] = N_("Expired and removed"),
    [HISTORY_RECALLED] = N_("Recalled"),
    [HISTORY_DELETED] = N_("Deleted by the recipient"),
    [HISTORY_ANSWER_BOUNCED] = N_(
        "What the recipient sent from here (an answer, or to somebody else) could not be "
        "delivered"),
    [HISTORY_NOTIFIED_AGAIN] = N_("E-mail with the link sent again"),
    [HISTORY_EXTENDED] = N_("The date until which it can be read was changed"),
    [HISTORY_REMOVED] = N_("Removed by your organisation"),
};

static const HistoryLine *
find_line(const DispatchRecipient *recipient, HistoryKind kind)
{
  for (guint i = 0; recipient->history != NULL && i < recipient->history->len; i++) {
    const HistoryLine *line = &g_array_index(recipient->history, HistoryLine, i);
    if (line->kind == kind)
      return line;
  }
  return NULL;
}

gboolean
page_status_is_open(const DispatchRecipient *recipient)
{
  return recipient->reference != NULL && recipient->state == ENTRY_OPEN;
}

static guint
count_open(const Dispatch *dispatch)
{
  guint count = 0;
  for (guint i = 0; i < dispatch->recipients->len; i++)
    count += page_status_is_open(dispatch->recipients->pdata[i]) ? 1 : 0;
  return count;
}

/* ---- How it went, and how it is now ---- */

/* The words for a route; "" for one that says nothing to its sender. */
static const char *
route_words(const DispatchRecipient *recipient)
{
  const char *route = recipient->route;
  if (recipient->reference != NULL || strcmp(route, "viewer") == 0)
    return _("On this website: the recipient gets an e-mail with a link");
  if (strcmp(route, "own") == 0)
    return _("Inside your own organisation");
  if (strcmp(route, "direct") == 0 || strcmp(route, "nta") == 0 ||
      strcmp(route, "community") == 0)
    return _("Straight to the recipient's mail server, over a secure connection");
  return "";
}

/* FORMAT (translated) with the date of TIME_S, a new string. */
static char *
dated(const char *format, gint64 time_s)
{
  g_autofree char *date = text_date_time(time_s);
  g_autoptr(GString) text = g_string_new(format);
  g_string_replace(text, "%s", date, 1);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *
open_words(const DispatchRecipient *recipient)
{
  if (find_line(recipient, HISTORY_OPENED) != NULL)
    return g_strdup(_("Opened"));
  if (find_line(recipient, HISTORY_DELAYED) != NULL)
    return g_strdup(_("Not opened yet: the e-mail with the link is delayed"));
  return g_strdup(_("Not opened yet"));
}

static char *
withdrawn_words(const DispatchRecipient *recipient)
{
  if (find_line(recipient, HISTORY_BOUNCED) != NULL &&
      find_line(recipient, HISTORY_RECALLED) == NULL)
    return dated(_("Not delivered: the e-mail with the link came back on %s"),
                 recipient->ended_s);
  return dated(find_line(recipient, HISTORY_REMOVED) != NULL
                   ? _("Removed by your organisation on %s")
                   : _("Recalled on %s"),
               recipient->ended_s);
}

/* The state of RECIPIENT in words, a new string. */
static char *
state_words(const DispatchRecipient *recipient, gint64 expires_s)
{
  if (recipient->reference == NULL)
    return g_strdup(strcmp(recipient->route, "viewer") == 0
                        ? _("On its way to this website")
                        : _("Sent; what becomes of it there we cannot see"));
  switch (recipient->state) {
  case ENTRY_OPEN:
    return open_words(recipient);
  case ENTRY_EXPIRED:
    return dated(_("Expired on %s"), expires_s);
  case ENTRY_WITHDRAWN:
    return withdrawn_words(recipient);
  case ENTRY_DELETED:
    return dated(_("Deleted by the recipient on %s"), recipient->ended_s);
  case ENTRY_NONE:
    break;
  }
  return g_strdup(_("No longer known"));
}

static void
append_number(Html *html, const DispatchRecipient *recipient)
{
  gsize len = strlen(recipient->number);
  if (len <= NUMBER_TAIL)
    return;
  g_autofree char *text = g_strdup_printf(_("the number that ends in %s"),
                                          recipient->number + len - NUMBER_TAIL);
  page_fact(html, _("Access code to"), text);
}

/* ---- What happened ---- */

static void
append_line(Html *html, const HistoryLine *line)
{
  g_autofree char *first = text_date_time(line->first_s);
  html_markup(html, "<li><span class=\"what\">");
  html_text(html, _(history_words[line->kind]));
  html_markup(html, "</span> <span class=\"when\">");
  html_text(html, first);
  if (line->count > 1) {
    g_autofree char *last = text_date_time(line->last_s);
    g_autofree char *more =
        g_strdup_printf(_("%u times, the last time on %s"), line->count, last);
    html_markup(html, "<br>");
    html_text(html, more);
  }
  html_markup(html, "</span></li>\n");
}

static void
append_history(Html *html, const GArray *history)
{
  if (history == NULL || history->len == 0)
    return;
  html_markup(html, "<h3>");
  html_text(html, _("What happened"));
  html_markup(html, "</h3>\n<ol class=\"history\">\n");
  for (guint i = 0; i < history->len; i++) {
    const HistoryLine *line = &g_array_index(history, HistoryLine, i);
    if (line->kind < HISTORY_COUNT) /* a newer zegel may have written others */
      append_line(html, line);
  }
  html_markup(html, "</ol>\n");
}

static void
append_recall_one(Html *html, const char *token, const DispatchRecipient *recipient)
{
  g_autofree char *path =
      g_strconcat("/s/", token, "/recall?ref=", recipient->reference, NULL);
  html_markup(html, "<p class=\"screen-only\"><a class=\"button plain\"");
  html_attribute(html, "href", path);
  html_markup(html, ">");
  html_text(html, _("Recall for"));
  html_markup(html, " ");
  html_isolated(html, recipient->address);
  html_markup(html, "</a></p>\n");
}

static void
append_recipient(Html *html, const StatusFacts *facts, const DispatchRecipient *recipient)
{
  g_autofree char *state = state_words(recipient, facts->dispatch->expires_s);
  html_markup(html, "<section class=\"recipient\">\n<h2>");
  html_isolated(html, recipient->address);
  html_markup(html, "</h2>\n");
  page_facts_begin(html);
  page_fact(html, _("Now"), state);
  page_fact(html, _("Way"), route_words(recipient));
  append_number(html, recipient);
  page_facts_end(html);
  append_history(html, recipient->history);
  if (page_status_is_open(recipient))
    append_recall_one(html, facts->token, recipient);
  html_markup(html, "</section>\n");
}

/* ---- The page ---- */

static void
append_message(Html *html, const Dispatch *dispatch)
{
  g_autofree char *sent = text_date_time(dispatch->received_s);
  g_autofree char *until = text_date(dispatch->expires_s);
  page_facts_begin(html);
  page_fact_person(html, _("From"), dispatch->sender_name, dispatch->sender);
  page_fact(html, _("Sent"), sent);
  if (count_open(dispatch) > 0)
    page_fact(html, _("Can be read until"), until);
  page_facts_end(html);
}

static void
append_recall_all(Html *html, const StatusFacts *facts)
{
  if (count_open(facts->dispatch) < 2)
    return;
  g_autofree char *path = g_strconcat("/s/", facts->token, "/recall", NULL);
  html_markup(html, "<section class=\"screen-only\">\n");
  page_heading(html, _("Recall the whole message"));
  page_paragraph(html, _("Nobody who reads it on this website can open it any more."));
  page_action(html, path, _("Recall for everyone on this website"), BUTTON_PLAIN);
  html_markup(html, "</section>\n");
}

/* How a number is put right: not here, for a link in a mail is no proof of who presses. */
static void
append_correction(Html *html, const Dispatch *dispatch)
{
  gboolean any = FALSE;
  for (guint i = 0; i < dispatch->recipients->len; i++) {
    const DispatchRecipient *recipient = dispatch->recipients->pdata[i];
    any = any || (page_status_is_open(recipient) && *recipient->number != '\0');
  }
  if (!any)
    return;
  html_markup(html, "<section class=\"screen-only\">\n");
  page_heading(html, _("Is a mobile number wrong?"));
  page_paragraph(html,
                 _("Answer the confirmation that you got by e-mail, and type the right "
                   "number at the start of the subject, like this: SMS 0612345678. With "
                   "more recipients, the confirmation says where to mail each number. A "
                   "code that went to the old number does not work any more then."));
  html_markup(html, "</section>\n");
}

/* The address of this page alone says nothing: anybody can write "?recalled" behind it. */
static gboolean
was_recalled(const Dispatch *dispatch)
{
  for (guint i = 0; i < dispatch->recipients->len; i++)
    if (find_line(dispatch->recipients->pdata[i], HISTORY_RECALLED) != NULL)
      return TRUE;
  return FALSE;
}

Html *
page_status(const Frame *frame, const StatusFacts *facts)
{
  const Dispatch *dispatch = facts->dispatch;
  Html *html = page_begin(frame, _("What became of your message"));
  if (facts->recalled && was_recalled(dispatch))
    page_notice(html, _("The message was recalled. It cannot be opened here any more."),
                FALSE);
  append_message(html, dispatch);
  for (guint i = 0; i < dispatch->recipients->len; i++)
    append_recipient(html, facts, dispatch->recipients->pdata[i]);
  append_recall_all(html, facts);
  append_correction(html, dispatch);
  page_end(html, frame);
  return html;
}

/* ---- The question before a recall ---- */

static void
append_whom(Html *html, const RecallFacts *facts)
{
  const GPtrArray *recipients = facts->dispatch->recipients;
  page_paragraph(html, _("These people cannot open the message any more:"));
  html_markup(html, "<ul>\n");
  for (guint i = 0; i < recipients->len; i++) {
    const DispatchRecipient *recipient = recipients->pdata[i];
    if (!page_status_is_open(recipient) ||
        (facts->reference != NULL && strcmp(facts->reference, recipient->reference) != 0))
      continue;
    html_markup(html, "<li>");
    html_isolated(html, recipient->address);
    html_markup(html, "</li>\n");
  }
  html_markup(html, "</ul>\n");
}

static void
append_recall_form(Html *html, const RecallFacts *facts)
{
  g_autofree char *path = g_strconcat("/s/", facts->token, "/recall", NULL);
  const Field sure = {
      .name = "sure",
      .label = _("Yes, I want to recall this message"),
      .error = facts->unticked ? _("Tick this box first.") : NULL,
  };
  page_form(html, path, facts->form_token);
  if (facts->reference != NULL) {
    html_markup(html, "<input type=\"hidden\" name=\"ref\"");
    html_attribute(html, "value", facts->reference);
    html_markup(html, ">\n");
  }
  page_tick(html, &sure);
  page_button(html, _("Recall the message"), BUTTON_DANGER);
  page_form_end(html);
}

Html *
page_recall(const Frame *frame, const RecallFacts *facts)
{
  g_autofree char *back = g_strconcat("/s/", facts->token, NULL);
  Html *html = page_begin(frame, _("Do you want to recall this message?"));
  if (facts->unticked)
    page_notice(html, _("Nothing was recalled. Tick the box, then press the button again."),
                TRUE);
  append_whom(html, facts);
  page_paragraph(html,
                 _("They read that the message was withdrawn. What was read, printed or "
                   "downloaded before stays with whoever has it. You cannot undo "
                   "this."));
  append_recall_form(html, facts);
  page_ways_begin(html);
  page_way(html, back, _("No, go back"));
  page_ways_end(html);
  page_end(html, frame);
  return html;
}
