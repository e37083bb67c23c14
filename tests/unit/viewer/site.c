#include "tests/unit/viewer/site.h"

#include <glib/gstdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/store.h"
#include "viewer-cgi/text.h"
#include "viewer-cgi/token.h"

/* ---- The SMTP server ---- */

static gboolean
say(GOutputStream *out, const char *line)
{
  g_autofree char *reply = g_strconcat(line, "\r\n", NULL);
  return g_output_stream_write_all(out, reply, strlen(reply), NULL, NULL, NULL);
}

static void
keep(Site *site, const char *line)
{
  g_mutex_lock(&site->lock);
  g_string_append_printf(site->mails, "%s\n", line);
  g_mutex_unlock(&site->lock);
}

static gboolean
end_message(Site *site, GOutputStream *out)
{
  g_usleep(site->delay_ms * 1000UL);
  g_mutex_lock(&site->lock);
  site->mail_count++;
  g_mutex_unlock(&site->lock);
  return say(out, "250 2.0.0 Ok: queued as 4XyzQ");
}

/* Answers LINE, a command. FALSE: the connection ends. */
static gboolean
answer_command(Site *site, GOutputStream *out, const char *line, gboolean *in_message)
{
  if (g_str_has_prefix(line, "MAIL"))
    keep(site, "=====");
  if (g_str_has_prefix(line, "MAIL") || g_str_has_prefix(line, "RCPT"))
    keep(site, line);
  if (g_str_has_prefix(line, "RCPT") && site->refuse != NULL)
    return say(out, site->refuse);
  if (g_str_has_prefix(line, "QUIT"))
    return say(out, "221 bye") && FALSE;
  *in_message = g_str_has_prefix(line, "DATA");
  return say(out, *in_message ? "354 go" : "250 ok");
}

static void
talk(Site *site, GIOStream *stream)
{
  g_autoptr(GDataInputStream) in =
      g_data_input_stream_new(g_io_stream_get_input_stream(stream));
  g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  GOutputStream *out = g_io_stream_get_output_stream(stream);
  gboolean in_message = FALSE;
  gboolean on = say(out, "220 test");
  while (on) {
    g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);
    if (line == NULL)
      return;
    if (!in_message) {
      on = answer_command(site, out, line, &in_message);
    } else if (strcmp(line, ".") == 0) {
      in_message = FALSE;
      on = end_message(site, out);
    } else {
      keep(site, line);
    }
  }
}

static gpointer
run_server(gpointer data)
{
  Site *site = data;
  for (;;) {
    g_autoptr(GSocketConnection) connection =
        g_socket_listener_accept(site->listener, NULL, site->stop, NULL);
    if (connection == NULL)
      return NULL;
    talk(site, G_IO_STREAM(connection));
  }
}

/* Starts the server; its port. */
static guint
start_server(Site *site)
{
  g_autoptr(GInetAddress) ip = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
  g_autoptr(GSocketAddress) any = g_inet_socket_address_new(ip, 0);
  g_autoptr(GSocketAddress) bound = NULL;
  site->stop = g_cancellable_new();
  site->listener = g_socket_listener_new();
  g_assert_true(g_socket_listener_add_address(site->listener, any, G_SOCKET_TYPE_STREAM,
                                              G_SOCKET_PROTOCOL_TCP, NULL, &bound, NULL));
  site->thread = g_thread_new("smtp", run_server, site);
  return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(bound));
}

guint
site_mail_count(Site *site)
{
  g_mutex_lock(&site->lock);
  guint count = site->mail_count;
  g_mutex_unlock(&site->lock);
  return count;
}

char *
site_last_mail(Site *site)
{
  g_mutex_lock(&site->lock);
  const char *mark = g_strrstr(site->mails->str, "=====\n");
  char *mail = g_strdup(mark != NULL ? mark : "");
  g_mutex_unlock(&site->lock);
  return mail;
}

/* ---- The viewer ---- */

static Config *
make_config(guint port)
{
  g_autofree char *reader =
      g_test_build_filename(G_TEST_BUILT, "reader", "zegel-reader", NULL);
  g_autofree char *text = g_strdup_printf(
      "[viewer]\nreader = %s\nsubmit = smtp://127.0.0.1:%u\n"
      "[deliver]\nsubmit = smtp://127.0.0.1:%u\n"
      "[organisation first]\ndomains = first.nl\nservice_domain = s.first.nl\n"
      "viewer_url = https://" SITE_HOST "/\ndisplay_name = First\nlanguage = en\n"
      "form_recipient = desk@first.nl\nattachments_max_mb = 1\n"
      "[organisation second]\ndomains = second.nl\nservice_domain = s.second.nl\n"
      "viewer_url = https://" SITE_OTHER "/\ndisplay_name = Second\nlanguage = en\n",
      reader, port, port);
  g_autoptr(GError) error = NULL;
  Config *config = conf_parse("test", text, strlen(text), &error);
  g_assert_no_error(error);
  return config;
}

static KeyRing *
make_keys(const Site *site, const char *name, KeyPurpose purpose)
{
  g_autofree char *path = g_build_filename(site->dir, name, NULL);
  g_autoptr(GError) error = NULL;
  g_assert_true(key_file_generate(path, purpose, &error));
  KeyRing *keys = keyring_load(path, purpose, &error);
  g_assert_no_error(error);
  return keys;
}

Site *
site_new(void)
{
  Site *site = g_new0(Site, 1);
  g_autoptr(GError) error = NULL;
  g_mutex_init(&site->lock);
  log_open("site", g_getenv("SITE_LOG") != NULL);
  site->mails = g_string_new(NULL);
  site->dir = g_dir_make_tmp("zegel-site-XXXXXX", NULL);
  site->store_keys = make_keys(site, "store", KEY_STORE);
  site->origin_keys = make_keys(site, "origin", KEY_ORIGIN);
  site->config = make_config(start_server(site));
  g_autofree char *database = g_build_filename(site->dir, "zegel.db", NULL);
  g_autofree char *large = g_build_filename(site->dir, "large", NULL);
  g_assert_cmpint(g_mkdir(large, 0700), ==, 0);
  site->viewer = (Viewer){
      .config = site->config,
      .store = store_open(database, large, site->store_keys, &error),
      .token_key = token_key(site->store_keys, NULL),
      .store_keys = site->store_keys,
      .origin_keys = site->origin_keys,
  };
  g_assert_no_error(error);
  return site;
}

static void
remove_tree(const char *path)
{
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *entry = g_build_filename(path, name, NULL);
    remove_tree(entry);
  }
  g_remove(path);
}

void
site_free(Site *site)
{
  g_cancellable_cancel(site->stop);
  g_thread_join(site->thread);
  g_socket_listener_close(site->listener);
  g_object_unref(site->stop);
  g_object_unref(site->listener);
  store_close(site->viewer.store);
  secret_free((Secret *) site->viewer.token_key);
  keyring_free(site->store_keys);
  keyring_free(site->origin_keys);
  conf_free(site->config);
  remove_tree(site->dir);
  g_string_free(site->mails, TRUE);
  g_mutex_clear(&site->lock);
  g_free(site->dir);
  g_free(site);
}

/* ---- Requests ---- */

void
site_answer_clear(SiteAnswer *answer)
{
  g_free(answer->head);
  g_free(answer->body);
}

static gsize
read_string(gpointer source, gpointer buffer, gsize len)
{
  const char **text = source;
  gsize n = MIN(len, strlen(*text));
  memcpy(buffer, *text, n);
  *text += n;
  return n;
}

SiteAnswer
site_ask(const Site *site, const char *method, const char *host, const char *uri,
         const char *client, const char *type, const char *body)
{
  const char *rest = body != NULL ? body : "";
  g_autoptr(GPtrArray) variables = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(variables, g_strconcat("REQUEST_METHOD=", method, NULL));
  g_ptr_array_add(variables, g_strconcat("HTTP_HOST=", host, NULL));
  g_ptr_array_add(variables, g_strconcat("REQUEST_URI=", uri, NULL));
  g_ptr_array_add(variables,
                  g_strconcat("REMOTE_ADDR=", client != NULL ? client : "192.0.2.1", NULL));
  g_ptr_array_add(variables, g_strdup_printf("CONTENT_LENGTH=%zu", strlen(rest)));
  g_ptr_array_add(variables,
                  g_strconcat("CONTENT_TYPE=",
                              type != NULL ? type : "application/x-www-form-urlencoded",
                              NULL));
  g_ptr_array_add(variables, NULL);
  g_autoptr(Request) request = request_read((char **) variables->pdata, read_string, &rest);
  g_autoptr(Response) response = response_new();
  gboolean secure = FALSE;
  viewer_answer(&site->viewer, request, response, &secure);
  SiteAnswer answer = {.status = response->status};
  gsize len = 0;
  const char *bytes =
      response->body != NULL ? g_bytes_get_data(response->body, &len) : NULL;
  answer.body = g_strndup(bytes, len);
  answer.head = response_format_head(response, secure);
  return answer;
}

char *
site_token(const SiteAnswer *answer, const char *action)
{
  static const char field[] = "name=\"token\" value=\"";
  g_autofree char *start = g_strconcat("action=\"", action, "\"", NULL);
  const char *found = strstr(answer->body, start);
  if (found != NULL)
    found = strstr(found, field);
  g_assert_nonnull(found);
  if (found == NULL)
    return g_strdup("");
  found += strlen(field);
  return g_strndup(found, strcspn(found, "\""));
}
