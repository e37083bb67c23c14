noinst_LIBRARIES += common/mail/libmail.a
common_mail_libmail_a_SOURCES = common/mail/header.c common/mail/header.h
common_mail_libmail_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS)

MAIL_LIBS = common/mail/libmail.a $(GMIME_LIBS)

check_PROGRAMS += tests/unit/mail/test_header
tests_unit_mail_test_header_SOURCES = tests/unit/mail/test_header.c
tests_unit_mail_test_header_LDADD = $(MAIL_LIBS) $(BASE_LIBS)
TESTS += tests/unit/mail/test_header
