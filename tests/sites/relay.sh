# relay.sh - a relay between a mail server of one's own and the world: a second instance of
# Postfix on port 25, behind opendkim and rspamd; the first is for this machine's own programs.

SITE_UNITS="opendkim.service rspamd.service postfix.service"

site_configure()
{
  local LAB_MAILBOX_ID
  LAB_MAILBOX_ID=$(id -u lab-mailbox)
  site_debian_postfix "$LAB_OWN"
  # Nothing arrives on this machine.
  postconf -e mydestination= inet_interfaces=loopback-only "relayhost=[$LAB_MAIL_ADDR]" \
    "myhostname=cron.$LAB_OWN"
  postmulti -e init
  postmulti -I postfix-relay -G mta -e create
  site_relay
  postmulti -i postfix-relay -e enable
  site_opendkim
  # The mail server behind it, which has the mailboxes.
  mail_partner inner "$LAB_OWN" "$LAB_SYSTEM_ADDR"
  postconf -c /etc/postfix-inner -e "relayhost=[$LAB_MAIL_ADDR]" "myhostname=inner.$LAB_OWN"
  mail_start_one /etc/postfix-inner
}

site_relay()
{
  local directory=/etc/postfix-relay
  postconf -c $directory -e master_service_disable= "inet_interfaces=$LAB_MAIL_ADDR" \
    inet_protocols=ipv4 "myhostname=mail.$LAB_OWN" mydestination= local_recipient_maps= \
    "mynetworks=127.0.0.0/8 $LAB_MAIL_ADDR $LAB_SYSTEM_ADDR" "relay_domains=$LAB_OWN" \
    transport_maps=hash:$directory/transport authorized_submit_users=root \
    smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination \
    smtpd_milters=inet:127.0.0.1:8891,inet:127.0.0.1:11332 'non_smtpd_milters=$smtpd_milters' \
    milter_default_action=accept "smtpd_tls_cert_file=$LAB/pki/own.crt" \
    "smtpd_tls_key_file=$LAB/pki/own.key" smtpd_tls_security_level=may
  echo "$LAB_OWN smtp:[$LAB_SYSTEM_ADDR]" >$directory/transport
  postmap $directory/transport
}

site_opendkim()
{
  install -d -o opendkim -g opendkim -m 0700 /etc/dkimkeys
  opendkim-genkey -D /etc/dkimkeys -d "$LAB_OWN" -s site
  chown opendkim:opendkim /etc/dkimkeys/*
  sed -i -e 's/^Socket.*/Socket inet:8891@127.0.0.1/' -e 's/^#Domain.*/Domain '"$LAB_OWN"'/' \
    -e 's/^#Selector.*/Selector site/' -e 's|^#KeyFile.*|KeyFile /etc/dkimkeys/site.private|' \
    /etc/opendkim.conf
  echo "InternalHosts $LAB_SYSTEM_ADDR,$LAB_MAIL_ADDR,127.0.0.1" >>/etc/opendkim.conf
  systemctl enable opendkim rspamd
}
