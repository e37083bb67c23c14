noinst_LIBRARIES += common/sandbox/libsandbox.a
common_sandbox_libsandbox_a_SOURCES = \
	common/sandbox/daemon.c \
	common/sandbox/filter.c common/sandbox/filter.h \
	common/sandbox/landlock.c common/sandbox/landlock.h \
	common/sandbox/sandbox.c common/sandbox/sandbox.h
common_sandbox_libsandbox_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)

SANDBOX_LIBS = common/sandbox/libsandbox.a $(SECCOMP_LIBS)

check_PROGRAMS += tests/unit/sandbox/test_sandbox
tests_unit_sandbox_test_sandbox_SOURCES = tests/unit/sandbox/test_sandbox.c
tests_unit_sandbox_test_sandbox_LDADD = $(SANDBOX_LIBS) $(BASE_LIBS)
TESTS += tests/unit/sandbox/test_sandbox

check_PROGRAMS += tests/unit/sandbox/test_daemon
tests_unit_sandbox_test_daemon_SOURCES = tests/unit/sandbox/test_daemon.c
tests_unit_sandbox_test_daemon_LDADD = $(SANDBOX_LIBS) $(BASE_LIBS)
TESTS += tests/unit/sandbox/test_daemon
