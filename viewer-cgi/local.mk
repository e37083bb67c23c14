# Everything but libfcgi, so that unit tests can link it.
noinst_LIBRARIES += viewer-cgi/libviewer.a
viewer_cgi_libviewer_a_SOURCES = \
	viewer-cgi/budget.c viewer-cgi/budget.h \
	viewer-cgi/code.c viewer-cgi/code.h \
	viewer-cgi/cookie.c viewer-cgi/cookie.h \
	viewer-cgi/disposition.c viewer-cgi/disposition.h \
	viewer-cgi/failure.c viewer-cgi/failure.h \
	viewer-cgi/form.c viewer-cgi/form.h \
	viewer-cgi/form_copy.c viewer-cgi/form_copy.h \
	viewer-cgi/form_mail.c viewer-cgi/form_mail.h \
	viewer-cgi/form_ticket.c viewer-cgi/form_ticket.h \
	viewer-cgi/handle_access.c viewer-cgi/handle_answer.c \
	viewer-cgi/handle_delete.c viewer-cgi/handle_download.c \
	viewer-cgi/handle_forward.c viewer-cgi/handle_message.c \
	viewer-cgi/handle_number.c viewer-cgi/handle_shared.c \
	viewer-cgi/handle_form.c viewer-cgi/handle_form_send.c viewer-cgi/handle_status.c \
	viewer-cgi/html.c viewer-cgi/html.h \
	viewer-cgi/logo.c viewer-cgi/logo.h \
	viewer-cgi/mail.c viewer-cgi/mail.h viewer-cgi/mail_share.c \
	viewer-cgi/message_view.c viewer-cgi/message_view.h \
	viewer-cgi/once.c viewer-cgi/once.h \
	viewer-cgi/origin.c viewer-cgi/origin.h \
	viewer-cgi/page.c viewer-cgi/page.h viewer-cgi/page_access.c \
	viewer-cgi/page_form.c viewer-cgi/page_form.h \
	viewer-cgi/page_answer.c viewer-cgi/page_answer.h \
	viewer-cgi/page_forward.c viewer-cgi/page_forward.h \
	viewer-cgi/page_message.c viewer-cgi/page_message.h \
	viewer-cgi/page_other.c \
	viewer-cgi/page_status.c viewer-cgi/page_status.h \
	viewer-cgi/page_write.c viewer-cgi/page_write.h \
	viewer-cgi/reading.c viewer-cgi/reading.h \
	viewer-cgi/request.c viewer-cgi/request.h \
	viewer-cgi/response.c viewer-cgi/response.h \
	viewer-cgi/route.c viewer-cgi/route.h \
	viewer-cgi/serve.c viewer-cgi/serve.h \
	viewer-cgi/slots.c viewer-cgi/slots.h \
	viewer-cgi/sms.c viewer-cgi/sms.h \
	viewer-cgi/style_css.h \
	viewer-cgi/summary.c viewer-cgi/summary.h \
	viewer-cgi/text.c viewer-cgi/text.h \
	viewer-cgi/token.c viewer-cgi/token.h \
	viewer-cgi/upload.c viewer-cgi/upload.h viewer-cgi/upload_frames.c \
	viewer-cgi/viewer.c viewer-cgi/viewer.h \
	viewer-cgi/visit.c viewer-cgi/visit.h viewer-cgi/visit_upload.c \
	viewer-cgi/visitor_mail.c viewer-cgi/visitor_mail.h \
	viewer-cgi/workers.c viewer-cgi/workers.h
nodist_viewer_cgi_libviewer_a_SOURCES = viewer-cgi/style_css.c

# The style sheet as a C string: one literal for each line.
viewer-cgi/style_css.c: viewer-cgi/style.css
	$(AM_V_GEN)$(MKDIR_P) viewer-cgi && { \
	  echo '#include "viewer-cgi/style_css.h"'; \
	  echo 'const char style_css[] ='; \
	  sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $(srcdir)/viewer-cgi/style.css; \
	  echo ';'; } >$@.new && mv $@.new $@
CLEANFILES += viewer-cgi/style_css.c
EXTRA_DIST += viewer-cgi/style.css

VIEWER_LIBS = viewer-cgi/libviewer.a $(STORE_LIBS) $(CRYPT_LIBS) $(SUBMIT_LIBS) $(ASK_LIBS) \
	$(CONF_LIBS) $(BASE_LIBS)

sbin_PROGRAMS += viewer-cgi/zegel-viewer
viewer_cgi_zegel_viewer_SOURCES = \
	viewer-cgi/confine.c viewer-cgi/confine.h \
	viewer-cgi/fastcgi.c viewer-cgi/fastcgi.h \
	viewer-cgi/main.c
viewer_cgi_zegel_viewer_CFLAGS = $(AM_CFLAGS) $(FCGI_CFLAGS)
viewer_cgi_zegel_viewer_LDADD = $(VIEWER_LIBS) $(SANDBOX_LIBS) $(FCGI_LIBS)

VIEWER_TESTS = \
	tests/unit/viewer/test_child \
	tests/unit/viewer/test_form \
	tests/unit/viewer/test_form_page \
	tests/unit/viewer/test_input \
	tests/unit/viewer/test_output \
	tests/unit/viewer/test_pages \
	tests/unit/viewer/test_reading \
	tests/unit/viewer/test_status \
	tests/unit/viewer/test_status_page \
	tests/unit/viewer/test_upload \
	tests/unit/viewer/test_viewer \
	tests/fuzz/fuzz_form \
	tests/fuzz/fuzz_request \
	tests/fuzz/fuzz_summary \
	tests/fuzz/fuzz_upload
VIEWER_WORLD = tests/unit/viewer/world.c tests/unit/viewer/world.h
check_PROGRAMS += $(VIEWER_TESTS)
TESTS += $(VIEWER_TESTS)
tests_unit_viewer_test_child_SOURCES = tests/unit/viewer/test_child.c
tests_unit_viewer_test_child_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_form_SOURCES = tests/unit/viewer/test_form.c \
	tests/unit/viewer/site.c tests/unit/viewer/site.h
tests_unit_viewer_test_form_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_form_page_SOURCES = tests/unit/viewer/test_form_page.c
tests_unit_viewer_test_form_page_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_input_SOURCES = tests/unit/viewer/test_input.c
tests_unit_viewer_test_input_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_output_SOURCES = tests/unit/viewer/test_output.c
tests_unit_viewer_test_output_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_pages_SOURCES = tests/unit/viewer/test_pages.c
tests_unit_viewer_test_pages_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_reading_SOURCES = tests/unit/viewer/test_reading.c $(VIEWER_WORLD)
tests_unit_viewer_test_reading_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_status_SOURCES = tests/unit/viewer/test_status.c \
	tests/unit/viewer/site.c tests/unit/viewer/site.h
tests_unit_viewer_test_status_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_status_page_SOURCES = tests/unit/viewer/test_status_page.c
tests_unit_viewer_test_status_page_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_upload_SOURCES = tests/unit/viewer/test_upload.c
tests_unit_viewer_test_upload_LDADD = $(VIEWER_LIBS)
tests_unit_viewer_test_viewer_SOURCES = tests/unit/viewer/test_viewer.c $(VIEWER_WORLD)
tests_unit_viewer_test_viewer_LDADD = $(VIEWER_LIBS)
tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c
tests_fuzz_fuzz_form_LDADD = $(FUZZ_LIBS) $(VIEWER_LIBS)
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c
tests_fuzz_fuzz_request_LDADD = $(FUZZ_LIBS) $(VIEWER_LIBS)
tests_fuzz_fuzz_summary_SOURCES = tests/fuzz/fuzz_summary.c
tests_fuzz_fuzz_summary_LDADD = $(FUZZ_LIBS) $(VIEWER_LIBS)
tests_fuzz_fuzz_upload_SOURCES = tests/fuzz/fuzz_upload.c
tests_fuzz_fuzz_upload_LDADD = $(FUZZ_LIBS) $(VIEWER_LIBS)
EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_form \
	tests/fuzz/corpus/fuzz_request \
	tests/fuzz/corpus/fuzz_summary \
	tests/fuzz/corpus/fuzz_upload
dist_man_MANS += man/zegel-viewer.8 man/zegel-sms.7
