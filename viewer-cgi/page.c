#include "viewer-cgi/page.h"

#include <string.h>

#include "viewer-cgi/style_css.h"

/* A closed lock; drawn here, so that nothing is loaded. */
#define LOCK                                                                               \
  "<svg class=\"lock\" viewBox=\"0 0 24 24\" width=\"32\" height=\"32\" "                  \
  "aria-hidden=\"true\" focusable=\"false\"><path fill=\"currentColor\" "                  \
  "d=\"M12 1a5.5 5.5 0 0 0-5.5 5.5V10H5a1.5 1.5 0 0 0-1.5 1.5v10A1.5 1.5 0 0 0 5 "         \
  "23h14a1.5 1.5 0 0 0 1.5-1.5v-10A1.5 1.5 0 0 0 19 10h-1.5V6.5A5.5 5.5 0 0 0 12 "         \
  "1zm0 2.5a3 3 0 0 1 3 3V10H9V6.5a3 3 0 0 1 3-3z\"/></svg>"

static void
append_head(Html *html, const Frame *frame, const char *title)
{
  html_markup(html, "<!doctype html>\n<html");
  html_attribute(html, "lang", language_code(frame->language));
  html_markup(html, ">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, "
                    "initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
  html_line(html, title);
  if (frame->organisation != NULL) {
    html_markup(html, " - ");
    html_line(html, frame->organisation->display_name);
  }
  html_markup(html, "</title>\n");
  if (frame->organisation != NULL)
    html_markup(html, "<link rel=\"stylesheet\" href=\"/style.css\">\n");
  html_markup(html, "</head>\n");
}

static void
append_language(Html *html, const Frame *frame, Language language, const char *name)
{
  const char *code = language_code(language);
  g_autofree char *href = g_strconcat(frame->self, "?lang=", code, NULL);
  html_markup(html, "<li><a");
  html_attribute(html, "href", href);
  html_attribute(html, "lang", code);
  html_attribute(html, "hreflang", code);
  if (frame->language == language)
    html_markup(html, " aria-current=\"true\"");
  html_markup(html, ">");
  html_line(html, name);
  html_markup(html, "</a></li>");
}

static void
append_switch(Html *html, const Frame *frame)
{
  if (frame->self == NULL)
    return;
  html_markup(html, "<nav");
  html_attribute(html, "aria-label", _("Language"));
  html_markup(html, "><ul class=\"languages\">");
  append_language(html, frame, LANGUAGE_NL, "Nederlands");
  append_language(html, frame, LANGUAGE_EN, "English");
  html_markup(html, "</ul></nav>\n");
}

static void
append_session(Html *html, const Frame *frame)
{
  if (frame->session_ends_s > 0) {
    g_autofree char *time = text_time(frame->session_ends_s);
    g_autofree char *text = g_strdup_printf(_("Logged in until %s"), time);
    html_markup(html, "<p class=\"session\">");
    html_text(html, text);
    html_markup(html, "</p>\n");
  }
  if (frame->logout_token == NULL)
    return;
  page_form(html, "/logout", frame->logout_token);
  html_markup(html, "<button class=\"logout\" type=\"submit\">");
  html_text(html, _("Log out"));
  html_markup(html, "</button></form>\n");
}

static void
append_banner(Html *html, const Frame *frame)
{
  const Organisation *organisation = frame->organisation;
  html_markup(html, "<div class=\"banner\"><div class=\"inner\">");
  if (organisation != NULL && *organisation->logo != '\0') /* its name stands beside it */
    html_markup(html, "<img class=\"logo\" src=\"/logo\" alt=\"\">");
  else
    html_markup(html, LOCK);
  html_markup(html, "<p>");
  html_line(html, organisation != NULL ? organisation->display_name : _("Secure mail"));
  html_markup(html, "</p></div></div>\n");
}

Html *
page_begin(const Frame *frame, const char *title)
{
  Html *html = html_new();
  append_head(html, frame, title);
  html_markup(html, "<body>\n<header>\n");
  append_banner(html, frame);
  if (frame->self != NULL || frame->logout_token != NULL) {
    html_markup(html, "<div class=\"tools\"><div class=\"inner\">\n");
    append_switch(html, frame);
    append_session(html, frame);
    html_markup(html, "</div></div>\n");
  }
  html_markup(html, "</header>\n<main class=\"inner\">\n<h1>");
  html_line(html, title);
  html_markup(html, "</h1>\n");
  return html;
}

void
page_end(Html *html, const Frame *frame)
{
  html_markup(html, "</main>\n<footer class=\"inner\">");
  if (frame->organisation != NULL) {
    html_markup(html, "<p>");
    html_line(html, frame->organisation->display_name);
    if (frame->organisation->contact[0] != '\0') {
      html_markup(html, ". ");
      html_text(html, _("Questions?"));
      html_markup(html, " ");
      html_isolated(html, frame->organisation->contact);
    }
    html_markup(html, "</p><p><a href=\"/help\">");
    html_text(html, _("Help"));
    html_markup(html, "</a></p>");
  }
  html_markup(html, "</footer>\n</body>\n</html>\n");
}

void
page_paragraph(Html *html, const char *text)
{
  html_markup(html, "<p>");
  html_text(html, text);
  html_markup(html, "</p>\n");
}

void
page_notice(Html *html, const char *text, gboolean error)
{
  if (error)
    html_markup(html, "<p class=\"notice error\" id=\"notice\" role=\"alert\">");
  else
    html_markup(html, "<p class=\"notice\" id=\"notice\" role=\"status\">");
  html_text(html, text);
  html_markup(html, "</p>\n");
}

void
page_warning(Html *html, const char *text)
{
  html_markup(html, "<p class=\"notice care\">");
  html_text(html, text);
  html_markup(html, "</p>\n");
}

/* The share of one colour channel in relative luminance (WCAG 2.2, "relative luminance").
 */
static gdouble
channel(const char *hex)
{
  gint value = g_ascii_xdigit_value(hex[0]) * 16 + g_ascii_xdigit_value(hex[1]);
  gdouble part = value / 255.0;
  /* The curve within 2 %, without libm. */
  return part * (part * (part * 0.305306011 + 0.682171111) + 0.012522878);
}

gboolean
page_colour_is_light(const char *colour)
{
  gdouble luminance = 0.2126 * channel(colour + 1) + 0.7152 * channel(colour + 3) +
                      0.0722 * channel(colour + 5);
  /* Contrast with black is (L + 0.05) / 0.05, with white 1.05 / (L + 0.05). */
  return (luminance + 0.05) * (luminance + 0.05) > 0.05 * 1.05;
}

GBytes *
page_style(const Organisation *organisation)
{
  GString *style = g_string_new(NULL);
  g_string_append_printf(style, ":root{--brand:%s;--on-brand:%s}\n", organisation->colour,
                         page_colour_is_light(organisation->colour) ? "#000" : "#fff");
  g_string_append(style, style_css);
  return g_string_free_to_bytes(style);
}
