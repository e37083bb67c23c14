#include "zegelctl/language.h"

#include <locale.h>
#include <stdlib.h>

#define DOMAIN "zegel"

void
language_use(const char *language)
{
  setenv("LANGUAGE", language, 1);
  /* "C" would silently stay English; C.UTF-8 is there on every system. */
  setlocale(LC_ALL, "C.UTF-8");
  bindtextdomain(DOMAIN, ZEGEL_LOCALEDIR);
  bind_textdomain_codeset(DOMAIN, "UTF-8");
  textdomain(DOMAIN);
}
