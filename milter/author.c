#include "milter/author.h"

#include <string.h>

#include "common/book/domain.h"
#include "common/mail/header.h"

/*
 * The one domain of the From field RAW. Some that can be read beside some that cannot is
 * what confuses readers: AUTHOR_SEVERAL.
 */
static Author
find_domain(const char *raw, char **domain)
{
  g_auto(GStrv) given = mail_address_domains(raw);
  g_autofree char *found = NULL;
  gboolean unreadable = FALSE;
  for (char **one = given; *one != NULL; one++) {
    g_autofree char *name = domain_canonical(*one);
    if (name == NULL)
      unreadable = TRUE;
    else if (found != NULL && strcmp(found, name) != 0)
      return AUTHOR_SEVERAL;
    else if (found == NULL)
      found = g_steal_pointer(&name);
  }
  if (found == NULL)
    return AUTHOR_NONE;
  if (unreadable)
    return AUTHOR_SEVERAL;
  *domain = g_steal_pointer(&found);
  return AUTHOR_ONE;
}

Author
author_find(const Fields *fields, char **domain)
{
  *domain = NULL;
  guint count = fields_count(fields, "From");
  if (count == 0)
    return AUTHOR_NONE;
  if (count > 1)
    return AUTHOR_SEVERAL;
  return find_domain(fields_find(fields, "From", 1)->value, domain);
}
