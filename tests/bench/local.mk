# Benchmarks: run by hand, in the lab; each prints the ratios of one program as JSON.
check_PROGRAMS += \
	tests/bench/ask_each \
	tests/bench/ask_load \
	tests/bench/audit_event \
	tests/bench/audit_fill \
	tests/bench/bare_cgi \
	tests/bench/dns_chain \
	tests/bench/dns_delay \
	tests/bench/hello_fcgi \
	tests/bench/noop_milter \
	tests/bench/noop_server \
	tests/bench/smtp_load
tests_bench_ask_each_SOURCES = tests/bench/ask_each.c
tests_bench_ask_each_LDADD = $(GLIB_LIBS)
tests_bench_ask_load_SOURCES = tests/bench/ask_load.c
tests_bench_ask_load_LDADD = $(GLIB_LIBS)
tests_bench_audit_fill_SOURCES = tests/bench/audit_fill.c
tests_bench_audit_fill_LDADD = $(AUDIT_LIBS) $(BASE_LIBS)
tests_bench_audit_event_SOURCES = tests/bench/audit_event.c
tests_bench_audit_event_LDADD = $(STORE_LIBS) $(BASE_LIBS)
tests_bench_dns_chain_SOURCES = tests/bench/dns_chain.c
tests_bench_dns_chain_LDADD = $(GLIB_LIBS)
tests_bench_dns_delay_SOURCES = tests/bench/dns_delay.c
tests_bench_dns_delay_LDADD = $(GLIB_LIBS)
tests_bench_noop_server_SOURCES = tests/bench/noop_server.c
tests_bench_noop_server_LDADD = $(GLIB_LIBS)
tests_bench_noop_milter_SOURCES = tests/bench/noop_milter.c milter/steps.c
tests_bench_noop_milter_LDADD = $(BASE_LIBS) $(MILTER_LIBS) -lpthread
tests_bench_smtp_load_SOURCES = tests/bench/smtp_load.c
tests_bench_smtp_load_LDADD = $(GLIB_LIBS)
tests_bench_bare_cgi_SOURCES = tests/bench/bare_cgi.c
tests_bench_bare_cgi_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS) $(CRYPTO_CFLAGS)
tests_bench_bare_cgi_LDADD = $(SQLITE_LIBS) $(CRYPTO_LIBS)
tests_bench_hello_fcgi_SOURCES = tests/bench/hello_fcgi.c
tests_bench_hello_fcgi_CFLAGS = $(AM_CFLAGS) $(FCGI_CFLAGS)
tests_bench_hello_fcgi_LDADD = $(FCGI_LIBS)
EXTRA_DIST += tests/bench/milter tests/bench/milter.test tests/bench/bench.py
EXTRA_DIST += tests/bench/audit tests/bench/audit.test
EXTRA_DIST += tests/bench/policyd tests/bench/policyd.test
EXTRA_DIST += tests/bench/viewer tests/bench/viewer.test
if LAB
TESTS += tests/bench/audit.test tests/bench/milter.test tests/bench/policyd.test tests/bench/viewer.test
endif
