# Benchmarks: run by hand, in the lab; each prints the ratios of one program as JSON.
check_PROGRAMS += \
	tests/bench/ask_each \
	tests/bench/ask_load \
	tests/bench/dns_chain \
	tests/bench/dns_delay \
	tests/bench/noop_server
tests_bench_ask_each_SOURCES = tests/bench/ask_each.c
tests_bench_ask_each_LDADD = $(GLIB_LIBS)
tests_bench_ask_load_SOURCES = tests/bench/ask_load.c
tests_bench_ask_load_LDADD = $(GLIB_LIBS)
tests_bench_dns_chain_SOURCES = tests/bench/dns_chain.c
tests_bench_dns_chain_LDADD = $(GLIB_LIBS)
tests_bench_dns_delay_SOURCES = tests/bench/dns_delay.c
tests_bench_dns_delay_LDADD = $(GLIB_LIBS)
tests_bench_noop_server_SOURCES = tests/bench/noop_server.c
tests_bench_noop_server_LDADD = $(GLIB_LIBS)
EXTRA_DIST += tests/bench/policyd tests/bench/policyd.test
if LAB
TESTS += tests/bench/policyd.test
endif
