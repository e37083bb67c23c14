#include "viewer-cgi/viewer.h"

#include "viewer-cgi/visit.h"

static void
handle_home(Visit *visit)
{
  response_set_page(visit->response, 200, page_home(&visit->frame));
}

static void
handle_help(Visit *visit)
{
  response_set_page(visit->response, 200, page_help(&visit->frame));
}

static void
handle_style(Visit *visit)
{
  visit->response->kind = CONTENT_STYLE;
  visit->response->body = page_style(visit->organisation);
}

static void
handle_logo(Visit *visit)
{
  const Logo *logo = logos_find(visit->viewer->logos, visit->organisation);
  if (logo == NULL) {
    visit_not_found(visit);
    return;
  }
  visit->response->kind = CONTENT_LOGO;
  visit->response->type = logo->type;
  visit->response->body = g_bytes_ref(logo->bytes);
}

static const struct {
  void (*handle)(Visit *visit);
  const char *self; /* for the language switch */
} handlers[ROUTE_COUNT] = {
    [ROUTE_NONE] = {visit_not_found, "/"},
    [ROUTE_HOME] = {handle_home, "/"},
    [ROUTE_HELP] = {handle_help, "/help"},
    [ROUTE_STYLE] = {handle_style, NULL},
    [ROUTE_LOGO] = {handle_logo, "/"},
    [ROUTE_LINK] = {handle_link, NULL},
    [ROUTE_SEND] = {handle_send, NULL},
    [ROUTE_CODE] = {handle_code, NULL},
    [ROUTE_CHECK] = {handle_check, NULL},
    [ROUTE_WRONG] = {handle_wrong, NULL},
    [ROUTE_TELL] = {handle_tell, NULL},
    [ROUTE_NO_PHONE] = {handle_no_phone, NULL},
    [ROUTE_MESSAGE] = {handle_message, "/m"},
    [ROUTE_HTML] = {handle_html, "/m"},
    [ROUTE_TEXT] = {handle_text, "/m/text"},
    [ROUTE_PART] = {handle_part, "/m"},
    [ROUTE_ORIGINAL] = {handle_original, "/m"},
    [ROUTE_PDF] = {handle_pdf, "/m"},
    [ROUTE_ZIP] = {handle_zip, "/m"},
    [ROUTE_DELETE] = {handle_delete, "/m/delete"},
    [ROUTE_DESTROY] = {handle_destroy, "/m/delete"},
    [ROUTE_LOGOUT] = {handle_logout, "/"},
    [ROUTE_ANSWER] = {handle_answer, "/m/answer"},
    [ROUTE_ANSWER_SEND] = {handle_answer_send, "/m/answer"},
    [ROUTE_FORWARD] = {handle_forward, "/m/forward"},
    [ROUTE_FORWARD_SEND] = {handle_forward_send, "/m/forward"},
    [ROUTE_SHARED] = {handle_shared, NULL},
    [ROUTE_SHARED_OPEN] = {handle_shared_open, "/r"},
    [ROUTE_STATUS] = {handle_status, NULL},
    [ROUTE_RECALL_ASK] = {handle_recall_ask, NULL},
    [ROUTE_RECALL] = {handle_recall, NULL},
    [ROUTE_FORM] = {handle_form, "/form"},
    [ROUTE_FORM_ASK] = {handle_form_ask, "/form"},
    [ROUTE_FORM_WRITE] = {handle_form_write, NULL},
    [ROUTE_FORM_SEND] = {handle_form_send, NULL},
};

/* The language of the visit; one that was just chosen is remembered. */
static void
choose_language(Visit *visit)
{
  const Request *request = visit->request;
  const char *chosen = form_get(request->query, "lang");
  g_autofree char *remembered =
      cookie_get(request->cookies, cookie_language_name(visit->secure));
  Language language = language_choose(chosen, remembered, request->accept_language,
                                      visit->organisation->language);
  Language parsed;
  if (language_parse(chosen, &parsed))
    response_add_cookie(visit->response,
                        cookie_language_format(language_code(language), visit->secure));
  visit->frame.language = language;
  text_use(language);
}

static void
show_refusal(Visit *visit, guint status)
{
  const char *const texts[] = {_("Your browser sent something that we do not understand."),
                               NULL};
  response_set_page(visit->response, status,
                    page_simple(&visit->frame, _("This did not work"), texts));
}

/* Nobody's host: not a word about anybody, and nothing of what was sent. */
static void
show_nobody(const Request *request, Response *response)
{
  Frame frame = {.language = language_choose(NULL, NULL, request->accept_language, "nl")};
  text_use(frame.language);
  const char *const texts[] = {_("There is nothing at this address."), NULL};
  response_set_page(response, 421,
                    page_simple(&frame, _("We cannot find this page"), texts));
}

void
viewer_answer(const Viewer *viewer, const Request *request, Response *response,
              gboolean *secure)
{
  Visit visit = {.viewer = viewer, .request = request, .response = response};
  *secure = TRUE;
  if (request->host != NULL)
    visit.organisation = conf_organisation_of_host(viewer->config, request->host);
  if (visit.organisation == NULL) {
    show_nobody(request, response);
    return;
  }
  *secure = visit.secure = g_str_has_prefix(visit.organisation->viewer_url, "https://");
  visit.route = route_find(request->method, request->path);
  visit.frame.organisation = visit.organisation;
  visit.frame.self = handlers[visit.route.kind].self;
  response->framed = visit.route.kind == ROUTE_HTML; /* whatever comes of it */
  choose_language(&visit);
  if (request->refusal != 0)
    show_refusal(&visit, request->refusal);
  else
    handlers[visit.route.kind].handle(&visit);
  visit_clear(&visit);
}
