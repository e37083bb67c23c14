# submission.sh - a site where people log in to send, by Dovecot's SASL, with aliases of both
# kinds, some of which lead outside, and a transport table.

SITE_UNITS="dovecot.service postfix.service"

site_configure()
{
  local user
  for user in janssen balie; do
    useradd --create-home "$user"
  done
  site_debian_postfix "$LAB_OWN"
  site_dovecot
  postconf -e "smtpd_tls_cert_file=$LAB/pki/own.crt" "smtpd_tls_key_file=$LAB/pki/own.key" \
    smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth \
    virtual_alias_maps=hash:/etc/postfix/virtual transport_maps=hash:/etc/postfix/transport \
    "virtual_alias_domains=$LAB_LOCAL" recipient_bcc_maps=hash:/etc/postfix/bcc
  # As the comments in Debian's master.cf suggest.
  sed -i -e '/^#submission /,/^#[a-z0-9]* *\(inet\|unix\)/{
    s/^#\(submission .*\)/\1/
    s/^#\(  -o \(syslog_name\|smtpd_tls_sec\|smtpd_sasl\|smtpd_relay\|smtpd_recip\|milter_macro\).*\)/\1/
    }' /etc/postfix/master.cf
  printf '%s\n' "info@$LAB_LOCAL janssen@$LAB_OWN" \
    "team@$LAB_LOCAL balie@$LAB_OWN, team@$LAB_OUTSIDER" >/etc/postfix/virtual
  echo "elders.example smtp:[$LAB_OUTSIDER_ADDR]" >/etc/postfix/transport
  echo "archief@$LAB_OUTSIDER balie@$LAB_OWN" >/etc/postfix/bcc
  echo "lijst: janssen, lijst@$LAB_OUTSIDER" >>/etc/aliases
  postmap /etc/postfix/{virtual,transport,bcc}
  newaliases
}

# It only knows who may send.
site_dovecot()
{
  local login
  for login in $LAB_LOGINS; do
    echo "$login:{PLAIN}$LAB_PASSWORD"
  done >/etc/dovecot/users
  chown root:dovecot /etc/dovecot/users
  chmod 640 /etc/dovecot/users
  cp "$LAB/pki/own.crt" /etc/dovecot/private/dovecot.pem
  cp "$LAB/pki/own.key" /etc/dovecot/private/dovecot.key
  sed -i 's/^!include auth-system/#&/' /etc/dovecot/conf.d/10-auth.conf
  cat >/etc/dovecot/local.conf <<END
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=/var/mail
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
END
}
