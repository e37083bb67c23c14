noinst_LIBRARIES += common/audit/libaudit.a
common_audit_libaudit_a_SOURCES = \
	common/audit/change.c \
	common/audit/checkpoint.c common/audit/checkpoint.h \
	common/audit/internal.h \
	common/audit/keys.c \
	common/audit/line.c \
	common/audit/mention.c \
	common/audit/record.c \
	common/audit/schema.c \
	common/audit/trail.c common/audit/trail.h \
	common/audit/verify.c common/audit/verify.h \
	common/audit/verify_chain.c \
	common/audit/verify_row.c \
	common/audit/verify_run.h \
	common/audit/verify_sign.c \
	common/audit/writer.c common/audit/writer.h

AUDIT_LIBS = common/audit/libaudit.a $(DB_LIBS) $(CRYPT_LIBS)

AUDIT_TESTS = \
	tests/unit/audit/test_change \
	tests/unit/audit/test_status \
	tests/unit/audit/test_tamper \
	tests/unit/audit/test_trail \
	tests/unit/audit/test_verify
check_PROGRAMS += $(AUDIT_TESTS)
TESTS += $(AUDIT_TESTS)
AUDIT_TEST_LIBS = $(AUDIT_LIBS) $(BASE_LIBS)
tests_unit_audit_test_change_SOURCES = tests/unit/audit/test_change.c tests/unit/audit/proof.h tests/unit/audit/fixture.h tests/unit/crypt/ring.h
tests_unit_audit_test_change_LDADD = $(AUDIT_TEST_LIBS)
tests_unit_audit_test_status_SOURCES = tests/unit/audit/test_status.c tests/unit/audit/fixture.h tests/unit/crypt/ring.h
tests_unit_audit_test_status_LDADD = $(AUDIT_TEST_LIBS)
tests_unit_audit_test_tamper_SOURCES = tests/unit/audit/test_tamper.c tests/unit/audit/fixture.h tests/unit/crypt/ring.h
tests_unit_audit_test_tamper_LDADD = $(AUDIT_TEST_LIBS)
tests_unit_audit_test_trail_SOURCES = tests/unit/audit/test_trail.c tests/unit/audit/fixture.h tests/unit/crypt/ring.h
tests_unit_audit_test_trail_LDADD = $(AUDIT_TEST_LIBS)
tests_unit_audit_test_verify_SOURCES = tests/unit/audit/test_verify.c tests/unit/audit/proof.h tests/unit/audit/fixture.h tests/unit/crypt/ring.h
tests_unit_audit_test_verify_LDADD = $(AUDIT_TEST_LIBS)

# The way of events, for programs that know no SQL.
noinst_LIBRARIES += common/audit/libauditclient.a
common_audit_libauditclient_a_SOURCES = common/audit/client.c common/audit/client.h
AUDIT_CLIENT_LIBS = common/audit/libauditclient.a
check_PROGRAMS += tests/unit/audit/test_client
tests_unit_audit_test_client_SOURCES = tests/unit/audit/test_client.c tests/unit/base/catch.h
tests_unit_audit_test_client_LDADD = $(AUDIT_CLIENT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/audit/test_client

dist_man_MANS += man/zegel-audit.5
