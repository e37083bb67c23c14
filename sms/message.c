#include "sms/message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/phone.h"
#include "common/base/secret.h"

static gboolean
refuse(GError **error, const char *why)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, why);
  return FALSE;
}

/* The LEN bytes at INPUT end with NUL. */
static gboolean
parse(const char *input, gsize len, Message *message, GError **error)
{
  const char *newline = memchr(input, '\n', len);
  if (newline == NULL || memchr(input, '\0', len) != NULL)
    return refuse(error, "no number and text on standard input");
  message->number = g_strndup(input, (gsize) (newline - input));
  if (!phone_is_e164(message->number))
    return refuse(error, "the first line is no E.164 number");
  message->text = g_strchomp(g_strdup(newline + 1));
  if (*message->text == '\0' || !g_utf8_validate(message->text, -1, NULL))
    return refuse(error, "there is no text in UTF-8");
  return TRUE;
}

gboolean
message_read(int fd, Message *message, GError **error)
{
  g_autoptr(Secret) input = secret_new(MESSAGE_MAX_BYTES + 2);
  gsize have = 0;
  *message = (Message){NULL, NULL};
  for (;;) {
    gssize n = read(fd, secret_bytes(input) + have, MESSAGE_MAX_BYTES + 1 - have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "standard input");
      return FALSE;
    }
    have += (gsize) n;
    if (have > MESSAGE_MAX_BYTES)
      return refuse(error, "too much on standard input");
    if (n == 0)
      return parse((const char *) secret_peek(input), have, message, error);
  }
}

static void
wipe_string(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

void
message_clear(Message *message)
{
  wipe_string(message->number);
  wipe_string(message->text);
  *message = (Message){NULL, NULL};
}
