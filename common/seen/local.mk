noinst_LIBRARIES += common/seen/libseen.a
common_seen_libseen_a_SOURCES = \
	common/seen/internal.h \
	common/seen/read.c \
	common/seen/seen.c common/seen/seen.h \
	common/seen/sight.c common/seen/sight.h

SEEN_LIBS = common/seen/libseen.a $(DB_LIBS)

check_PROGRAMS += tests/unit/seen/test_seen
tests_unit_seen_test_seen_SOURCES = tests/unit/seen/test_seen.c
tests_unit_seen_test_seen_LDADD = $(SEEN_LIBS) $(BASE_LIBS)
TESTS += tests/unit/seen/test_seen
