/*
 * audit_reader.h - somebody who looks into the audit trail, and that he does.
 */
#pragma once

#include "common/audit/trail.h"
#include "common/conf/conf.h"

typedef struct {
  Config *config;
  KeyRing *keys; /* KEY_AUDIT */
  char *user;    /* who looks */
} AuditReader;

/* Reads the configuration and the key of the trail. FALSE with ZEGEL_ERROR_CONFIG, also for
 * who may not read the key. Freed with audit_reader_clear. */
gboolean
audit_reader_open(AuditReader *reader, GError **error);

/* Frees what READER holds. */
void
audit_reader_clear(AuditReader *reader);

/* A new EVENT_AUDIT_READ: READER asks for VIEW, the name of a command, about QUEUE_ID and
 * ORGANISATION (each may be NULL). */
Event *
audit_reader_event(const AuditReader *reader, const char *view, const char *queue_id,
                   const char *organisation);

/* DATABASE, a copy of the trail, or the trail itself when it is NULL; borrowed. */
const char *
audit_reader_path(const AuditReader *reader, const char *database);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuditReader, audit_reader_clear)
