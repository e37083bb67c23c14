/*
 * keeper.h - keeps what domains showed in seen.db, in a thread of its own.
 *
 * Nobody waits for it: who gives it something goes on at once, and a disk that is slow,
 * broken or full costs a log line. What showed nothing new is written again only every
 * KEEPER_AGAIN_S.
 */
#pragma once

#include "common/seen/seen.h"

#define KEEPER_WRITE_MS 500         /* between two batches */
#define KEEPER_AGAIN_S  3600        /* for a domain that shows the same */
#define KEEPER_RETRY_MS (60 * 1000) /* after a batch that could not be written */
#define KEEPER_TIDY_S   3600        /* between two times that old rows go */
#define KEEPER_MAX      5000        /* sights that wait; more are forgotten */

typedef struct Keeper Keeper;

/* Starts the thread for the file at PATH (copied). Never NULL. After fork, and after rights
 * were dropped and signals blocked. */
Keeper *
keeper_start(const char *path);

/* Writes what waits, once, ends the thread and frees KEEPER; NULL is allowed. */
void
keeper_stop(Keeper *keeper);

/* Whether the domain DOMAIN of OURS is one of those that are kept: it showed something
 * once. One thread, that which started it. */
gboolean
keeper_knows(Keeper *keeper, const char *domain, gboolean ours);

/* Keeps SIGHT (taken over); at once when it is NEWS also if it shows nothing new, so that
 * its time is that of now. The same thread. */
void
keeper_take(Keeper *keeper, Sight *sight, gboolean news);
