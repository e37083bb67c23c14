#include "common/base/label.h"

#include <string.h>

#include "common/base/error.h"

static const struct {
  Label label;
  const char *suffix;
} labels[] = {
    {LABEL_VIEWER, ".viewer." LABEL_ROOT}, {LABEL_DIRECT, ".direct." LABEL_ROOT},
    {LABEL_PREFER, ".prefer." LABEL_ROOT}, {LABEL_OWN, ".own." LABEL_ROOT},
    {LABEL_SEAL, ".seal." LABEL_ROOT},
};

const char *
label_suffix(Label label)
{
  for (guint i = 0; i < G_N_ELEMENTS(labels); i++)
    if (labels[i].label == label)
      return labels[i].suffix;
  return "";
}

static gboolean
has_suffix(const char *text, const char *suffix)
{
  gsize len = strlen(text);
  gsize suffix_len = strlen(suffix);
  return len > suffix_len && g_ascii_strcasecmp(text + (len - suffix_len), suffix) == 0;
}

Label
label_of(const char *address)
{
  for (guint i = 0; i < G_N_ELEMENTS(labels); i++)
    if (has_suffix(address, labels[i].suffix))
      return labels[i].label;
  return LABEL_NONE;
}

char *
label_strip(const char *address)
{
  gsize suffix_len = strlen(label_suffix(label_of(address)));
  return g_strndup(address, strlen(address) - suffix_len);
}

char *
label_add(const char *address, Label label, GError **error)
{
  const char *at = strrchr(address, '@');
  if (at == NULL || at[1] == '\0' || at[1] == '[' || has_suffix(at, "." LABEL_ROOT)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
                        "the address has no domain that can carry a label");
    return NULL;
  }
  const char *suffix = label_suffix(label);
  if (strlen(at + 1) + strlen(suffix) > LABEL_DOMAIN_MAX_BYTES) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT,
                        "the domain is too long to carry a label");
    return NULL;
  }
  return g_strconcat(address, suffix, NULL);
}
