# web.sh - the web server in front of zegel-viewer, and the SMS gateway with a phone that
# is no hardware.

# With LAB_LISTEN set (contrib/try --stay) descriptor 3 is a listening socket of the
# world outside, which lighttpd takes over.
web_start()
{
  install -d -o www-data -g www-data /var/log/lighttpd /var/www
  fill lighttpd.conf >"$LAB/lighttpd.conf"
  if [ -n "${LAB_LISTEN-}" ]; then
    printf '$SERVER["socket"] == "%s" { }\n' "$LAB_LISTEN" >>"$LAB/lighttpd.conf"
    # shellcheck disable=SC2016
    setsid bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec lighttpd -D -f "$1"' - \
      "$LAB/lighttpd.conf" >>"$LAB/log/lighttpd" 2>&1 </dev/null &
    echo $! >"$LAB/pid/lighttpd"
    exec 3<&-
  else
    background lighttpd lighttpd -D -f "$LAB/lighttpd.conf"
  fi
}

sms_configure()
{
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
