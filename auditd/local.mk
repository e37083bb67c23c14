noinst_LIBRARIES += auditd/libauditd.a
auditd_libauditd_a_SOURCES = \
	auditd/peers.c auditd/peers.h \
	auditd/service.c auditd/service.h

AUDITD_LIBS = auditd/libauditd.a $(AUDIT_LIBS) $(DB_LIBS) $(CRYPT_LIBS) $(CONF_LIBS) $(BASE_LIBS) \
	$(SQLITE_LIBS)

sbin_PROGRAMS += auditd/zegel-auditd
auditd_zegel_auditd_SOURCES = \
	auditd/confine.c auditd/confine.h \
	auditd/main.c
auditd_zegel_auditd_LDADD = $(AUDITD_LIBS) $(SANDBOX_LIBS)

dist_man_MANS += man/zegel-auditd.8

check_PROGRAMS += tests/unit/auditd/test_peers
tests_unit_auditd_test_peers_SOURCES = tests/unit/auditd/test_peers.c
tests_unit_auditd_test_peers_LDADD = $(AUDITD_LIBS)
TESTS += tests/unit/auditd/test_peers
