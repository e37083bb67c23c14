# web.sh - the web server in front of zegel-viewer, and the SMS gateway with a phone that
# is no hardware.

# Our piece for lighttpd as an administrator would fill it in.
web_configure()
{
  local hosts="veilig\\\\.($LAB_OWN|$LAB_OWN2)"
  install -d -o www-data -g www-data /var/log/lighttpd /var/www
  fill lighttpd.conf
  sed -e "s|\":443\"|\"$LAB_WEB_ADDR:443\"|" -e "s|^\( *ssl.pemfile *= \).*|\1\"$PKI/web.pem\"|" \
    -e '/ssl.privkey/d' -e "s/mail\\\\.example\\\\.nl/$hosts/" \
    "$LAB_HERE/../../contrib/lighttpd/zegel.conf"
  if [ -n "${LAB_LISTEN-}" ]; then
    local LAB_OPEN_PORT=${LAB_LISTEN##*:}
    fill lighttpd-open.conf
  fi
}

# With LAB_LISTEN set (contrib/try --stay) descriptor 3 is a listening socket of the
# world outside, which lighttpd takes over.
web_start()
{
  web_configure >"$LAB/lighttpd.conf"
  if [ -n "${LAB_LISTEN-}" ]; then
    # shellcheck disable=SC2016
    setsid bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec lighttpd -D -f "$1"' - \
      "$LAB/lighttpd.conf" >>"$LAB/log/lighttpd" 2>&1 </dev/null &
    echo $! >"$LAB/pid/lighttpd"
  else
    background lighttpd lighttpd -D -f "$LAB/lighttpd.conf"
  fi
}

sms_configure()
{
  sed -i '/^gammu:/s/:$/:zegel-viewer/;t;/^gammu:/s/$/,zegel-viewer/' /etc/group
  rm -rf "$LAB_SMS"
  mkdir -p "$LAB/phone"
  install -d -o gammu -g gammu -m 2770 "$LAB_SMS" "$LAB_SMS"/{inbox,outbox,sent,error}
  chown gammu "$LAB/phone"
  fill gammu-smsdrc >/etc/gammu-smsdrc
}

sms_run()
{
  background gammu-smsd gammu-smsd -c /etc/gammu-smsdrc -U gammu -G gammu
}
