noinst_LIBRARIES += common/store/libstore.a
common_store_libstore_a_SOURCES = \
	common/store/code.c \
	common/store/copy.c common/store/copy.h \
	common/store/dispatch.c common/store/dispatch.h \
	common/store/draft.c \
	common/store/due.c \
	common/store/end.c \
	common/store/entry.c \
	common/store/expire.c \
	common/store/fields.c \
	common/store/filing.c \
	common/store/history.c common/store/history.h \
	common/store/internal.h \
	common/store/keys.c \
	common/store/large.c \
	common/store/look.c common/store/look.h \
	common/store/manage.c common/store/manage.h \
	common/store/outbox.c common/store/outbox.h \
	common/store/parts.c \
	common/store/row.c \
	common/store/schema.c \
	common/store/session.c \
	common/store/share.c common/store/share.h \
	common/store/store.c common/store/store.h \
	common/store/use.c \
	common/store/visitor.c \
	common/store/writer.c
common_store_libstore_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)

STORE_LIBS = common/store/libstore.a $(DB_LIBS) $(CRYPT_LIBS)

STORE_TESTS = \
	tests/unit/store/test_code \
	tests/unit/store/test_copy \
	tests/unit/store/test_dispatch \
	tests/unit/store/test_end \
	tests/unit/store/test_manage \
	tests/unit/store/test_expire \
	tests/unit/store/test_fault \
	tests/unit/store/test_filing \
	tests/unit/store/test_open \
	tests/unit/store/test_outbox \
	tests/unit/store/test_reading \
	tests/unit/store/test_record \
	tests/unit/store/test_session \
	tests/unit/store/test_share \
	tests/unit/store/test_theft \
	tests/unit/store/test_upgrade
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
STORE_TEST_LIBS = $(STORE_LIBS) $(BASE_LIBS)
tests_unit_store_test_code_SOURCES = tests/unit/store/test_code.c tests/unit/store/fixture.h
tests_unit_store_test_code_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_copy_SOURCES = tests/unit/store/test_copy.c tests/unit/store/fixture.h
tests_unit_store_test_copy_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_dispatch_SOURCES = tests/unit/store/test_dispatch.c tests/unit/store/fixture.h
tests_unit_store_test_dispatch_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_manage_SOURCES = tests/unit/store/test_manage.c tests/unit/store/fixture.h
tests_unit_store_test_manage_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_end_SOURCES = tests/unit/store/test_end.c tests/unit/store/fixture.h
tests_unit_store_test_end_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_expire_SOURCES = tests/unit/store/test_expire.c tests/unit/store/fixture.h
tests_unit_store_test_expire_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_fault_SOURCES = tests/unit/store/test_fault.c tests/unit/store/fixture.h
tests_unit_store_test_fault_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_filing_SOURCES = tests/unit/store/test_filing.c tests/unit/store/fixture.h
tests_unit_store_test_filing_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_open_SOURCES = tests/unit/store/test_open.c tests/unit/store/fixture.h
tests_unit_store_test_open_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_outbox_SOURCES = tests/unit/store/test_outbox.c \
	tests/unit/store/events.h tests/unit/store/fixture.h
tests_unit_store_test_outbox_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_reading_SOURCES = tests/unit/store/test_reading.c tests/unit/store/fixture.h
tests_unit_store_test_reading_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_record_SOURCES = tests/unit/store/test_record.c \
	tests/unit/store/events.h tests/unit/store/fixture.h
tests_unit_store_test_record_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_session_SOURCES = tests/unit/store/test_session.c tests/unit/store/fixture.h
tests_unit_store_test_session_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_share_SOURCES = tests/unit/store/test_share.c tests/unit/store/fixture.h
tests_unit_store_test_share_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_theft_SOURCES = tests/unit/store/test_theft.c tests/unit/store/fixture.h
tests_unit_store_test_theft_LDADD = $(STORE_TEST_LIBS)
tests_unit_store_test_upgrade_SOURCES = tests/unit/store/test_upgrade.c tests/unit/store/fixture.h
tests_unit_store_test_upgrade_LDADD = $(STORE_TEST_LIBS)
EXTRA_DIST += tests/unit/store/version1.sql
