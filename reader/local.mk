# The parser of messages. All of it but main.c is a library, for the tests and the fuzzers.
noinst_LIBRARIES += reader/libreader.a
reader_libreader_a_SOURCES = \
	reader/charset.c reader/charset.h \
	reader/clean.c reader/clean.h \
	reader/css.c reader/css.h \
	reader/html.c reader/html.h \
	reader/html_text.c \
	reader/html_tree.c reader/html_tree.h \
	reader/message.c reader/message.h \
	reader/view.c reader/view.h
reader_libreader_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)
READER_LIBS = reader/libreader.a $(GMIME_LIBS) $(XML_LIBS)

zegellibexec_PROGRAMS += reader/zegel-reader
reader_zegel_reader_SOURCES = reader/main.c
reader_zegel_reader_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)
reader_zegel_reader_LDADD = $(READER_LIBS) $(SANDBOX_LIBS) $(BASE_LIBS)

dist_man_MANS += man/zegel-reader.8
