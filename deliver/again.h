/*
 * again.h - sends notifications again that an administrator asked for (zegelctl message
 * notify): he may, but only zegel-deliver can make the link.
 */
#pragma once

#include "deliver/service.h"

/*
 * Sends what was asked for, each with the link that the reader has. FALSE when something
 * has to wait; that was logged. Killed between sending and recording it, it goes once more
 * with the same Message-ID.
 */
gboolean
again_run(const Service *service);
