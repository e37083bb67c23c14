/* Subjects with and without a trigger (S2, S3), and what is left of them (S4). */
#include "milter/trigger.h"

#include "tests/unit/tap.h"

static const char *const countries[] = {"+31", "+32", NULL};

#define N  "+31612345678"
#define NO MISTAKE_NONE

/* CLEANED NULL: nothing to take out. */
typedef struct {
  const char *subject;
  gboolean sensitive;
  const char *number;
  TriggerMistake mistake;
  const char *cleaned;
} Row;

static const Row rows[] = {
    /* SMS and a number, anywhere */
    {"SMS 0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"sms 0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"Sms 06-12345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS +31 6 1234 5678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS 0031612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS +31(0)612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS +32 470 12 34 56 uitslag", TRUE, "+32470123456", NO, "uitslag"},
    {"SMS 06 12345678 2024 uitslag", TRUE, N, NO, "2024 uitslag"},
    {"uitslag SMS 0612345678", TRUE, N, NO, "uitslag"},
    {"uitslag SMS 0612345678 bloed", TRUE, N, NO, "uitslag bloed"},
    {"uitslag @SMS 0612345678 bloed", TRUE, N, NO, "uitslag bloed"},
    {"@SMS 0612345678", TRUE, N, NO, ""},
    {"@sms 0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS 0612345678", TRUE, N, NO, ""},
    {"  SMS   0612345678   uitslag  ", TRUE, N, NO, "uitslag"},
    {"SMS\t0612345678\tuitslag", TRUE, N, NO, "uitslag"},
    {"SMS\xc2\xa0"
     "0612345678\xc2\xa0uitslag",
     TRUE, N, NO, "uitslag"},
    {"SMS: 0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS:0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS=0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS-0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"@SMS0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS 0612345678: uitslag", TRUE, N, NO, "uitslag"},
    {"SMS 0612345678 - uitslag", TRUE, N, NO, "uitslag"},
    {"SMS 0612345678, uitslag", TRUE, N, NO, "uitslag"},
    {"(SMS 0612345678) uitslag", TRUE, N, NO, "uitslag"},
    {"uitslag [SMS 0612345678] bloed", TRUE, N, NO, "uitslag bloed"},
    {"uitslag (SMS (06) 12345678)", TRUE, N, NO, "uitslag"},
    {"uitslag - SMS 0612345678", TRUE, N, NO, "uitslag"},
    {"uitslag, SMS 0612345678, bloed", TRUE, N, NO, "uitslag, bloed"},
    {"uitslag SMS 0612345678, bloed", TRUE, N, NO, "uitslag, bloed"},
    {"uitslag SMS 0612345678?", TRUE, N, NO, "uitslag?"},
    {"Herhaalrecept \xe2\x80\x93 SMS 0612345678", TRUE, N, NO, "Herhaalrecept"},
    {"caf\xc3\xa9 SMS 0612345678 \xe2\x82\xac", TRUE, N, NO, "caf\xc3\xa9 \xe2\x82\xac"},
    {"SMS \xe2\x80\xaa+31 6 12345678\xe2\x80\xac uitslag", TRUE, N, NO, "uitslag"},
    {"SMS 2024 en SMS 0612345678 uitslag", TRUE, N, MISTAKE_BAD_NUMBER,
     "SMS 2024 en uitslag"},
    {"Re: SMS 0612345678 uitslag", TRUE, N, NO, "Re: uitslag"},
    {"RE: Fwd: SMS 0612345678 uitslag", TRUE, N, NO, "RE: Fwd: uitslag"},
    {"Antw: SMS 0612345678", TRUE, N, NO, "Antw:"},
    {"Re: SMS 0612345678: uitslag", TRUE, N, NO, "Re: uitslag"},
    {" Re: SMS 0612345678 uitslag", TRUE, N, NO, "Re: uitslag"},
    {"jan@sms 0612345678", TRUE, N, NO, "jan@"},
    {"e-sms 0612345678 x", TRUE, N, NO, "e- x"},
    /* the words */
    {"veilig mailen", TRUE, NULL, NO, ""},
    {"veiligmailen", TRUE, NULL, NO, ""},
    {"Veilig Mailen uitslag", TRUE, NULL, NO, "uitslag"},
    {"VEILIGMAILEN uitslag", TRUE, NULL, NO, "uitslag"},
    {"uitslag veilig  mailen bloed", TRUE, NULL, NO, "uitslag bloed"},
    {"uitslag veilig\xc2\xa0mailen", TRUE, NULL, NO, "uitslag"},
    {"uitslag (veilig mailen)", TRUE, NULL, NO, "uitslag"},
    {"veilig mailen: uitslag", TRUE, NULL, NO, "uitslag"},
    {"veilig mailen SMS 0612345678 uitslag", TRUE, N, NO, "uitslag"},
    {"SMS 0612345678 veilig mailen uitslag", TRUE, N, NO, "uitslag"},
    {"Fwd: veilig mailen, uitslag", TRUE, NULL, NO, "Fwd: uitslag"},
    /* no triggers: parts of words, and ordinary subjects */
    {"", FALSE, NULL, NO, NULL},
    {"uitslag", FALSE, NULL, NO, NULL},
    {"SMSjes 0612345678", FALSE, NULL, NO, NULL},
    {"SMSje", FALSE, NULL, NO, NULL},
    {"onSMS 0612345678", FALSE, NULL, NO, NULL},
    {"MSMS 0612345678", FALSE, NULL, NO, NULL},
    {"SMS\xc3\xa9 0612345678", FALSE, NULL, NO, NULL},
    {"\xc3\xa9SMS 0612345678", FALSE, NULL, NO, NULL},
    {"onveilig mailen", FALSE, NULL, NO, NULL},
    {"onveiligmailen", FALSE, NULL, NO, NULL},
    {"veilig mailende", FALSE, NULL, NO, NULL},
    {"veilig emailen", FALSE, NULL, NO, NULL},
    {"veilige mailen", FALSE, NULL, NO, NULL},
    {"veilig", FALSE, NULL, NO, NULL},
    {"SMS dienst storing", FALSE, NULL, NO, NULL},
    {"Re: SMS dienst storing", FALSE, NULL, NO, NULL},
    {"@SMS dienst", FALSE, NULL, NO, NULL},
    {"storing SMS 2024", FALSE, NULL, NO, NULL},
    {"storing SMS", FALSE, NULL, NO, NULL},
    {"vraag over SMS 0900-1234", FALSE, NULL, NO, NULL},
    {"info@sms.nl", FALSE, NULL, NO, NULL},
    {"vraag aan info@sms", FALSE, NULL, NO, NULL},
    {"bel 0612345678", FALSE, NULL, NO, NULL},
    {"0612345678", FALSE, NULL, NO, NULL},
    {"SMS2 gateway", FALSE, NULL, NO, NULL},
    {"SMS-2024 rapport", FALSE, NULL, NO, NULL},
    {"SMS-dienst 24/7", FALSE, NULL, NO, NULL},
    {"SMS?", FALSE, NULL, NO, NULL},
    {"Re uitslag SMS 12", FALSE, NULL, NO, NULL},
    /* mistakes: the first word, or with an at sign */
    {"SMS", FALSE, NULL, MISTAKE_NO_NUMBER, NULL},
    {" SMS ", FALSE, NULL, MISTAKE_NO_NUMBER, NULL},
    {"SMS:", FALSE, NULL, MISTAKE_NO_NUMBER, NULL},
    {"Re: SMS", FALSE, NULL, MISTAKE_NO_NUMBER, NULL},
    {"@SMS", FALSE, NULL, MISTAKE_NO_NUMBER, NULL},
    {"uitslag @SMS", FALSE, NULL, MISTAKE_NO_NUMBER, NULL},
    {"SMS 2024 uitslag", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS 061234567 uitslag", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS 06123456789 uitslag", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS 0612345678a uitslag", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS 020-1234567 uitslag", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS +49 151 12345678", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS: 061234567", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS (06)", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"(SMS 06123)", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"Re: SMS 2024", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"re[2]: SMS 2024", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"RE: FW: Fwd: Antw: Doorst: SMS 2024", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"FW : SMS 2024", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"uitslag @SMS 2024", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"uitslag @SMS 0900-1234", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"SMS \xef\xbc\x90\xef\xbc\x96", FALSE, NULL, MISTAKE_BAD_NUMBER, NULL},
    {"veilig mailen SMS 2024", TRUE, NULL, MISTAKE_BAD_NUMBER, "SMS 2024"},
    {"veilig mailen: SMS", TRUE, NULL, MISTAKE_NO_NUMBER, "SMS"},
    /* two numbers */
    {"SMS 0612345678 SMS 0687654321 x", TRUE, N, MISTAKE_TWO_NUMBERS, "x"},
    {"SMS 0612345678 x @SMS 0687654321", TRUE, N, MISTAKE_TWO_NUMBERS, "x"},
    {"SMS 0612345678 0687654321", TRUE, N, MISTAKE_TWO_NUMBERS, ""},
    {"SMS 0612345678 / 0687654321 x", TRUE, N, MISTAKE_TWO_NUMBERS, "x"},
    {"SMS 0612345678, 0687654321 x", TRUE, N, MISTAKE_TWO_NUMBERS, "x"},
    {"SMS 0612345678 en 0687654321 x", TRUE, N, MISTAKE_TWO_NUMBERS, "x"},
    {"SMS 0612345678 SMS 06-12345678 x", TRUE, N, NO, "x"},
    {"SMS 0612345678 en SMS +31612345678 x", TRUE, N, NO, "en x"},
    {"SMS 0612345678 bel 0687654321", TRUE, N, NO, "bel 0687654321"},
};

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Row *row = &rows[i];
    g_autoptr(Trigger) trigger = trigger_parse(row->subject, countries);
    g_test_message("row %u: %s", i, row->subject);
    g_assert_cmpint(trigger->sensitive, ==, row->sensitive);
    g_assert_cmpstr(trigger->number, ==, row->number);
    g_assert_cmpint(trigger->mistake, ==, row->mistake);
    g_assert_cmpstr(trigger->cleaned, ==, row->cleaned);
  }
}

/* However many times it stands there, no number is left behind. */
static void
test_many(void)
{
  g_autoptr(GString) subject = g_string_new("uitslag");
  for (guint i = 0; i < 1000; i++)
    g_string_append(subject, " SMS 0612345678");
  g_autoptr(Trigger) trigger = trigger_parse(subject->str, countries);
  g_assert_cmpstr(trigger->number, ==, N);
  g_assert_cmpint(trigger->mistake, ==, MISTAKE_NONE);
  g_assert_cmpstr(trigger->cleaned, ==, "uitslag");
}

/* 100 kB of anything takes no time to speak of: no step goes back over the whole. */
static void
test_long(void)
{
  static const char *const pieces[] = {"((((", "SMS ",           "@SMS ",   "veilig ",
                                       "    ", "SMS-",           "SMS 06 ", "1 2 ",
                                       "Re: ", "SMS 0612345678 "};
  for (guint i = 0; i < G_N_ELEMENTS(pieces); i++) {
    g_autoptr(GString) subject = g_string_new(NULL);
    while (subject->len < 100000)
      g_string_append(subject, pieces[i]);
    gint64 start_us = g_get_monotonic_time();
    g_autoptr(Trigger) trigger = trigger_parse(subject->str, countries);
    g_assert_nonnull(trigger);
    g_assert_cmpint(g_get_monotonic_time() - start_us, <, 2 * G_USEC_PER_SEC);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_test_add_func("/trigger/rows", test_rows);
  g_test_add_func("/trigger/many", test_many);
  g_test_add_func("/trigger/long", test_long);
  return g_test_run();
}
