noinst_LIBRARIES += zegelctl/libzegelctl.a
zegelctl_libzegelctl_a_SOURCES = \
	zegelctl/alarm.c zegelctl/alarm.h \
	zegelctl/apart.c zegelctl/apart.h \
	zegelctl/archive.c zegelctl/archive.h \
	zegelctl/aside.c zegelctl/aside.h \
	zegelctl/audit.c \
	zegelctl/audit_ask.c zegelctl/audit_ask.h \
	zegelctl/audit_format.c zegelctl/audit_format.h \
	zegelctl/audit_key.c zegelctl/audit_key.h \
	zegelctl/audit_mail.c zegelctl/audit_mail.h \
	zegelctl/audit_reader.c zegelctl/audit_reader.h \
	zegelctl/audit_verify.c zegelctl/audit_verify.h \
	zegelctl/availability.c zegelctl/availability.h \
	zegelctl/backup.c \
	zegelctl/bookfile.c zegelctl/bookfile.h \
	zegelctl/calendar.c zegelctl/calendar.h \
	zegelctl/cf.c zegelctl/cf.h \
	zegelctl/check.c \
	zegelctl/clock.c zegelctl/clock.h \
	zegelctl/command.c zegelctl/command.h \
	zegelctl/dkim.c \
	zegelctl/dkim_check.c zegelctl/dkim_check.h \
	zegelctl/dkim_files.c zegelctl/dkim_files.h \
	zegelctl/dkim_text.c zegelctl/dkim_text.h \
	zegelctl/doctor.c zegelctl/doctor.h \
	zegelctl/doctor_clock.c \
	zegelctl/doctor_daemon.c \
	zegelctl/doctor_key.c \
	zegelctl/doctor_log.c \
	zegelctl/doctor_look.c zegelctl/doctor_look.h \
	zegelctl/doctor_milter.c \
	zegelctl/doctor_nta.c \
	zegelctl/doctor_own.c \
	zegelctl/doctor_parts.h \
	zegelctl/doctor_postfix.c \
	zegelctl/doctor_sms.c \
	zegelctl/doctor_state.c \
	zegelctl/doctor_table.c \
	zegelctl/doctor_tls.c \
	zegelctl/doctor_trail.c \
	zegelctl/doctor_viewer.c \
	zegelctl/doctor_world.c \
	zegelctl/domain.c \
	zegelctl/edit.c zegelctl/edit.h \
	zegelctl/events.c zegelctl/events.h \
	zegelctl/expect.c zegelctl/expect.h \
	zegelctl/expire.c \
	zegelctl/file.c zegelctl/file.h \
	zegelctl/finding.c zegelctl/finding.h \
	zegelctl/flow.c zegelctl/flow.h \
	zegelctl/flow_data.c zegelctl/flow_data.h \
	zegelctl/flow_sheet.c zegelctl/flow_sheet.h \
	zegelctl/foresight.c \
	zegelctl/given.c zegelctl/given.h \
	zegelctl/grant.c \
	zegelctl/holder.c zegelctl/holder.h \
	zegelctl/holdings.c zegelctl/holdings.h \
	zegelctl/import.c zegelctl/import.h \
	zegelctl/key.c \
	zegelctl/language.c zegelctl/language.h \
	zegelctl/log_date.c zegelctl/log_date.h \
	zegelctl/mail_line.c zegelctl/mail_line.h \
	zegelctl/mail_log.c zegelctl/mail_log.h \
	zegelctl/mail_trace.c zegelctl/mail_trace.h \
	zegelctl/message.c \
	zegelctl/message_find.c zegelctl/message_find.h \
	zegelctl/message_look.c \
	zegelctl/message_print.c zegelctl/message_print.h \
	zegelctl/message_row.c zegelctl/message_row.h \
	zegelctl/metric.c zegelctl/metric.h \
	zegelctl/observed.c zegelctl/observed.h \
	zegelctl/opened.c zegelctl/opened.h \
	zegelctl/overview.c zegelctl/overview.h \
	zegelctl/partner.c zegelctl/partner.h \
	zegelctl/permit.c zegelctl/permit.h \
	zegelctl/phone.c \
	zegelctl/pin.c zegelctl/pin.h \
	zegelctl/probe.c zegelctl/probe.h \
	zegelctl/probe_event.c \
	zegelctl/program.c zegelctl/program.h \
	zegelctl/published.c zegelctl/published.h \
	zegelctl/queue.c zegelctl/queue.h \
	zegelctl/record.c zegelctl/record.h \
	zegelctl/reload.c zegelctl/reload.h \
	zegelctl/report.c \
	zegelctl/report_flow.c zegelctl/report_flow.h \
	zegelctl/restore.c \
	zegelctl/role.c zegelctl/role.h \
	zegelctl/rolefile.c zegelctl/rolefile.h \
	zegelctl/route.c \
	zegelctl/setup.c \
	zegelctl/setup_ask.c zegelctl/setup_ask.h \
	zegelctl/setup_files.c \
	zegelctl/setup_make.c zegelctl/setup_make.h \
	zegelctl/setup_notes.c \
	zegelctl/setup_plan.c zegelctl/setup_plan.h \
	zegelctl/setup_postfix.c zegelctl/setup_postfix.h \
	zegelctl/setup_record.c zegelctl/setup_record.h \
	zegelctl/setup_services.c \
	zegelctl/setup_show.c zegelctl/setup_show.h \
	zegelctl/setup_stage.c zegelctl/setup_stage.h \
	zegelctl/setup_undo.c zegelctl/setup_undo.h \
	zegelctl/setup_units.c \
	zegelctl/sheet.c zegelctl/sheet.h \
	zegelctl/sheet_html.c \
	zegelctl/sheet_pdf.c \
	zegelctl/site.c zegelctl/site.h \
	zegelctl/smtp.c zegelctl/smtp.h \
	zegelctl/status.c \
	zegelctl/text.c zegelctl/text.h \
	zegelctl/tree.c zegelctl/tree.h \
	zegelctl/uptime.c zegelctl/uptime.h \
	zegelctl/watch.c \
	zegelctl/web.c zegelctl/web.h

ZEGELCTL_LIBS = zegelctl/libzegelctl.a common/seen/libseen.a $(AUDIT_LIBS) $(AUDIT_CLIENT_LIBS) $(SUBMIT_LIBS) $(STORE_LIBS) \
	$(CRYPT_TLS_LIBS) $(ASK_LIBS) $(BOOK_LIBS) $(CONF_LIBS) $(SANDBOX_LIBS) $(BASE_LIBS)

sbin_PROGRAMS += zegelctl/zegelctl
zegelctl_zegelctl_SOURCES = zegelctl/zegelctl.c
zegelctl_zegelctl_LDADD = $(ZEGELCTL_LIBS) -lm

check_PROGRAMS += \
	tests/unit/zegelctl/test_audit \
	tests/unit/zegelctl/test_bookfile \
	tests/unit/zegelctl/test_dkim \
	tests/unit/zegelctl/test_doctor \
	tests/unit/zegelctl/test_edit \
	tests/unit/zegelctl/test_finding \
	tests/unit/zegelctl/test_import \
	tests/unit/zegelctl/test_mail_log \
	tests/unit/zegelctl/test_message_row \
	tests/unit/zegelctl/test_observed \
	tests/unit/zegelctl/test_overview \
	tests/unit/zegelctl/test_probe \
	tests/unit/zegelctl/test_published \
	tests/unit/zegelctl/test_role \
	tests/unit/zegelctl/test_text \
	tests/fuzz/fuzz_checkpoint \
	tests/fuzz/fuzz_mail_line \
	tests/fuzz/fuzz_published \
	tests/fuzz/fuzz_roles
TESTS += \
	tests/unit/zegelctl/test_audit \
	tests/unit/zegelctl/test_bookfile \
	tests/unit/zegelctl/test_dkim \
	tests/unit/zegelctl/test_doctor \
	tests/unit/zegelctl/test_edit \
	tests/unit/zegelctl/test_finding \
	tests/unit/zegelctl/test_import \
	tests/unit/zegelctl/test_mail_log \
	tests/unit/zegelctl/test_message_row \
	tests/unit/zegelctl/test_observed \
	tests/unit/zegelctl/test_overview \
	tests/unit/zegelctl/test_probe \
	tests/unit/zegelctl/test_published \
	tests/unit/zegelctl/test_role \
	tests/unit/zegelctl/test_text \
	tests/fuzz/fuzz_checkpoint \
	tests/fuzz/fuzz_mail_line \
	tests/fuzz/fuzz_published \
	tests/fuzz/fuzz_roles
tests_unit_zegelctl_test_audit_SOURCES = tests/unit/zegelctl/test_audit.c
tests_unit_zegelctl_test_audit_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_bookfile_SOURCES = tests/unit/zegelctl/test_bookfile.c
tests_unit_zegelctl_test_bookfile_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_doctor_SOURCES = tests/unit/zegelctl/test_doctor.c
tests_unit_zegelctl_test_doctor_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_dkim_SOURCES = tests/unit/zegelctl/test_dkim.c
tests_unit_zegelctl_test_dkim_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_edit_SOURCES = tests/unit/zegelctl/test_edit.c
tests_unit_zegelctl_test_edit_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_finding_SOURCES = tests/unit/zegelctl/test_finding.c
tests_unit_zegelctl_test_finding_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_import_SOURCES = tests/unit/zegelctl/test_import.c
tests_unit_zegelctl_test_import_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_mail_log_SOURCES = tests/unit/zegelctl/test_mail_log.c
tests_unit_zegelctl_test_mail_log_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_message_row_SOURCES = tests/unit/zegelctl/test_message_row.c
tests_unit_zegelctl_test_message_row_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_observed_SOURCES = tests/unit/zegelctl/test_observed.c
tests_unit_zegelctl_test_observed_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_overview_SOURCES = tests/unit/zegelctl/test_overview.c
tests_unit_zegelctl_test_overview_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_probe_SOURCES = tests/unit/zegelctl/test_probe.c
tests_unit_zegelctl_test_probe_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_published_SOURCES = tests/unit/zegelctl/test_published.c
tests_unit_zegelctl_test_published_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_role_SOURCES = tests/unit/zegelctl/test_role.c
tests_unit_zegelctl_test_role_LDADD = $(ZEGELCTL_LIBS)
tests_unit_zegelctl_test_text_SOURCES = tests/unit/zegelctl/test_text.c
tests_unit_zegelctl_test_text_LDADD = $(ZEGELCTL_LIBS)
tests_fuzz_fuzz_checkpoint_SOURCES = tests/fuzz/fuzz_checkpoint.c
tests_fuzz_fuzz_checkpoint_LDADD = $(FUZZ_LIBS) $(ZEGELCTL_LIBS)
tests_fuzz_fuzz_roles_SOURCES = tests/fuzz/fuzz_roles.c
tests_fuzz_fuzz_roles_LDADD = $(FUZZ_LIBS) $(ZEGELCTL_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_checkpoint tests/fuzz/corpus/fuzz_roles
tests_fuzz_fuzz_mail_line_SOURCES = tests/fuzz/fuzz_mail_line.c
tests_fuzz_fuzz_mail_line_LDADD = $(FUZZ_LIBS) $(ZEGELCTL_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_mail_line
tests_fuzz_fuzz_published_SOURCES = tests/fuzz/fuzz_published.c
tests_fuzz_fuzz_published_LDADD = $(FUZZ_LIBS) $(ZEGELCTL_LIBS)
EXTRA_DIST += tests/fuzz/corpus/fuzz_published

dist_man_MANS += man/zegelctl.8 man/zegel-setup.8 man/zegel-doctor.7 man/zegel-backup.7 man/zegel-monitoring.7

check_PROGRAMS += tests/unit/zegelctl/test_calendar
tests_unit_zegelctl_test_calendar_SOURCES = tests/unit/zegelctl/test_calendar.c
tests_unit_zegelctl_test_calendar_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_calendar

check_PROGRAMS += tests/unit/zegelctl/test_flow
tests_unit_zegelctl_test_flow_SOURCES = tests/unit/zegelctl/test_flow.c
tests_unit_zegelctl_test_flow_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_flow

check_PROGRAMS += tests/unit/zegelctl/test_sheet
tests_unit_zegelctl_test_sheet_SOURCES = tests/unit/zegelctl/test_sheet.c
tests_unit_zegelctl_test_sheet_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_sheet

check_PROGRAMS += tests/unit/zegelctl/test_expect
tests_unit_zegelctl_test_expect_SOURCES = tests/unit/zegelctl/test_expect.c
tests_unit_zegelctl_test_expect_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_expect

check_PROGRAMS += tests/unit/zegelctl/test_clock
tests_unit_zegelctl_test_clock_SOURCES = tests/unit/zegelctl/test_clock.c
tests_unit_zegelctl_test_clock_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_clock

check_PROGRAMS += tests/unit/zegelctl/test_web
tests_unit_zegelctl_test_web_SOURCES = tests/unit/zegelctl/test_web.c
tests_unit_zegelctl_test_web_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_web

check_PROGRAMS += tests/unit/zegelctl/test_archive
tests_unit_zegelctl_test_archive_SOURCES = tests/unit/zegelctl/test_archive.c
tests_unit_zegelctl_test_archive_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_archive

check_PROGRAMS += tests/unit/zegelctl/test_metric
tests_unit_zegelctl_test_metric_SOURCES = tests/unit/zegelctl/test_metric.c
tests_unit_zegelctl_test_metric_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_metric

check_PROGRAMS += tests/unit/zegelctl/test_queue
tests_unit_zegelctl_test_queue_SOURCES = tests/unit/zegelctl/test_queue.c
tests_unit_zegelctl_test_queue_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_queue

check_PROGRAMS += tests/unit/zegelctl/test_uptime
tests_unit_zegelctl_test_uptime_SOURCES = tests/unit/zegelctl/test_uptime.c
tests_unit_zegelctl_test_uptime_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_uptime

check_PROGRAMS += tests/unit/zegelctl/test_site
tests_unit_zegelctl_test_site_SOURCES = tests/unit/zegelctl/test_site.c
tests_unit_zegelctl_test_site_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_site

check_PROGRAMS += tests/unit/zegelctl/test_cf
tests_unit_zegelctl_test_cf_SOURCES = tests/unit/zegelctl/test_cf.c
tests_unit_zegelctl_test_cf_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_cf

check_PROGRAMS += tests/unit/zegelctl/test_setup
tests_unit_zegelctl_test_setup_SOURCES = tests/unit/zegelctl/test_setup.c
tests_unit_zegelctl_test_setup_LDADD = $(ZEGELCTL_LIBS)
TESTS += tests/unit/zegelctl/test_setup

check_PROGRAMS += tests/fuzz/fuzz_looked_at
tests_fuzz_fuzz_looked_at_SOURCES = tests/fuzz/fuzz_looked_at.c
tests_fuzz_fuzz_looked_at_LDADD = $(FUZZ_LIBS) $(ZEGELCTL_LIBS)
TESTS += tests/fuzz/fuzz_looked_at
EXTRA_DIST += tests/fuzz/corpus/fuzz_looked_at

check_PROGRAMS += tests/fuzz/fuzz_archive
tests_fuzz_fuzz_archive_SOURCES = tests/fuzz/fuzz_archive.c
tests_fuzz_fuzz_archive_LDADD = $(FUZZ_LIBS) $(ZEGELCTL_LIBS)
TESTS += tests/fuzz/fuzz_archive
EXTRA_DIST += tests/fuzz/corpus/fuzz_archive

check_PROGRAMS += tests/fuzz/fuzz_queue
tests_fuzz_fuzz_queue_SOURCES = tests/fuzz/fuzz_queue.c
tests_fuzz_fuzz_queue_LDADD = $(FUZZ_LIBS) $(ZEGELCTL_LIBS)
TESTS += tests/fuzz/fuzz_queue
EXTRA_DIST += tests/fuzz/corpus/fuzz_queue
