/*
 * dkim_tags.h - tag lists: signatures and key records (RFC 6376 3.2).
 *
 * Stricter than libopendkim, which reads what we let through once more: what the two could
 * understand in two ways is no tag list here.
 */
#pragma once

#include <glib.h>

#define DKIM_TAGS_MAX       64    /* more than anybody has */
#define DKIM_TAGS_MAX_BYTES 16384 /* of a list; z= copies fields into it */

typedef struct DkimTags DkimTags;

/*
 * The tags of TEXT, freed with dkim_tags_free. NULL when it is no list: an odd name, a name
 * twice (in any case), octets that are not printable, or more than the limits.
 */
DkimTags *
dkim_tags_parse(const char *text);

/* Frees TAGS; NULL is allowed. */
void
dkim_tags_free(DkimTags *tags);

/* The value of tag NAME without blanks at its ends, owned by TAGS, or NULL. */
const char *
dkim_tags_get(const DkimTags *tags, const char *name);

/* The same without any blank in it: a new string, or NULL. */
char *
dkim_tags_packed(const DkimTags *tags, const char *name);

/* Whether LIST, names between colons, has WORD (any case). */
gboolean
dkim_list_has(const char *list, const char *word);

/* The octets of TEXT, packed base64, *LEN of them, at least one: a new block, or NULL. */
guint8 *
dkim_unbase64(const char *text, gsize *len);

/* Whether TEXT can be a selector, or a domain: labels of letters, digits, '-' and '_'. */
gboolean
dkim_is_selector(const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimTags, dkim_tags_free)
