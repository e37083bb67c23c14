/*
 * routes.h - the milter's questions to policyd about routes.
 */
#pragma once

#include "milter/message.h"
#include "milter/tools.h"

/*
 * Asks for the routes of MESSAGE and notes them in its facts: the answers, or that there
 * were none. For mail that is not SENSITIVE, or only observed (S5), that costs little while
 * policyd hangs: it is then not asked at all for a while. Any thread.
 */
void
routes_ask(const Tools *tools, Message *message, gboolean sensitive, const char *queue_id);
