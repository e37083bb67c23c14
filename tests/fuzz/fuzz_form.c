/* Harness for what a visitor types: forms, cookies, codes, languages. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "viewer-cgi/code.h"
#include "viewer-cgi/cookie.h"
#include "viewer-cgi/form.h"
#include "viewer-cgi/html.h"
#include "viewer-cgi/text.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is escaped holds no markup. */
static void
check_escaping(const char *text)
{
  Html *html = html_new();
  html_line(html, text);
  g_autoptr(GBytes) bytes = html_finish(html);
  gsize len = 0;
  const char *out = g_bytes_get_data(bytes, &len);
  for (gsize i = 0; i < len; i++)
    if (strchr("<>\"'\n", out[i]) != NULL)
      abort();
  if (len > 0 && !g_utf8_validate(out, (gssize) len, NULL))
    abort();
}

static void
check_code(const char *text)
{
  char code[STORE_CODE_DIGITS + 1];
  if (!code_normalise(text, code))
    return;
  for (guint i = 0; i < STORE_CODE_DIGITS; i++)
    if (!g_ascii_isdigit(code[i]))
      abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const char *bytes = size > 0 ? (const char *) data : "";
  g_autofree char *text = g_strndup(bytes, size);
  g_autoptr(Form) form = form_parse(bytes, size, NULL);
  const char *code = form_get(form, "code");
  SessionCookie cookie;
  cookie_session_parse(text, TRUE, &cookie);
  g_free(cookie_get(text, "zegel"));
  language_choose(NULL, NULL, text, "nl");
  check_code(text);
  check_escaping(text);
  if (code != NULL) {
    check_code(code);
    check_escaping(code);
  }
  return 0;
}
