# contrib/postfix
EXTRA_DIST += \
	contrib/postfix/README.postfix \
	contrib/postfix/main.cf.zegel \
	contrib/postfix/master.cf.zegel \
	contrib/postfix/zegel-routes.cf \
	contrib/postfix/zegel-seal.cf \
	contrib/postfix/zegel-tls.cf \
	contrib/postfix/zegel_access \
	contrib/postfix/zegel_bcc \
	contrib/postfix/zegel_domains \
	contrib/postfix/zegel_generic \
	contrib/postfix/zegel_header_checks \
	contrib/postfix/zegel_header_keep \
	contrib/postfix/zegel_milter_clients \
	contrib/postfix/zegel_service \
	contrib/postfix/zegel_transport

# contrib/systemd
EXTRA_DIST += \
	contrib/systemd/zegel-audit-verify.service \
	contrib/systemd/zegel-audit-verify.timer \
	contrib/systemd/zegel-auditd.service \
	contrib/systemd/zegel-deliver.service \
	contrib/systemd/zegel-domain-watch.service \
	contrib/systemd/zegel-domain-watch.timer \
	contrib/systemd/zegel-expire.service \
	contrib/systemd/zegel-expire.timer \
	contrib/systemd/zegel-milter.service \
	contrib/systemd/zegel-milter-mx.service \
	contrib/systemd/zegel-policyd.service \
	contrib/systemd/zegel-probe.service \
	contrib/systemd/zegel-probe.timer \
	contrib/systemd/zegel-viewer.service \
	contrib/systemd/zegel-watch.service \
	contrib/systemd/zegel-watch.timer

# logcheck(8) and rsyslogd(8)
EXTRA_DIST += contrib/logcheck/ignore.d.server/zegel contrib/rsyslog/zegel.conf

# the commands of the README
EXTRA_DIST += contrib/try contrib/try-story contrib/try-message contrib/check \
	contrib/install-packages.sh contrib/packages

# the web servers, and the pages that they show by themselves
EXTRA_DIST += \
	contrib/apache/zegel.conf \
	contrib/lighttpd/zegel.conf contrib/lighttpd/zegel-cgi.conf \
	contrib/nginx/zegel.conf
zegelwebdir = $(pkgdatadir)/web
dist_zegelweb_DATA = contrib/web/413.html contrib/web/503.html

# contrib/sms: adapters (zegel-sms(7))
zegellibexec_SCRIPTS = contrib/sms/sms-gammu
contrib/sms/sms-gammu: contrib/sms/sms-gammu.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/sms && \
	  sed 's|@sysconfdir[@]|$(sysconfdir)|' $(srcdir)/contrib/sms/sms-gammu.in >$@.new && \
	  chmod 755 $@.new && mv $@.new $@
CLEANFILES += contrib/sms/sms-gammu
EXTRA_DIST += \
	contrib/sms/gammu-smsdrc contrib/sms/sms-gammu.conf contrib/sms/sms-gammu.in \
	contrib/sms/kannel.conf contrib/sms/sms-http-form.conf contrib/sms/sms-http-json.conf \
	contrib/sms/sms-http-kannel.conf contrib/sms/sms-mail.conf
dist_man_MANS += man/sms-gammu.8
