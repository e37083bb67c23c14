/* Any bytes as the file of roles; what is read keeps its meaning when somebody is added. */
#include <glib.h>
#include <stdint.h>

#include "zegelctl/role.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autoptr(Roles) roles = roles_parse("roles", (const char *) data, size, NULL);
  if (roles == NULL || roles_of(roles, "newcomer") == ROLE_ADMINISTRATOR)
    return 0;
  g_autoptr(Edit) edit = roles_change(roles, "newcomer", ROLE_ADMINISTRATOR, NULL);
  g_assert_nonnull(edit);
  GString *text = edit_apply(edit, (const char *) data, size);
  g_autoptr(Roles) again = roles_parse("again", text->str, text->len, NULL);
  g_string_free(text, TRUE);
  g_assert_true(again != NULL || roles_count(roles) == ROLE_MAX_USERS);
  for (guint i = 0; again != NULL && i < roles_count(roles); i++) {
    Role role;
    const char *user = roles_nth(roles, i, &role);
    if (g_strcmp0(user, "newcomer") != 0)
      g_assert_cmpint(roles_of(again, user), ==, role);
  }
  return 0;
}
