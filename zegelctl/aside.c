#include "zegelctl/aside.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

int
aside_run(int (*work)(gpointer data), gpointer data)
{
  int status = 0;
  fflush(stdout);
  pid_t pid = fork();
  if (pid < 0) {
    GError *error = NULL;
    zegel_error_errno(&error, ZEGEL_ERROR_TEMPORARY, errno, "fork");
    return command_fail(error);
  }
  if (pid == 0)
    _exit(work(data));
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return EX_OSERR;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}
