noinst_LIBRARIES += policyd/libpolicyd.a
policyd_libpolicyd_a_SOURCES = \
	policyd/address.c policyd/address.h \
	policyd/advice.c policyd/advice.h \
	policyd/answer.c policyd/answer.h \
	policyd/checks.c policyd/checks.h \
	policyd/decide.c policyd/decide.h \
	policyd/dmarc.c policyd/dmarc.h \
	policyd/follow.c policyd/follow.h \
	policyd/hosts.c policyd/hosts.h \
	policyd/loop.c policyd/loop.h \
	policyd/lookup.c policyd/lookup.h \
	policyd/notes.c policyd/notes.h \
	policyd/nta.c policyd/nta.h \
	policyd/promise.c policyd/promise.h \
	policyd/ready.c policyd/ready.h \
	policyd/record.c policyd/record.h \
	policyd/refresh.c policyd/refresh.h \
	policyd/routedb.c policyd/routedb.h \
	policyd/routefiles.c policyd/routefiles.h \
	policyd/rr.c policyd/rr.h \
	policyd/server.c policyd/server.h
policyd_libpolicyd_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

POLICYD_LIBS = policyd/libpolicyd.a $(BOOK_LIBS) $(ASK_LIBS) $(CONF_LIBS) $(BASE_LIBS) \
	$(SQLITE_LIBS)

sbin_PROGRAMS += policyd/zegel-policyd
policyd_zegel_policyd_SOURCES = policyd/main.c
policyd_zegel_policyd_LDADD = $(POLICYD_LIBS) $(SANDBOX_LIBS)

check_PROGRAMS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_nta \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_routedb \
	tests/unit/policyd/test_server \
	tests/fuzz/fuzz_book \
	tests/fuzz/fuzz_nta
TESTS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_nta \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_routedb \
	tests/unit/policyd/test_server \
	tests/fuzz/fuzz_book \
	tests/fuzz/fuzz_nta
tests_unit_policyd_test_address_SOURCES = tests/unit/policyd/test_address.c
tests_unit_policyd_test_address_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_answer_SOURCES = tests/unit/policyd/test_answer.c
tests_unit_policyd_test_answer_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_decide_SOURCES = tests/unit/policyd/test_decide.c
tests_unit_policyd_test_decide_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_nta_SOURCES = tests/unit/policyd/test_nta.c
tests_unit_policyd_test_nta_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_promise_SOURCES = tests/unit/policyd/test_promise.c \
	tests/unit/policyd/routes.h
tests_unit_policyd_test_promise_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_policyd_test_promise_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_routedb_SOURCES = tests/unit/policyd/test_routedb.c \
	tests/unit/policyd/routes.h
tests_unit_policyd_test_routedb_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_policyd_test_routedb_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_server_SOURCES = tests/unit/policyd/test_server.c
tests_unit_policyd_test_server_LDADD = $(POLICYD_LIBS)
tests_fuzz_fuzz_book_SOURCES = tests/fuzz/fuzz_book.c
tests_fuzz_fuzz_book_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_nta_SOURCES = tests/fuzz/fuzz_nta.c
tests_fuzz_fuzz_nta_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_book/address \
	tests/fuzz/corpus/fuzz_book/bad \
	tests/fuzz/corpus/fuzz_book/book \
	tests/fuzz/corpus/fuzz_book/deviation \
	tests/fuzz/corpus/fuzz_book/empty-name \
	tests/fuzz/corpus/fuzz_book/idna \
	tests/fuzz/corpus/fuzz_book/network \
	tests/fuzz/corpus/fuzz_nta/future \
	tests/fuzz/corpus/fuzz_nta/hosts \
	tests/fuzz/corpus/fuzz_nta/loose \
	tests/fuzz/corpus/fuzz_nta/old \
	tests/fuzz/corpus/fuzz_nta/record \
	tests/fuzz/corpus/fuzz_nta/spf

dist_man_MANS += man/zegel-policyd.8 man/zegel-ask.5 man/zegel-domains.5
