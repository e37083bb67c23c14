noinst_LIBRARIES += policyd/libpolicyd.a
policyd_libpolicyd_a_SOURCES = \
	policyd/address.c policyd/address.h \
	policyd/advice.c policyd/advice.h \
	policyd/answer.c policyd/answer.h \
	policyd/book_log.c policyd/book_log.h \
	policyd/chain.c policyd/chain.h \
	policyd/checks.c policyd/checks.h \
	policyd/clients.c policyd/clients.h \
	policyd/community.c policyd/community.h \
	policyd/decide.c policyd/decide.h \
	policyd/dkim.c policyd/dkim.h \
	policyd/delegation.c policyd/delegation.h \
	policyd/dmarc.c policyd/dmarc.h \
	policyd/follow.c policyd/follow.h \
	policyd/dmarc_record.c \
	policyd/hosts.c policyd/hosts.h \
	policyd/dns.c policyd/dns.h \
	policyd/dns_cache.c policyd/dns_cache.h \
	policyd/dns_message.c policyd/dns_message.h \
	policyd/dns_server.c policyd/dns_server.h \
	policyd/dns_tcp.c policyd/dns_tcp.h \
	policyd/keeper.c policyd/keeper.h \
	policyd/kept.c policyd/kept.h \
	policyd/lookup.c policyd/lookup.h \
	policyd/memo.c policyd/memo.h \
	policyd/notes.c policyd/notes.h \
	policyd/nta.c policyd/nta.h \
	policyd/observe.c policyd/observe.h \
	policyd/own.c \
	policyd/phone_ask.c policyd/phone_ask.h \
	policyd/phone_book.c policyd/phone_book.h \
	policyd/phone_db.c policyd/phone_db.h \
	policyd/preview.c policyd/preview.h \
	policyd/promise.c policyd/promise.h \
	policyd/questions.c policyd/questions.h \
	policyd/ready.c policyd/ready.h \
	policyd/record.c policyd/record.h \
	policyd/refresh.c policyd/refresh.h \
	policyd/routedb.c policyd/routedb.h \
	policyd/routefiles.c policyd/routefiles.h \
	policyd/rr.c policyd/rr.h \
	policyd/server.c policyd/server.h \
	policyd/spf.c policyd/spf.h \
	policyd/spf_cache.c policyd/spf_cache.h \
	policyd/spf_child.c policyd/spf_child.h \
	policyd/spf_record.c policyd/spf_record.h \
	policyd/spf_wire.c policyd/spf_wire.h \
	policyd/tester.c policyd/tester.h \
	policyd/verdicts.c policyd/verdicts.h \
	policyd/verifier.c policyd/verifier.h \
	policyd/verify.c policyd/verify.h
policyd_libpolicyd_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

POLICYD_LIBS = policyd/libpolicyd.a common/seen/libseen.a common/db/libdb.a $(CRYPT_LIBS) $(BOOK_LIBS) $(ASK_LIBS) $(CONF_LIBS) $(BASE_LIBS) \
	$(SQLITE_LIBS) $(LDNS_LIBS)

sbin_PROGRAMS += policyd/zegel-policyd
policyd_zegel_policyd_SOURCES = \
	policyd/confine.c policyd/confine.h \
	policyd/main.c
policyd_zegel_policyd_LDADD = $(AUDIT_CLIENT_LIBS) $(POLICYD_LIBS) $(SANDBOX_LIBS)

zegellibexec_PROGRAMS += policyd/zegel-spf
policyd_zegel_spf_SOURCES = policyd/spf_worker.c policyd/spf_host.c policyd/spf_host.h
policyd_zegel_spf_LDADD = policyd/libpolicyd.a $(SPF2_LIBS) $(SANDBOX_LIBS) $(BASE_LIBS)
READINESS_TEST = \
	tests/unit/policyd/readiness.c tests/unit/policyd/readiness.h \
	tests/unit/policyd/zone.c tests/unit/policyd/zone.h

check_PROGRAMS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_chain \
	tests/unit/policyd/test_clients \
	tests/unit/policyd/test_community \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_dmarc \
	tests/unit/policyd/test_delegation \
	tests/unit/policyd/test_keeper \
	tests/unit/policyd/test_nta \
	tests/unit/policyd/test_observe \
	tests/unit/policyd/test_dns \
	tests/unit/policyd/test_lookup \
	tests/unit/policyd/test_memo \
	tests/unit/policyd/test_own \
	tests/unit/policyd/test_phone \
	tests/unit/policyd/test_preview \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_questions \
	tests/unit/policyd/test_routedb \
	tests/unit/policyd/test_ready \
	tests/unit/policyd/test_refresh \
	tests/unit/policyd/test_rr \
	tests/unit/policyd/test_server \
	tests/unit/policyd/test_spf_cache \
	tests/unit/policyd/test_verify \
	tests/fuzz/fuzz_book \
	tests/fuzz/fuzz_dkim \
	tests/fuzz/fuzz_dns \
	tests/fuzz/fuzz_dmarc \
	tests/fuzz/fuzz_delegation \
	tests/fuzz/fuzz_preview \
	tests/fuzz/fuzz_nta
TESTS += \
	tests/unit/policyd/test_address \
	tests/unit/policyd/test_answer \
	tests/unit/policyd/test_chain \
	tests/unit/policyd/test_clients \
	tests/unit/policyd/test_community \
	tests/unit/policyd/test_decide \
	tests/unit/policyd/test_dmarc \
	tests/unit/policyd/test_delegation \
	tests/unit/policyd/test_keeper \
	tests/unit/policyd/test_nta \
	tests/unit/policyd/test_observe \
	tests/unit/policyd/test_dns \
	tests/unit/policyd/test_lookup \
	tests/unit/policyd/test_memo \
	tests/unit/policyd/test_own \
	tests/unit/policyd/test_phone \
	tests/unit/policyd/test_preview \
	tests/unit/policyd/test_promise \
	tests/unit/policyd/test_questions \
	tests/unit/policyd/test_routedb \
	tests/unit/policyd/test_ready \
	tests/unit/policyd/test_refresh \
	tests/unit/policyd/test_rr \
	tests/unit/policyd/test_server \
	tests/unit/policyd/test_spf_cache \
	tests/unit/policyd/test_verify \
	tests/fuzz/fuzz_book \
	tests/fuzz/fuzz_dkim \
	tests/fuzz/fuzz_dns \
	tests/fuzz/fuzz_dmarc \
	tests/fuzz/fuzz_delegation \
	tests/fuzz/fuzz_preview \
	tests/fuzz/fuzz_nta
tests_unit_policyd_test_address_SOURCES = tests/unit/policyd/test_address.c
tests_unit_policyd_test_address_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_answer_SOURCES = \
	tests/unit/policyd/answer_fake.c tests/unit/policyd/answer_fake.h \
	tests/unit/policyd/answer_rows.h \
	tests/unit/policyd/test_answer.c
tests_unit_policyd_test_answer_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_chain_SOURCES = \
	tests/unit/policyd/dns_fake.c tests/unit/policyd/dns_fake.h \
	tests/unit/policyd/test_chain.c
tests_unit_policyd_test_chain_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_clients_SOURCES = tests/unit/policyd/test_clients.c
tests_unit_policyd_test_clients_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_spf_cache_SOURCES = tests/unit/policyd/test_spf_cache.c
tests_unit_policyd_test_spf_cache_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_verify_SOURCES = tests/unit/policyd/test_verify.c \
	tests/unit/policyd/zone.c tests/unit/policyd/zone.h
tests_unit_policyd_test_verify_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_community_SOURCES = tests/unit/policyd/test_community.c
tests_unit_policyd_test_community_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_decide_SOURCES = tests/unit/policyd/test_decide.c
tests_unit_policyd_test_decide_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_dmarc_SOURCES = tests/unit/policyd/test_dmarc.c \
	tests/unit/policyd/zone.c tests/unit/policyd/zone.h
tests_unit_policyd_test_dmarc_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_nta_SOURCES = tests/unit/policyd/test_nta.c
tests_unit_policyd_test_nta_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_preview_SOURCES = tests/unit/policyd/test_preview.c
tests_unit_policyd_test_preview_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_promise_SOURCES = tests/unit/policyd/test_promise.c \
	tests/unit/policyd/routes.h
tests_unit_policyd_test_promise_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_policyd_test_promise_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_questions_SOURCES = tests/unit/policyd/test_questions.c \
	tests/unit/policyd/zone.c tests/unit/policyd/zone.h
tests_unit_policyd_test_questions_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_routedb_SOURCES = tests/unit/policyd/test_routedb.c \
	tests/unit/policyd/routes.h
tests_unit_policyd_test_routedb_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_policyd_test_routedb_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_dns_SOURCES = \
	tests/unit/policyd/dns_fake.c tests/unit/policyd/dns_fake.h \
	tests/unit/policyd/test_dns.c
tests_unit_policyd_test_dns_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_lookup_SOURCES = \
	tests/unit/policyd/dns_fake.c tests/unit/policyd/dns_fake.h \
	tests/unit/policyd/test_lookup.c
tests_unit_policyd_test_lookup_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_memo_SOURCES = tests/unit/policyd/test_memo.c
tests_unit_policyd_test_memo_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_rr_SOURCES = tests/unit/policyd/test_rr.c
tests_unit_policyd_test_rr_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_delegation_SOURCES = tests/unit/policyd/test_delegation.c
tests_unit_policyd_test_delegation_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_keeper_SOURCES = tests/unit/policyd/test_keeper.c
tests_unit_policyd_test_keeper_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_observe_SOURCES = tests/unit/policyd/test_observe.c $(READINESS_TEST)
tests_unit_policyd_test_observe_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_own_SOURCES = tests/unit/policyd/test_own.c $(READINESS_TEST)
tests_unit_policyd_test_own_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_phone_SOURCES = tests/unit/policyd/test_phone.c \
	tests/unit/crypt/ring.h
tests_unit_policyd_test_phone_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_ready_SOURCES = tests/unit/policyd/test_ready.c $(READINESS_TEST)
tests_unit_policyd_test_ready_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_refresh_SOURCES = tests/unit/policyd/test_refresh.c \
	tests/unit/policyd/routes.h tests/unit/policyd/zone.c tests/unit/policyd/zone.h
tests_unit_policyd_test_refresh_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_policyd_test_refresh_LDADD = $(POLICYD_LIBS)
tests_unit_policyd_test_server_SOURCES = tests/unit/policyd/test_server.c
tests_unit_policyd_test_server_LDADD = $(POLICYD_LIBS)
tests_fuzz_fuzz_book_SOURCES = tests/fuzz/fuzz_book.c
tests_fuzz_fuzz_book_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_dkim_SOURCES = tests/fuzz/fuzz_dkim.c
tests_fuzz_fuzz_dkim_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_dmarc_SOURCES = tests/fuzz/fuzz_dmarc.c
tests_fuzz_fuzz_dmarc_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_nta_SOURCES = tests/fuzz/fuzz_nta.c
tests_fuzz_fuzz_nta_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_preview_SOURCES = tests/fuzz/fuzz_preview.c
tests_fuzz_fuzz_preview_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_delegation_SOURCES = tests/fuzz/fuzz_delegation.c
tests_fuzz_fuzz_delegation_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
tests_fuzz_fuzz_dns_SOURCES = tests/fuzz/fuzz_dns.c
tests_fuzz_fuzz_dns_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
EXTRA_DIST += \
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
	tests/fuzz/corpus/fuzz_dns/whole \
	tests/fuzz/corpus/fuzz_book/address \
	tests/fuzz/corpus/fuzz_book/bad \
	tests/fuzz/corpus/fuzz_book/client \
	tests/fuzz/corpus/fuzz_book/book \
	tests/fuzz/corpus/fuzz_book/deviation \
	tests/fuzz/corpus/fuzz_book/empty-name \
	tests/fuzz/corpus/fuzz_book/idna \
	tests/fuzz/corpus/fuzz_dkim/ed25519 \
	tests/fuzz/corpus/fuzz_dkim/overlap \
	tests/fuzz/corpus/fuzz_dkim/pem \
	tests/fuzz/corpus/fuzz_dkim/revoked \
	tests/fuzz/corpus/fuzz_dkim/rsa \
	tests/fuzz/corpus/fuzz_book/network \
	tests/fuzz/corpus/fuzz_dmarc/full \
	tests/fuzz/corpus/fuzz_dmarc/loose \
	tests/fuzz/corpus/fuzz_dmarc/no-policy \
	tests/fuzz/corpus/fuzz_dmarc/twice \
	tests/fuzz/corpus/fuzz_preview/empty-recipient \
	tests/fuzz/corpus/fuzz_preview/no-question \
	tests/fuzz/corpus/fuzz_preview/other-lines \
	tests/fuzz/corpus/fuzz_preview/stranger \
	tests/fuzz/corpus/fuzz_preview/two \
	tests/fuzz/corpus/fuzz_preview/version \
	tests/fuzz/corpus/fuzz_delegation/certificate \
	tests/fuzz/corpus/fuzz_delegation/empty \
	tests/fuzz/corpus/fuzz_delegation/foreign-sender \
	tests/fuzz/corpus/fuzz_delegation/label \
	tests/fuzz/corpus/fuzz_delegation/no-request \
	tests/fuzz/corpus/fuzz_delegation/odd-bytes \
	tests/fuzz/corpus/fuzz_delegation/stranger \
	tests/fuzz/corpus/fuzz_nta/future \
	tests/fuzz/corpus/fuzz_nta/hosts \
	tests/fuzz/corpus/fuzz_nta/loose \
	tests/fuzz/corpus/fuzz_nta/old \
	tests/fuzz/corpus/fuzz_nta/record \
	tests/fuzz/corpus/fuzz_nta/spf

check_PROGRAMS += tests/unit/policyd/test_spf tests/unit/policyd/bad_spf
tests_unit_policyd_test_spf_SOURCES = tests/unit/policyd/test_spf.c \
	tests/unit/policyd/fake_dns.c tests/unit/policyd/fake_dns.h
tests_unit_policyd_test_spf_LDADD = $(POLICYD_LIBS) $(SANDBOX_LIBS)
tests_unit_policyd_bad_spf_SOURCES = tests/unit/policyd/bad_spf.c
tests_unit_policyd_bad_spf_LDADD = $(POLICYD_LIBS)
TESTS += tests/unit/policyd/test_spf
check_PROGRAMS += tests/unit/policyd/test_spf_record
tests_unit_policyd_test_spf_record_SOURCES = tests/unit/policyd/test_spf_record.c
tests_unit_policyd_test_spf_record_LDADD = $(POLICYD_LIBS)
TESTS += tests/unit/policyd/test_spf_record
check_PROGRAMS += tests/fuzz/fuzz_spf
tests_fuzz_fuzz_spf_SOURCES = tests/fuzz/fuzz_spf.c
tests_fuzz_fuzz_spf_LDADD = $(FUZZ_LIBS) $(POLICYD_LIBS)
TESTS += tests/fuzz/fuzz_spf
EXTRA_DIST += tests/fuzz/corpus/fuzz_spf

check_PROGRAMS += tests/replay/spf/replay_spf
tests_replay_spf_replay_spf_SOURCES = tests/replay/spf/replay_spf.c \
	tests/unit/policyd/fake_dns.c tests/unit/policyd/fake_dns.h
tests_replay_spf_replay_spf_LDADD = $(POLICYD_LIBS)
TESTS += tests/replay/spf/rfc7208
EXTRA_DIST += tests/replay/spf/rfc7208 tests/replay/spf/known

dist_man_MANS += man/zegel-policyd.8 man/zegel-spf.8 man/zegel-policy.7 man/zegel-domains.5
