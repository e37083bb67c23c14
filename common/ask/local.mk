noinst_LIBRARIES += common/ask/libask.a
common_ask_libask_a_SOURCES = \
	common/ask/ask.c common/ask/ask.h \
	common/ask/block.c common/ask/block.h \
	common/ask/check.c common/ask/check.h \
	common/ask/client.c \
	common/ask/client_id.c common/ask/client_id.h \
	common/ask/phone_book.c common/ask/phone_book.h \
	common/ask/verify.c common/ask/verify.h

ASK_LIBS = common/ask/libask.a

check_PROGRAMS += tests/unit/ask/test_ask tests/unit/ask/test_check \
	tests/unit/ask/test_client tests/unit/ask/test_verify tests/fuzz/fuzz_ask
TESTS += tests/unit/ask/test_ask tests/unit/ask/test_check \
	tests/unit/ask/test_client tests/unit/ask/test_verify tests/fuzz/fuzz_ask
tests_unit_ask_test_ask_SOURCES = tests/unit/ask/test_ask.c
tests_unit_ask_test_ask_LDADD = $(ASK_LIBS) $(BASE_LIBS)
tests_unit_ask_test_check_SOURCES = tests/unit/ask/test_check.c
tests_unit_ask_test_check_LDADD = $(ASK_LIBS) $(BASE_LIBS)
tests_unit_ask_test_client_SOURCES = tests/unit/ask/test_client.c
tests_unit_ask_test_client_LDADD = $(ASK_LIBS) $(BASE_LIBS)
tests_unit_ask_test_verify_SOURCES = tests/unit/ask/test_verify.c
tests_unit_ask_test_verify_LDADD = $(ASK_LIBS) $(BASE_LIBS)
tests_fuzz_fuzz_ask_SOURCES = tests/fuzz/fuzz_ask.c
tests_fuzz_fuzz_ask_LDADD = $(FUZZ_LIBS) $(ASK_LIBS) $(BASE_LIBS)
EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_ask/answers \
	tests/fuzz/corpus/fuzz_ask/check \
	tests/fuzz/corpus/fuzz_ask/check-question \
	tests/fuzz/corpus/fuzz_ask/client \
	tests/fuzz/corpus/fuzz_ask/client-question \
	tests/fuzz/corpus/fuzz_ask/failure \
	tests/fuzz/corpus/fuzz_ask/nul \
	tests/fuzz/corpus/fuzz_ask/phone \
	tests/fuzz/corpus/fuzz_ask/question \
	tests/fuzz/corpus/fuzz_ask/verify \
	tests/fuzz/corpus/fuzz_ask/verify-question
