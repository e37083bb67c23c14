/*
 * session.h - one LMTP client, from greeting to farewell.
 */
#pragma once

#include "common/base/current.h"

/*
 * Talks LMTP on the connected socket FD (taken, closed at the end) until the client quits,
 * is silent for too long, or the service stops; a message that has begun is finished
 * first. Each message is served with what SERVICES (of Service) holds when it begins. One
 * thread for each session.
 */
void
session_run(Current *services, int fd);
