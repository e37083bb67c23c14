#include "viewer-cgi/page_write.h"

/* FORMAT is our own; its one "%s" is for TEXT, which comes from elsewhere. */
#define FILL(format, text) g_strdup_printf(format, text)

Html *
page_write_ask(const Frame *frame, const char *token, const char *typed)
{
  g_autofree char *who =
      FILL(_("Here you write a secure message to %s. Nobody else can read "
             "it on its way. You can add photos or documents."),
           frame->organisation->display_name);
  const Field address = {
      .name = "address",
      .label = _("Your e-mail address"),
      .hint = _("For example: jan@example.com"),
      .error = typed != NULL
                   ? _("This is not an e-mail address. Look whether it is complete.")
                   : NULL,
      .value = typed,
      .type = "email",
      .autocomplete = "email",
  };
  Html *html = page_begin(frame, _("Write us a secure message"));
  if (typed != NULL)
    page_notice(html, _("We could not use what you typed. Nothing was sent."), TRUE);
  page_paragraph(html, who);
  page_paragraph(html,
                 _("First we check your e-mail address, because the answer goes there. "
                   "You get an e-mail with a link. That link opens the page on which "
                   "you write your message."));
  page_form(html, "/form", token);
  page_field(html, &address);
  page_button(html, _("Mail me the link"), BUTTON_MAIN);
  page_form_end(html);
  page_end(html, frame);
  return html;
}

Html *
page_write_mailed(const Frame *frame, const char *address, guint max)
{
  g_autofree char *often = g_strdup_printf(
      _("No e-mail after a few minutes? Look in the folder for unwanted e-mail (spam), and "
        "whether the address above is right. You can ask for a link %u times a day."),
      max);
  Html *html = page_begin(frame, _("Look in your mailbox"));
  page_paragraph(html, _("We mail a link to this address:"));
  html_markup(html, "<p class=\"strong\">");
  html_isolated(html, address);
  html_markup(html, "</p>\n");
  page_paragraph(html,
                 _("Open the link in that e-mail to write your message. It works for 24 "
                   "hours, and for one message."));
  page_paragraph(html, often);
  page_ways_begin(html);
  page_way(html, "/form", _("The address is not right"));
  page_ways_end(html);
  page_end(html, frame);
  return html;
}

Html *
page_write_too_many(const Frame *frame)
{
  const char *const texts[] = {
      _("Too many people asked for a link just now. Please try again in an hour."),
      NULL,
  };
  return page_simple(frame, _("No link could be sent now"), texts);
}

Html *
page_write_over(const Frame *frame, gboolean used)
{
  Html *html =
      page_begin(frame, used ? _("This link has been used") : _("This link is too old"));
  page_paragraph(html, used ? _("One message can be written with each link.")
                            : _("A link to the form works for 24 hours."));
  page_action(html, "/form", _("Ask for a new link"), BUTTON_MAIN);
  page_end(html, frame);
  return html;
}

/* ---- The form ---- */

static const char *
note_words(WriteNote note)
{
  switch (note) {
  case WRITE_NOTE_NONE:
    return NULL;
  case WRITE_NOTE_NAME:
    return _("Type your name, in 100 characters at most.");
  case WRITE_NOTE_PHONE:
    return _("Type one telephone number, or leave it empty.");
  case WRITE_NOTE_TEXT:
    return _("Type your message, in 20,000 characters at most.");
  case WRITE_NOTE_FILES:
    return _(
        "These files are too large, or could not be read. Choose fewer or smaller ones.");
  case WRITE_NOTE_LATER:
    return _("Your message could not be sent just now. Wait a few minutes, then press the "
             "button again.");
  }
  return NULL;
}

/* The words for NOTE when it is WANTED, or NULL. */
static const char *
note_at(const WriteFacts *facts, WriteNote wanted)
{
  return facts->note == wanted ? note_words(wanted) : NULL;
}

static void
append_person(Html *html, const WriteFacts *facts)
{
  const Field name = {
      .name = "name",
      .label = _("Your name"),
      .error = note_at(facts, WRITE_NOTE_NAME),
      .value = facts->name,
      .autocomplete = "name",
      .max_chars = WRITE_NAME_MAX_CHARS,
  };
  const Field phone = {
      .name = "phone",
      .label = _("Your telephone number"),
      .hint = _("So that we can call you. We do not send text messages to it."),
      .error = note_at(facts, WRITE_NOTE_PHONE),
      .value = facts->phone,
      .type = "tel",
      .autocomplete = "tel",
      .max_chars = WRITE_PHONE_MAX_CHARS,
      .optional = TRUE,
  };
  page_field(html, &name);
  page_field(html, &phone);
}

static void
append_words(Html *html, const WriteFacts *facts)
{
  g_autofree char *hint =
      g_strdup_printf(_("Together at most %u MB, and at most 20 files."), facts->max_mb);
  const Field text = {
      .name = "text",
      .label = _("Your message"),
      .error = note_at(facts, WRITE_NOTE_TEXT),
      .value = facts->text,
      .rows = 12,
      .spells = TRUE,
  };
  const Field files = {
      .name = "file",
      .label = _("Photos or documents"),
      .hint = hint,
      .error = note_at(facts, WRITE_NOTE_FILES),
      .optional = TRUE,
  };
  page_textarea(html, &text);
  page_files(html, &files);
}

Html *
page_write(const Frame *frame, const WriteFacts *facts)
{
  Html *html = page_begin(frame, _("Your message"));
  if (facts->note != WRITE_NOTE_NONE) {
    page_notice(html, note_words(facts->note), TRUE);
    page_paragraph(html, _("Did you choose files? Choose them once more."));
  }
  page_facts_begin(html);
  page_fact(html, _("To"), frame->organisation->display_name);
  page_fact(html, _("Your e-mail address"), facts->address);
  page_facts_end(html);
  page_upload_form(html, facts->path, facts->token);
  append_person(html, facts);
  append_words(html, facts);
  page_button(html, _("Send the message"), BUTTON_MAIN);
  page_form_end(html);
  page_end(html, frame);
  return html;
}

Html *
page_write_done(const Frame *frame, const WriteDone *done)
{
  g_autofree char *when = text_date_time(done->sent_s);
  g_autofree char *until = text_date(done->expires_s);
  g_autofree char *where =
      g_strconcat(frame->organisation->viewer_url, "r/", done->reference, NULL);
  g_autofree char *path = g_strconcat("/r/", done->reference, NULL);
  Html *html = page_begin(frame, _("Your message was sent"));
  page_facts_begin(html);
  page_fact(html, _("To"), frame->organisation->display_name);
  page_fact(html, _("Sent"), when);
  page_fact(html, _("The answer goes to"), done->address);
  page_facts_end(html);
  page_heading(html, _("Your copy"));
  page_paragraph(html, _("You can read your own message again with this reference and this "
                         "password. Write them down, or print this page: the password is "
                         "shown only once."));
  page_facts_begin(html);
  page_fact(html, _("Page"), where);
  page_fact(html, _("Reference"), done->reference);
  page_fact(html, _("Password"), done->password);
  page_fact(html, _("You can read it until"), until);
  page_facts_end(html);
  page_ways_begin(html);
  page_way(html, path, _("Read my copy"));
  page_ways_end(html);
  page_end(html, frame);
  return html;
}
