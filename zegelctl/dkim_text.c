#include "zegelctl/dkim_text.h"

#include <string.h>

#include "common/book/domain.h"
#include "zegelctl/text.h"

#define STRING_MAX_BYTES 255 /* of one string of a TXT record, RFC 1035 3.3 */
#define TTL_S            3600
#define INDENT           4

char *
dkim_record_name(const char *selector, const char *domain)
{
  g_autofree char *joined = g_strconcat(selector, "._domainkey.", domain, NULL);
  return domain_canonical(joined);
}

char *
dkim_record_zone(const char *name, const char *record)
{
  gsize len = strlen(record);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_append_printf(text, "%s. %d IN TXT ", name, TTL_S);
  if (len <= STRING_MAX_BYTES) {
    g_string_append_printf(text, "\"%s\"\n", record);
    return g_string_free(g_steal_pointer(&text), FALSE);
  }
  g_string_append(text, "(");
  for (gsize at = 0; at < len; at += STRING_MAX_BYTES)
    g_string_append_printf(text, "\n  \"%.*s\"", STRING_MAX_BYTES, record + at);
  g_string_append(text, " )\n");
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static const char *
type_of(const DkimFile *file)
{
  return file->algorithm == SIGN_ED25519_SHA256 ? "ed25519" : "rsa";
}

/* Whether its type and length are known. */
static gboolean
is_read(const DkimFile *file)
{
  return file->record != NULL && file->state != DKIM_ELSEWHERE;
}

static void
append_paragraph(GString *out, const char *text)
{
  g_string_append_printf(out, "%*s", INDENT, "");
  text_wrap(out, INDENT, INDENT + 2, text);
}

static void
append_records(GString *out, const char *domain, const DkimFile *file)
{
  g_autofree char *name = dkim_record_name(file->selector, domain);
  if (file->record == NULL || name == NULL)
    return;
  g_autofree char *zone = dkim_record_zone(name, file->record);
  g_string_append(out, zone);
}

void
dkim_append_text(GString *out, const char *domain, const GPtrArray *files,
                 const GArray *views, gboolean records)
{
  g_string_append_printf(out, "%s%s\n", domain, files->len == 0 ? ": no DKIM key" : "");
  for (guint i = 0; i < files->len; i++) {
    const DkimFile *file = files->pdata[i];
    g_string_append_printf(out, "  %s  %s", file->selector, dkim_state_name(file->state));
    if (is_read(file))
      g_string_append_printf(out, "  %s %u", type_of(file), file->bits);
    g_string_append(out, file->signs ? "  signs\n" : "\n");
    if (file->fault != NULL)
      append_paragraph(out, file->fault);
    if (views != NULL && file->state != DKIM_RETIRED) {
      g_autofree char *text =
          dkim_view_text(g_array_index(views, DkimView, i), file, domain);
      append_paragraph(out, text);
    }
    if (records)
      append_records(out, domain, file);
  }
}

static void
append_key_json(GString *out, const char *domain, const DkimFile *file,
                const DkimView *view)
{
  g_autofree char *name = dkim_record_name(file->selector, domain);
  json_append_pair(out, "selector", file->selector, TRUE);
  json_append_pair(out, "state", dkim_state_name(file->state), TRUE);
  g_string_append_printf(out, "\"signs\": %s, ", file->signs ? "true" : "false");
  if (is_read(file)) {
    json_append_pair(out, "type", type_of(file), TRUE);
    g_string_append_printf(out, "\"bits\": %u, ", file->bits);
  }
  json_append_pair(out, "name", name != NULL ? name : "", TRUE);
  json_append_pair(out, "record", file->record != NULL ? file->record : "", TRUE);
  if (view != NULL)
    json_append_pair(out, "dns", dkim_view_name(*view), TRUE);
  json_append_pair(out, "fault", file->fault != NULL ? file->fault : "", FALSE);
}

void
dkim_append_json(GString *out, const char *domain, const GPtrArray *files,
                 const GArray *views)
{
  g_string_append_c(out, '{');
  json_append_pair(out, "domain", domain, TRUE);
  g_string_append(out, "\"keys\": [");
  for (guint i = 0; i < files->len; i++) {
    g_string_append(out, i == 0 ? "\n  {" : ",\n  {");
    append_key_json(out, domain, files->pdata[i],
                    views != NULL ? &g_array_index(views, DkimView, i) : NULL);
    g_string_append_c(out, '}');
  }
  g_string_append(out, files->len > 0 ? "\n]}" : "]}");
}
