/*
 * doctor_world.c - what zegelctl doctor looks at outside of Postfix and zegel: the
 * resolver, and what the DNS says of our domains.
 */
#include <string.h>

#include "common/base/network.h"
#include "zegelctl/doctor.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* The addresses that the resolv.conf(5) in TEXT names, as they stand there. */
static GStrv
name_servers(const char *text)
{
  g_autoptr(GStrvBuilder) found = g_strv_builder_new();
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto(GStrv) words = g_strsplit_set(g_strstrip(lines[i]), " \t", 2);
    if (words[0] != NULL && strcmp(words[0], "nameserver") == 0 && words[1] != NULL)
      g_strv_builder_add(found, g_strstrip(words[1]));
  }
  return g_strv_builder_end(found);
}

static gboolean
is_loopback(const char *address)
{
  Network parsed;
  return network_parse_address(address, &parsed) && network_is_loopback(&parsed);
}

static void
check_loopback(const DoctorSubject *subject, DoctorReport *report)
{
  (void) subject;
  g_autofree char *text = NULL;
  g_autoptr(GError) error = NULL;
  if (!g_file_get_contents(RESOLV_CONF, &text, NULL, &error)) {
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "%s", error->message);
    return;
  }
  g_auto(GStrv) servers = name_servers(text);
  for (guint i = 0; servers[i] != NULL; i++)
    if (!is_loopback(servers[i]))
      doctor_say(
          report, DOCTOR_WRONG,
          "run a validating resolver here (Debian: apt install unbound), let " RESOLV_CONF
          " name 127.0.0.1 and nothing else, then restart Postfix",
          RESOLV_CONF " names %s: what comes from there over the network can be forged, "
                      "and Postfix would take its word for DANE",
          servers[i]);
}

const DoctorCheck doctor_world_checks[] = {
    {"resolver-loopback", "the resolver is on this machine", check_loopback},
    {.id = NULL},
};
