# System tests: Python modules, run by "run", in labs side by side.
EXTRA_DIST += \
	tests/system/asker.py \
	tests/system/browser.py \
	tests/system/browser_tools.py \
	tests/system/chrome.py \
	tests/system/crash.py \
	tests/system/guard.py \
	tests/system/doctor.py tests/system/test_doctor_postfix.py \
	tests/system/gateway.py \
	tests/system/harness.py \
	tests/system/image.py \
	tests/system/leaks.py \
	tests/system/outbox.py \
	tests/system/peer.py \
	tests/system/part1.test \
	tests/system/part2.test \
	tests/system/part3.test \
	tests/system/part4.test \
	tests/system/part5.test \
	tests/system/part6.test \
	tests/system/part7.test \
	tests/system/part8.test \
	tests/system/part9.test \
	tests/system/part10.test \
	tests/system/part11.test \
	tests/system/part12.test \
	tests/system/manual.py \
	tests/system/manual_bin/editor \
	tests/system/manual_bin/journalctl \
	tests/system/manual_bin/sudo \
	tests/system/manual_bin/systemctl \
	tests/system/readme.py \
	tests/system/readme.test \
	tests/system/readme_bin/systemctl \
	tests/system/readme_inside \
	tests/system/run \
	tests/system/setup.test \
	tests/system/setup_site.py \
	tests/system/sink.py \
	tests/system/test_abuse.py \
	tests/system/test_abuse_web.py \
	tests/system/test_answer.py \
	tests/system/test_attachments.py \
	tests/system/test_attack_html.py \
	tests/system/test_attack_routes.py \
	tests/system/test_attack_sender.py \
	tests/system/test_audit_ctl.py \
	tests/system/test_audit_attack.py tests/system/test_audit_theft.py \
	tests/system/test_audit_thirteen_kinds.py \
	tests/system/test_auditd.py \
	tests/system/test_backup.py \
	tests/system/test_bounce_text.py \
	tests/system/test_bounces.py \
	tests/system/test_browser.py \
	tests/system/test_clients.py \
	tests/system/test_confined.py \
	tests/system/test_confirmation.py \
	tests/system/test_delegation.py \
	tests/system/test_dkim_keys.py \
	tests/system/test_dns.py \
	tests/system/test_expansion.py \
	tests/system/test_faults.py \
	tests/system/test_forward.py \
	tests/system/test_flow.py \
	tests/system/test_form.py \
	tests/system/test_hostile.py \
	tests/system/test_input.py tests/system/test_interop.py \
	tests/system/test_inward.py \
	tests/system/test_kill.py \
	tests/system/test_lab.py \
	tests/system/test_look.py \
	tests/system/test_lost.py \
	tests/system/test_main_job.py \
	tests/system/test_manual_examples.py \
	tests/system/test_message.py \
	tests/system/test_message_ctl.py \
	tests/system/test_milter.py tests/system/test_milter_dies.py tests/system/test_monitoring.py \
	tests/system/test_nta.py \
	tests/system/test_number.py \
	tests/system/test_observe.py tests/system/test_outbox.py \
	tests/system/test_organisations.py \
	tests/system/test_pages.py \
	tests/system/test_phone.py \
	tests/system/test_prefer.py \
	tests/system/test_preview.py \
	tests/system/test_promises.py \
	tests/system/test_refusals.py \
	tests/system/test_routes.py \
	tests/system/test_rules.py \
	tests/system/test_secrets.py \
	tests/system/test_signals.py \
	tests/system/test_signing.py \
	tests/system/test_sms.py \
	tests/system/test_smuggling.py \
	tests/system/test_spoof.py \
	tests/system/test_status.py \
	tests/system/test_text_browser.py \
	tests/system/test_verify.py \
	tests/system/test_threats.py \
	tests/system/test_visitor_mail.py \
	tests/system/test_doctor_own.py \
	tests/system/test_watch_domains.py \
	tests/system/test_webservers.py \
	tests/system/test_zegelctl.py \
	tests/system/told.py \
	tests/system/trail.py \
	tests/system/visitor.py \
	tests/system/walk.py \
	tests/system/wire.py
check_PROGRAMS += tests/system/make_mark
tests_system_make_mark_SOURCES = tests/system/make_mark.c
tests_system_make_mark_LDADD = $(CRYPT_LIBS) $(BASE_LIBS)
check_PROGRAMS += tests/system/read_store
tests_system_read_store_SOURCES = tests/system/read_store.c
tests_system_read_store_LDADD = $(STORE_LIBS) $(CRYPT_LIBS) $(BASE_LIBS)
check_PROGRAMS += tests/system/read_outbox
tests_system_read_outbox_SOURCES = tests/system/read_outbox.c
tests_system_read_outbox_LDADD = $(STORE_LIBS) $(CRYPT_LIBS) $(BASE_LIBS)
check_PROGRAMS += tests/system/read_trail
tests_system_read_trail_SOURCES = tests/system/read_trail.c
tests_system_read_trail_LDADD = $(AUDIT_LIBS) $(BASE_LIBS)
if LAB
# The longest ones first: they run side by side.
TESTS += tests/system/part12.test tests/system/part9.test tests/system/setup.test \
	tests/system/part3.test tests/system/part10.test tests/system/part5.test \
	tests/system/part1.test tests/system/readme.test tests/system/part6.test \
	tests/system/part7.test tests/system/part11.test tests/system/part2.test \
	tests/system/part8.test tests/system/part4.test
endif

check_PROGRAMS += tests/system/intrude
tests_system_intrude_SOURCES = tests/system/intrude.c
tests_system_intrude_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
tests_system_intrude_LDADD = $(SECCOMP_LIBS) $(BASE_LIBS)
