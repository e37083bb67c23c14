/*
 * intrude PID CALL ARGUMENT... - makes a running process do a system call of the tests'
 * choice, as somebody would who took it over, and prints what the kernel answered: a
 * number, -ERRNO, or "killed SIGNAL".
 *
 * CALL is its name. An argument is a number, or text, or hex:BYTES, whose address it is
 * then. Only root can do it (ptrace). For x86-64.
 */
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <glib.h>

#include "config.h"

#define MAX_ARGUMENTS   6
#define ROOM_BYTES      4096 /* for each argument, on the stack, below what is in use */
#define UNUSED_BYTES    1024 /* the red zone, and more */
#define ATTEMPTS        100  /* to find it in a system call */
#define SYSCALL_BYTES   2
#define SYSCALL_OPCODES 0x050f

typedef struct {
  pid_t pid;
  struct user_regs_struct before; /* it waits in a system call */
} Victim;

static void
die(const char *what)
{
  perror(what);
  exit(EX_OSERR);
}

/* Stops VICTIM in the middle of a system call: there is the instruction that we need. */
static void
stop(Victim *victim)
{
  if (ptrace(PTRACE_SEIZE, victim->pid, NULL, NULL) < 0)
    die("ptrace");
  for (int i = 0; i < ATTEMPTS; i++) {
    int status;
    ptrace(PTRACE_INTERRUPT, victim->pid, NULL, NULL);
    if (waitpid(victim->pid, &status, __WALL) < 0 || !WIFSTOPPED(status))
      die("waitpid");
    ptrace(PTRACE_GETREGS, victim->pid, NULL, &victim->before);
    long code =
        ptrace(PTRACE_PEEKTEXT, victim->pid, victim->before.rip - SYSCALL_BYTES, NULL);
    if ((code & 0xffff) == SYSCALL_OPCODES)
      return;
    ptrace(PTRACE_CONT, victim->pid, NULL, NULL);
    g_usleep(10000);
  }
  die("it is never in a system call");
}

static void
write_bytes(const Victim *victim, guint64 address, const char *bytes, gsize len)
{
  for (gsize done = 0; done < len; done += sizeof(long)) {
    long word = 0;
    memcpy(&word, bytes + done, MIN(sizeof word, len - done));
    if (ptrace(PTRACE_POKEDATA, victim->pid, address + done, word) < 0)
      die("poke");
  }
}

/* WORD as a number, or the address at which it now is in VICTIM; it is the one of INDEX. */
static guint64
place(const Victim *victim, const char *word, guint index)
{
  gint64 number;
  guint64 address = victim->before.rsp - UNUSED_BYTES - (index + 1) * ROOM_BYTES;
  if (g_ascii_string_to_signed(word, 10, G_MININT64, G_MAXINT64, &number, NULL))
    return (guint64) number;
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  if (g_str_has_prefix(word, "hex:")) {
    for (const char *c = word + 4; c[0] != '\0' && c[1] != '\0'; c += 2) {
      guint8 byte = (guint8) (g_ascii_xdigit_value(c[0]) * 16 + g_ascii_xdigit_value(c[1]));
      g_byte_array_append(bytes, &byte, 1);
    }
  } else {
    g_byte_array_append(bytes, (const guint8 *) word, (guint) strlen(word) + 1);
  }
  if (bytes->len > ROOM_BYTES)
    exit(EX_USAGE);
  write_bytes(victim, address & ~7ULL, (const char *) bytes->data, bytes->len);
  return address & ~7ULL;
}

/* Does the call and says what came of it. */
static void
call(const Victim *victim, int number, char **words)
{
  struct user_regs_struct regs = victim->before;
  unsigned long long *arguments[MAX_ARGUMENTS] = {&regs.rdi, &regs.rsi, &regs.rdx,
                                                  &regs.r10, &regs.r8,  &regs.r9};
  for (guint i = 0; i < MAX_ARGUMENTS && words[i] != NULL; i++)
    *arguments[i] = place(victim, words[i], i);
  regs.rax = (guint) number;
  regs.orig_rax =
      (unsigned long long) -1; /* what was interrupted is not begun again here */
  regs.rip -= SYSCALL_BYTES;
  int status;
  if (ptrace(PTRACE_SETREGS, victim->pid, NULL, &regs) < 0 ||
      ptrace(PTRACE_SINGLESTEP, victim->pid, NULL, NULL) < 0 ||
      waitpid(victim->pid, &status, __WALL) < 0)
    die("the call");
  if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSYS) {
    ptrace(PTRACE_CONT, victim->pid, NULL, SIGSYS);
    waitpid(victim->pid, &status, __WALL);
  }
  if (WIFSIGNALED(status)) {
    printf("killed %d\n", WTERMSIG(status));
    return;
  }
  ptrace(PTRACE_GETREGS, victim->pid, NULL, &regs);
  printf("%lld\n", (long long) regs.rax);
  ptrace(PTRACE_SETREGS, victim->pid, NULL, &victim->before);
  ptrace(PTRACE_DETACH, victim->pid, NULL, NULL);
}

int
main(int argc, char **argv)
{
  guint64 pid;
  if (argc < 3 || !g_ascii_string_to_unsigned(argv[1], 10, 2, G_MAXINT32, &pid, NULL))
    return EX_USAGE;
  int number = seccomp_syscall_resolve_name(argv[2]);
  if (number < 0)
    return EX_USAGE;
  Victim victim = {.pid = (pid_t) pid};
  stop(&victim);
  call(&victim, number, argv + 3);
  return EX_OK;
}
