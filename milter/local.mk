noinst_LIBRARIES += milter/libmilterpure.a
milter_libmilterpure_a_SOURCES = \
	milter/trigger.c milter/trigger.h

check_PROGRAMS += tests/unit/milter/test_trigger
tests_unit_milter_test_trigger_SOURCES = tests/unit/milter/test_trigger.c
tests_unit_milter_test_trigger_LDADD = milter/libmilterpure.a $(BASE_LIBS)
TESTS += tests/unit/milter/test_trigger
