/*
 * pack.h - a message as one zip archive to take along (V4, T12).
 */
#pragma once

#include "reader/message.h"

/*
 * Hands a zip archive to SINK: what there is to read in MESSAGE as "bericht.txt" (nothing
 * to read: no such file), and each attachment with its decoded bytes. The names are those
 * of clean_file_name, and no two are the same to any file system: " (2)" is added. The date
 * of all is that of the message. The same message gives the same bytes. FALSE when SINK
 * said so or memory ran out. Needs a UTF-8 locale and a time zone that is loaded.
 */
gboolean
pack_zip(const Message *message, MessageSink sink, gpointer data);
