noinst_LIBRARIES += common/submit/libsubmit.a
common_submit_libsubmit_a_SOURCES = \
	common/submit/compose.c common/submit/compose.h \
	common/submit/curl.c common/submit/curl.h \
	common/submit/letter.c common/submit/letter.h \
	common/submit/mime.c common/submit/mime.h \
	common/submit/page.c common/submit/page.h \
	common/submit/submit.c common/submit/submit.h
common_submit_libsubmit_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)

SUBMIT_LIBS = common/submit/libsubmit.a

check_PROGRAMS += tests/unit/submit/test_submit
tests_unit_submit_test_submit_SOURCES = tests/unit/submit/test_submit.c
tests_unit_submit_test_submit_LDADD = $(SUBMIT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/submit/test_submit

check_PROGRAMS += tests/unit/submit/test_compose
tests_unit_submit_test_compose_SOURCES = tests/unit/submit/test_compose.c
tests_unit_submit_test_compose_LDADD = $(SUBMIT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/submit/test_compose
