#include "reader/serve.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "reader/facts.h"
#include "reader/message.h"

#define FRAME_HEAD_BYTES 4
#define DISCARD_BYTES    (64 * 1024)

typedef enum {
  INPUT_MESSAGE,
  INPUT_END,
  INPUT_BAD
} Input;

/* Reads LEN octets. Less only at the end, or -1. */
static gssize
read_all(int fd, guint8 *bytes, gsize len)
{
  gsize got = 0;
  while (got < len) {
    gssize n = read(fd, bytes + got, len - got);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    got += (gsize) n;
  }
  return (gssize) got;
}

static gboolean
write_all(int fd, const char *bytes, gsize len)
{
  while (len > 0) {
    gssize n = write(fd, bytes, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    bytes += n;
    len -= (gsize) n;
  }
  return TRUE;
}

/* Adds LEN octets from FD to MESSAGE, as many as fit. */
static gboolean
read_frame(int fd, GByteArray *message, gsize len, gboolean *is_cut)
{
  gsize take = MIN(len, MESSAGE_MAX_BYTES - message->len);
  guint before = message->len;
  g_byte_array_set_size(message, before + (guint) take);
  if (read_all(fd, message->data + before, take) != (gssize) take)
    return FALSE;
  *is_cut |= take < len;
  for (gsize left = len - take; left > 0;) {
    guint8 discarded[DISCARD_BYTES];
    gsize n = MIN(left, sizeof discarded);
    if (read_all(fd, discarded, n) != (gssize) n)
      return FALSE;
    left -= n;
  }
  return TRUE;
}

/* Reads the frames of a message. The end of input is one only where a message may begin. */
static Input
read_frames(int fd, GByteArray *message, gboolean *is_cut)
{
  for (gboolean is_first = TRUE;; is_first = FALSE) {
    guint8 head[FRAME_HEAD_BYTES];
    gssize n = read_all(fd, head, sizeof head);
    if (n == 0 && is_first)
      return INPUT_END;
    if (n != sizeof head)
      return INPUT_BAD;
    gsize len =
        (gsize) head[0] << 24 | (gsize) head[1] << 16 | (gsize) head[2] << 8 | head[3];
    if (len == 0)
      return INPUT_MESSAGE;
    if (len > SERVE_FRAME_MAX_BYTES || !read_frame(fd, message, len, is_cut))
      return INPUT_BAD;
  }
}

static gint64
cpu_seconds(void)
{
  struct timespec used = {0, 0};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec;
}

/* Answers the message BYTES (takes). *IS_LAST: the process is to end after it. */
static gboolean
answer(int out, GByteArray *bytes, gboolean is_cut, gboolean *is_last)
{
  gsize len = bytes->len;
  Message *message = message_parse(bytes);
  g_autoptr(Attrs) attrs = facts_new(message, is_cut);
  gboolean all = g_str_equal(attrs_get(attrs, "cut"), "0");
  *is_last |= !all || len > SERVE_LARGE_BYTES || cpu_seconds() >= SERVE_MAX_CPU_S;
  attrs_add_uint(attrs, "last", *is_last ? 1 : 0);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  /* To free a deep tree takes time and stack: it ends with the process. */
  if (!*is_last)
    message_free(message);
  return write_all(out, block, strlen(block));
}

int
serve_facts(int in, int out)
{
  for (guint served = 1;; served++) {
    GByteArray *message = g_byte_array_new();
    gboolean is_cut = FALSE;
    Input input = read_frames(in, message, &is_cut);
    if (input != INPUT_MESSAGE) {
      g_byte_array_unref(message);
      return input == INPUT_END ? EX_OK : EX_DATAERR;
    }
    gboolean is_last = served >= SERVE_MAX_MESSAGES;
    if (!answer(out, message, is_cut, &is_last))
      return EX_TEMPFAIL;
    if (is_last)
      return EX_OK;
  }
}
