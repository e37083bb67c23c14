# The way of events, for programs that know no SQL.
noinst_LIBRARIES += common/audit/libauditclient.a
common_audit_libauditclient_a_SOURCES = common/audit/client.c common/audit/client.h

AUDIT_CLIENT_LIBS = common/audit/libauditclient.a

check_PROGRAMS += tests/unit/audit/test_client
tests_unit_audit_test_client_SOURCES = tests/unit/audit/test_client.c tests/unit/base/catch.h
tests_unit_audit_test_client_LDADD = $(AUDIT_CLIENT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/audit/test_client
