noinst_LIBRARIES += policyd/libpolicyd.a
policyd_libpolicyd_a_SOURCES = \
	policyd/address.c policyd/address.h \
	policyd/answer.c policyd/answer.h \
	policyd/book.c policyd/book.h \
	policyd/chain.c policyd/chain.h \
	policyd/decide.c policyd/decide.h \
	policyd/dns.c policyd/dns.h \
	policyd/dns_cache.c policyd/dns_cache.h \
	policyd/dns_message.c policyd/dns_message.h \
	policyd/dns_server.c policyd/dns_server.h \
	policyd/dns_tcp.c policyd/dns_tcp.h \
	policyd/hop.c policyd/hop.h \
	policyd/loop.c policyd/loop.h \
	policyd/lookup.c policyd/lookup.h \
	policyd/promise.c policyd/promise.h \
	policyd/rr.c policyd/rr.h \
	policyd/server.c policyd/server.h
policyd_libpolicyd_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

POLICYD_LIBS = policyd/libpolicyd.a $(ASK_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(SQLITE_LIBS) \
	$(LDNS_LIBS)

sbin_PROGRAMS += policyd/zegel-policyd
policyd_zegel_policyd_SOURCES = policyd/main.c
policyd_zegel_policyd_LDADD = $(POLICYD_LIBS) $(SANDBOX_LIBS)

check_PROGRAMS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_book \
	tests/unit/policyd/test_chain \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_dns \
	tests/unit/policyd/test_lookup \
	tests/unit/policyd/test_loop \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_rr \
	tests/unit/policyd/test_server \
	tests/fuzz/fuzz_book \
	tests/fuzz/fuzz_dns
TESTS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_book \
	tests/unit/policyd/test_chain \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_dns \
	tests/unit/policyd/test_lookup \
	tests/unit/policyd/test_loop \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_rr \
	tests/unit/policyd/test_server \
	tests/fuzz/fuzz_book \
	tests/fuzz/fuzz_dns
tests_unit_policyd_test_address_SOURCES = tests/unit/policyd/test_address.c
tests_unit_policyd_test_address_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_answer_SOURCES = tests/unit/policyd/test_answer.c
tests_unit_policyd_test_answer_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_book_SOURCES = tests/unit/policyd/test_book.c
tests_unit_policyd_test_book_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_chain_SOURCES = \
	tests/unit/policyd/dns_fake.c tests/unit/policyd/dns_fake.h \
	tests/unit/policyd/test_chain.c
tests_unit_policyd_test_chain_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_decide_SOURCES = tests/unit/policyd/test_decide.c
tests_unit_policyd_test_decide_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_dns_SOURCES = \
	tests/unit/policyd/dns_fake.c tests/unit/policyd/dns_fake.h \
	tests/unit/policyd/test_dns.c
tests_unit_policyd_test_dns_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_lookup_SOURCES = \
	tests/unit/policyd/dns_fake.c tests/unit/policyd/dns_fake.h \
	tests/unit/policyd/test_lookup.c
tests_unit_policyd_test_lookup_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_loop_SOURCES = tests/unit/policyd/test_loop.c
tests_unit_policyd_test_loop_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_promise_SOURCES = tests/unit/policyd/test_promise.c
tests_unit_policyd_test_promise_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_policyd_test_promise_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_rr_SOURCES = tests/unit/policyd/test_rr.c
tests_unit_policyd_test_rr_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_server_SOURCES = tests/unit/policyd/test_server.c
tests_unit_policyd_test_server_LDADD = $(POLICYD_LIBS)
tests_fuzz_fuzz_book_SOURCES = tests/fuzz/fuzz_book.c
tests_fuzz_fuzz_book_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz_dns.c
tests_fuzz_fuzz_dns_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_book/address \
	tests/fuzz/corpus/fuzz_book/bad \
	tests/fuzz/corpus/fuzz_book/book \
	tests/fuzz/corpus/fuzz_book/deviation \
	tests/fuzz/corpus/fuzz_book/empty-name \
	tests/fuzz/corpus/fuzz_book/idna \
	tests/fuzz/corpus/fuzz_dns/badvers \
	tests/fuzz/corpus/fuzz_dns/cname \
	tests/fuzz/corpus/fuzz_dns/cname-chain \
	tests/fuzz/corpus/fuzz_dns/cname-damaged \
	tests/fuzz/corpus/fuzz_dns/cname-loop \
	tests/fuzz/corpus/fuzz_dns/cut \
	tests/fuzz/corpus/fuzz_dns/dnskey \
	tests/fuzz/corpus/fuzz_dns/ds \
	tests/fuzz/corpus/fuzz_dns/ds-empty \
	tests/fuzz/corpus/fuzz_dns/empty \
	tests/fuzz/corpus/fuzz_dns/more-than-there \
	tests/fuzz/corpus/fuzz_dns/mx \
	tests/fuzz/corpus/fuzz_dns/mx-damaged \
	tests/fuzz/corpus/fuzz_dns/nxdomain \
	tests/fuzz/corpus/fuzz_dns/pointer-beyond \
	tests/fuzz/corpus/fuzz_dns/pointer-to-itself \
	tests/fuzz/corpus/fuzz_dns/pointers-in-a-circle \
	tests/fuzz/corpus/fuzz_dns/ptr \
	tests/fuzz/corpus/fuzz_dns/rdata-beyond \
	tests/fuzz/corpus/fuzz_dns/soa-short \
	tests/fuzz/corpus/fuzz_dns/tlsa \
	tests/fuzz/corpus/fuzz_dns/truncated \
	tests/fuzz/corpus/fuzz_dns/ttl-negative \
	tests/fuzz/corpus/fuzz_dns/txt \
	tests/fuzz/corpus/fuzz_dns/txt-many-strings \
	tests/fuzz/corpus/fuzz_dns/txt-signed \
	tests/fuzz/corpus/fuzz_dns/txt-signed-above \
	tests/fuzz/corpus/fuzz_dns/txt-signed-many \
	tests/fuzz/corpus/fuzz_dns/txt-signed-wildcard \
	tests/fuzz/corpus/fuzz_dns/whole

dist_man_MANS += man/zegel-policyd.8 man/zegel-ask.5 man/zegel-domains.5
