# contrib/postfix: zegelctl setup copies these; README.postfix is for who does it by hand.
zegelpostfixdir = $(pkgdatadir)/postfix
dist_zegelpostfix_DATA = \
	contrib/postfix/main.cf.zegel \
	contrib/postfix/master.cf.zegel \
	contrib/postfix/zegel-routes.cf \
	contrib/postfix/zegel-seal.cf \
	contrib/postfix/zegel-tls.cf \
	contrib/postfix/zegel_access \
	contrib/postfix/zegel_bcc \
	contrib/postfix/zegel_bounce.cf \
	contrib/postfix/zegel_domains \
	contrib/postfix/zegel_generic \
	contrib/postfix/zegel_header_checks \
	contrib/postfix/zegel_header_keep \
	contrib/postfix/zegel_milter_clients \
	contrib/postfix/zegel_service \
	contrib/postfix/zegel_transport
dist_doc_DATA = contrib/postfix/README.postfix

# contrib/systemd: the units name programs in /usr/sbin, and are installed for where ours are.
SYSTEMD_UNITS = \
	contrib/systemd/zegel-audit-verify.service \
	contrib/systemd/zegel-audit-verify.timer \
	contrib/systemd/zegel-auditd.service \
	contrib/systemd/zegel-auditd.socket \
	contrib/systemd/zegel-deliver.service \
	contrib/systemd/zegel-deliver.socket \
	contrib/systemd/zegel-domain-watch.service \
	contrib/systemd/zegel-domain-watch.timer \
	contrib/systemd/zegel-expire.service \
	contrib/systemd/zegel-expire.timer \
	contrib/systemd/zegel-milter.service \
	contrib/systemd/zegel-milter-mx.service \
	contrib/systemd/zegel-policyd.service \
	contrib/systemd/zegel-policyd-phone.socket \
	contrib/systemd/zegel-policyd-preview.socket \
	contrib/systemd/zegel-policyd.socket \
	contrib/systemd/zegel-probe.service \
	contrib/systemd/zegel-probe.timer \
	contrib/systemd/zegel-viewer.service \
	contrib/systemd/zegel-viewer.socket \
	contrib/systemd/zegel-watch.service \
	contrib/systemd/zegel-watch.timer
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
EXTRA_DIST += $(SYSTEMD_UNITS) contrib/systemd/zegel.sysusers contrib/systemd/zegel.tmpfiles

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(systemdsystemunitdir)' '$(DESTDIR)$(sysusersdir)' \
	  '$(DESTDIR)$(tmpfilesdir)'
	for unit in $(SYSTEMD_UNITS); do \
	  sed -e 's|\(=!\{0,1\}\)/usr/sbin/|\1$(sbindir)/|' -e 's|=/etc/|=$(sysconfdir)/|' "$(srcdir)/$$unit" \
	    >'$(DESTDIR)$(systemdsystemunitdir)'/$${unit##*/} || exit 1; \
	done
	$(INSTALL_DATA) $(srcdir)/contrib/systemd/zegel.sysusers '$(DESTDIR)$(sysusersdir)/zegel.conf'
	$(INSTALL_DATA) $(srcdir)/contrib/systemd/zegel.tmpfiles '$(DESTDIR)$(tmpfilesdir)/zegel.conf'

uninstall-local:
	for unit in $(SYSTEMD_UNITS); do \
	  rm -f '$(DESTDIR)$(systemdsystemunitdir)'/$${unit##*/}; \
	done
	rm -f '$(DESTDIR)$(sysusersdir)/zegel.conf' '$(DESTDIR)$(tmpfilesdir)/zegel.conf'

# contrib/apparmor
EXTRA_DIST += \
	contrib/apparmor/abstractions/zegel \
	contrib/apparmor/zegel-auditd \
	contrib/apparmor/zegel-deliver \
	contrib/apparmor/zegel-milter \
	contrib/apparmor/zegel-policyd \
	contrib/apparmor/zegel-viewer

# logcheck(8) and rsyslogd(8)
EXTRA_DIST += contrib/logcheck/ignore.d.server/zegel contrib/rsyslog/zegel.conf

# contrib/debian: the packages that contrib/package builds
EXTRA_DIST += contrib/package \
	contrib/debian/changelog contrib/debian/control contrib/debian/copyright.in \
	contrib/debian/po/POTFILES.in contrib/debian/po/nl.po contrib/debian/po/templates.pot \
	contrib/debian/rules contrib/debian/source/format \
	contrib/debian/take-out \
	contrib/debian/zegel-viewer.install contrib/debian/zegel-viewer.prerm contrib/debian/zegel.config contrib/debian/zegel.docs \
	contrib/debian/zegel.examples contrib/debian/zegel.install contrib/debian/zegel.postinst \
	contrib/debian/zegel.postrm contrib/debian/zegel.prerm contrib/debian/zegel.templates

# the commands of the README
EXTRA_DIST += contrib/try contrib/try-story contrib/try-message contrib/check \
	contrib/install-packages.sh contrib/packages

# the web servers, and the pages that they show by themselves
zegelapachedir = $(pkgdatadir)/apache
dist_zegelapache_DATA = contrib/apache/zegel.conf
zegellighttpddir = $(pkgdatadir)/lighttpd
dist_zegellighttpd_DATA = contrib/lighttpd/zegel.conf contrib/lighttpd/zegel-cgi.conf
zegelnginxdir = $(pkgdatadir)/nginx
dist_zegelnginx_DATA = contrib/nginx/zegel.conf
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
