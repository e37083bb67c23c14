/* Any bytes as a preview: what comes of it is a dry question or an answer of few lines, and
 * each question is answered once. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/preview.h"

#define PEER 1

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
    "[organisation zorg]\ndomains = zorg.nl\nservice_domain = veilig.zorg.nl\n"
    "viewer_url = https://veilig.zorg.nl/\ndisplay_name = Zorg\n";

static Config *
config_of_zorg(void)
{
  static Config *config;
  if (config == NULL)
    config = conf_parse("fuzz", config_text, strlen(config_text), NULL);
  g_assert_nonnull(config);
  return config;
}

/* The question for routes promises nothing, whatever the bytes said; the number of its
 * recipients, or 0 when the service would cut it off. */
static guint
check_question(const char *block)
{
  g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
  g_assert_nonnull(attrs);
  g_assert_cmpstr(attrs_get(attrs, "request"), ==, "route");
  g_autoptr(RouteQuestion) question = route_question_parse(attrs, NULL);
  if (question == NULL)
    return 0;
  g_assert_true(question->dry_run && question->numbers && !question->inward);
  g_assert_cmpstr(question->organisation, ==, "zorg");
  return question->recipients->len;
}

/* Routes for COUNT recipients, as the service gives them. */
static char *
routes(guint count)
{
  g_autoptr(GPtrArray) answers =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  for (guint i = 0; i < count; i++)
    g_ptr_array_add(answers, route_answer_new(ROUTE_VIEWER, "Z-R1-VIEWER", "-"));
  g_autoptr(Attrs) attrs = route_answers_format(answers);
  return attrs_format(attrs, ATTR_ESCAPED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  g_autoptr(Previews) previews = previews_new();
  g_autofree char *question = NULL;
  g_autofree char *text = size > 0 ? g_memdup2(data, size) : g_strdup("");
  g_autofree char *answer =
      previews_ask(previews, config_of_zorg(), PEER, text, size, &question);
  g_assert_true(answer == NULL || question == NULL);
  g_assert_true(answer == NULL || g_str_has_prefix(answer, "version=1\nerror="));
  if (question == NULL)
    return 0;
  guint count = check_question(question);
  g_autofree char *found = count > 0 ? routes(count) : NULL;
  g_autofree char *told = previews_answer(previews, config_of_zorg(), PEER, found);
  g_assert_true((told != NULL) == (count > 0));
  g_assert_null(previews_answer(previews, config_of_zorg(), PEER, found));
  return 0;
}
