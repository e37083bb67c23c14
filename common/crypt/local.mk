noinst_LIBRARIES += common/crypt/libcrypt.a
common_crypt_libcrypt_a_SOURCES = \
	common/crypt/box.c common/crypt/box.h \
	common/crypt/box_text.c common/crypt/box_text.h \
	common/crypt/crypt.c common/crypt/crypt.h \
	common/crypt/dkim_record.c common/crypt/dkim_record.h \
	common/crypt/ed25519.c common/crypt/ed25519.h \
	common/crypt/gcm.c common/crypt/gcm.h \
	common/crypt/key.c common/crypt/key.h \
	common/crypt/key_file.c common/crypt/key_file.h \
	common/crypt/openssl.h \
	common/crypt/origin.c common/crypt/origin.h \
	common/crypt/seal.c common/crypt/seal.h \
	common/crypt/sign_key.c common/crypt/sign_key.h \
	common/crypt/ticket.c common/crypt/ticket.h \
	common/crypt/tls_probe.c common/crypt/tls_probe.h
common_crypt_libcrypt_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(SSL_CFLAGS)

CRYPT_LIBS = common/crypt/libcrypt.a $(CRYPTO_LIBS)
# For tls_probe.h, which nothing else needs.
CRYPT_TLS_LIBS = common/crypt/libcrypt.a $(SSL_LIBS) $(CRYPTO_LIBS)

CRYPT_TESTS = \
	tests/unit/crypt/test_box \
	tests/unit/crypt/test_crypt \
	tests/unit/crypt/test_key \
	tests/unit/crypt/test_new_sign_key \
	tests/unit/crypt/test_origin \
	tests/unit/crypt/test_seal \
	tests/unit/crypt/test_sign_key \
	tests/unit/crypt/test_ticket \
	tests/unit/crypt/test_tls_probe \
	tests/fuzz/fuzz_key \
	tests/fuzz/fuzz_origin \
	tests/fuzz/fuzz_seal \
	tests/fuzz/fuzz_ticket
check_PROGRAMS += $(CRYPT_TESTS)
TESTS += $(CRYPT_TESTS)
tests_unit_crypt_test_box_SOURCES = tests/unit/crypt/test_box.c tests/unit/crypt/ring.h
tests_unit_crypt_test_box_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_crypt_SOURCES = tests/unit/crypt/test_crypt.c
tests_unit_crypt_test_crypt_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_key_SOURCES = tests/unit/crypt/test_key.c
tests_unit_crypt_test_key_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_seal_SOURCES = tests/unit/crypt/test_seal.c
tests_unit_crypt_test_seal_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_new_sign_key_SOURCES = tests/unit/crypt/test_new_sign_key.c
tests_unit_crypt_test_new_sign_key_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_origin_SOURCES = tests/unit/crypt/test_origin.c tests/unit/crypt/ring.h
tests_unit_crypt_test_origin_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_sign_key_SOURCES = tests/unit/crypt/test_sign_key.c
tests_unit_crypt_test_sign_key_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_ticket_SOURCES = tests/unit/crypt/test_ticket.c tests/unit/crypt/ring.h
tests_unit_crypt_test_ticket_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
tests_unit_crypt_test_tls_probe_SOURCES = tests/unit/crypt/test_tls_probe.c
tests_unit_crypt_test_tls_probe_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
tests_unit_crypt_test_tls_probe_LDADD = $(CRYPT_TLS_LIBS) $(BASE_LIBS)
tests_fuzz_fuzz_key_SOURCES = tests/fuzz/fuzz_key.c
tests_fuzz_fuzz_key_LDADD = $(FUZZ_LIBS) $(CRYPT_LIBS) $(BASE_LIBS)
tests_fuzz_fuzz_origin_SOURCES = tests/fuzz/fuzz_origin.c tests/unit/crypt/ring.h
tests_fuzz_fuzz_origin_LDADD = $(FUZZ_LIBS) $(CRYPT_LIBS) $(BASE_LIBS)
tests_fuzz_fuzz_seal_SOURCES = tests/fuzz/fuzz_seal.c
tests_fuzz_fuzz_seal_LDADD = $(FUZZ_LIBS) $(CRYPT_LIBS) $(BASE_LIBS)
tests_fuzz_fuzz_ticket_SOURCES = tests/fuzz/fuzz_ticket.c tests/unit/crypt/ring.h
tests_fuzz_fuzz_ticket_LDADD = $(FUZZ_LIBS) $(CRYPT_LIBS) $(BASE_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_key tests/fuzz/corpus/fuzz_origin \
	tests/fuzz/corpus/fuzz_seal tests/fuzz/corpus/fuzz_ticket

dist_man_MANS += man/zegel-store.5 man/zegel-ticket.5
