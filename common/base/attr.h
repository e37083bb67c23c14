/*
 * attr.h - blocks of name=value lines that end with an empty line.
 *
 * The one format in which zegel's programs talk: Postfix's policy delegation, the ask
 * protocol, the inside of a ticket and the facts of zegel-reader. See
 * SMTPD_POLICY_README of Postfix for the shape.
 *
 * Postfix writes values as they are. In blocks of our own, control characters, DEL and
 * '%' of a value are written %XX, so that any bytes without NUL can be a value.
 */
#pragma once

#include <glib.h>

#define ATTR_BLOCK_MAX_BYTES (1024 * 1024) /* a block is never larger */
#define ATTR_MAX_COUNT       6144          /* attributes in a block */

typedef enum {
  ATTR_PLAIN,  /* values as they are: Postfix's own */
  ATTR_ESCAPED /* values with %XX: ours */
} AttrCoding;

typedef struct Attrs Attrs;

/* A new, empty list. Never NULL. Free with attrs_free. */
Attrs *
attrs_new(void);

/* Frees ATTRS; NULL is allowed. */
void
attrs_free(Attrs *attrs);

/* Appends NAME=VALUE, both copied. NAME is letters, digits, '_' and '-' (checked). */
void
attrs_add(Attrs *attrs, const char *name, const char *value);

/* Appends NAME=VALUE in decimal. */
void
attrs_add_uint(Attrs *attrs, const char *name, guint64 value);

/* The first value of NAME, owned by ATTRS, or NULL. */
const char *
attrs_get(const Attrs *attrs, const char *name);

/*
 * Reads the first value of NAME as a decimal number from MIN through MAX into *OUT.
 * FALSE with ZEGEL_ERROR_INVALID when it is missing, no number or out of range.
 */
gboolean
attrs_get_uint(const Attrs *attrs, const char *name, guint64 min, guint64 max, guint64 *out,
               GError **error);

/* How many attributes. */
guint
attrs_count(const Attrs *attrs);

/* Name and value of attribute I (from 0, less than attrs_count), owned by ATTRS. */
void
attrs_nth(const Attrs *attrs, guint i, const char **name, const char **value);

/* The block as text with its empty line. The caller frees it with g_free. */
char *
attrs_format(const Attrs *attrs, AttrCoding coding);

/*
 * Parses LEN bytes at BYTES, one block; the closing empty line may be missing. Returns a
 * list that the caller frees, or NULL with ZEGEL_ERROR_INVALID (no '=', a bad name, NUL, a
 * bad escape) or ZEGEL_ERROR_LIMIT.
 */
Attrs *
attrs_parse(const char *bytes, gsize len, AttrCoding coding, GError **error);

/*
 * The length of the first block in LEN bytes at BYTES with its empty line, or 0 when the
 * end has not come yet.
 */
gsize
attrs_block_length(const char *bytes, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Attrs, attrs_free)
