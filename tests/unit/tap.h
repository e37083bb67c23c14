/*
 * tap.h - starts GTest so that "make check" reads its results as TAP.
 */
#pragma once

#include <glib.h>

/* Prepares GTest with TAP output. Call first in main; then add tests and g_test_run. */
static inline void
tap_init(int argc, char **argv)
{
  static char tap[] = "--tap";
  static char **args; /* GTest keeps it; a leak checker must see who does */
  args = g_new0(char *, (gsize) argc + 2);
  for (int i = 0; i < argc; i++)
    args[i] = argv[i];
  args[argc++] = tap;
  g_test_init(&argc, &args, NULL);
}
