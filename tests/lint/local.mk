# The lints are programs that print TAP; each takes another tree as its argument.
LINTS = \
	tests/lint/rooms \
	tests/lint/words \
	tests/lint/contracts \
	tests/lint/sizes \
	tests/lint/format \
	tests/lint/manuals \
	tests/lint/conf-manual \
	tests/lint/events-manual \
	tests/lint/doctor-manual \
	tests/lint/guides \
	tests/lint/threats \
	tests/lint/units

EXTRA_DIST += $(LINTS) tests/lint/lintlib.py tests/lint/selftest
TESTS += $(LINTS) tests/lint/selftest

check_PROGRAMS += tests/lint/conf_probe
tests_lint_conf_probe_SOURCES = tests/lint/conf_probe.c
tests_lint_conf_probe_LDADD = $(CONF_LIBS) $(BASE_LIBS)
