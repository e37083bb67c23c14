/*
 * sms-http - hands a text message to a gateway over HTTPS. See sms-http(8).
 *
 * It asks once and follows nothing. It must never write number, text or password anywhere
 * but into that one request.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "sms/adapter.h"
#include "sms/http_settings.h"

#define CONFIG_FILE    ZEGEL_SYSCONFDIR "/sms-http.conf"
#define BODY_MAX_BYTES 65536 /* of an answer; the rest is not looked at */

/* One request; the strings hold secrets. */
typedef struct {
  CURL *curl;
  char *url;
  char *body; /* NULL for GET */
  struct curl_slist *headers;
  GByteArray *answer;
} Exchange;

static size_t
take_answer(char *bytes, size_t size, size_t count, void *data)
{
  GByteArray *answer = data;
  gsize len = MIN(size * count, BODY_MAX_BYTES - answer->len);
  g_byte_array_append(answer, (const guint8 *) bytes, (guint) len);
  return size * count;
}

static void
add_header(Exchange *exchange, const char *line)
{
  exchange->headers = curl_slist_append(exchange->headers, line);
  if (exchange->headers == NULL)
    g_error("out of memory");
}

static void
format_request(Exchange *exchange, const HttpSettings *settings, const Message *message)
{
  const Values values = {message->number, message->text, settings->user,
                         settings->password};
  exchange->url = template_expand(settings->url, PLACE_URL, &values);
  if (settings->is_post) {
    g_autofree char *type = g_strconcat("Content-Type: ", settings->content_type, NULL);
    exchange->body = template_expand(settings->body, settings->place, &values);
    add_header(exchange, type);
  }
  for (char **header = settings->headers; *header != NULL; header++) {
    char *line = template_expand(*header, PLACE_LINE, &values);
    if (*line != '\0')
      add_header(exchange, line);
    secret_wipe(line, strlen(line));
    g_free(line);
  }
  add_header(exchange, "Expect:"); /* nothing is asked twice */
}

static void
set_auth(CURL *curl, const HttpSettings *settings)
{
  switch (settings->auth) {
  case AUTH_NONE:
    break;
  case AUTH_BASIC:
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user != NULL ? settings->user : "");
    curl_easy_setopt(curl, CURLOPT_PASSWORD, settings->password);
    break;
  case AUTH_BEARER:
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long) CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, settings->password);
    break;
  }
}

/* One host, one request, verified, in time: no redirect, proxy, reuse or retry. */
static void
set_options(const Exchange *exchange, const HttpSettings *settings)
{
  CURL *curl = exchange->curl;
  curl_easy_setopt(curl, CURLOPT_URL, exchange->url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                   g_str_has_prefix(settings->url, "https:") ? "https" : "http");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  if (settings->ca_file != NULL)
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long) settings->timeout_s);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange->answer);
  set_auth(curl, settings);
  if (exchange->body != NULL) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) strlen(exchange->body));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, exchange->body);
  }
}

static Answer
ask(const Exchange *exchange, const HttpSettings *settings, CURLcode *code)
{
  long sent = 0, status = 0;
  *code = curl_easy_perform(exchange->curl);
  curl_easy_getinfo(exchange->curl, CURLINFO_REQUEST_SIZE, &sent);
  curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
  return (Answer){
      .begun = sent > 0,
      .complete = *code == CURLE_OK,
      .status = (guint) status,
      .wanted = http_settings_status_fits(settings, (guint) status),
      .body_fits = http_settings_body_fits(settings, (const char *) exchange->answer->data,
                                           exchange->answer->len),
      .is_trusted = *code != CURLE_PEER_FAILED_VERIFICATION,
  };
}

/* What curl says of itself names no URL, and the answer may repeat the text. */
static void
tell(Outcome outcome, const Answer *answer, CURLcode code)
{
  switch (outcome) {
  case OUTCOME_SENT:
    return;
  case OUTCOME_LATER:
  case OUTCOME_REFUSED:
    log_line(LOG_LEVEL_ALARM, "not sent: %s, status %u%s", curl_easy_strerror(code),
             answer->status,
             answer->wanted && !answer->body_fits ? ", and a body that is not of success"
                                                  : "");
    return;
  case OUTCOME_UNKNOWN:
    log_line(LOG_LEVEL_ALARM, "it may have been sent: %s, status %u",
             curl_easy_strerror(code), answer->status);
    return;
  }
}

static void
exchange_end(Exchange *exchange)
{
  curl_easy_cleanup(exchange->curl);
  curl_slist_free_all(exchange->headers);
  secret_wipe(exchange->url, strlen(exchange->url));
  g_free(exchange->url);
  if (exchange->body != NULL)
    secret_wipe(exchange->body, strlen(exchange->body));
  g_free(exchange->body);
  g_byte_array_unref(exchange->answer);
}

static Outcome
hand_over(const HttpSettings *settings, const Message *message)
{
  Exchange exchange = {.curl = curl_easy_init(), .answer = g_byte_array_new()};
  CURLcode code = CURLE_OK;
  if (exchange.curl == NULL)
    g_error("out of memory");
  g_byte_array_append(exchange.answer, (const guint8 *) "", 0);
  format_request(&exchange, settings, message);
  set_options(&exchange, settings);
  Answer answer = ask(&exchange, settings, &code);
  Outcome outcome = answer_decide(&answer);
  tell(outcome, &answer, code);
  exchange_end(&exchange);
  return outcome;
}

int
main(int argc, char **argv)
{
  (void) argv;
  g_auto(Message) message = {NULL, NULL};
  GError *error = NULL;
  adapter_begin("sms-http", argc, &message);
  g_autoptr(HttpSettings) settings = http_settings_load(CONFIG_FILE, &error);
  if (settings == NULL)
    adapter_die(error);
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    adapter_die(g_error_new_literal(ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "libcurl"));
  return adapter_status(hand_over(settings, &message));
}
