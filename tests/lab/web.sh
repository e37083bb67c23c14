# web.sh - the web server in front of zegel-viewer, and the SMS gateway with a phone that
# is no hardware. The web server is lighttpd; tests put nginx, Apache or a lighttpd that starts
# the viewer as a CGI program in its place.

# Our piece for lighttpd as an administrator would fill it in.
web_configure()
{
  local hosts="veilig\\\\.($LAB_OWN|$LAB_OWN2)"
  install -d -o www-data -g www-data /var/log/lighttpd /var/www
  fill lighttpd.conf
  sed -e "s|\":443\"|\"$LAB_WEB_ADDR:443\"|" -e "s|^\( *ssl.pemfile *= \).*|\1\"$LAB/pki/web.pem\"|" \
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

# Piece $1 of ours for a web server, with the lab's certificate and host names $2.
web_fill()
{
  sed -e "s|/etc/letsencrypt/.*/fullchain.pem|$LAB/pki/web.pem|" \
    -e "s|/etc/letsencrypt/.*/privkey.pem|$LAB/pki/web.pem|" -e "s/mail\\.example\\.nl/$2/" \
    "$LAB_HERE/../../contrib/$1"
}

# As zegel-viewer(8) tells an administrator to add it to Debian's nginx.
nginx_start()
{
  web_fill nginx/zegel.conf "veilig.$LAB_OWN veilig.$LAB_OWN2" >/etc/nginx/sites-available/zegel
  rm -f /etc/nginx/sites-enabled/default
  ln -sf ../sites-available/zegel /etc/nginx/sites-enabled/
  background nginx nginx -g 'daemon off;'
}

# The same for Apache; both blocks are there for each organisation.
apache_start()
{
  {
    web_fill apache/zegel.conf "veilig.$LAB_OWN"
    web_fill apache/zegel.conf "veilig.$LAB_OWN2" | sed -n '/^<VirtualHost/,/^<.VirtualHost/p'
  } >/etc/apache2/sites-available/zegel.conf
  { a2dissite 000-default; a2enmod ssl headers rewrite proxy_fcgi buffer reqtimeout; a2ensite zegel; } \
    >"$LAB/log/a2enmod" 2>&1
  grep -q TMPDIR=/dev/shm /etc/apache2/envvars ||
    echo 'export TMPDIR=/dev/shm' >>/etc/apache2/envvars
  mkdir -p /run/apache2 /run/lock/apache2
  # shellcheck disable=SC2016
  background apache bash -c '. /etc/apache2/envvars; exec apache2 -D FOREGROUND'
}

# A lighttpd of the viewer's own user.
cgi_start()
{
  install -d -o zegel-viewer -g adm -m 2750 /var/log/zegel-web
  web_fill lighttpd/zegel-cgi.conf - | sed "s|\"/usr/sbin|\"$LAB_SBINDIR|" >"$LAB/lighttpd-cgi.conf"
  background lighttpd-cgi lighttpd -D -f "$LAB/lighttpd-cgi.conf"
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
