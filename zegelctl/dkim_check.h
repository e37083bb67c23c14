/*
 * dkim_check.h - what the DNS has of a DKIM key of ours, as zegel-policyd sees it.
 *
 * policyd alone asks the DNS, so that what counts as secure here is what counts there.
 */
#pragma once

#include "zegelctl/dkim_files.h"

typedef enum {
  DKIM_VIEW_GOOD,     /* our key, under DNSSEC */
  DKIM_VIEW_INSECURE, /* our key, not under DNSSEC */
  DKIM_VIEW_ABSENT,
  DKIM_VIEW_OTHER,   /* another key, or no record of DKIM, or more than one */
  DKIM_VIEW_REVOKED, /* p= is empty */
  DKIM_VIEW_UNKNOWN, /* it could not be found out now */
  DKIM_VIEW_NONE     /* there is nothing of ours to compare with */
} DkimView;

/* "good", "insecure", ...: static; stable. */
const char *
dkim_view_name(DkimView view);

/* What VIEW of FILE of DOMAIN means and what to do: a new string for people. */
char *
dkim_view_text(DkimView view, const DkimFile *file, const char *domain);

/* Asks policyd at SOCKET, past its memory, for the record of FILE of DOMAIN, into *VIEW.
 * FALSE with ZEGEL_ERROR_TEMPORARY: policyd gives no answer. */
gboolean
dkim_look(const char *socket, const char *domain, const DkimFile *file, DkimView *view,
          GError **error);
