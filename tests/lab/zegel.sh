# zegel.sh - zegel itself, as README.postfix tells an administrator to add it.

ZEGEL_PIECES=$LAB_HERE/../../contrib/postfix

# Joins list $1 of main.cf with our value of it, theirs first.
join_list()
{
  local theirs ours
  theirs=$(postconf -h "$1")
  postconf -X "$1"
  ours=$(awk -v name="$1" '$0 ~ "^" name " *=" { on = 1; sub(/^[^=]*=/, "") ; print; next }
    on && /^[ \t]/ { print; next } { on = 0 }' "$ZEGEL_PIECES/main.cf.zegel")
  postconf -e "$1 = $theirs $(echo "$ours" | tr '\n' ' ')"
}

# Our pieces of main.cf and master.cf into those of /etc/postfix.
zegel_postfix()
{
  local main=/etc/postfix/main.cf master=/etc/postfix/master.cf
  cp "$ZEGEL_PIECES"/zegel* /etc/postfix/
  postmap hash:/etc/postfix/zegel_transport hash:/etc/postfix/zegel_access
  # A service of master.cf.zegel takes the place of the one that has its name.
  sed "s/^127\.0\.0\.1:10025/$LAB_MAIL_ADDR:10025/" "$ZEGEL_PIECES/master.cf.zegel" \
    >"$LAB/master.zegel"
  awk 'NR == FNR { if (/^[^# \t]/) ours[$1 " " $2] = 1; next }
    /^[^# \t]/ { drop = ($1 " " $2) in ours } !drop' "$LAB/master.zegel" "$master" \
    >"$LAB/master.cf"
  cat "$LAB/master.cf" "$LAB/master.zegel" >"$master"
  awk '/^transport_maps/ { skip = 1; next } skip && /^[ \t]/ { next } { skip = 0; print }' \
    "$ZEGEL_PIECES/main.cf.zegel" >>"$main"
  join_list transport_maps
  postconf -e "zegel_submit_networks = $LAB_MAIL_ADDR"
}

zegel_directories()
{
  install -d -o root -g postfix -m 2750 /var/spool/postfix/zegel
  install -d -o zegel-policyd -g postfix -m 2750 "$LAB_STATEDIR/routes"
  install -d -o zegel-deliver -g zegel-store -m 2770 "$LAB_STATEDIR/store" \
    "$LAB_STATEDIR/store/messages"
  install -d -o root -g www-data -m 0755 /run/zegel
  install -d -m 0755 "$LAB_SYSCONFDIR/zegel"
  fill zegel.conf >"$LAB_SYSCONFDIR/zegel/zegel.conf"
  fill domains >"$LAB_SYSCONFDIR/zegel/domains"
}

zegel_keys()
{
  "$LAB_SBINDIR/zegelctl" key generate ticket &&
    "$LAB_SBINDIR/zegelctl" key generate link &&
    "$LAB_SBINDIR/zegelctl" key generate store
}

zegel_configure()
{
  zegel_directories
  zegel_postfix
  zegel_keys >"$LAB/log/keys" 2>&1 || die "zegelctl key generate failed: $(cat "$LAB/log/keys")"
}

# In two steps: Postfix reads routes.db, which zegel-policyd makes.
zegel_start()
{
  local name
  for name in policyd deliver milter viewer; do
    "$LAB_HERE/lab-ctl" start "$name" || die "zegel-$name did not start"
  done
}
