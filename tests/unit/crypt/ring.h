/*
 * ring.h - key rings with fixed keys, for tests.
 */
#pragma once

#include <glib.h>
#include <string.h>

#include "common/crypt/key.h"

#define RING_KEY_OLD "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define RING_KEY_NEW "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="

/* A ring of PURPOSE with key 0000000A alone (old), or with 0000000B before it (new). */
static inline KeyRing *
ring_new(KeyPurpose purpose, gboolean rotated)
{
  const char *name = key_purpose_name(purpose);
  g_autofree char *text = g_strdup_printf(
      "%s%s%szegel-key 1 %s 0000000a " RING_KEY_OLD "\n", rotated ? "zegel-key 1 " : "",
      rotated ? name : "", rotated ? " 0000000b " RING_KEY_NEW "\n" : "", name);
  g_autoptr(GError) error = NULL;
  KeyRing *ring = keyring_parse(text, strlen(text), purpose, "test", &error);
  g_assert_no_error(error);
  return ring;
}
