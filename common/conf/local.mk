noinst_LIBRARIES += common/conf/libconf.a
common_conf_libconf_a_SOURCES = \
	common/conf/conf.c common/conf/conf.h \
	common/conf/fixed.c common/conf/fixed.h \
	common/conf/mark.c \
	common/conf/rule.c common/conf/rule.h \
	common/conf/schema.c common/conf/schema.h \
	common/conf/window.c common/conf/window.h

CONF_LIBS = common/conf/libconf.a

check_PROGRAMS += tests/unit/conf/test_conf
tests_unit_conf_test_conf_SOURCES = tests/unit/conf/test_conf.c
tests_unit_conf_test_conf_LDADD = $(CONF_LIBS) $(BASE_LIBS)
TESTS += tests/unit/conf/test_conf

check_PROGRAMS += tests/unit/conf/test_window
tests_unit_conf_test_window_SOURCES = tests/unit/conf/test_window.c
tests_unit_conf_test_window_LDADD = $(CONF_LIBS) $(BASE_LIBS)
TESTS += tests/unit/conf/test_window

check_PROGRAMS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_LDADD = $(FUZZ_LIBS) $(CONF_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_conf
EXTRA_DIST += tests/fuzz/corpus/fuzz_conf
