# mail.sh - four Postfix servers: ours in /etc/postfix, with submission and SASL, and one
# for each of community, ready and outsider in /etc/postfix-PART.

# Mailboxes of domain $1: one for each user $2..., one called all for everybody else.
mailbox_lines()
{
  local domain=$1 user
  shift
  for user in "$@"; do
    echo "$user@$domain $domain/$user/"
  done
  echo "@$domain $domain/all/"
}

mail_directories()
{
  mkdir -p "$LAB_MAILDIRS"
  chown lab-mailbox:lab-mailbox "$LAB_MAILDIRS"
  LAB_MAILBOX_ID=$(id -u lab-mailbox)
  # Mail that waits on the machine itself is none of ours.
  find /var/spool/postfix -type f ! -path '*/etc/*' ! -path '*/lib/*' ! -path '*/usr/*' \
    -delete
  mkdir -p /var/spool/postfix/etc
  cp /etc/resolv.conf /etc/hosts /etc/nsswitch.conf /etc/services /etc/localtime \
    /var/spool/postfix/etc/ 2>/dev/null
}

# The logins of our submission service, in sasldb, which smtpd reads in its chroot.
mail_logins()
{
  local login
  mkdir -p /etc/postfix/sasl
  fill smtpd-sasl.conf >/etc/postfix/sasl/smtpd.conf
  rm -f /etc/sasldb2
  for login in $LAB_LOGINS; do
    echo "$LAB_PASSWORD" | saslpasswd2 -p -c -f /etc/sasldb2 -u "${login#*@}" "${login%@*}" ||
      die "saslpasswd2 failed"
  done
  install -o root -g postfix -m 0640 /etc/sasldb2 /var/spool/postfix/etc/sasldb2
}

# Everything that can send mail for our own addresses on: virtual aliases, copies, aliases(5)
# with a list and a file, and a .forward. The names say which; the ends are at @OUTSIDER,
# @COMMUNITY and in mailboxes of ours.
mail_expansions()
{
  cat >/etc/postfix/virtual <<END
alias@$LAB_OWN    alias@$LAB_OUTSIDER
keten@$LAB_OWN    alias2@$LAB_OWN
alias2@$LAB_OWN   keten@$LAB_OUTSIDER
team@$LAB_OWN     devries@$LAB_OWN, team@$LAB_OUTSIDER, team@$LAB_COMMUNITY
END
  echo "dossier@$LAB_OWN dossier@$LAB_OUTSIDER" >/etc/postfix/bcc
  cat >/etc/aliases <<END
unix: unix@$LAB_OUTSIDER
lijst: devries@$LAB_OWN, balie@$LAB_LOCAL, lijst@$LAB_OUTSIDER, lijst@$LAB_COMMUNITY
owner-lijst: postmaster@$LAB_OWN
bestand: :include:/etc/postfix/bestand
END
  echo "bestand@$LAB_OUTSIDER" >/etc/postfix/bestand
  mail_local_user balie
  mail_local_user reiziger
  printf '%s\n' "\\reiziger@$LAB_LOCAL" "reiziger@$LAB_OUTSIDER" >"$LAB/home/reiziger/.forward"
}

# The maildir of user $1 of this machine.
mail_local_user()
{
  install -d -o "$1" -g "$1" -m 0755 "$LAB/home/$1"
  install -d "$LAB_MAILDIRS/$LAB_LOCAL"
  install -d -o "$1" -g "$1" -m 0755 "$LAB_MAILDIRS/$LAB_LOCAL/$1"
}

mail_own()
{
  fill own-main.cf >/etc/postfix/main.cf
  fill own-master.cf >/etc/postfix/master.cf
  : >/etc/postfix/transport
  mail_expansions
  {
    mailbox_lines "$LAB_OWN" janssen devries dossier postmaster
    mailbox_lines "$LAB_OWN2" bakker postmaster
  } >/etc/postfix/mailboxes
}

# The Postfix of partner $1 for domain $2 at address $3, for the further domains $4...
mail_partner()
{
  local part=$1 domain=$2 dir=/etc/postfix-$1 any
  local LAB_THIS_PART=$1 LAB_THIS_DOMAIN=$2 LAB_THIS_ADDR=$3
  shift 3
  mkdir -p "$dir" "/var/spool/postfix-$part" "/var/lib/postfix-$part"
  chown postfix "/var/lib/postfix-$part"
  fill partner-main.cf >"$dir/main.cf"
  fill partner-master.cf >"$dir/master.cf"
  cp /etc/postfix/dynamicmaps.cf "$dir/" 2>/dev/null || : >"$dir/dynamicmaps.cf"
  [ ! -e "$PKI/$part.pem" ] || fill partner-tls.cf >>"$dir/main.cf"
  echo "onbekend@$domain REJECT 5.1.1 nobody has this address" >"$dir/recipients"
  mailbox_lines "$domain" jan piet postmaster >"$dir/mailboxes"
  for any in "$@"; do
    mailbox_lines "$any" >>"$dir/mailboxes"
  done
  awk '{ sub(/.*@/, "", $1); if (!seen[$1]++) print $1 " ok" }' "$dir/mailboxes" \
    >"$dir/domains"
}

mail_configure()
{
  mail_directories
  mail_logins
  mail_own
  mail_partner community "$LAB_COMMUNITY" "$LAB_COMMUNITY_ADDR" "$LAB_PARTNER"
  mail_partner ready "$LAB_READY" "$LAB_READY_ADDR" "$LAB_NOTYET" "$LAB_ENDED" "$LAB_TWO" \
    "$LAB_NOMX" "$LAB_ALIAS" "$LAB_WEAK" "$LAB_MISMATCH"
  mail_partner outsider "$LAB_OUTSIDER" "$LAB_OUTSIDER_ADDR" \
    "$LAB_EXPIRED" "$LAB_BOGUS" "$LAB_UNSIGNED"
  settle /etc/postfix*/main.cf
  postalias hash:/etc/aliases
}

# Starts the Postfix whose configuration is in directory $1.
mail_start_one()
{
  setsid postfix -c "$1" start >>"$LAB/log/postfix" 2>&1 </dev/null 3<&-
}

# All four at the same time.
mail_start()
{
  local part pids=() pid
  for part in "" -community -ready -outsider; do
    mail_start_one "/etc/postfix$part" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || die "a Postfix did not start: $(tail -n 5 "$LAB/log/postfix")"
  done
}
