#include "common/mail/header.h"

#include <gmime/gmime.h>
#include <string.h>

#define LINE_CHARS 76 /* of a folded line, RFC 2047 2 */
#define WORD_BYTES 39 /* of text in an encoded word: 64 characters with its frame */
#define PLAIN_WORD_CHARS                                                                   \
  900                      /* a longer word would break the line limit, RFC 5322 2.1.1     \
                            */
#define NAME_MAX_BYTES 256 /* of a display name */
#define ID_MAX_BYTES   990 /* of a message id, so that it fits in a line */

static GMimeParserOptions *options;

void
mail_init(void)
{
  static const char *charsets[] = {"utf-8", "windows-1252", NULL};
  if (options != NULL)
    return;
  g_mime_init();
  options = g_mime_parser_options_new();
  g_mime_parser_options_set_fallback_charsets(options, charsets);
}

/* RAW without line ends; the white space behind them stays, RFC 5322 2.2.3. */
static char *
unfold(const char *raw)
{
  GString *text = g_string_new(NULL);
  for (const char *p = raw; *p != '\0'; p++)
    if (*p != '\r' && *p != '\n')
      g_string_append_c(text, *p);
  return g_string_free(text, FALSE);
}

/* Takes TEXT and returns it valid, with a space for each control character. */
static char *
neutralise(char *text)
{
  char *valid = g_utf8_make_valid(text, -1);
  g_free(text);
  GString *clean = g_string_new(NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    gboolean control = g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029;
    g_string_append_unichar(clean, control ? ' ' : c);
  }
  g_free(valid);
  return g_string_free(clean, FALSE);
}

/* The parts of "=?charset?E?text?=". */
typedef struct {
  const char *charset, *text;
  gsize charset_len, text_len;
  char encoding;
  const char *end; /* behind it */
} EncodedWord;

/* Whether an encoded word begins at P. Lenient as mail clients are: RFC 2047 6.3. */
static gboolean
match_encoded_word(const char *p, EncodedWord *word)
{
  if (p[0] != '=' || p[1] != '?')
    return FALSE;
  word->charset = p + 2;
  word->charset_len = strcspn(word->charset, "? \t");
  p = word->charset + word->charset_len;
  if (word->charset_len == 0 || p[0] != '?' || p[1] == '\0' || p[2] != '?')
    return FALSE;
  word->encoding = g_ascii_tolower(p[1]);
  word->text = p + 3;
  word->text_len = strcspn(word->text, "?");
  p = word->text + word->text_len;
  if ((word->encoding != 'b' && word->encoding != 'q') || p[0] != '?' || p[1] != '=')
    return FALSE;
  word->end = p + 2;
  return TRUE;
}

/* Appends WORD, which is in base64, to TEXT in the Q encoding. */
static void
append_as_q(GString *text, const EncodedWord *word)
{
  g_autoptr(GString) padded = g_string_new_len(word->text, (gssize) word->text_len);
  while (padded->len % 4 != 0)
    g_string_append_c(padded, '=');
  gsize len = 0;
  g_autofree guchar *bytes = g_base64_decode(padded->str, &len);
  g_string_append_printf(text, "=?%.*s?Q?", (int) word->charset_len, word->charset);
  for (gsize i = 0; i < len; i++)
    g_string_append_printf(text, "=%02X", bytes[i]);
  g_string_append(text, "?=");
}

char *
mail_mend_words(const char *text)
{
  GString *result = g_string_new(NULL);
  for (const char *p = text; *p != '\0';) {
    EncodedWord word;
    if (match_encoded_word(p, &word) && word.encoding == 'b') {
      append_as_q(result, &word);
      p = word.end;
    } else {
      g_string_append_c(result, *p++);
    }
  }
  return g_string_free(result, FALSE);
}

char *
mail_decode_text(const char *raw)
{
  g_autofree char *line = unfold(raw);
  g_autofree char *words = mail_mend_words(line);
  return g_strstrip(neutralise(g_mime_utils_header_decode_text(options, words)));
}

static gboolean
is_plain(const char *text)
{
  gsize word = 0;
  for (const char *p = text; *p != '\0'; p++) {
    if (*p < 0x20 || *p > 0x7e || (p[0] == '=' && p[1] == '?'))
      return FALSE;
    word = *p == ' ' ? 0 : word + 1;
    if (word > PLAIN_WORD_CHARS)
      return FALSE;
  }
  return TRUE;
}

/* Breaks TEXT before single spaces; a line of white space alone would end the header. */
static char *
fold_plain(const char *text, gsize column)
{
  GString *result = g_string_new(NULL);
  for (const char *p = text; *p != '\0';) {
    gsize spaces = strspn(p, " ");
    gsize word = strcspn(p + spaces, " ");
    if (column + spaces + word > LINE_CHARS && spaces > 0 && word > 0 && p > text) {
      g_string_append_c(result, '\n');
      column = 0;
    }
    g_string_append_len(result, p, (gssize) (spaces + word));
    column += spaces + word;
    p += spaces + word;
  }
  return g_string_free(result, FALSE);
}

static char *
encode_words(const char *text)
{
  GString *result = g_string_new(NULL);
  for (const char *p = text; *p != '\0';) {
    const char *end = p;
    while (*end != '\0' && g_utf8_next_char(end) - p <= WORD_BYTES)
      end = g_utf8_next_char(end);
    g_autofree char *base64 = g_base64_encode((const guchar *) p, (gsize) (end - p));
    g_string_append_printf(result, "%s=?UTF-8?B?%s?=", p == text ? "" : "\n ", base64);
    p = end;
  }
  return g_string_free(result, FALSE);
}

char *
mail_encode_text(const char *text, gsize name_len)
{
  g_autofree char *valid = neutralise(g_strdup(text));
  g_strstrip(valid);
  if (is_plain(valid))
    return fold_plain(valid, name_len + strlen(": "));
  return encode_words(valid);
}

/* The first mailbox in LIST, also inside a group, or NULL. */
static InternetAddress *
first_mailbox(InternetAddressList *list)
{
  for (int i = 0; list != NULL && i < internet_address_list_length(list); i++) {
    InternetAddress *address = internet_address_list_get_address(list, i);
    if (INTERNET_ADDRESS_IS_MAILBOX(address))
      return address;
    if (INTERNET_ADDRESS_IS_GROUP(address)) {
      InternetAddressList *members =
          internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address));
      if (members != NULL && internet_address_list_length(members) > 0)
        return internet_address_list_get_address(members, 0);
    }
  }
  return NULL;
}

char *
mail_display_name(const char *raw)
{
  g_autofree char *line = unfold(raw);
  g_autofree char *words = mail_mend_words(line);
  InternetAddressList *list = internet_address_list_parse(options, words);
  InternetAddress *first = first_mailbox(list);
  const char *name = first != NULL ? internet_address_get_name(first) : NULL;
  char *clean = g_strstrip(neutralise(g_strdup(name != NULL ? name : "")));
  if (strlen(clean) > NAME_MAX_BYTES)
    *g_utf8_find_prev_char(clean, clean + NAME_MAX_BYTES + 1) = '\0';
  g_clear_object(&list);
  return clean;
}

/* The end of the quoted string or comment that begins at P, or NULL when it has none. */
static const char *
skip_quoted(const char *p)
{
  guint depth = 0;
  char open = *p;
  for (; *p != '\0'; p++) {
    if (*p == '\\' && p[1] != '\0')
      p++;
    else if (open == '"' && *p == '"' && ++depth == 2)
      return p + 1;
    else if (open == '(' && *p == '(')
      depth++;
    else if (open == '(' && *p == ')' && --depth == 0)
      return p + 1;
  }
  return NULL;
}

/* Skips white space and comments; NULL when one has no end. */
static const char *
skip_comments(const char *p)
{
  for (;;) {
    p += strspn(p, " \t");
    if (*p != '(')
      return p;
    p = skip_quoted(p);
    if (p == NULL)
      return NULL;
  }
}

/*
 * The domain behind the '@' before P; *END gets where it ends. "" when a reader could glue
 * something to it, as in "own.nl (x) .evil.nl": RFC 5322 4.4, obs-domain.
 */
static char *
read_domain(const char *p, const char **end)
{
  p = skip_comments(p);
  if (p == NULL) {
    *end = NULL;
    return g_strdup("");
  }
  *end = *p == '[' ? p + strcspn(p, "]") : p + strcspn(p, " \t,;:<>()\"@[]\\");
  const char *next = skip_comments(*end);
  if (next == NULL || (*next != '\0' && strchr(".\\\"[]", *next) != NULL))
    return g_strdup("");
  return g_ascii_strdown(p, *end - p);
}

/*
 * Whether WORD is one for every reader: RFC 2047 2 allows no blanks and specials in it, and
 * who does not take it for an encoded word would see other addresses.
 */
static gboolean
is_plain_word(const char *start, const EncodedWord *word)
{
  gsize len = (gsize) (word->end - start);
  return strcspn(start, " \t<>,;:()\"\\") >= len;
}

GStrv
mail_address_domains(const char *raw)
{
  g_autofree char *line = unfold(raw);
  g_autoptr(GStrvBuilder) domains = g_strv_builder_new();
  for (const char *p = line; p != NULL && *p != '\0';) {
    EncodedWord word;
    if (*p == '"' || *p == '(') {
      p = skip_quoted(p);
      if (p == NULL)
        g_strv_builder_add(domains, "");
    } else if (match_encoded_word(p, &word) && is_plain_word(p, &word)) {
      p = word.end;
    } else if (*p == '@') {
      g_autofree char *domain = read_domain(p + 1, &p);
      g_strv_builder_add(domains, domain);
    } else {
      p++;
    }
  }
  return g_strv_builder_end(domains);
}

/* The '>' that ends the message id which begins at START with '<', or NULL: it is none. */
static const char *
find_id_end(const char *start)
{
  const char *end = memchr(start, '>', strnlen(start, ID_MAX_BYTES + 1));
  if (end == NULL)
    return NULL;
  for (const char *p = start; p < end; p++)
    if (*p <= 0x20 || *p == 0x7f)
      return NULL;
  return end;
}

GStrv
mail_message_ids(const char *raw)
{
  g_autofree char *line = unfold(raw);
  g_autoptr(GStrvBuilder) ids = g_strv_builder_new();
  for (const char *start = line; (start = strchr(start, '<')) != NULL; start++) {
    const char *end = find_id_end(start);
    if (end == NULL)
      continue;
    g_autofree char *id = g_strndup(start + 1, (gsize) (end - start) - 1);
    g_strv_builder_add(ids, id);
    start = end;
  }
  return g_strv_builder_end(ids);
}

char *
mail_message_id(const char *raw)
{
  g_autofree char *line = unfold(raw);
  const char *start = strchr(line, '<');
  const char *end = start != NULL ? find_id_end(start) : NULL;
  return end != NULL ? g_strndup(start, (gsize) (end - start) + 1) : g_strdup("");
}
