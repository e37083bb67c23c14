#include "milter/try.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "milter/flow.h"
#include "milter/try_report.h"

#define CHUNK_BYTES 65535 /* that Postfix hands over at a time */

/* ---- The file ---- */

/* The length of the name that begins the field at LINE, or 0: it is none. RFC 5322 2.2. */
static gsize
name_length(const char *line, gsize len)
{
  gsize i = 0;
  while (i < len && line[i] > ' ' && line[i] < 0x7f && line[i] != ':')
    i++;
  gsize colon = i;
  while (colon < len && (line[colon] == ' ' || line[colon] == '\t'))
    colon++;
  return colon < len && line[colon] == ':' ? i : 0;
}

/* The length of the line at TEXT without its end; *NEXT is the length with it. */
static gsize
line_length(const char *text, gsize len, gsize *next)
{
  const char *end = memchr(text, '\n', len);
  gsize line = end != NULL ? (gsize) (end - text) : len;
  *next = end != NULL ? line + 1 : line;
  return line > 0 && text[line - 1] == '\r' ? line - 1 : line;
}

/* Adds the field in FOLDED (name, colon, value), and empties it. */
static void
end_field(Arrival *arrival, GString *folded)
{
  gsize len = name_length(folded->str, folded->len);
  if (len > 0) {
    g_autofree char *name = g_strndup(folded->str, len);
    arrival_add_field(arrival, name, strchr(folded->str + len, ':') + 1);
  }
  g_string_truncate(folded, 0);
}

/* Reads the header at TEXT; how many bytes of TEXT it is, with the line behind it. */
static gsize
read_header(Arrival *arrival, const char *text, gsize len)
{
  g_autoptr(GString) folded = g_string_new(NULL);
  gsize at = 0, next;
  for (; at < len; at += next) {
    gsize line = line_length(text + at, len - at, &next);
    gboolean more = line > 0 && (text[at] == ' ' || text[at] == '\t');
    if (at == 0 && g_str_has_prefix(text, "From "))
      continue; /* of a mailbox file */
    if (!more) {
      end_field(arrival, folded);
      if (line == 0)
        return at + next;
      if (name_length(text + at, line) == 0)
        return at; /* the body begins without an empty line */
    }
    g_string_append(folded, more ? "\n" : "");
    g_string_append_len(folded, text + at, (gssize) line);
  }
  end_field(arrival, folded);
  return len;
}

static GString *
read_body(const char *text, gsize len)
{
  GString *body = g_string_sized_new(len);
  gsize next;
  for (gsize at = 0; at < len; at += next) {
    gsize line = line_length(text + at, len - at, &next);
    g_string_append_len(body, text + at, (gssize) line);
    g_string_append(body, "\r\n");
  }
  return body;
}

/* ---- The envelope ---- */

static char *
add_brackets(const char *address)
{
  return *address == '<' ? g_strdup(address) : g_strdup_printf("<%s>", address);
}

static Arrival *
make_arrival(const TryOptions *options)
{
  g_autofree char *sender = add_brackets(options->sender);
  const char *const args[] = {sender, NULL};
  Arrival *arrival = arrival_new(args);
  for (char **recipient = options->recipients; *recipient != NULL; recipient++) {
    g_autofree char *bracketed = add_brackets(*recipient);
    const char *const rcpt[] = {bracketed, NULL};
    arrival_add_recipient(arrival, rcpt);
  }
  arrival->client.login = g_strdup(options->login);
  arrival->client.address =
      g_strdup(options->client != NULL ? options->client : "127.0.0.1");
  return arrival;
}

static gboolean
check_options(const TryOptions *options, GError **error)
{
  const char *wrong = NULL;
  if (options->sender == NULL)
    wrong = "--sender is missing";
  else if (options->recipients == NULL)
    wrong = "--recipient is missing";
  else if (options->client != NULL && !g_hostname_is_ip_address(options->client))
    wrong = "--client takes an IP address";
  if (wrong != NULL)
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, wrong);
  return wrong == NULL;
}

Trial *
trial_read(const TryOptions *options, GError **error)
{
  if (!check_options(options, error))
    return NULL;
  g_autoptr(GError) reason = NULL;
  g_autofree char *text = NULL;
  gsize len;
  if (!g_file_get_contents(options->file, &text, &len, &reason)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, reason->message);
    return NULL;
  }
  Trial *trial = g_new0(Trial, 1);
  trial->arrival = make_arrival(options);
  gsize header = read_header(trial->arrival, text, len);
  trial->body = read_body(text + header, len - header);
  return trial;
}

void
trial_free(Trial *trial)
{
  if (trial == NULL)
    return;
  arrival_free(trial->arrival);
  g_string_free(trial->body, TRUE);
  g_free(trial);
}

int
trial_run(Trial *trial, const Tools *tools, gboolean json)
{
  g_autoptr(Flow) flow = flow_new(tools, trial->arrival, NULL);
  for (gsize at = 0; flow_needs_body(flow) && at < trial->body->len; at += CHUNK_BYTES)
    flow_body(flow, trial->body->str + at, MIN(CHUNK_BYTES, trial->body->len - at));
  g_autoptr(Plan) plan = flow_finish(flow);
  g_autoptr(GString) out = g_string_new(NULL);
  (json ? try_report_json : try_report_text)(out, flow, plan, tools);
  fputs(out->str, stdout);
  if (plan->verdict != PLAN_REFUSE)
    return EX_OK;
  return plan->reply->smtp_code[0] == '4' ? EX_TEMPFAIL : TRY_REFUSED;
}
