/*
 * ask_each - how long single questions take: ask_each SOCKET.
 *
 * Standard input has blocks, each ended by an empty line. They are sent one after the
 * other, each when the answer to the one before has come. Prints, for each, the
 * microseconds and the answer in one line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#define MAX_BYTES 65536

static void
must(gboolean good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "ask_each: %s: %s\n", what, g_strerror(errno));
  exit(EXIT_FAILURE);
}

static int
connect_to(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  must(g_strlcpy(address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path,
       "path");
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof address) == 0, path);
  return fd;
}

static void
ask(int fd, const GString *question)
{
  char answer[MAX_BYTES + 1];
  gsize got = 0;
  gint64 begin_us = g_get_monotonic_time();
  must(send(fd, question->str, question->len, MSG_NOSIGNAL) == (gssize) question->len,
       "send");
  do {
    gssize n = recv(fd, answer + got, MAX_BYTES - got, 0);
    must(n > 0, "the server closed the connection");
    got += (gsize) n;
  } while (got < 2 || memcmp(answer + got - 2, "\n\n", 2) != 0);
  gint64 took_us = g_get_monotonic_time() - begin_us;
  answer[got - 2] = '\0';
  printf("%" G_GINT64_FORMAT " %s\n", took_us, g_strdelimit(answer, "\n", ' '));
  fflush(stdout);
}

int
main(int argc, char **argv)
{
  g_autofree char *line = NULL;
  size_t size = 0;
  if (argc != 2)
    return EXIT_FAILURE;
  int fd = connect_to(argv[1]);
  g_autoptr(GString) question = g_string_new(NULL);
  while (getline(&line, &size, stdin) > 0) {
    g_string_append(question, line);
    if (strcmp(line, "\n") != 0)
      continue;
    ask(fd, question);
    g_string_truncate(question, 0);
  }
  return EXIT_SUCCESS;
}
