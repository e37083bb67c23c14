noinst_LIBRARIES += common/submit/libsubmit.a
common_submit_libsubmit_a_SOURCES = common/submit/submit.c common/submit/submit.h
common_submit_libsubmit_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)

SUBMIT_LIBS = common/submit/libsubmit.a $(CURL_LIBS)
