/*
 * community.h - whether the server that brings a message is known for its domain (O4).
 */
#pragma once

#include "common/ask/ask.h"
#include "common/book/book.h"
#include "common/conf/conf.h"
#include "policyd/clients.h"

/*
 * Whether who brings the message of QUESTION (inward) is known by a rule of ENTRY, its
 * sender's line in the domain book, and in a way that DEMAND allows. CLIENTS (NULL: nobody)
 * has the certificates. One thread.
 */
gboolean
community_brings(const BookEntry *entry, ClientDemand demand, const RouteQuestion *question,
                 Clients *clients);
