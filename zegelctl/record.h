/*
 * record.h - what may only be done once it stands in the audit trail.
 */
#pragma once

#include "common/base/event.h"
#include "common/conf/conf.h"

/*
 * Brings EVENT to zegel-auditd, waits until it is in the trail, and writes it to the log.
 * FALSE with ZEGEL_ERROR_TEMPORARY and what to do: then what EVENT tells must not be done.
 */
gboolean
record_first(const Config *config, const Event *event, GError **error);
