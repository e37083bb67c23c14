#include "viewer-cgi/page_form.h"

#include "viewer-cgi/page.h"

static void
append_class(Html *html, ButtonKind kind)
{
  switch (kind) {
  case BUTTON_MAIN:
    html_markup(html, " class=\"button\"");
    break;
  case BUTTON_PLAIN:
    html_markup(html, " class=\"button plain\"");
    break;
  case BUTTON_DANGER:
    html_markup(html, " class=\"button danger\"");
    break;
  }
}

void
page_button_named(Html *html, const char *name, const char *label, ButtonKind kind)
{
  html_markup(html, "<button type=\"submit\"");
  append_class(html, kind);
  if (name != NULL) {
    html_attribute(html, "name", name);
    html_markup(html, " value=\"1\"");
  }
  html_markup(html, ">");
  html_text(html, label);
  html_markup(html, "</button>\n");
}

void
page_button(Html *html, const char *label, ButtonKind kind)
{
  page_button_named(html, NULL, label, kind);
}

void
page_action(Html *html, const char *path, const char *label, ButtonKind kind)
{
  html_markup(html, "<a");
  append_class(html, kind);
  html_attribute(html, "href", path);
  html_markup(html, ">");
  html_text(html, label);
  html_markup(html, "</a>\n");
}

static void
append_form(Html *html, const char *path, const char *token)
{
  html_attribute(html, "action", path);
  html_markup(html, "><input type=\"hidden\" name=\"token\"");
  html_attribute(html, "value", token);
  html_markup(html, ">\n");
}

void
page_form(Html *html, const char *path, const char *token)
{
  html_markup(html, "<form method=\"post\"");
  append_form(html, path, token);
}

void
page_upload_form(Html *html, const char *path, const char *token)
{
  html_markup(html, "<form method=\"post\" enctype=\"multipart/form-data\"");
  append_form(html, path, token);
}

void
page_form_end(Html *html)
{
  html_markup(html, "</form>\n");
}

/* The id of what is said about FIELD, our own: "NAME-WHAT". */
static void
append_id(Html *html, const Field *field, const char *what)
{
  g_autofree char *id = g_strconcat(field->name, "-", what, NULL);
  html_attribute(html, "id", id);
}

static void
append_label(Html *html, const Field *field)
{
  html_markup(html, "<label");
  html_attribute(html, "for", field->name);
  html_markup(html, ">");
  html_text(html, field->label);
  if (field->optional) {
    html_markup(html, " <span class=\"optional\">");
    html_text(html, _("(not required)"));
    html_markup(html, "</span>");
  }
  html_markup(html, "</label>\n");
}

/* What belongs to FIELD in words, before the field itself: there it is read first. */
static void
append_words(Html *html, const Field *field)
{
  if (field->hint != NULL) {
    html_markup(html, "<p class=\"hint\"");
    append_id(html, field, "hint");
    html_markup(html, ">");
    html_text(html, field->hint);
    html_markup(html, "</p>\n");
  }
  if (field->error != NULL) {
    html_markup(html, "<p class=\"wrong\"");
    append_id(html, field, "error");
    html_markup(html, ">");
    html_text(html, field->error);
    html_markup(html, "</p>\n");
  }
}

static void
append_described(Html *html, const Field *field)
{
  g_autofree char *hint = g_strconcat(field->name, "-hint", NULL);
  g_autofree char *error = g_strconcat(field->name, "-error", NULL);
  g_autofree char *both = g_strconcat(hint, " ", error, NULL);
  if (field->hint != NULL && field->error != NULL)
    html_attribute(html, "aria-describedby", both);
  else if (field->hint != NULL || field->error != NULL)
    html_attribute(html, "aria-describedby", field->hint != NULL ? hint : error);
  if (field->error != NULL)
    html_markup(html, " aria-invalid=\"true\"");
}

/* The attributes that every kind of field has. */
static void
append_common(Html *html, const Field *field)
{
  html_attribute(html, "id", field->name);
  html_attribute(html, "name", field->name);
  if (!field->optional)
    html_markup(html, " required");
  append_described(html, field);
}

static void
append_typing(Html *html, const Field *field)
{
  if (field->autocomplete != NULL)
    html_attribute(html, "autocomplete", field->autocomplete);
  if (field->max_chars > 0) {
    g_autofree char *max = g_strdup_printf("%u", field->max_chars);
    html_attribute(html, "maxlength", max);
  }
  if (!field->spells)
    html_markup(html, " spellcheck=\"false\"");
}

static void
begin_field(Html *html, const Field *field)
{
  if (field->error != NULL)
    html_markup(html, "<div class=\"field bad\">\n");
  else
    html_markup(html, "<div class=\"field\">\n");
}

void
page_field(Html *html, const Field *field)
{
  begin_field(html, field);
  append_label(html, field);
  append_words(html, field);
  html_markup(html, "<input");
  html_attribute(html, "type", field->type != NULL ? field->type : "text");
  append_common(html, field);
  append_typing(html, field);
  if (field->value != NULL)
    html_attribute(html, "value", field->value);
  html_markup(html, ">\n</div>\n");
}

void
page_textarea(Html *html, const Field *field)
{
  g_autofree char *rows = g_strdup_printf("%u", field->rows > 0 ? field->rows : 10);
  begin_field(html, field);
  append_label(html, field);
  append_words(html, field);
  html_markup(html, "<textarea dir=\"auto\"");
  html_attribute(html, "rows", rows);
  append_common(html, field);
  append_typing(html, field);
  html_markup(html, ">\n"); /* the parser drops this one, and keeps a visitor's own */
  if (field->value != NULL)
    html_text(html, field->value);
  html_markup(html, "</textarea>\n</div>\n");
}

void
page_files(Html *html, const Field *field)
{
  begin_field(html, field);
  append_label(html, field);
  append_words(html, field);
  html_markup(html, "<input type=\"file\" multiple");
  append_common(html, field);
  html_markup(html, ">\n</div>\n");
}

void
page_tick(Html *html, const Field *field)
{
  begin_field(html, field);
  append_words(html, field);
  html_markup(html, "<p class=\"tick\"><input type=\"checkbox\" value=\"1\"");
  append_common(html, field);
  html_markup(html, "> <label");
  html_attribute(html, "for", field->name);
  html_markup(html, ">");
  html_text(html, field->label);
  html_markup(html, "</label></p>\n</div>\n");
}

void
page_heading(Html *html, const char *text)
{
  html_markup(html, "<h2>");
  html_text(html, text);
  html_markup(html, "</h2>\n");
}

void
page_facts_begin(Html *html)
{
  html_markup(html, "<dl class=\"facts\">\n");
}

void
page_facts_end(Html *html)
{
  html_markup(html, "</dl>\n");
}

static void
begin_fact(Html *html, const char *name)
{
  html_markup(html, "<div><dt>");
  html_text(html, name);
  html_markup(html, "</dt><dd>");
}

void
page_fact(Html *html, const char *name, const char *value)
{
  if (*value == '\0')
    return;
  begin_fact(html, name);
  html_isolated(html, value);
  html_markup(html, "</dd></div>\n");
}

void
page_fact_person(Html *html, const char *term, const char *name, const char *address)
{
  begin_fact(html, term);
  if (*name != '\0') {
    html_isolated(html, name);
    html_markup(html, "<br>");
  }
  html_markup(html, "<span class=\"address\">");
  html_isolated(html, address);
  html_markup(html, "</span></dd></div>\n");
}

void
page_ways_begin(Html *html)
{
  html_markup(html, "<ul class=\"ways\">\n");
}

void
page_ways_end(Html *html)
{
  html_markup(html, "</ul>\n");
}

void
page_way(Html *html, const char *path, const char *label)
{
  html_markup(html, "<li><a");
  html_attribute(html, "href", path);
  html_markup(html, ">");
  html_text(html, label);
  html_markup(html, "</a></li>\n");
}

void
page_details_begin(Html *html, const char *summary)
{
  html_markup(html, "<details><summary>");
  html_text(html, summary);
  html_markup(html, "</summary>\n<div class=\"inside\">\n");
}

void
page_details_end(Html *html)
{
  html_markup(html, "</div></details>\n");
}

/* The roles say what CSS takes away when it makes a card of each row. */
void
page_table_begin(Html *html, const char *caption, const char *const *headings)
{
  html_markup(html, "<table role=\"table\"><caption>");
  html_text(html, caption);
  html_markup(html, "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">");
  for (; *headings != NULL; headings++) {
    html_markup(html, "<th scope=\"col\" role=\"columnheader\">");
    html_text(html, *headings);
    html_markup(html, "</th>");
  }
  html_markup(html, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
}

void
page_table_end(Html *html)
{
  html_markup(html, "</tbody></table>\n");
}

void
page_row_begin(Html *html)
{
  html_markup(html, "<tr role=\"row\">");
}

void
page_row_end(Html *html)
{
  html_markup(html, "</tr>\n");
}

void
page_cell(Html *html, const char *heading, const char *text)
{
  html_markup(html, "<td role=\"cell\"");
  html_attribute(html, "data-heading", heading);
  html_markup(html, ">");
  html_isolated(html, text);
  html_markup(html, "</td>");
}
