noinst_LIBRARIES += common/base/libbase.a
common_base_libbase_a_SOURCES = \
	common/base/attachment.c common/base/attachment.h \
	common/base/attr.c common/base/attr.h \
	common/base/child.c common/base/child.h \
	common/base/current.c common/base/current.h \
	common/base/daemon.c common/base/daemon.h \
	common/base/error.c common/base/error.h \
	common/base/event.c common/base/event.h \
	common/base/json.c common/base/json.h \
	common/base/label.c common/base/label.h \
	common/base/log.c common/base/log.h \
	common/base/loop.c common/base/loop.h \
	common/base/mailbox.c common/base/mailbox.h \
	common/base/network.c common/base/network.h \
	common/base/notify.c \
	common/base/packer.c common/base/packer.h \
	common/base/phone.c common/base/phone.h \
	common/base/reply.c common/base/reply.h \
	common/base/secret.c common/base/secret.h \
	common/base/signals.c common/base/signals.h \
	common/base/statistics.c common/base/statistics.h \
	common/base/syslog.c common/base/syslog.h \
	common/base/unix.c common/base/unix.h

BASE_LIBS = common/base/libbase.a $(GLIB_LIBS)

check_PROGRAMS += tests/unit/base/test_phone
tests_unit_base_test_phone_SOURCES = tests/unit/base/test_phone.c
tests_unit_base_test_phone_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_phone

check_PROGRAMS += tests/unit/base/test_attr
tests_unit_base_test_attr_SOURCES = tests/unit/base/test_attr.c
tests_unit_base_test_attr_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_attr

check_PROGRAMS += tests/unit/base/test_network
tests_unit_base_test_network_SOURCES = tests/unit/base/test_network.c
tests_unit_base_test_network_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_network

check_PROGRAMS += tests/unit/base/test_label
tests_unit_base_test_label_SOURCES = tests/unit/base/test_label.c
tests_unit_base_test_label_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_label

check_PROGRAMS += tests/unit/base/test_event
tests_unit_base_test_event_SOURCES = tests/unit/base/test_event.c tests/unit/base/catch.h
tests_unit_base_test_event_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_event

check_PROGRAMS += tests/unit/base/test_loop
tests_unit_base_test_loop_SOURCES = tests/unit/base/test_loop.c
tests_unit_base_test_loop_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_loop

check_PROGRAMS += tests/unit/base/test_syslog
tests_unit_base_test_syslog_SOURCES = tests/unit/base/test_syslog.c
tests_unit_base_test_syslog_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_syslog

check_PROGRAMS += tests/unit/base/test_log
tests_unit_base_test_log_SOURCES = tests/unit/base/test_log.c tests/unit/base/catch.h
tests_unit_base_test_log_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_log

check_PROGRAMS += tests/unit/base/test_current
tests_unit_base_test_current_SOURCES = tests/unit/base/test_current.c
tests_unit_base_test_current_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_current

check_PROGRAMS += tests/unit/base/test_notify
tests_unit_base_test_notify_SOURCES = tests/unit/base/test_notify.c
tests_unit_base_test_notify_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_notify

check_PROGRAMS += tests/unit/base/test_signals
tests_unit_base_test_signals_SOURCES = tests/unit/base/test_signals.c tests/unit/base/catch.h
tests_unit_base_test_signals_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_signals

check_PROGRAMS += tests/unit/base/test_mailbox
tests_unit_base_test_mailbox_SOURCES = tests/unit/base/test_mailbox.c
tests_unit_base_test_mailbox_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_mailbox

check_PROGRAMS += tests/fuzz/fuzz_phone
tests_fuzz_fuzz_phone_SOURCES = tests/fuzz/fuzz_phone.c
tests_fuzz_fuzz_phone_LDADD = $(FUZZ_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_phone
EXTRA_DIST += tests/fuzz/corpus/fuzz_phone

check_PROGRAMS += tests/fuzz/fuzz_attr
tests_fuzz_fuzz_attr_SOURCES = tests/fuzz/fuzz_attr.c
tests_fuzz_fuzz_attr_LDADD = $(FUZZ_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_attr
EXTRA_DIST += tests/fuzz/corpus/fuzz_attr
