# The parser of messages. All of it but main.c is a library, for the tests and the fuzzers.
noinst_LIBRARIES += reader/libreader.a
reader_libreader_a_SOURCES = \
	reader/bounce.c reader/bounce.h \
	reader/charset.c reader/charset.h \
	reader/clean.c reader/clean.h \
	reader/css.c reader/css.h \
	reader/facts.c reader/facts.h \
	reader/form.c reader/form.h \
	reader/html.c reader/html.h \
	reader/html_text.c \
	reader/html_tree.c reader/html_tree.h \
	reader/message.c reader/message.h \
	reader/multipart.c reader/multipart.h \
	reader/process.c reader/process.h \
	reader/serve.c reader/serve.h \
	reader/view.c reader/view.h \
	reader/zip.c reader/zip.h
reader_libreader_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)
READER_LIBS = reader/libreader.a $(MAIL_LIBS) $(XML_LIBS)

zegellibexec_PROGRAMS += reader/zegel-reader
reader_zegel_reader_SOURCES = reader/main.c
reader_zegel_reader_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)
reader_zegel_reader_LDADD = $(READER_LIBS) $(SANDBOX_LIBS) $(BASE_LIBS)

# The views that need larger libraries: zegel-reader becomes this program.
noinst_LIBRARIES += reader/libexport.a
reader_libexport_a_SOURCES = \
	reader/pack.c reader/pack.h \
	reader/paper.c reader/paper.h \
	reader/pdf.c reader/pdf.h \
	reader/report.c reader/report.h
reader_libexport_a_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(ARCHIVE_CFLAGS) $(PANGO_CFLAGS)
EXPORT_LIBS = reader/libexport.a $(READER_LIBS) $(ARCHIVE_LIBS) $(PANGO_LIBS)

zegellibexec_PROGRAMS += reader/zegel-reader-export
reader_zegel_reader_export_SOURCES = reader/export.c
reader_zegel_reader_export_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)
reader_zegel_reader_export_LDADD = $(EXPORT_LIBS) $(SANDBOX_LIBS) $(BASE_LIBS)

dist_man_MANS += man/zegel-reader.8 man/zegel-reader-export.8

READER_TEST_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS) $(XML_CFLAGS)

check_PROGRAMS += tests/unit/reader/test_clean
tests_unit_reader_test_clean_SOURCES = tests/unit/reader/test_clean.c
tests_unit_reader_test_clean_LDADD = reader/libreader.a $(BASE_LIBS)
TESTS += tests/unit/reader/test_clean

check_PROGRAMS += tests/unit/reader/test_css
tests_unit_reader_test_css_SOURCES = tests/unit/reader/test_css.c
tests_unit_reader_test_css_LDADD = reader/libreader.a $(BASE_LIBS)
TESTS += tests/unit/reader/test_css

check_PROGRAMS += tests/unit/reader/test_html
tests_unit_reader_test_html_SOURCES = tests/unit/reader/test_html.c \
	tests/unit/reader/harmless.c tests/unit/reader/harmless.h \
	tests/unit/reader/xss_vectors.c tests/unit/reader/xss_vectors.h
tests_unit_reader_test_html_CFLAGS = $(READER_TEST_CFLAGS)
tests_unit_reader_test_html_LDADD = $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_html

check_PROGRAMS += tests/unit/reader/test_charset
tests_unit_reader_test_charset_SOURCES = tests/unit/reader/test_charset.c \
	tests/unit/reader/charsets.c tests/unit/reader/charsets.h
tests_unit_reader_test_charset_LDADD = reader/libreader.a $(BASE_LIBS)
TESTS += tests/unit/reader/test_charset

check_PROGRAMS += tests/unit/reader/test_message
tests_unit_reader_test_message_SOURCES = tests/unit/reader/test_message.c \
	tests/unit/reader/harmless.c tests/unit/reader/harmless.h
tests_unit_reader_test_message_CFLAGS = $(READER_TEST_CFLAGS)
tests_unit_reader_test_message_LDADD = $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_message

check_PROGRAMS += tests/unit/reader/test_form
tests_unit_reader_test_form_SOURCES = tests/unit/reader/test_form.c
tests_unit_reader_test_form_CFLAGS = $(READER_TEST_CFLAGS)
tests_unit_reader_test_form_LDADD = $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_form

check_PROGRAMS += tests/unit/reader/test_pack
tests_unit_reader_test_pack_SOURCES = tests/unit/reader/test_pack.c
tests_unit_reader_test_pack_CFLAGS = $(READER_TEST_CFLAGS) $(ARCHIVE_CFLAGS)
tests_unit_reader_test_pack_LDADD = $(EXPORT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_pack

check_PROGRAMS += tests/unit/reader/test_bounce
tests_unit_reader_test_bounce_SOURCES = tests/unit/reader/test_bounce.c
tests_unit_reader_test_bounce_CFLAGS = $(READER_TEST_CFLAGS)
tests_unit_reader_test_bounce_LDADD = $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_bounce

check_PROGRAMS += tests/unit/reader/test_pdf
tests_unit_reader_test_pdf_SOURCES = tests/unit/reader/test_pdf.c
tests_unit_reader_test_pdf_CFLAGS = $(READER_TEST_CFLAGS)
tests_unit_reader_test_pdf_LDADD = $(EXPORT_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_pdf

check_PROGRAMS += tests/unit/reader/test_facts
tests_unit_reader_test_facts_SOURCES = tests/unit/reader/test_facts.c \
	tests/unit/reader/zips.c tests/unit/reader/zips.h
tests_unit_reader_test_facts_CFLAGS = $(READER_TEST_CFLAGS)
tests_unit_reader_test_facts_LDADD = $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_facts

check_PROGRAMS += tests/unit/reader/test_serve
tests_unit_reader_test_serve_SOURCES = tests/unit/reader/test_serve.c \
	tests/unit/reader/zips.c tests/unit/reader/zips.h
tests_unit_reader_test_serve_LDADD = $(BASE_LIBS)
TESTS += tests/unit/reader/test_serve

check_PROGRAMS += tests/unit/reader/test_program
tests_unit_reader_test_program_SOURCES = tests/unit/reader/test_program.c \
	tests/unit/reader/charsets.c tests/unit/reader/charsets.h \
	tests/unit/reader/harmless.c tests/unit/reader/harmless.h \
	tests/unit/reader/xss_vectors.c tests/unit/reader/xss_vectors.h
tests_unit_reader_test_program_CFLAGS = $(READER_TEST_CFLAGS)
tests_unit_reader_test_program_LDADD = $(XML_LIBS) $(BASE_LIBS)
TESTS += tests/unit/reader/test_program
EXTRA_DIST += tests/data/bounces tests/data/mail

check_PROGRAMS += tests/fuzz/fuzz_html
tests_fuzz_fuzz_html_SOURCES = tests/fuzz/fuzz_html.c \
	tests/unit/reader/harmless.c tests/unit/reader/harmless.h
tests_fuzz_fuzz_html_CFLAGS = $(READER_TEST_CFLAGS)
tests_fuzz_fuzz_html_LDADD = $(FUZZ_LIBS) $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_html

check_PROGRAMS += tests/fuzz/fuzz_message
tests_fuzz_fuzz_message_SOURCES = tests/fuzz/fuzz_message.c \
	tests/unit/reader/harmless.c tests/unit/reader/harmless.h
tests_fuzz_fuzz_message_CFLAGS = $(READER_TEST_CFLAGS)
tests_fuzz_fuzz_message_LDADD = $(FUZZ_LIBS) $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_message

check_PROGRAMS += tests/fuzz/fuzz_facts
tests_fuzz_fuzz_facts_SOURCES = tests/fuzz/fuzz_facts.c
tests_fuzz_fuzz_facts_CFLAGS = $(READER_TEST_CFLAGS)
tests_fuzz_fuzz_facts_LDADD = $(FUZZ_LIBS) $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_facts

check_PROGRAMS += tests/fuzz/fuzz_bounce
tests_fuzz_fuzz_bounce_SOURCES = tests/fuzz/fuzz_bounce.c
tests_fuzz_fuzz_bounce_CFLAGS = $(READER_TEST_CFLAGS)
tests_fuzz_fuzz_bounce_LDADD = $(FUZZ_LIBS) $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_bounce

check_PROGRAMS += tests/fuzz/fuzz_multipart
tests_fuzz_fuzz_multipart_SOURCES = tests/fuzz/fuzz_multipart.c
tests_fuzz_fuzz_multipart_CFLAGS = $(READER_TEST_CFLAGS)
tests_fuzz_fuzz_multipart_LDADD = $(FUZZ_LIBS) $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_multipart

check_PROGRAMS += tests/fuzz/fuzz_zip
tests_fuzz_fuzz_zip_SOURCES = tests/fuzz/fuzz_zip.c
tests_fuzz_fuzz_zip_CFLAGS = $(READER_TEST_CFLAGS)
tests_fuzz_fuzz_zip_LDADD = $(FUZZ_LIBS) $(READER_LIBS) $(BASE_LIBS)
TESTS += tests/fuzz/fuzz_zip
EXTRA_DIST += tests/fuzz/corpus/fuzz_html tests/fuzz/corpus/fuzz_message \
	tests/fuzz/corpus/fuzz_bounce tests/fuzz/corpus/fuzz_facts \
	tests/fuzz/corpus/fuzz_multipart tests/fuzz/corpus/fuzz_zip
