# zegel.sh - zegel itself, as README.postfix tells an administrator to add it.

ZEGEL_PIECES=$LAB_HERE/../../contrib/postfix

# The value of parameter $1 in the text of a main.cf on standard input, in one line.
main_value()
{
  awk -v name="$1" '$0 ~ "^" name " *=" { on = 1; sub(/^[^=]*= */, ""); printf "%s ", $0; next }
    on && /^[ \t]/ { sub(/^[ \t]*/, ""); printf "%s ", $0; next }
    { on = 0 }'
}

# The text of a main.cf on standard input without parameters $1...
main_without()
{
  awk -v names=" $* " '/^[ \t]/ { if (!skip) print; next }
    { name = $0; sub(/ *=.*/, "", name); skip = index(names, " " name " ") } !skip'
}

# Our main.cf.zegel joined with the site's /etc/postfix/main.cf, as README.postfix has it.
zegel_main()
{
  local main=/etc/postfix/main.cf ours=$ZEGEL_PIECES/main.cf.zegel first last
  local join="transport_maps virtual_alias_maps virtual_mailbox_domains recipient_bcc_maps"
  # shellcheck disable=SC2086
  main_without $join <$main
  main_without transport_maps virtual_mailbox_domains zegel_site_alias_maps \
    zegel_submit_networks <"$ours"
  echo "zegel_site_alias_maps = $(main_value virtual_alias_maps <$main)"
  echo "virtual_mailbox_domains = $(main_value virtual_mailbox_domains <$main)" \
    "$(main_value virtual_mailbox_domains <"$ours")"
  echo "recipient_bcc_maps =" \
    "pipemap:{$(main_value recipient_bcc_maps <$main), regexp:/etc/postfix/zegel_bcc}"
  # Ours that answers only for labels, theirs, ours by label domain.
  read -r first last <<<"$(main_value transport_maps <"$ours")"
  echo "transport_maps = $first $(main_value transport_maps <$main)$last"
  echo "zegel_submit_networks = $LAB_MAIL_ADDR 127.0.0.0/8"
  echo "proxy_read_maps = $(postconf -dh proxy_read_maps) \$zegel_tls_policy_maps \$zegel_seal_maps"
}

# master.cf with our services in the place of those that have their names.
zegel_master()
{
  # Where zegel-submit listens; anywhere else it would be loopback.
  sed "s/^127\.0\.0\.1:10587/$LAB_MAIL_ADDR:10587/" "$ZEGEL_PIECES/master.cf.zegel" \
    >"$LAB/master.zegel"
  awk 'NR == FNR { if (/^[^# \t]/) ours[$1 " " $2] = 1; next }
    /^[^# \t]/ { drop = ($1 " " $2) in ours } !drop' "$LAB/master.zegel" /etc/postfix/master.cf
  cat "$LAB/master.zegel"
}

# The networks of zegel.conf, which may send by address over port 25.
zegel_milter_clients()
{
  local net
  for net in "$LAB_SYSTEM_NET" "$LAB_SYSTEM2_NET"; do
    echo "$net { unix:zegel/milter.sock, default_action=tempfail }"
  done >>/etc/postfix/zegel_milter_clients
}

# The service domains of zegel.conf.
zegel_service()
{
  local domain
  for domain in "veilig.$LAB_OWN" "veilig.$LAB_OWN2"; do
    echo "$domain zegel-store:unix:zegel/deliver.sock"
  done >>/etc/postfix/zegel_service
}

zegel_postfix()
{
  cp "$ZEGEL_PIECES"/zegel* /etc/postfix/
  zegel_service
  sed -i "s|^dbpath = /var/lib/zegel|dbpath = $LAB_STATEDIR|" /etc/postfix/zegel-*.cf
  zegel_milter_clients
  zegel_main >"$LAB/main.cf"
  zegel_master >"$LAB/master.cf"
  cp "$LAB/main.cf" "$LAB/master.cf" /etc/postfix/
  settle /etc/postfix/main.cf
  postmap hash:/etc/postfix/zegel_transport hash:/etc/postfix/zegel_access \
    hash:/etc/postfix/zegel_service
}

zegel_directories()
{
  install -d -o root -g postfix -m 2750 /var/spool/postfix/zegel
  install -d -o zegel-policyd -g postfix -m 2750 "$LAB_STATEDIR/routes"
  install -d -o zegel-deliver -g zegel-store -m 2770 "$LAB_STATEDIR/store" \
    "$LAB_STATEDIR/store/messages"
  install -d -o zegel-auditd -g zegel-auditd -m 0700 "$LAB_STATEDIR/audit"
  install -d -o root -g www-data -m 0755 /run/zegel
  install -d -m 0755 "$LAB_SYSCONFDIR/zegel"
  fill zegel.conf >"$LAB_SYSCONFDIR/zegel/zegel.conf"
  fill domains >"$LAB_SYSCONFDIR/zegel/domains"
}

zegel_keys()
{
  "$LAB_SBINDIR/zegelctl" key generate ticket &&
    "$LAB_SBINDIR/zegelctl" key generate link &&
    "$LAB_SBINDIR/zegelctl" key generate store &&
    "$LAB_SBINDIR/zegelctl" key generate origin &&
    "$LAB_SBINDIR/zegelctl" key generate phone &&
    "$LAB_SBINDIR/zegelctl" key generate audit
}

# The key that signs mail of own; its record goes into the zone.
zegel_dkim()
{
  "$LAB_SBINDIR/zegelctl" dkim generate "$LAB_OWN" --selector "$LAB_SELECTOR" &&
    "$LAB_SBINDIR/zegelctl" dkim show "$LAB_OWN" --json |
    # A string of a TXT record holds 255 octets.
    sed -n 's/.*"record": "\([^"]*\)".*/\1/p' | fold -w 200 |
      awk 'BEGIN { printf "TXT" } { printf " \"%s\"", $0 }' >"$LAB/dkim.record"
}

# What is there before the DNS and Postfix are.
zegel_prepare()
{
  zegel_directories
  { zegel_keys && zegel_dkim; } >"$LAB/log/keys" 2>&1 ||
    die "zegelctl makes no keys: $(cat "$LAB/log/keys")"
}

zegel_program()
{
  "$LAB_HERE/lab-ctl" start "$1" || die "zegel-$1 did not start"
}

# In two steps: Postfix reads routes.db, which zegel-policyd makes. So does the key: it signs
# when policyd has seen its record, and the milter finds it from its first message on.
zegel_start()
{
  local name
  zegel_program auditd
  zegel_program policyd
  "$LAB_SBINDIR/zegelctl" dkim activate "$LAB_OWN" "$LAB_SELECTOR" >"$LAB/log/activate" 2>&1 ||
    die "zegelctl dkim activate failed: $(cat "$LAB/log/activate")"
  for name in deliver milter milter-mx viewer; do
    zegel_program "$name"
  done
}
