#include "zegelctl/probe.h"

#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "common/ask/check.h"
#include "common/base/error.h"
#include "zegelctl/smtp.h"

#define PORT        "25"
#define TLSA_PREFIX "_25._tcp."
#define SECURE      " secure"
#define SHOWN_BYTES 100 /* of a server's text */

typedef struct {
  const char *domain;
  const char *helo;
  gint64 end_us;
  GString *evidence;
  CheckResult contact; /* of NTA7516@DOMAIN; unknown: not answered yet */
  char *contact_text;  /* what the server said; NULL: not asked */
} Probe;

/* ---- Which hosts ---- */

static void
host_free(gpointer p)
{
  ProbeHost *host = p;
  g_free(host->host);
  g_strfreev(host->tlsa);
  g_free(host);
}

static const CheckLine *
find_line(const GPtrArray *lines, const char *code)
{
  for (guint i = 0; i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    if (strcmp(line->code, code) == 0)
      return line;
  }
  return NULL;
}

/* The host that begins at PIECE, with the records behind it. */
static ProbeHost *
parse_host(char **piece)
{
  ProbeHost *host = g_new0(ProbeHost, 1);
  const char *name = *piece + strlen(TLSA_PREFIX);
  gboolean secure = strcmp(name + strcspn(name, " "), SECURE) == 0;
  g_autoptr(GStrvBuilder) tlsa = g_strv_builder_new();
  host->host = g_strndup(name, strcspn(name, " "));
  for (char **record = piece + 1;
       *record != NULL && !g_str_has_prefix(*record, TLSA_PREFIX); record++)
    if (secure && !g_str_has_suffix(*record, ")")) /* "(not usable)" */
      g_strv_builder_add(tlsa, *record);
  host->tlsa = g_strv_builder_end(tlsa);
  return host;
}

GPtrArray *
probe_hosts(const GPtrArray *lines)
{
  GPtrArray *hosts = g_ptr_array_new_with_free_func(host_free);
  const CheckLine *line = find_line(lines, "Z-N1-TLSA");
  g_auto(GStrv) pieces = g_strsplit(line != NULL ? line->evidence : "", "; ", -1);
  for (char **piece = pieces; *piece != NULL; piece++)
    if (g_str_has_prefix(*piece, TLSA_PREFIX))
      g_ptr_array_add(hosts, parse_host(piece));
  return hosts;
}

/* ---- One address ---- */

/* The first line of TEXT, short enough to show. */
static char *
first_line(const GString *text)
{
  g_autofree char *line = g_strndup(text->str, MIN(strcspn(text->str, "\n"), SHOWN_BYTES));
  return g_utf8_make_valid(line, -1);
}

static gboolean
has_starttls(const GString *text)
{
  g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (g_ascii_strcasecmp(*line, "STARTTLS") == 0)
      return TRUE;
  return FALSE;
}

/* Sends COMMAND, which must be answered WANTED: else *FOUND says what came instead. */
static CheckResult
expect(Smtp *smtp, const char *command, int wanted, GString *text, char **found)
{
  g_autoptr(GError) error = NULL;
  int code = smtp_talk(smtp, command, text, &error);
  if (code == wanted)
    return CHECK_PASS;
  if (code < 0) {
    *found = g_strdup(error->message);
    return g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID) ? CHECK_FAIL
                                                                    : CHECK_UNKNOWN;
  }
  g_autofree char *line = first_line(text);
  *found = g_strdup_printf("%s is answered \"%d %s\"",
                           command != NULL ? command : "a connection", code, line);
  return code < 500 ? CHECK_UNKNOWN : CHECK_FAIL;
}

static CheckResult
greet(const Probe *probe, Smtp *smtp, GString *text, char **found)
{
  g_autofree char *ehlo = g_strconcat("EHLO ", probe->helo, NULL);
  return expect(smtp, ehlo, 250, text, found);
}

/* Asks once, of the first server that lets us, whether the contact address is there. */
static void
ask_contact(Probe *probe, Smtp *smtp, const char *host)
{
  g_autoptr(GString) text = g_string_new(NULL);
  g_autofree char *rcpt = g_strdup_printf("RCPT TO:<NTA7516@%s>", probe->domain);
  g_autofree char *found = NULL;
  if (probe->contact != CHECK_UNKNOWN || greet(probe, smtp, text, &found) != CHECK_PASS ||
      expect(smtp, "MAIL FROM:<>", 250, text, &found) != CHECK_PASS)
    return;
  probe->contact = expect(smtp, rcpt, 250, text, &found);
  g_autofree char *line = first_line(text);
  g_free(probe->contact_text);
  probe->contact_text = probe->contact == CHECK_PASS
                            ? g_strdup_printf("%s: \"250 %s\"", host, line)
                            : g_strdup_printf("%s: %s", host, found);
}

/* What the TLS of SMTP proves. */
static CheckResult
judge_tls(const Smtp *smtp, char **found)
{
  const char *reason = NULL;
  const TlsProbe *tls = smtp_tls(smtp);
  const char *protocol = tls_probe_protocol(tls);
  gboolean verified = tls_probe_is_verified(tls, &reason);
  if (tls_probe_is_dane(tls)) {
    *found = g_strdup_printf("%s, the certificate %s%s", protocol,
                             verified ? "matches its TLSA records"
                                      : "does not match its TLSA records: ",
                             verified ? "" : reason);
    return verified ? CHECK_PASS : CHECK_FAIL;
  }
  *found =
      g_strdup_printf("%s, no usable TLSA record; to the authorities of this machine "
                      "the certificate is %s%s",
                      protocol, verified ? "valid" : "not valid: ", verified ? "" : reason);
  return verified ? CHECK_PASS : CHECK_UNKNOWN;
}

/* From the greeting to QUIT; *FOUND gets what there was to see. */
static CheckResult
talk(Probe *probe, const ProbeHost *host, Smtp *smtp, char **found)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GString) text = g_string_new(NULL);
  const TlsPeer peer = {host->host, probe->domain, (const char *const *) host->tlsa};
  CheckResult result = expect(smtp, NULL, 220, text, found);
  if (result == CHECK_PASS)
    result = greet(probe, smtp, text, found);
  if (result != CHECK_PASS)
    return result;
  if (!has_starttls(text)) {
    *found = g_strdup("it does not offer STARTTLS");
    return CHECK_FAIL;
  }
  result = expect(smtp, "STARTTLS", 220, text, found);
  if (result != CHECK_PASS)
    return CHECK_FAIL; /* it offered it */
  if (!smtp_start_tls(smtp, &peer, &error)) {
    *found = g_strdup(error->message);
    return g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID) ? CHECK_FAIL
                                                                    : CHECK_UNKNOWN;
  }
  ask_contact(probe, smtp, host->host);
  smtp_talk(smtp, "QUIT", text, NULL);
  return judge_tls(smtp, found);
}

static CheckResult
probe_address(Probe *probe, const ProbeHost *host, const struct addrinfo *address)
{
  char number[NI_MAXHOST] = "?";
  g_autofree char *found = NULL;
  g_autoptr(GError) error = NULL;
  CheckResult result = CHECK_UNKNOWN;
  getnameinfo(address->ai_addr, address->ai_addrlen, number, sizeof number, NULL, 0,
              NI_NUMERICHOST);
  if (g_get_monotonic_time() > probe->end_us) {
    found = g_strdup("not tried: it took too long");
  } else {
    g_autoptr(Smtp) smtp = smtp_open(address, &error);
    if (smtp != NULL)
      result = talk(probe, host, smtp, &found);
    else
      found = g_strdup(error->message);
  }
  g_string_append_printf(probe->evidence, "%s%s [%s]: %s",
                         probe->evidence->len > 0 ? "; " : "", host->host, number, found);
  return result;
}

/* ---- All of them ---- */

/* A host passes when one of its addresses does and none that answers fails. */
static CheckResult
better(CheckResult a, CheckResult b)
{
  if (a == CHECK_FAIL || b == CHECK_FAIL)
    return CHECK_FAIL;
  return a == CHECK_PASS || b == CHECK_PASS ? CHECK_PASS : CHECK_UNKNOWN;
}

static CheckResult
worse(CheckResult a, CheckResult b)
{
  if (a == CHECK_FAIL || b == CHECK_FAIL)
    return CHECK_FAIL;
  return a == CHECK_UNKNOWN || b == CHECK_UNKNOWN ? CHECK_UNKNOWN : CHECK_PASS;
}

static CheckResult
probe_host(Probe *probe, const ProbeHost *host)
{
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *addresses = NULL;
  CheckResult result = CHECK_UNKNOWN;
  guint count = 0;
  int failure = getaddrinfo(host->host, PORT, &hints, &addresses);
  if (failure != 0) {
    g_string_append_printf(probe->evidence, "%s%s: %s",
                           probe->evidence->len > 0 ? "; " : "", host->host,
                           gai_strerror(failure));
    return CHECK_UNKNOWN;
  }
  for (const struct addrinfo *one = addresses; one != NULL && count < PROBE_MAX_ADDRESSES;
       one = one->ai_next, count++)
    result = better(result, probe_address(probe, host, one));
  freeaddrinfo(addresses);
  return result;
}

static CheckLine *
connect_line(const Probe *probe, CheckResult result)
{
  static const char *const cures[] = {
      [CHECK_PASS] = "",
      [CHECK_FAIL] = "offer STARTTLS with TLS 1.2 or better, and a certificate that a TLSA "
                     "record of the host matches",
      [CHECK_UNKNOWN] = "try again later, see that nothing between here and the host stops "
                        "port 25, and have the certificate proved by a TLSA record",
  };
  return check_line_new("Z-N3-CONNECT", result, FALSE,
                        "every host takes mail over TLS that is verified",
                        probe->evidence->str, cures[result]);
}

/* The line Z-N1-CONTACT with what the server said of that address. */
static void
replace_contact(const Probe *probe, GPtrArray *lines)
{
  CheckLine *line = (CheckLine *) find_line(lines, "Z-N1-CONTACT");
  if (line == NULL || probe->contact_text == NULL)
    return;
  line->result = probe->contact;
  g_free(line->evidence);
  line->evidence = g_strdup(probe->contact_text);
}

void
probe_run(const char *domain, const char *helo, GPtrArray *lines)
{
  g_autoptr(GPtrArray) hosts = probe_hosts(lines);
  g_autoptr(GString) evidence = g_string_new(NULL);
  Probe probe = {.domain = domain, .helo = helo, .evidence = evidence};
  probe.end_us = g_get_monotonic_time() + PROBE_TOTAL_MS * G_TIME_SPAN_MILLISECOND;
  probe.contact = CHECK_UNKNOWN;
  CheckResult result = CHECK_PASS;
  signal(SIGPIPE, SIG_IGN);
  for (guint i = 0; i < hosts->len; i++)
    result = worse(result, probe_host(&probe, hosts->pdata[i]));
  if (hosts->len > 0)
    g_ptr_array_add(lines, connect_line(&probe, result));
  replace_contact(&probe, lines);
  g_free(probe.contact_text);
}
