/*
 * schema.h - the one table of sections and keys of zegel.conf.
 */
#pragma once

#include <glib.h>

typedef enum {
  SCHEMA_STRING,    /* char *; as it stands, not empty */
  SCHEMA_TEXT,      /* char *; may be empty */
  SCHEMA_PATH,      /* char *; absolute */
  SCHEMA_PATHS,     /* GStrv; absolute, may be empty */
  SCHEMA_UINT,      /* guint; from min through max */
  SCHEMA_WORDS,     /* GStrv; separated by white space or commas, lower case */
  SCHEMA_TOKENS,    /* the same, as they were written */
  SCHEMA_DOMAIN,    /* char *; lower case */
  SCHEMA_DOMAINS,   /* GStrv; lower case */
  SCHEMA_NETWORKS,  /* GPtrArray of Network */
  SCHEMA_URL,       /* char *; https://host[:port]/ (http only for 127.0.0.1) */
  SCHEMA_COLOUR,    /* char *; #rrggbb */
  SCHEMA_LANGUAGE,  /* char *; nl or en */
  SCHEMA_CHOICE,    /* an enum; one of the words that schema.c has for the key */
  SCHEMA_YES_NO,    /* gboolean */
  SCHEMA_ADDRESSES, /* GStrv; textual IP addresses, may be empty */
  SCHEMA_SENDERS,   /* GStrv; addresses and domains, lower case, may be empty */
  SCHEMA_HEADERS,   /* GPtrArray of HeaderRule; "Name: value; Name: *", may be empty */
  SCHEMA_DATE,      /* char *; YYYY-MM-DD, may be empty */
  SCHEMA_DATES,     /* GStrv; days of that shape, may be empty */
  SCHEMA_TIME,      /* guint; HH:MM, as minute of the day */
  SCHEMA_WINDOWS    /* GStrv; windows of time (window.h), separated by commas */
} SchemaType;

typedef struct {
  const char *section; /* "organisation" and "rule" stand for [organisation NAME] ... */
  const char *key;
  SchemaType type;
  gsize offset;             /* of the field in Config, Organisation or Rule */
  const char *default_text; /* NULL: the key must be given */
  guint min, max;           /* for SCHEMA_UINT */
} SchemaRow;

/* The table, static; *COUNT gets the number of rows. */
const SchemaRow *
schema_rows(gsize *count);

/* The row of SECTION and KEY, static, or NULL. */
const SchemaRow *
schema_find(const char *section, const char *key);

/*
 * Checks VALUE by ROW and stores it at ROW's offset in BASE, freeing what was there. FALSE
 * with ZEGEL_ERROR_CONFIG that says what would be right.
 */
gboolean
schema_store(const SchemaRow *row, const char *value, gpointer base, GError **error);

/* Frees and clears what ROW stored in BASE. */
void
schema_clear(const SchemaRow *row, gpointer base);

/* Whether SECTION has any key. */
gboolean
schema_has_section(const char *section);
