/*
 * Shows the lint of zegel.conf(5) what the program itself believes: the table of keys
 * ("schema"), or what it says about a configuration on standard input ("check").
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/conf/conf.h"
#include "common/conf/schema.h"

#define INPUT_MAX_BYTES 65536

/* The words of the manual for each type. */
static const char *
type_word(SchemaType type)
{
  switch (type) {
  case SCHEMA_STRING:
    return "string";
  case SCHEMA_TEXT:
    return "text";
  case SCHEMA_PATH:
    return "path";
  case SCHEMA_PATHS:
    return "paths";
  case SCHEMA_UINT:
    return "number";
  case SCHEMA_WORDS:
  case SCHEMA_TOKENS:
    return "words";
  case SCHEMA_DOMAIN:
    return "domain";
  case SCHEMA_DOMAINS:
    return "domains";
  case SCHEMA_NETWORKS:
    return "networks";
  case SCHEMA_URL:
    return "url";
  case SCHEMA_COLOUR:
    return "colour";
  case SCHEMA_LANGUAGE:
    return "language";
  case SCHEMA_CHOICE:
    return "choice";
  case SCHEMA_YES_NO:
    return "yes or no";
  case SCHEMA_ADDRESSES:
    return "addresses";
  case SCHEMA_SENDERS:
    return "senders";
  case SCHEMA_HEADERS:
    return "headers";
  case SCHEMA_DATE:
    return "day";
  case SCHEMA_DATES:
    return "days";
  case SCHEMA_TIME:
    return "time";
  case SCHEMA_WINDOWS:
    return "windows";
  }
  return "?";
}

/* One line a key: section, key, type, least, most, default ("-": must be given). */
static int
print_schema(void)
{
  gsize count;
  const SchemaRow *rows = schema_rows(&count);
  printf("sysconfdir\t%s\n", ZEGEL_SYSCONFDIR);
  printf("statedir\t%s\n", ZEGEL_STATEDIR);
  printf("libexecdir\t%s\n", ZEGEL_LIBEXECDIR);
  for (gsize i = 0; i < count; i++)
    printf("%s\t%s\t%s\t%u\t%u\t%s\n", rows[i].section, rows[i].key,
           type_word(rows[i].type), rows[i].min, rows[i].max,
           rows[i].default_text != NULL ? rows[i].default_text : "-");
  return 0;
}

static int
check_input(void)
{
  char text[INPUT_MAX_BYTES];
  gsize len = fread(text, 1, sizeof text, stdin);
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config = conf_parse("example", text, len, &error);
  if (config == NULL) {
    printf("%s\n", error->message);
    return 1;
  }
  printf("%u organisations\n", config->organisations->len);
  return 0;
}

int
main(int argc, char **argv)
{
  if (argc == 2 && strcmp(argv[1], "schema") == 0)
    return print_schema();
  if (argc == 2 && strcmp(argv[1], "check") == 0)
    return check_input();
  fprintf(stderr, "usage: conf_probe schema|check\n");
  return 64;
}
