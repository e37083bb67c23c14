#include "common/submit/submit.h"

#include <string.h>

#include "common/base/error.h"
#include "common/submit/curl.h"

#define CONNECT_TIMEOUT_S 5
#define REPLY_MAX_BYTES   512 /* octets of a reply line, RFC 5321 4.5.3.1.5 */

/* What passes over one connection. */
typedef struct {
  const char *rest; /* of the message; borrowed */
  gsize rest_len;
  gboolean over;                   /* QUIT was said */
  char command[5];                 /* the verb that was sent last, "RCPT" */
  char reply[REPLY_MAX_BYTES + 1]; /* the last line that came */
} Dialogue;

gboolean
submit_init(GError **error)
{
  return curl_load(error) != NULL;
}

static size_t
give_message(char *buffer, size_t size, size_t count, void *data)
{
  Dialogue *dialogue = data;
  gsize len = MIN(size * count, dialogue->rest_len);
  if (len > 0)
    memcpy(buffer, dialogue->rest, len);
  dialogue->rest += len;
  dialogue->rest_len -= len;
  return len;
}

/* Copies LEN bytes of TEXT up to a line end, as a string, into SIZE bytes at OUT. */
static void
keep_line(char *out, gsize size, const char *text, gsize len)
{
  gsize keep = 0;
  while (keep < MIN(len, size - 1) && text[keep] != '\r' && text[keep] != '\n')
    keep++;
  memcpy(out, text, keep);
  out[keep] = '\0';
}

/*
 * libcurl tells of commands and replies only here; nothing is printed. After a refusal it
 * says QUIT; the answer to that says nothing any more.
 */
static int
note_dialogue(CURL *curl, curl_infotype type, char *text, size_t len, void *data)
{
  (void) curl;
  Dialogue *dialogue = data;
  if (type == CURLINFO_HEADER_OUT && len >= 4 && memcmp(text, "QUIT", 4) == 0)
    dialogue->over = TRUE;
  if (dialogue->over)
    return 0;
  if (type == CURLINFO_HEADER_OUT)
    keep_line(dialogue->command, sizeof dialogue->command, text, len);
  else if (type == CURLINFO_HEADER_IN)
    keep_line(dialogue->reply, sizeof dialogue->reply, text, len);
  return 0;
}

static size_t
discard(char *bytes, size_t size, size_t count, void *data)
{
  (void) bytes;
  (void) data;
  return size * count;
}

/* A control character would end the command line; '>' the path, unless it is quoted. */
static gboolean
address_is_clean(const char *address)
{
  gboolean quoted = FALSE;
  for (const char *p = address; *p != '\0'; p++) {
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
    if (*p == '"')
      quoted = !quoted;
    else if (*p == '\\' && quoted && p[1] != '\0')
      p++;
    else if (!quoted && (*p == '<' || *p == '>' || *p == ' '))
      return FALSE;
  }
  return !quoted && g_utf8_validate(address, -1, NULL);
}

static void
set_options(const Curl *lib, CURL *curl, const char *url, Dialogue *dialogue)
{
  lib->easy_setopt(curl, CURLOPT_URL, url);
  lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
  lib->easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
  lib->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  lib->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long) CONNECT_TIMEOUT_S);
  lib->easy_setopt(curl, CURLOPT_TIMEOUT, (long) SUBMIT_TIMEOUT_S);
  /* The time above does not bound the wait for the answer to QUIT; this does. */
  lib->easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long) SUBMIT_TIMEOUT_S);
  lib->easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  lib->easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) dialogue->rest_len);
  lib->easy_setopt(curl, CURLOPT_READFUNCTION, give_message);
  lib->easy_setopt(curl, CURLOPT_READDATA, dialogue);
  lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
  lib->easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* or the next is never called */
  lib->easy_setopt(curl, CURLOPT_DEBUGFUNCTION, note_dialogue);
  lib->easy_setopt(curl, CURLOPT_DEBUGDATA, dialogue);
}

/*
 * Only an answer to RCPT, or to the message itself, that is about an address, a mailbox or
 * the message (RFC 3463 3.2, 3.3, 3.7) is about this recipient. Any other 5xx, "Client host
 * rejected" among them, means that zegel-submit is set up wrongly: mail waits until it is
 * mended.
 */
static gboolean
is_refusal(const Dialogue *dialogue)
{
  return (strcmp(dialogue->command, "RCPT") == 0 ||
          strcmp(dialogue->command, "DATA") == 0) &&
         g_regex_match_simple("^5[0-9]{2} 5\\.[126]\\.", dialogue->reply, 0, 0);
}

char *
submit_queue_id(const char *reply)
{
  static const char words[] = "queued as ";
  const char *found = strstr(reply, words);
  if (found == NULL)
    return NULL;
  const char *start = found + strlen(words);
  gsize len = 0;
  while (g_ascii_isalnum(start[len]))
    len++;
  return len > 0 ? g_strndup(start, len) : NULL;
}

gboolean
submit_send(const char *url, const char *from, const char *to, const char *message,
            gsize len, char **queue_id, GError **error)
{
  if (queue_id != NULL)
    *queue_id = NULL;
  if (!address_is_clean(from) || !address_is_clean(to)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "the address cannot stand in an SMTP command");
    return FALSE;
  }
  const Curl *lib = curl_load(error);
  if (lib == NULL)
    return FALSE;
  CURL *curl = lib->easy_init();
  g_autofree char *from_path = g_strdup_printf("<%s>", from);
  g_autofree char *to_path = g_strdup_printf("<%s>", to);
  struct curl_slist *recipients = lib->slist_append(NULL, to_path);
  if (curl == NULL || recipients == NULL)
    g_error("out of memory");
  Dialogue dialogue = {.rest = message, .rest_len = len};
  set_options(lib, curl, url, &dialogue);
  lib->easy_setopt(curl, CURLOPT_MAIL_FROM, from_path);
  lib->easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
  CURLcode code = lib->easy_perform(curl);
  if (code == CURLE_OK && queue_id != NULL)
    *queue_id = submit_queue_id(dialogue.reply);
  if (code != CURLE_OK)
    g_set_error(error, ZEGEL_ERROR,
                is_refusal(&dialogue) ? ZEGEL_ERROR_INVALID : ZEGEL_ERROR_TEMPORARY,
                "%s: %s%s%s", url, lib->easy_strerror(code),
                *dialogue.reply != '\0' ? ": " : "", dialogue.reply);
  lib->slist_free_all(recipients);
  lib->easy_cleanup(curl);
  return code == CURLE_OK;
}
