
# contrib/postfix
EXTRA_DIST += \
	contrib/postfix/README.postfix \
	contrib/postfix/main.cf.zegel \
	contrib/postfix/master.cf.zegel \
	contrib/postfix/zegel-routes.cf \
	contrib/postfix/zegel-tls.cf \
	contrib/postfix/zegel_access \
	contrib/postfix/zegel_generic \
	contrib/postfix/zegel_header_checks \
	contrib/postfix/zegel_transport

# the commands of the README
EXTRA_DIST += contrib/try contrib/try-story contrib/try-message contrib/check \
	contrib/install-packages.sh contrib/packages

# SMS adapters
dist_zegellibexec_SCRIPTS = contrib/sms/sms-gammu
