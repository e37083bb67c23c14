noinst_LIBRARIES += common/base/libbase.a
common_base_libbase_a_SOURCES = \
	common/base/attr.c common/base/attr.h \
	common/base/daemon.c common/base/daemon.h \
	common/base/error.c common/base/error.h \
	common/base/label.c common/base/label.h \
	common/base/log.c common/base/log.h \
	common/base/phone.c common/base/phone.h \
	common/base/secret.c common/base/secret.h

BASE_LIBS = common/base/libbase.a $(GLIB_LIBS)

check_PROGRAMS += tests/unit/base/test_phone
tests_unit_base_test_phone_SOURCES = tests/unit/base/test_phone.c
tests_unit_base_test_phone_LDADD = $(BASE_LIBS)
TESTS += tests/unit/base/test_phone
