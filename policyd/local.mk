noinst_LIBRARIES += policyd/libpolicyd.a
policyd_libpolicyd_a_SOURCES = \
	policyd/address.c policyd/address.h \
	policyd/answer.c policyd/answer.h \
	policyd/book.c policyd/book.h \
	policyd/decide.c policyd/decide.h \
	policyd/hop.c policyd/hop.h \
	policyd/loop.c policyd/loop.h \
	policyd/lookup.c policyd/lookup.h \
	policyd/promise.c policyd/promise.h \
	policyd/rr.c policyd/rr.h \
	policyd/server.c policyd/server.h \
	policyd/spf.c policyd/spf.h \
	policyd/spf_child.c policyd/spf_child.h \
	policyd/spf_record.c policyd/spf_record.h \
	policyd/spf_wire.c policyd/spf_wire.h
policyd_libpolicyd_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

POLICYD_LIBS = policyd/libpolicyd.a $(ASK_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(SQLITE_LIBS)

sbin_PROGRAMS += policyd/zegel-policyd
policyd_zegel_policyd_SOURCES = policyd/main.c
policyd_zegel_policyd_LDADD = $(POLICYD_LIBS) $(SANDBOX_LIBS)

zegellibexec_PROGRAMS += policyd/zegel-spf
policyd_zegel_spf_SOURCES = policyd/spf_worker.c policyd/spf_host.c policyd/spf_host.h
policyd_zegel_spf_LDADD = policyd/libpolicyd.a $(SPF2_LIBS) $(SANDBOX_LIBS) $(BASE_LIBS)

check_PROGRAMS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_book \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_server \
	tests/fuzz/fuzz_book
TESTS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_book \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_server \
	tests/fuzz/fuzz_book
tests_unit_policyd_test_address_SOURCES = tests/unit/policyd/test_address.c
tests_unit_policyd_test_address_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_answer_SOURCES = tests/unit/policyd/test_answer.c
tests_unit_policyd_test_answer_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_book_SOURCES = tests/unit/policyd/test_book.c
tests_unit_policyd_test_book_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_decide_SOURCES = tests/unit/policyd/test_decide.c
tests_unit_policyd_test_decide_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_promise_SOURCES = tests/unit/policyd/test_promise.c
tests_unit_policyd_test_promise_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_policyd_test_promise_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_server_SOURCES = tests/unit/policyd/test_server.c
tests_unit_policyd_test_server_LDADD = $(POLICYD_LIBS)
tests_fuzz_fuzz_book_SOURCES = tests/fuzz/fuzz_book.c
tests_fuzz_fuzz_book_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_book/address \
	tests/fuzz/corpus/fuzz_book/bad \
	tests/fuzz/corpus/fuzz_book/book \
	tests/fuzz/corpus/fuzz_book/deviation \
	tests/fuzz/corpus/fuzz_book/empty-name \
	tests/fuzz/corpus/fuzz_book/idna

check_PROGRAMS += tests/unit/policyd/test_spf tests/unit/policyd/bad_spf
tests_unit_policyd_test_spf_SOURCES = tests/unit/policyd/test_spf.c \
	tests/unit/policyd/fake_dns.c tests/unit/policyd/fake_dns.h
tests_unit_policyd_test_spf_LDADD = $(POLICYD_LIBS) $(SANDBOX_LIBS)
tests_unit_policyd_bad_spf_SOURCES = tests/unit/policyd/bad_spf.c
tests_unit_policyd_bad_spf_LDADD = $(POLICYD_LIBS)
TESTS += tests/unit/policyd/test_spf

check_PROGRAMS += tests/replay/spf/replay_spf
tests_replay_spf_replay_spf_SOURCES = tests/replay/spf/replay_spf.c \
	tests/unit/policyd/fake_dns.c tests/unit/policyd/fake_dns.h
tests_replay_spf_replay_spf_LDADD = $(POLICYD_LIBS)
TESTS += tests/replay/spf/rfc7208
EXTRA_DIST += tests/replay/spf/rfc7208 tests/replay/spf/known

dist_man_MANS += man/zegel-policyd.8 man/zegel-spf.8 man/zegel-ask.5 man/zegel-domains.5
