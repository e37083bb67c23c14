noinst_LIBRARIES += common/mail/libmail.a
common_mail_libmail_a_SOURCES = common/mail/header.c common/mail/header.h
common_mail_libmail_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS)

MAIL_LIBS = common/mail/libmail.a $(GMIME_LIBS)
