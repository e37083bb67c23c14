/*
 * session.h - one LMTP client, from greeting to farewell.
 */
#pragma once

#include "deliver/service.h"

/*
 * Talks LMTP on the connected socket FD (taken, closed at the end) until the client quits,
 * is silent for too long, or the service stops; a message that has begun is finished
 * first. One thread for each session.
 */
void
session_run(const Service *service, int fd);
