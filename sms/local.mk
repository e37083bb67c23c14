# The adapters of zegel-sms(7) that are C; contrib/sms has the one for gammu-smsd.
noinst_LIBRARIES += sms/libsms.a
sms_libsms_a_SOURCES = \
	sms/adapter.c sms/adapter.h \
	sms/answer.c sms/answer.h \
	sms/http_settings.c sms/http_settings.h \
	sms/letter.c sms/letter.h \
	sms/message.c sms/message.h \
	sms/settings.c sms/settings.h \
	sms/template.c sms/template.h

zegellibexec_PROGRAMS += sms/sms-http sms/sms-mail
sms_sms_http_SOURCES = sms/http.c
sms_sms_http_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
sms_sms_http_LDADD = sms/libsms.a $(SANDBOX_LIBS) $(BASE_LIBS) $(CURL_LIBS)
sms_sms_mail_SOURCES = sms/mail.c
sms_sms_mail_LDADD = sms/libsms.a $(SUBMIT_LIBS) $(SANDBOX_LIBS) $(BASE_LIBS)

check_PROGRAMS += tests/unit/sms/test_sms
tests_unit_sms_test_sms_SOURCES = tests/unit/sms/test_sms.c
tests_unit_sms_test_sms_LDADD = sms/libsms.a $(SANDBOX_LIBS) $(BASE_LIBS)
TESTS += tests/unit/sms/test_sms
dist_man_MANS += man/sms-http.8 man/sms-mail.8
