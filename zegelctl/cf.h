/*
 * cf.h - the text of a main.cf or master.cf, changed entry by entry.
 *
 * An entry is a line with the lines that continue it, and the comments within. What is not
 * changed stays as it is, byte for byte. Pure.
 */
#pragma once

#include <glib.h>

/* Around what is appended, so that it is found again, by people too. */
#define CF_BEGIN                                                                           \
  "# ---- zegel: begin. zegelctl setup wrote this; zegelctl setup --undo takes it out "    \
  "----\n"
#define CF_END "# ---- zegel: end ----\n"

typedef enum {
  CF_MAIN,  /* the key of an entry is the parameter's name: "mydestination" */
  CF_MASTER /* name and type: "smtp/inet" */
} CfKind;

typedef struct Cf Cf;

/* TEXT (copied) as entries; freed with cf_free. */
Cf *
cf_parse(CfKind kind, const char *text);

/* Frees CF; NULL is allowed. */
void
cf_free(Cf *cf);

/* The whole text, a new string. */
char *
cf_text(const Cf *cf);

/* The text of entry KEY, with the end of its last line; of all of them when there are more;
 * NULL when there is none. A new string. */
char *
cf_entry(const Cf *cf, const char *key);

/* The keys of all entries, each once, in their order (char *, freed with the array). */
GPtrArray *
cf_keys(const Cf *cf);

/*
 * Puts TEXT, a whole entry, in the place of entry KEY; further ones of the same key go.
 * NULL takes it out. One that is not there is appended.
 */
void
cf_put(Cf *cf, const char *key, const char *text);

/* Appends TEXT, whole lines, between CF_BEGIN and CF_END. */
void
cf_append(Cf *cf, const char *text);

/* ---- Options of a service in master.cf ---- */

/* The options of ENTRY, the text of a service: name to value (new strings). */
GHashTable *
cf_options(const char *entry);

/* ENTRY with option NAME set to VALUE, or without it (VALUE is NULL): a new string. */
char *
cf_set_option(const char *entry, const char *name, const char *value);

/* ENTRY with its column for the chroot "y" or "n": a new string. */
char *
cf_set_chroot(const char *entry, gboolean chroot);

/* ---- Taking out ---- */

/*
 * The text that CURRENT would be if what made AFTER of BEFORE had never been done: each
 * entry that it changed is put back, and whatever else was changed since stays. An entry
 * that was changed by both is taken apart where that is clear: a list loses our words, a
 * service our options. What is not clear is said in CONFLICTS (of char *, the keys), and
 * stays as it is. A new string.
 */
char *
cf_take_out(CfKind kind, const char *before, const char *after, const char *current,
            GPtrArray *conflicts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cf, cf_free)
