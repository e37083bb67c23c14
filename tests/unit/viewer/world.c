#include "tests/unit/viewer/world.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "common/crypt/ticket.h"
#include "viewer-cgi/token.h"

static const char mail[] = "From: Marieke <m@first.nl>\r\n"
                           "To: jan@example.com\r\n"
                           "Subject: Uitslag <b>x</b>\r\n"
                           "MIME-Version: 1.0\r\n"
                           "Content-Type: multipart/mixed; boundary=b\r\n"
                           "\r\n"
                           "--b\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n"
                           "\r\n"
                           "De uitslag is <goed>.\r\n"
                           "--b\r\n"
                           "Content-Type: text/html\r\n"
                           "Content-Disposition: attachment; filename=\"../a b.html\"\r\n"
                           "\r\n"
                           "<script>alert(1)</script>\r\n"
                           "--b--\r\n";

const char *
message_bytes(gsize *len)
{
  *len = sizeof mail - 1;
  return mail;
}

void
answer_clear(Answer *answer)
{
  g_free(answer->head);
  g_free(answer->body);
}

void
write_adapter(const World *world, const char *end)
{
  g_autofree char *text = g_strdup_printf("#!/bin/sh\ncat >>%s\n%s\n", world->outbox, end);
  g_assert_true(g_file_set_contents_full(world->adapter, text, -1, G_FILE_SET_CONTENTS_NONE,
                                         0700, NULL));
}

/* Files the message with PARTS as the milter saw them; its link's token is a new string. */
char *
file_parts(const World *world, const char *organisation, const char *number, gint64 life_s,
           const GPtrArray *parts)
{
  g_autoptr(GError) error = NULL;
  guint8 ticket[TICKET_ID_BYTES];
  guint8 digest[CRYPT_SHA256_BYTES] = {0};
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  FilingMeta meta = {.organisation = organisation,
                     .ticket_id = ticket,
                     .body_sha256 = digest,
                     .sender = "m@first.nl",
                     .sender_name = "Marieke",
                     .message_id = "",
                     .queue_id = "4Abc",
                     .parts = parts,
                     .received_s = now_s,
                     .expires_s = now_s + life_s};
  FilingRecipient recipient = {.address = "jan@example.com", .number = number};
  g_assert_true(crypt_random(ticket, sizeof ticket, NULL));
  g_assert_true(crypt_random(recipient.link_nonce, sizeof recipient.link_nonce, NULL));
  g_assert_true(crypt_random(recipient.link_secret, sizeof recipient.link_secret, NULL));
  g_autoptr(Filing) filing = filing_begin(world->viewer.store, &error);
  g_assert_no_error(error);
  g_assert_true(filing_write(filing, mail, sizeof mail - 1, NULL));
  g_assert_true(filing_commit(filing, &meta, &recipient, 1, &error));
  g_assert_no_error(error);
  return crypt_base64url(recipient.link_secret, sizeof recipient.link_secret);
}

/* Adds an attachment of LEN bytes at BYTES to PARTS. */
void
add_part(GPtrArray *parts, const char *bytes, gsize len)
{
  static char name[] = "a b.html";
  TicketPart *part = g_new0(TicketPart, 1);
  gsize digest_len = sizeof part->sha256;
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  g_checksum_update(checksum, (const guchar *) bytes, (gssize) len);
  g_checksum_get_digest(checksum, part->sha256, &digest_len);
  part->name = name;
  part->size = len;
  g_ptr_array_add(parts, part);
}

/* The same, as the milter saw it. */
char *
file_message(const World *world, const char *organisation, const char *number,
             gint64 life_s)
{
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
  add_part(parts, ATTACHMENT, strlen(ATTACHMENT));
  return file_parts(world, organisation, number, life_s, parts);
}

static Config *
make_config(const World *world)
{
  g_autofree char *reader =
      g_test_build_filename(G_TEST_BUILT, "reader", "zegel-reader", NULL);
  g_autofree char *text = g_strdup_printf(
      "[viewer]\nreader = %s\n[deliver]\nsubmit = smtp://127.0.0.1:1\n"
      "[sms]\ncommand = %s\ntimeout_s = 1\n"
      "[organisation first]\ndomains = first.nl\nservice_domain = s.first.nl\n"
      "viewer_url = https://" HOST "/\ndisplay_name = First\nlanguage = en\n"
      "[organisation second]\ndomains = second.nl\nservice_domain = s.second.nl\n"
      "viewer_url = https://" OTHER "/\ndisplay_name = Second\nlanguage = en\n",
      reader, world->adapter);
  g_autoptr(GError) error = NULL;
  Config *config = conf_parse("test", text, strlen(text), &error);
  g_assert_no_error(error);
  return config;
}

static KeyRing *
make_origin_keys(const char *dir)
{
  g_autofree char *path = g_build_filename(dir, "origin", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_true(key_file_generate(path, KEY_ORIGIN, &error));
  KeyRing *keys = keyring_load(path, KEY_ORIGIN, &error);
  g_assert_no_error(error);
  return keys;
}

void
set_up(World *world, gconstpointer data)
{
  (void) data;
  world->dir = g_dir_make_tmp("zegel-viewer-XXXXXX", NULL);
  world->adapter = g_build_filename(world->dir, "adapter", NULL);
  world->outbox = g_build_filename(world->dir, "outbox", NULL);
  g_autofree char *key = g_build_filename(world->dir, "key", NULL);
  g_autofree char *database = g_build_filename(world->dir, "zegel.db", NULL);
  g_autofree char *large = g_build_filename(world->dir, "large", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(g_mkdir(large, 0700), ==, 0);
  g_assert_true(key_file_generate(key, KEY_STORE, &error));
  world->keys = keyring_load(key, KEY_STORE, &error);
  g_assert_no_error(error);
  world->viewer.store = store_open(database, large, world->keys, &error);
  g_assert_no_error(error);
  world->viewer.token_key = token_key(world->keys, NULL);
  world->origin_keys = make_origin_keys(world->dir);
  world->viewer.origin_keys = world->origin_keys;
  world->config = make_config(world);
  world->viewer.config = world->config;
  write_adapter(world, "exit 0");
  world->link = file_message(world, "first", "+31612345678", 1000);
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
tear_down(World *world, gconstpointer data)
{
  (void) data;
  store_close(world->viewer.store);
  secret_free((Secret *) world->viewer.token_key);
  keyring_free(world->keys);
  keyring_free(world->origin_keys);
  conf_free(world->config);
  remove_tree(world->dir);
  g_free(world->dir);
  g_free(world->adapter);
  g_free(world->outbox);
  g_free(world->link);
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

static void
take_body(Answer *answer, Response *response)
{
  g_autoptr(GByteArray) all = g_byte_array_new();
  gsize len = 0;
  const guint8 *bytes =
      response->body != NULL ? g_bytes_get_data(response->body, &len) : NULL;
  if (len > 0)
    g_byte_array_append(all, bytes, (guint) len);
  if (response->reading != NULL) {
    g_autoptr(GBytes) rest = reading_all(response->reading, 1 << 20, NULL);
    g_assert_nonnull(rest);
    bytes = g_bytes_get_data(rest, &len);
    if (len > 0)
      g_byte_array_append(all, bytes, (guint) len);
  }
  answer->body_len = all->len;
  g_byte_array_append(all, (const guint8 *) "", 1);
  answer->body = (char *) g_byte_array_free(g_steal_pointer(&all), FALSE);
}

/* Asks METHOD URI of HOST_NAME with the headers EXTRA ("HTTP_X=..", may be NULL) and FORM.
 */
Answer
ask(const World *world, const char *method, const char *host_name, const char *uri,
    const char *extra, const char *form)
{
  g_autofree char *m = g_strconcat("REQUEST_METHOD=", method, NULL);
  g_autofree char *h = g_strconcat("HTTP_HOST=", host_name, NULL);
  g_autofree char *u = g_strconcat("REQUEST_URI=", uri, NULL);
  const char *body = form != NULL ? form : "";
  g_autofree char *l = g_strdup_printf("CONTENT_LENGTH=%zu", strlen(body));
  char type[] = "CONTENT_TYPE=application/x-www-form-urlencoded";
  g_autofree char *e = g_strdup(extra);
  char *variables[] = {m, h, u, l, type, e, NULL};
  g_autoptr(Request) request = request_read(variables, read_string, &body);
  g_autoptr(Response) response = response_new();
  gboolean secure = FALSE;
  viewer_answer(&world->viewer, request, response, &secure);
  g_assert_true(secure);
  Answer answer = {.status = response->status};
  answer.head = response_format_head(response, secure);
  take_body(&answer, response);
  return answer;
}

/* The token of the form that posts to ACTION, a new string; NULL when there is none. */
char *
find_token(const Answer *answer, const char *action)
{
  g_autofree char *start = g_strconcat(
      "action=\"", action, "\"><input type=\"hidden\" name=\"token\" value=\"", NULL);
  const char *found = strstr(answer->body, start);
  if (found == NULL)
    return NULL;
  found += strlen(start);
  return g_strndup(found, strcspn(found, "\""));
}

/* POSTs to ACTION with the token that PAGE has for it, and with FIELDS ("&a=b" or ""). */
Answer
submit(const World *world, const char *page, const char *action, const char *cookie,
       const char *fields)
{
  g_auto(Answer) shown = ask(world, "GET", HOST, page, cookie, NULL);
  g_autofree char *token = find_token(&shown, action);
  g_assert_nonnull(token);
  g_autofree char *form = g_strconcat("token=", token, fields, NULL);
  return ask(world, "POST", HOST, action, cookie, form);
}

guint
count_sms(const World *world)
{
  g_autofree char *text = NULL;
  guint count = 0;
  if (g_file_get_contents(world->outbox, &text, NULL, NULL))
    for (const char *p = text; (p = strstr(p, "\n@" HOST " #")) != NULL; p++)
      count++;
  return count;
}

/* The code of the last SMS, a new string. */
char *
last_code(const World *world)
{
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(world->outbox, &text, NULL, NULL));
  const char *mark = g_strrstr(text, " #");
  g_assert_nonnull(mark);
  return g_strndup(mark + 2, 6);
}

Answer
send_code(const World *world, const char *link)
{
  g_autofree char *page = g_strconcat("/l/", link, NULL);
  g_autofree char *action = g_strconcat(page, "/send", NULL);
  return submit(world, page, action, NULL, "");
}

Answer
try_code(const World *world, const char *link, const char *code)
{
  g_autofree char *page = g_strconcat("/l/", link, "/code", NULL);
  g_autofree char *field = g_strconcat("&code=", code, NULL);
  return submit(world, page, page, NULL, field);
}

/* The header "HTTP_COOKIE=..." that a browser sends after ANSWER; a new string. */
char *
take_cookie(const Answer *answer)
{
  const char *start = strstr(answer->head, "Set-Cookie: __Host-zegel=");
  g_assert_nonnull(start);
  start += strlen("Set-Cookie: ");
  g_autofree char *pair = g_strndup(start, strcspn(start, ";\r"));
  return g_strconcat("HTTP_COOKIE=", pair, NULL);
}

/* Sends a code for LINK and types it; the cookie header of the session. */
char *
log_in(const World *world, const char *link)
{
  g_auto(Answer) sent = send_code(world, link);
  g_assert_cmpuint(sent.status, ==, 303);
  g_autofree char *code = last_code(world);
  g_auto(Answer) entered = try_code(world, link, code);
  g_assert_cmpuint(entered.status, ==, 303);
  g_assert_nonnull(strstr(entered.head, "\r\nLocation: /m\r\n"));
  return take_cookie(&entered);
}

guint
status_of(const World *world, const char *host_name, const char *uri, const char *cookie)
{
  g_auto(Answer) answer = ask(world, "GET", host_name, uri, cookie, NULL);
  return answer.status;
}
