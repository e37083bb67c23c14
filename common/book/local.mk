noinst_LIBRARIES += common/book/libbook.a
common_book_libbook_a_SOURCES = \
	common/book/book.c common/book/book.h \
	common/book/client_rule.c common/book/client_rule.h \
	common/book/domain.c common/book/domain.h \
	common/book/hop.c common/book/hop.h

BOOK_LIBS = common/book/libbook.a

check_PROGRAMS += tests/unit/book/test_book tests/unit/book/test_client_rule
tests_unit_book_test_book_SOURCES = tests/unit/book/test_book.c
tests_unit_book_test_book_LDADD = $(BOOK_LIBS) $(BASE_LIBS)
tests_unit_book_test_client_rule_SOURCES = tests/unit/book/test_client_rule.c
tests_unit_book_test_client_rule_LDADD = $(BOOK_LIBS) $(BASE_LIBS)
TESTS += tests/unit/book/test_book tests/unit/book/test_client_rule
