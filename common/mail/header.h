/*
 * header.h - what single header fields say, and how to write one back.
 *
 * A RAW value is what stands behind "Name:", NUL-terminated, perhaps folded (LF or CRLF),
 * perhaps with bytes that are no ASCII. Results are valid UTF-8 without control characters,
 * and new strings that the caller frees. Any thread, after mail_init.
 */
#pragma once

#include <glib.h>

/* Prepares GMime; call once, before any thread and any sandbox. */
void
mail_init(void);

/*
 * The text of an unstructured field such as Subject: unfolded, encoded words (RFC 2047)
 * decoded, 8-bit bytes read as UTF-8 or else as windows-1252. Never NULL.
 */
char *
mail_decode_text(const char *raw);

/*
 * TEXT, the raw value of a field, with its base64 encoded words in the Q encoding, as a new
 * string. GMime 3.2.13 joins neighbouring base64 words before it decodes them and stops at
 * the padding of the first, so that the rest is lost; Q words are joined well. Mend what
 * GMime is to decode. RFC 2047 6.2.
 */
char *
mail_mend_words(const char *text);

/*
 * TEXT (UTF-8) as the value of an unstructured field whose name has NAME_LEN octets: plain
 * when it is ASCII, else encoded words; folded with LF and a space at 76 columns. Never
 * NULL. mail_decode_text gives TEXT back but for white space at its ends.
 */
char *
mail_encode_text(const char *text, gsize name_len);

/* The display name of the first address in RAW (a From field), or "". Never NULL. */
char *
mail_display_name(const char *raw);

/*
 * The domain of every address in RAW (a From or Sender field), in order, groups included:
 * whatever follows an '@' outside quotes, comments and encoded words, so that no two
 * readers of the field can differ about who is in it. An empty string stands for one that
 * cannot be read, or for unbalanced quotes or comments. Never NULL; may be empty.
 */
GStrv
mail_address_domains(const char *raw);

/* The message ids in RAW (In-Reply-To, References), in order, without their <>. Never NULL;
 * may be empty. RFC 5322 3.6.4. */
GStrv
mail_message_ids(const char *raw);

/* The first message id in RAW with its <>, or "". Never NULL. RFC 5322 3.6.4. */
char *
mail_message_id(const char *raw);
