noinst_LIBRARIES += common/ask/libask.a
common_ask_libask_a_SOURCES = common/ask/ask.c common/ask/ask.h

ASK_LIBS = common/ask/libask.a
