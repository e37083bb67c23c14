/* A message of anybody: who wrote it, which marks go, and what is written about it. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "common/book/domain.h"
#include "common/mail/header.h"
#include "milter/auth_results.h"
#include "milter/inward_plan.h"

#define ID "mail.own.nl"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The header in TEXT: a field for each line that has a colon. */
static Fields *
read_fields(const char *text)
{
  Fields *fields = fields_new();
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) parts = g_strsplit(*line, ":", 2);
    if (parts[0] != NULL && *parts[0] != '\0' && parts[1] != NULL)
      fields_add(fields, parts[0], parts[1]);
  }
  return fields;
}

/* Nothing in VALUE ends its property, its line or the field. */
static void
assert_one_property(const char *value)
{
  g_autoptr(AuthResults) results = auth_results_new(value);
  auth_results_add(results, "spf", "pass", value);
  auth_results_property(results, "smtp.helo", value);
  g_autofree char *text = auth_results_value(results);
  gboolean quoted = FALSE;
  guint results_seen = 0;
  for (const char *p = text; *p != '\0'; p++) {
    g_assert_true((*p >= 0x20 && *p < 0x7f) || (!quoted && (*p == '\n' || *p == '\t')));
    if (quoted && *p == '\\')
      p++;
    else if (*p == '"')
      quoted = !quoted;
    else if (!quoted && *p == ';')
      results_seen++;
  }
  g_assert_false(quoted);
  g_assert_cmpuint(results_seen, ==, 1);
}

/* After the plan there is one field in our name, the first, and no mark of anybody else. */
static void
assert_marks(const Fields *fields, const char *author)
{
  g_autoptr(GPtrArray) signatures = g_ptr_array_new();
  g_autoptr(GPtrArray) organisations = g_ptr_array_new();
  const Organisation organisation = {.secure_subject = (char *) "[veilig]"};
  g_ptr_array_add(organisations, (gpointer) &organisation);
  const InwardFacts facts = {.signatures = signatures};
  const InwardDecision decision = {.dmarc = DMARC_TEMPERROR};
  const InwardMessage message = {.fields = fields,
                                 .authserv_id = ID,
                                 .author = author,
                                 .organisations = organisations};
  g_autoptr(Plan) plan = inward_plan(&facts, &decision, &message);
  g_autoptr(Fields) leaving = plan_leaving_fields(plan, fields);
  for (guint i = 0; i < leaving->list->len; i++) {
    const Field *field = leaving->list->pdata[i];
    g_assert_false(g_ascii_strncasecmp(field->name, "X-Zegel-", 8) == 0);
    g_assert_false(field_is(field, NTA_HEADER));
    gboolean ours =
        field_is(field, AUTH_RESULTS_HEADER) && auth_results_is_of(field->value, ID);
    g_assert_true(ours == (i == 0));
    if (field_is(field, "Subject")) {
      g_autofree char *text = mail_decode_text(field->value);
      g_assert_false(g_ascii_strncasecmp(text, "[veilig]", 8) == 0);
    }
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  mail_init();
  g_autofree char *text = g_strndup((const char *) data, size);
  if (*text == '\0')
    return 0;
  assert_one_property(text);
  g_autoptr(Fields) fields = read_fields(text);
  g_autofree char *author = NULL;
  if (author_find(fields, &author) == AUTHOR_ONE) {
    g_autofree char *canonical = domain_canonical(author);
    g_assert_cmpstr(canonical, ==, author);
  } else {
    g_assert_null(author);
  }
  assert_marks(fields, author);
  return 0;
}
