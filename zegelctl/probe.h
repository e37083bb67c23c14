/*
 * probe.h - connects to the mail servers of a domain, as its mail would (N3).
 *
 * What the DNS promises is policyd's to check; whether the servers keep it only they show.
 * Talks with strangers: run it without rights.
 */
#pragma once

#include <glib.h>

#define PROBE_MAX_ADDRESSES 8     /* of one host */
#define PROBE_TOTAL_MS      90000 /* after that no other address is tried */

typedef struct {
  char *host;
  GStrv tlsa; /* "3 1 1 HEX", secure and usable ones; may be empty */
} ProbeHost;

/*
 * The hosts (of ProbeHost) that LINES (of CheckLine, of one domain) name: the evidence of
 * Z-N1-TLSA is a list of "_25._tcp.HOST secure" with HOST's records behind it, joined by
 * "; ". Pure.
 */
GPtrArray *
probe_hosts(const GPtrArray *lines);

/*
 * Connects to port 25 of every address of the hosts that LINES name, and asks with
 * STARTTLS and TLS whether the certificate is what DANE has; asks one of them whether
 * NTA7516@DOMAIN exists. HELO is our name. Adds the line Z-N3-CONNECT to LINES, unless they
 * name no host, and puts the answer in the place of Z-N1-CONTACT. No mail is sent.
 */
void
probe_run(const char *domain, const char *helo, GPtrArray *lines);
