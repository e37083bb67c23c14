/*
 * lost.h - what a visitor of the viewer wrote or forwarded, and what came back of it.
 *
 * He saw that it was sent. When it cannot be delivered after all he is told, its entry says
 * so to whoever reads its page or status, and the administrator has a line in the log.
 */
#pragma once

#include "deliver/bounce_reader.h"
#include "deliver/service.h"

/* What came back. All borrowed. */
typedef struct {
  const Service *service;
  const char *queue_id;
  const Organisation *organisation;
  const char *reference; /* of the entry in which it was written; or see SHARED */
  gboolean shared;       /* REFERENCE was forwarded, and it is the mail about that */
  const Bounce *bounce;
} Lost;

/*
 * Does what LOST asks for. *KNOWN gets FALSE when there is no such entry, or with SHARED
 * when nobody forwarded it. FALSE with an error: not now.
 */
gboolean
lost_handle(const Lost *lost, gboolean *known, GError **error);
