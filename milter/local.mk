noinst_LIBRARIES += milter/libmilterpure.a
milter_libmilterpure_a_SOURCES = \
	milter/again.c milter/again.h \
	milter/arrival.c milter/arrival.h \
	milter/auth_results.c milter/auth_results.h \
	milter/author.c milter/author.h \
	milter/client.c milter/client.h \
	milter/content.c milter/content.h \
	milter/decide.c milter/decide.h \
	milter/decide_again.c \
	milter/decide_content.c \
	milter/decide_visitor.c \
	milter/decision.c milter/decision.h \
	milter/dkim.h milter/dkim_key.h \
	milter/dkim_canon.c milter/dkim_canon.h \
	milter/dkim_keys.c \
	milter/dkim_public.c milter/dkim_public.h \
	milter/dkim_sign.c \
	milter/dkim_signature.c milter/dkim_signature.h \
	milter/dkim_tags.c milter/dkim_tags.h \
	milter/dkim_verify.c \
	milter/envelope.c milter/envelope.h \
	milter/events.c milter/events.h \
	milter/fields.c milter/fields.h \
	milter/flow.c milter/flow.h \
	milter/inspect.c milter/inspect.h \
	milter/inspected.c \
	milter/inward.c milter/inward.h \
	milter/inward_decide.c milter/inward_decide.h \
	milter/inward_plan.c milter/inward_plan.h \
	milter/marks.c milter/marks.h \
	milter/message.c milter/message.h \
	milter/outward.c milter/outward.h \
	milter/outward_plan.c milter/outward_plan.h \
	milter/plan.c milter/plan.h \
	milter/refusal.c milter/refusal.h \
	milter/routes.c milter/routes.h \
	milter/service.c milter/service.h \
	milter/signing.c milter/signing.h \
	milter/tools.c milter/tools.h \
	milter/trigger.c milter/trigger.h \
	milter/visitor.c milter/visitor.h

MILTER_PURE_LIBS = milter/libmilterpure.a $(ASK_LIBS) $(BOOK_LIBS) $(MAIL_LIBS) \
	$(CRYPT_LIBS) $(CONF_LIBS) $(BASE_LIBS) $(OPENDKIM_LIBS)

sbin_PROGRAMS += milter/zegel-milter
milter_zegel_milter_SOURCES = \
	milter/apply.c milter/apply.h \
	milter/confine.c milter/confine.h \
	milter/milter.c \
	milter/run.c milter/run.h \
	milter/session.c milter/session.h \
	milter/steps.c milter/steps.h \
	milter/try.c milter/try.h \
	milter/try_report.c milter/try_report.h
milter_zegel_milter_LDADD = $(AUDIT_CLIENT_LIBS) $(MILTER_PURE_LIBS) $(SANDBOX_LIBS) $(MILTER_LIBS) -lpthread

dist_man_MANS += man/zegel-milter.8

check_PROGRAMS += tests/unit/milter/test_trigger
tests_unit_milter_test_trigger_SOURCES = tests/unit/milter/test_trigger.c
tests_unit_milter_test_trigger_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_trigger

check_PROGRAMS += tests/unit/milter/test_decide
tests_unit_milter_test_decide_SOURCES = tests/unit/milter/test_decide.c \
	tests/unit/milter/facts.c tests/unit/milter/facts.h
tests_unit_milter_test_decide_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_decide

check_PROGRAMS += tests/unit/milter/test_attachment
tests_unit_milter_test_attachment_SOURCES = tests/unit/milter/test_attachment.c
tests_unit_milter_test_attachment_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_attachment

check_PROGRAMS += tests/unit/milter/test_numbers
tests_unit_milter_test_numbers_SOURCES = tests/unit/milter/test_numbers.c \
	tests/unit/milter/facts.c tests/unit/milter/facts.h
tests_unit_milter_test_numbers_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_numbers

check_PROGRAMS += tests/unit/milter/test_plan
tests_unit_milter_test_plan_SOURCES = tests/unit/milter/test_plan.c
tests_unit_milter_test_plan_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_plan

check_PROGRAMS += tests/unit/milter/test_client
tests_unit_milter_test_client_SOURCES = tests/unit/milter/test_client.c
tests_unit_milter_test_client_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_client

check_PROGRAMS += tests/unit/milter/test_again
tests_unit_milter_test_again_SOURCES = tests/unit/milter/test_again.c
tests_unit_milter_test_again_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_again

check_PROGRAMS += tests/unit/milter/test_visitor
tests_unit_milter_test_visitor_SOURCES = tests/unit/milter/test_visitor.c
tests_unit_milter_test_visitor_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_visitor

check_PROGRAMS += tests/unit/milter/test_ticket_plan
tests_unit_milter_test_ticket_plan_SOURCES = tests/unit/milter/test_ticket_plan.c
tests_unit_milter_test_ticket_plan_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_ticket_plan

check_PROGRAMS += tests/unit/milter/test_service
tests_unit_milter_test_service_SOURCES = tests/unit/milter/test_service.c
tests_unit_milter_test_service_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_service

check_PROGRAMS += tests/unit/milter/test_refusal
tests_unit_milter_test_refusal_SOURCES = tests/unit/milter/test_refusal.c
tests_unit_milter_test_refusal_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_refusal

check_PROGRAMS += tests/unit/milter/test_envelope
tests_unit_milter_test_envelope_SOURCES = tests/unit/milter/test_envelope.c
tests_unit_milter_test_envelope_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_envelope

check_PROGRAMS += tests/unit/milter/test_message
tests_unit_milter_test_message_SOURCES = tests/unit/milter/test_message.c
tests_unit_milter_test_message_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_message

check_PROGRAMS += tests/unit/milter/test_inspect
tests_unit_milter_test_inspect_SOURCES = tests/unit/milter/test_inspect.c
tests_unit_milter_test_inspect_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_inspect

check_PROGRAMS += tests/fuzz/fuzz_inspected
tests_fuzz_fuzz_inspected_SOURCES = tests/fuzz/fuzz_inspected.c
tests_fuzz_fuzz_inspected_LDADD = $(FUZZ_LIBS) $(MILTER_PURE_LIBS)
TESTS += tests/fuzz/fuzz_inspected
EXTRA_DIST += tests/fuzz/corpus/fuzz_inspected

check_PROGRAMS += tests/fuzz/fuzz_trigger
tests_fuzz_fuzz_trigger_SOURCES = tests/fuzz/fuzz_trigger.c
tests_fuzz_fuzz_trigger_LDADD = $(FUZZ_LIBS) $(MILTER_PURE_LIBS)
TESTS += tests/fuzz/fuzz_trigger
EXTRA_DIST += tests/fuzz/corpus/fuzz_trigger

check_PROGRAMS += tests/fuzz/fuzz_subject
tests_fuzz_fuzz_subject_SOURCES = tests/fuzz/fuzz_subject.c
tests_fuzz_fuzz_subject_LDADD = $(FUZZ_LIBS) $(MILTER_PURE_LIBS)
TESTS += tests/fuzz/fuzz_subject
EXTRA_DIST += tests/fuzz/corpus/fuzz_subject

check_PROGRAMS += tests/unit/milter/test_auth_results
tests_unit_milter_test_auth_results_SOURCES = tests/unit/milter/test_auth_results.c
tests_unit_milter_test_auth_results_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_auth_results

check_PROGRAMS += tests/fuzz/fuzz_inward
tests_fuzz_fuzz_inward_SOURCES = tests/fuzz/fuzz_inward.c
tests_fuzz_fuzz_inward_LDADD = $(FUZZ_LIBS) $(MILTER_PURE_LIBS)
TESTS += tests/fuzz/fuzz_inward
EXTRA_DIST += tests/fuzz/corpus/fuzz_inward

check_PROGRAMS += tests/unit/milter/test_author
tests_unit_milter_test_author_SOURCES = tests/unit/milter/test_author.c
tests_unit_milter_test_author_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_author

check_PROGRAMS += tests/unit/milter/test_inward_decide
tests_unit_milter_test_inward_decide_SOURCES = tests/unit/milter/test_inward_decide.c
tests_unit_milter_test_inward_decide_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_inward_decide

check_PROGRAMS += tests/unit/milter/test_inward_plan
tests_unit_milter_test_inward_plan_SOURCES = tests/unit/milter/test_inward_plan.c
tests_unit_milter_test_inward_plan_LDADD = $(MILTER_PURE_LIBS)
TESTS += tests/unit/milter/test_inward_plan

DKIM_TESTS = tests/replay/dkim/replay_dkim \
	tests/unit/milter/test_dkim_keys \
	tests/unit/milter/test_dkim_sign
check_PROGRAMS += $(DKIM_TESTS) tests/replay/dkim/dkim_tool
TESTS += tests/replay/dkim/interop.test
tests_replay_dkim_dkim_tool_SOURCES = tests/replay/dkim/dkim_tool.c \
	tests/unit/milter/dkim_message.h
tests_replay_dkim_dkim_tool_LDADD = $(MILTER_PURE_LIBS)
TESTS += $(DKIM_TESTS)
tests_replay_dkim_replay_dkim_SOURCES = tests/replay/dkim/replay_dkim.c \
	tests/unit/milter/dkim_message.h
tests_replay_dkim_replay_dkim_LDADD = $(MILTER_PURE_LIBS)
tests_unit_milter_test_dkim_keys_SOURCES = tests/unit/milter/test_dkim_keys.c
tests_unit_milter_test_dkim_keys_LDADD = $(MILTER_PURE_LIBS)
tests_unit_milter_test_dkim_sign_SOURCES = tests/unit/milter/test_dkim_sign.c \
	tests/unit/milter/dkim_message.h
tests_unit_milter_test_dkim_sign_LDADD = $(MILTER_PURE_LIBS)
EXTRA_DIST += tests/data/dkim tests/replay/dkim/interop.test \
	tests/replay/dkim/make_cases.py

check_PROGRAMS += tests/fuzz/fuzz_dkim_message
tests_fuzz_fuzz_dkim_message_SOURCES = tests/fuzz/fuzz_dkim_message.c \
	tests/unit/milter/dkim_message.h
tests_fuzz_fuzz_dkim_message_LDADD = $(FUZZ_LIBS) $(MILTER_PURE_LIBS)
TESTS += tests/fuzz/fuzz_dkim_message
EXTRA_DIST += tests/fuzz/corpus/fuzz_dkim_message
