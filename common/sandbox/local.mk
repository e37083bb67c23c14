noinst_LIBRARIES += common/sandbox/libsandbox.a
common_sandbox_libsandbox_a_SOURCES = common/sandbox/sandbox.c common/sandbox/sandbox.h
common_sandbox_libsandbox_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)

SANDBOX_LIBS = common/sandbox/libsandbox.a $(SECCOMP_LIBS)
