# What knows neither socket nor store, for the program and its tests
noinst_LIBRARIES += deliver/libdeliver.a
deliver_libdeliver_a_SOURCES = \
	deliver/address.c deliver/address.h \
	deliver/bounce_reader.c deliver/bounce_reader.h \
	deliver/claim.c deliver/claim.h \
	deliver/head.c deliver/head.h \
	deliver/lmtp.c deliver/lmtp.h \
	deliver/notify.c deliver/notify.h \
	deliver/prose.c deliver/prose.h \
	deliver/reply.c deliver/reply.h \
	deliver/tell.c deliver/tell.h

sbin_PROGRAMS += deliver/zegel-deliver
deliver_zegel_deliver_SOURCES = \
	deliver/again.c deliver/again.h \
	deliver/announce.c deliver/announce.h \
	deliver/confine.c deliver/confine.h \
	deliver/confirm.c deliver/confirm.h \
	deliver/deposit.c deliver/deposit.h \
	deliver/due.c deliver/due.h \
	deliver/expire.c deliver/expire.h \
	deliver/lost.c deliver/lost.h \
	deliver/main.c \
	deliver/number.c deliver/number.h \
	deliver/post.c deliver/post.h \
	deliver/recipient.c deliver/recipient.h \
	deliver/relay.c deliver/relay.h \
	deliver/returned.c deliver/returned.h \
	deliver/server.c deliver/server.h \
	deliver/service.c deliver/service.h \
	deliver/session.c deliver/session.h \
	deliver/teach.c deliver/teach.h
deliver_zegel_deliver_LDADD = deliver/libdeliver.a $(SUBMIT_LIBS) $(ASK_LIBS) $(STORE_LIBS) \
	$(AUDIT_CLIENT_LIBS) $(CRYPT_LIBS) $(SANDBOX_LIBS) $(CONF_LIBS) $(BASE_LIBS)
dist_man_MANS += man/zegel-deliver.8

check_PROGRAMS += tests/unit/deliver/test_address
tests_unit_deliver_test_address_SOURCES = tests/unit/deliver/test_address.c
tests_unit_deliver_test_address_LDADD = deliver/libdeliver.a $(BASE_LIBS)
TESTS += tests/unit/deliver/test_address

check_PROGRAMS += tests/unit/deliver/test_lmtp
tests_unit_deliver_test_lmtp_SOURCES = tests/unit/deliver/test_lmtp.c
tests_unit_deliver_test_lmtp_LDADD = deliver/libdeliver.a $(BASE_LIBS)
TESTS += tests/unit/deliver/test_lmtp

check_PROGRAMS += tests/unit/deliver/test_head
tests_unit_deliver_test_head_SOURCES = tests/unit/deliver/test_head.c
tests_unit_deliver_test_head_LDADD = deliver/libdeliver.a $(BASE_LIBS)
TESTS += tests/unit/deliver/test_head

check_PROGRAMS += tests/unit/deliver/test_notify
tests_unit_deliver_test_notify_SOURCES = tests/unit/deliver/test_notify.c
tests_unit_deliver_test_notify_LDADD = deliver/libdeliver.a $(SUBMIT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/deliver/test_notify

check_PROGRAMS += tests/unit/deliver/test_reply
tests_unit_deliver_test_reply_SOURCES = tests/unit/deliver/test_reply.c
tests_unit_deliver_test_reply_LDADD = deliver/libdeliver.a $(BASE_LIBS)
TESTS += tests/unit/deliver/test_reply

check_PROGRAMS += tests/unit/deliver/test_tell
tests_unit_deliver_test_tell_SOURCES = tests/unit/deliver/test_tell.c
tests_unit_deliver_test_tell_LDADD = deliver/libdeliver.a $(SUBMIT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/deliver/test_tell

check_PROGRAMS += tests/unit/deliver/test_bounce_reader
tests_unit_deliver_test_bounce_reader_SOURCES = tests/unit/deliver/test_bounce_reader.c
tests_unit_deliver_test_bounce_reader_LDADD = deliver/libdeliver.a $(BASE_LIBS)
TESTS += tests/unit/deliver/test_bounce_reader

check_PROGRAMS += tests/fuzz/fuzz_lmtp
tests_fuzz_fuzz_lmtp_SOURCES = tests/fuzz/fuzz_lmtp.c
tests_fuzz_fuzz_lmtp_LDADD = deliver/libdeliver.a $(FUZZ_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_lmtp
EXTRA_DIST += tests/fuzz/corpus/fuzz_lmtp
