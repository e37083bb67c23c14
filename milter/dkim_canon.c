#include "milter/dkim_canon.h"

#include <string.h>

#define OUT_BYTES 4096 /* gathered before it is hashed */

struct DkimBody {
  CryptHash *hash;
  guint64 ends;   /* line ends that were not written: nothing may come after them */
  gboolean blank; /* blanks that were not written: the line may end here */
  gboolean cr;    /* so was a CR */
  gboolean any;   /* something was written */
  gsize len;      /* of out */
  char out[OUT_BYTES];
};

static gboolean
is_blank(char c)
{
  return c == ' ' || c == '\t';
}

void
dkim_canon_field(GString *text, const char *name, const char *value)
{
  gboolean blank = FALSE, begun = FALSE;
  for (const char *p = name; *p != '\0'; p++)
    if (!is_blank(*p))
      g_string_append_c(text, g_ascii_tolower(*p));
  g_string_append_c(text, ':');
  for (; *value != '\0'; value++) {
    if (*value == '\r' || *value == '\n')
      continue;
    if (is_blank(*value)) {
      blank = TRUE;
      continue;
    }
    if (blank && begun)
      g_string_append_c(text, ' ');
    blank = FALSE;
    begun = TRUE;
    g_string_append_c(text, *value);
  }
}

DkimBody *
dkim_canon_body_new(void)
{
  DkimBody *body = g_new0(DkimBody, 1);
  body->hash = crypt_hash_new();
  return body;
}

void
dkim_canon_body_free(DkimBody *body)
{
  if (body == NULL)
    return;
  crypt_hash_free(body->hash);
  g_free(body);
}

static void
flush(DkimBody *body)
{
  crypt_hash_update(body->hash, body->out, body->len);
  body->len = 0;
}

static inline void
put(DkimBody *body, char c)
{
  if (body->len == OUT_BYTES)
    flush(body);
  body->any = TRUE;
  body->out[body->len++] = c;
}

/* Writes what was held back: something comes after it. */
static void
put_held(DkimBody *body)
{
  for (; body->ends > 0; body->ends--) {
    put(body, '\r');
    put(body, '\n');
  }
  if (body->blank)
    put(body, ' ');
  body->blank = FALSE;
}

void
dkim_canon_body_add(DkimBody *body, const void *bytes, gsize len)
{
  const char *at = bytes;
  for (const char *end = at + len; at < end; at++) {
    if (*at == '\n') {
      body->ends++;
      body->blank = body->cr = FALSE;
      continue;
    }
    if (body->cr) { /* it ended no line */
      put_held(body);
      put(body, '\r');
      body->cr = FALSE;
    }
    if (is_blank(*at))
      body->blank = TRUE;
    else if (*at == '\r')
      body->cr = TRUE;
    else {
      if (body->blank || body->ends > 0)
        put_held(body);
      put(body, *at);
    }
  }
}

void
dkim_canon_body_finish(DkimBody *body, guint8 out[CRYPT_SHA256_BYTES])
{
  if (body->cr) {
    put_held(body);
    put(body, '\r');
  }
  if (body->any) { /* an empty body stays empty, all others end with one CRLF */
    put(body, '\r');
    put(body, '\n');
  }
  flush(body);
  crypt_hash_finish(body->hash, out);
}
