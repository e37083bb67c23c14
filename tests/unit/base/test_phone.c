/* Mobile numbers as people write them (S3), and those that must be refused (T5). */
#include "common/base/phone.h"

#include <string.h>

#include "tests/unit/tap.h"

static const char *const only_nl[] = {"+31", NULL};
static const char *const many[] = {"+31", "+32", "+33", "+44", "+49", "+352", "+420", NULL};
static const char *const no_nl[] = {"+32", NULL};

/* EXPECTED NULL: PHONE_BAD; "": PHONE_NONE. REST is what follows the number. */
typedef struct {
  const char *text;
  const char *expected;
  const char *rest;
  const char *const *countries;
} Row;

#define N "+31612345678"

static const Row rows[] = {
    /* the ways of writing it */
    {"0612345678", N, "", only_nl},
    {"06-12345678", N, "", only_nl},
    {"06 12345678", N, "", only_nl},
    {"06 12 34 56 78", N, "", only_nl},
    {"06.12.34.56.78", N, "", only_nl},
    {"06/12345678", N, "", only_nl},
    {"06 - 12345678", N, "", only_nl},
    {"06 - 1234 5678", N, "", only_nl},
    {"(06) 12345678", N, "", only_nl},
    {"(06)12345678", N, "", only_nl},
    {"(06 12345678)", N, "", only_nl},
    {"(0612345678) uitslag", N, " uitslag", only_nl},
    {"+31612345678", N, "", only_nl},
    {"+31 6 1234 5678", N, "", only_nl},
    {"+31 6 12345678", N, "", only_nl},
    {"+31-6-12345678", N, "", only_nl},
    {"+31(0)612345678", N, "", only_nl},
    {"+31 (0)6 12345678", N, "", only_nl},
    {"+31 (0) 6 - 12345678", N, "", only_nl},
    {"(+31) 6 12345678", N, "", only_nl},
    {"+31 06 12345678", N, "", only_nl},
    {"+310612345678", N, "", only_nl},
    {"0031612345678", N, "", only_nl},
    {"0031 6 12345678", N, "", only_nl},
    {"0031(0)612345678", N, "", only_nl},
    {"00 31 6 1234 5678", N, "", only_nl},
    {"  \t0612345678", N, "", only_nl},
    {"\xc2\xa0"
     "06\xc2\xa0"
     "12345678",
     N, "", only_nl},                                                       /* NBSP */
    {"\xe2\x80\xaa+31 6 12345678\xe2\x80\xac", N, "\xe2\x80\xac", only_nl}, /* LRE, PDF */
    {"06\xe2\x80\x93"
     "12345678",
     N, "", only_nl}, /* en dash */
    {"06\xe2\x80\x91"
     "12345678",
     N, "", only_nl}, /* no-break hyphen */
    {"0622222222", "+31622222222", "", only_nl},
    {"0682222222", "+31682222222", "", only_nl},
    {"0672222222", "+31672222222", "", only_nl},
    /* the longest valid prefix */
    {"06 12345678 2024 uitslag", N, " 2024 uitslag", only_nl},
    {"0612345678 9", N, " 9", only_nl},
    {"0612345678 uitslag", N, " uitslag", only_nl},
    {"0612345678, uitslag", N, ", uitslag", only_nl},
    {"0612345678: uitslag", N, ": uitslag", only_nl},
    {"0612345678-uitslag", N, "-uitslag", only_nl},
    {"0612345678/0687654321", N, "/0687654321", only_nl},
    {"0612345678.", N, ".", only_nl},
    {"0612345678)", N, ")", only_nl},
    {"+31612345678 06", N, " 06", only_nl},
    {"+31612345678\n2024", N, "\n2024", only_nl},
    {"06 1234 5678 12 34 56 78 90 12 34 56 78 90 12 34 56 78 90", N,
     " 12 34 56 78 90 12 34 56 78 90 12 34 56 78 90", only_nl},
    /* not a number that ends there */
    {"06123456789", NULL, "", only_nl},
    {"06123456 789", NULL, "", only_nl},
    {"0612345678a", NULL, "a", only_nl},
    {"0612345678\xc3\xa9", NULL, "\xc3\xa9", only_nl},
    {"061234567", NULL, "", only_nl},
    {"06", NULL, "", only_nl},
    {"06 uitslag", NULL, " uitslag", only_nl},
    {"+31612345", NULL, "", only_nl},
    {"2024 uitslag", NULL, " uitslag", only_nl},
    {"612345678", NULL, "", only_nl},
    {"31612345678", NULL, "", only_nl},
    {"0", NULL, "", only_nl},
    {"00", NULL, "", only_nl},
    {"00000000000000000000000000000000000000000000", NULL, "", only_nl},
    {"\xd9\xa0\xd9\xa6\xd9\xa1", NULL, "\xd9\xa6\xd9\xa1", only_nl}, /* Arabic digits */
    {"\xef\xbc\x90\xef\xbc\x96", NULL, "\xef\xbc\x96", only_nl},     /* full width */
    /* Dutch, and no mobile phone */
    {"0900-1234", NULL, "", only_nl},
    {"09001234567", NULL, "", only_nl},
    {"0906 1234567", NULL, "", only_nl},
    {"+31906123456", NULL, "", only_nl},
    {"+31900123456", NULL, "", only_nl},
    {"0800-0432", NULL, "", only_nl},
    {"14020", NULL, "", only_nl},
    {"14 020", NULL, "", only_nl},
    {"112", NULL, "", only_nl},
    {"088-1234567", NULL, "", only_nl},
    {"085 123 45 67", NULL, "", only_nl},
    {"020-1234567", NULL, "", only_nl},
    {"+31 20 123 4567", NULL, "", only_nl},
    {"0661234567", NULL, "", only_nl},
    {"06-65123456", NULL, "", only_nl},
    {"+31665123456", NULL, "", only_nl},
    {"0676123456", NULL, "", only_nl},
    {"0031676123456", NULL, "", only_nl},
    {"097012345678", NULL, "", only_nl},
    {"+3197012345678", NULL, "", only_nl},
    /* other countries only when they are allowed */
    {"+32 470 12 34 56", NULL, "", only_nl},
    {"0032470123456", NULL, "", only_nl},
    {"+4915112345678", NULL, "", only_nl},
    {"+1 900 555 0199", NULL, "", many},
    {"+32 470 12 34 56", "+32470123456", "", many},
    {"+32 (0)470 12 34 56", "+32470123456", "", many},
    {"0032 470 12 34 56 2024", "+32470123456", " 2024", many},
    {"+32 2 123 45 67", NULL, "", many},
    {"+32 900 12 345", NULL, "", many},
    {"+49 151 12345678", "+4915112345678", "", many},
    {"+49 170 1234567 2024", "+491701234567", " 2024", many},
    {"+49 164 1234567", NULL, "", many},
    {"+49 900 1234567", NULL, "", many},
    {"+44 7700 900123", "+447700900123", "", many},
    {"+44 70 1234 5678", NULL, "", many},
    {"+44 20 7946 0123", NULL, "", many},
    {"+33 6 12 34 56 78", "+33612345678", "", many},
    {"+33 899 12 34 56", NULL, "", many},
    {"+352 621 123 456", "+352621123456", "", many},
    {"+352 27 12 34 56", NULL, "", many},
    {"+420 601 123 456", "+420601123456", "", many},
    {"+420 601 123 456 2024", "+420601123456", " 2024", many},
    {"+420 112", NULL, "", many},
    {"+420123456789012345", NULL, "", many},
    {"0612345678", NULL, "", no_nl},
    {"+31612345678", NULL, "", no_nl},
    /* no digits at all */
    {"", "", "", only_nl},
    {"   ", "", "   ", only_nl},
    {"dienst storing", "", "dienst storing", only_nl},
    {"+", "", "+", only_nl},
    {"+ uitslag", "", "+ uitslag", only_nl},
    {"#0612345678", "", "#0612345678", only_nl},
    {"uitslag 0612345678", "", "uitslag 0612345678", only_nl},
    {"\xff\xfe", "", "\xff\xfe", only_nl},
};

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Row *row = &rows[i];
    char *number = (char *) "not set";
    gsize length = 12345;
    PhoneResult result = phone_parse(row->text, row->countries, &number, &length);
    PhoneResult expected = row->expected == NULL    ? PHONE_BAD
                           : *row->expected == '\0' ? PHONE_NONE
                                                    : PHONE_VALID;
    g_test_message("row %u: %s", i, row->text);
    g_assert_cmpint(result, ==, expected);
    g_assert_cmpstr(number, ==, expected == PHONE_VALID ? row->expected : NULL);
    g_assert_cmpstr(row->text + length, ==, row->rest);
    g_free(number);
  }
}

static void
test_no_country(void)
{
  const char *const nothing[] = {NULL};
  const char *const strange[] = {"", "+", "+31999", NULL};
  const char *const *const lists[] = {nothing, strange};
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
    char *number = (char *) "not set";
    gsize length = 12345;
    g_assert_cmpint(phone_parse("+31612345678", lists[i], &number, &length), ==, PHONE_BAD);
    g_assert_null(number);
    g_assert_cmpuint(length, ==, strlen("+31612345678"));
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/phone/rows", test_rows);
  g_test_add_func("/phone/no-country", test_no_country);
  return g_test_run();
}
