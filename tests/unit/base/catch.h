/*
 * catch.h - what goes to standard error between catch_begin and catch_end.
 */
#pragma once

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define CATCH_BYTES 65536

/* Where standard error is while it is caught. */
static int caught_fd, real_stderr;

/* From now on standard error is caught. */
static void
catch_begin(void)
{
  fflush(stderr);
  caught_fd = memfd_create("stderr", MFD_CLOEXEC);
  real_stderr = dup(STDERR_FILENO);
  g_assert_cmpint(caught_fd, >=, 0);
  g_assert_cmpint(dup2(caught_fd, STDERR_FILENO), ==, STDERR_FILENO);
}

/* The text, freed by the caller. */
static char *
catch_end(void)
{
  fflush(stderr);
  dup2(real_stderr, STDERR_FILENO);
  close(real_stderr);
  char *text = g_malloc0(CATCH_BYTES);
  g_assert_cmpint(pread(caught_fd, text, CATCH_BYTES - 1, 0), >=, 0);
  close(caught_fd);
  return text;
}
