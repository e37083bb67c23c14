# The lab: a small internet on one machine. It is bash and Python, nothing is built.
EXTRA_DIST += tests/lab/starts.test tests/lab/lab tests/lab/lab-ctl tests/lab/inside tests/lab/syslogd tests/lab/sms-texts \
	tests/lab/lib.sh tests/lab/space.sh tests/lab/pki.sh tests/lab/dns.sh \
	tests/lab/mail.sh tests/lab/web.sh tests/lab/zegel.sh \
	tests/lab/conf/domains tests/lab/conf/gammu-smsdrc tests/lab/conf/lighttpd.conf tests/lab/conf/lighttpd-open.conf \
	tests/lab/conf/nsd.conf tests/lab/conf/own-main.cf tests/lab/conf/own-master.cf \
	tests/lab/conf/partner-main.cf tests/lab/conf/partner-master.cf \
	tests/lab/conf/partner-tls.cf tests/lab/conf/smtpd-sasl.conf \
	tests/lab/conf/unbound.conf tests/lab/conf/unbound-plain.conf tests/lab/conf/zegel.conf

if LAB
TESTS += tests/lab/starts.test
endif

# What the lab runs is staged here first.
clean-local:
	rm -rf stage stage.log stage-* screenshots
