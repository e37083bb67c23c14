# dns.sh - the name space of the lab: a signed root, nl and the domains, served by NSD
# and asked through a validating Unbound on loopback.

DNS=$LAB/dns

# The records of host "mail" and the mail exchanger of domain $1 at address $2.
zone_mail()
{
  echo "@ MX 10 mail"
  echo "mail A $2"
}

# SPF and DMARC of a domain that only its exchangers send for.
zone_policy()
{
  echo '@ TXT "v=spf1 mx -all"'
  echo '_dmarc TXT "v=DMARC1; p=quarantine"'
}

# An NTA 7516 record that holds from January of $1 through December of $2, in years from this
# one; with mail server $3, or without any.
zone_nta()
{
  local year text
  year=$(date +%Y)
  text="v=NTA7516-1;startdate=$((year + $1))-01;enddate=$((year + $2))-12;"
  echo "@ TXT \"$text\" \"provider=Voorbeeld${3:+;ntamx=10 $3}\""
}

# TLSA $3 1 1, else 3 1 1, of the certificate $2 for port 25 of host $1.
zone_tlsa()
{
  echo "_25._tcp.$1 TLSA ${3-3} 1 1 $(cat "$LAB/pki/$2.tlsa")"
}

# The key with which mail of own is signed, when zegel made one.
zone_dkim()
{
  [ ! -e "$LAB/dkim.record" ] || echo "$LAB_SELECTOR._domainkey $(cat "$LAB/dkim.record")"
}

# The records of the two organisations and of the partners that are not like ready.
zone_part()
{
  local domain
  domain=$(part_domain "$1")
  case $1 in
    own)
      zone_mail "$domain" "$LAB_MAIL_ADDR"
      zone_tlsa mail own
      zone_policy
      zone_nta -1 1 "mail.$domain"
      zone_dkim
      zone_service "$domain"
      ;;
    own2)
      echo "@ MX 10 mail.$LAB_OWN."
      zone_policy
      zone_service "$domain"
      ;;
    community) zone_mail "$domain" "$LAB_COMMUNITY_ADDR"; zone_policy ;;
    outsider) zone_mail "$domain" "$LAB_OUTSIDER_ADDR"; zone_policy ;;
    *) zone_policy; zone_like_ready "$1" "$domain" ;;
  esac
}

# Domain $2 of part $1, which is ready or misses one thing for it.
zone_like_ready()
{
  case $1 in
    notyet | ended | two | nomx | alias) echo "@ MX 10 mail.$LAB_READY." ;;
    ready | weak | mismatch) zone_mail "$2" "$LAB_READY_ADDR" ;;
    partner) zone_mail "$2" "$LAB_COMMUNITY_ADDR" ;;
    down) zone_mail "$2" "$LAB_DOWN_ADDR" ;;
    stripped) zone_mail "$2" "$LAB_STRIPPED_ADDR" ;;
    *) zone_mail "$2" "$LAB_OUTSIDER_ADDR" ;;
  esac
  case $1 in
    notyet) zone_nta 1 2 "mail.$LAB_READY" ;;
    ended) zone_nta -3 -1 "mail.$LAB_READY" ;;
    two) zone_nta -1 1 "mail.$LAB_READY"; zone_nta 0 1 "mail.$LAB_READY" ;;
    nomx) zone_nta -1 1 ;;
    alias) zone_nta -1 1 "mx.$LAB_UNSIGNED" ;;
    *) zone_nta -1 1 "mail.$2" ;;
  esac
  case $1 in
    weak) zone_tlsa mail ready 1 ;;
    mismatch) zone_tlsa mail own ;;
    notyet | ended | two | nomx | alias | partner) ;;
    *) zone_tlsa mail ready ;;
  esac
  # What these names lead to is signed and good, the way there is not.
  [ "$1" != unsigned ] || printf '%s CNAME %s.\n' mx "mail.$LAB_READY" \
    _25._tcp.mx "_25._tcp.mail.$LAB_READY"
}

# veilig.DOMAIN: the web pages, and the domain of the mail that zegel itself sends.
zone_service()
{
  echo "veilig A $LAB_WEB_ADDR"
  echo "veilig MX 10 mail.$LAB_OWN."
  echo "veilig TXT \"v=spf1 mx -all\""
  echo "_dmarc.veilig TXT \"v=DMARC1; p=quarantine\""
}

# The start of every zone file; $1 with its final dot, $2 the seconds that answers are kept.
# The serial number stands on a line of its own.
zone_head()
{
  printf '$ORIGIN %s\n$TTL %s\n' "$1" "$2"
  printf '@ SOA ns.nl. hostmaster.nl. (\n1 ; serial\n3600 600 86400 %s )\n' "$2"
  echo "@ NS ns.nl."
}

# Makes the key of zone $1 and its DS record, $2.ds, where $2 is its name in file names.
zone_key()
{
  local key
  key=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom "$1") || return 1
  mv "$key.key" "$2.key" && mv "$key.private" "$2.private" && mv "$key.ds" "$2.ds"
}

# Signs $1.zone into $1.signed with its key; further arguments go to ldns-signzone.
zone_sign()
{
  local file=$1
  shift
  ldns-signzone -f "$file.signed" "$@" "$file.zone" "$file"
}

# Makes the .signed file of part $1 from its .zone file; further arguments as zone_sign.
dns_sign_part()
{
  local part=$1 domain
  domain=$(part_domain "$part")
  shift
  case $part in
    unsigned) cp "$domain.zone" "$domain.signed" ;;
    expired) zone_sign "$domain" -i 20200101 -e 20200201 ;;
    bogus)
      # Changed after signing: no signature of these records fits any more.
      zone_sign "$domain" &&
        sed -i -e 's/\(IN\tMX\t\)10/\120/' -e "s/$LAB_OUTSIDER_ADDR/203.0.113.99/" \
          -e 's/p=quarantine/p=none/' -e 's/provider=Voorbeeld/provider=Vals/' \
          "$domain.signed"
      ;;
    *) zone_sign "$domain" "$@" ;;
  esac
}

# Answers of the domains are kept for a second: tests change them.
dns_domain_zone()
{
  local part=$1 domain
  domain=$(part_domain "$part")
  { zone_head "$domain." 1; zone_part "$part"; } >"$domain.zone"
  [ "$part" = unsigned ] || zone_key "$domain." "$domain" || return 1
  dns_sign_part "$part"
}

# The delegation of part $1.
zone_delegation()
{
  local domain
  domain=$(part_domain "$1")
  if [ "$1" = silent ]; then
    echo "$domain. NS ns.$domain."
    echo "ns.$domain. A $LAB_SILENT_ADDR"
    return
  fi
  echo "$domain. NS ns.nl."
  [ ! -e "$domain.ds" ] || cat "$domain.ds"
}

dns_domain_zones()
{
  local part pids=() pid
  for part in $LAB_PARTS; do
    [ "$part" != silent ] || continue
    dns_domain_zone "$part" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || die "cannot make a zone: see $LAB/log/dns"
  done
}

dns_zones()
{
  local part
  mkdir -p "$DNS"
  cd "$DNS" || return 1
  dns_domain_zones
  {
    zone_head nl. 60
    echo "ns A $LAB_DNS_ADDR"
    for part in $LAB_PARTS; do
      zone_delegation "$part"
    done
  } >nl.zone
  { zone_key nl. nl && zone_sign nl; } || die "cannot sign nl"
  {
    zone_head . 60
    echo "nl. NS ns.nl."
    echo "ns.nl. A $LAB_DNS_ADDR"
    cat nl.ds
  } >root.zone
  { zone_key . root && zone_sign root; } || die "cannot sign the root"
  cd / || return 1
}

# Writes the configurations of both servers.
dns_configure()
{
  local part domain
  {
    fill nsd.conf
    printf 'zone:\n  name: "."\n  zonefile: root.signed\n'
    for domain in nl $(for part in $LAB_PARTS; do part_domain "$part"; done); do
      [ "$domain" != "$LAB_SILENT" ] || continue
      printf 'zone:\n  name: "%s"\n  zonefile: %s.signed\n' "$domain" "$domain"
    done
  } >"$DNS/nsd.conf"
  fill unbound.conf >"$DNS/unbound.conf"
  fill unbound-plain.conf >"$DNS/unbound-plain.conf"
  printf '. NS ns.nl.\nns.nl. A %s\n' "$LAB_DNS_ADDR" >"$DNS/root.hints"
}

nsd_start()
{
  background nsd nsd -d -c "$DNS/nsd.conf"
}

unbound_start()
{
  background unbound unbound -d -p -c "$DNS/unbound.conf"
}

# The resolver that does not validate.
unbound_plain_start()
{
  background unbound-plain unbound -d -p -c "$DNS/unbound-plain.conf"
  wait_until "the plain resolver" drill -t "@$LAB_PLAIN_RESOLVER" SOA "$LAB_OWN"
}

# Whether the name server answers with serial number $2 of zone $1.
serves()
{
  drill "@$LAB_DNS_ADDR" SOA "$1" | grep -q " $2 3600 "
}

# The .zone file of part $1 was changed: signs it again, with further arguments as zone_sign,
# and waits until the name server has it and the resolver has forgotten what was.
dns_publish()
{
  local domain serial
  domain=$(part_domain "$1") && cd "$DNS" || return 1
  serial=$(($(cat serial 2>/dev/null || echo 1) + 1))
  echo "$serial" >serial
  sed -i "s/^[0-9]* ; serial/$serial ; serial/" "$domain.zone"
  dns_sign_part "$@" && nsd-control -c nsd.conf reload "$domain" || return 1
  wait_until "the new zone of $domain" serves "$domain" "$serial"
  unbound-control -c unbound.conf flush_zone "$domain" || [ ! -e unbound.sock ]
}

# TCP, because a closed port then says so at once.
nsd_wait()
{
  wait_until "the name server" drill -t "@$LAB_DNS_ADDR" SOA nl
}

unbound_wait()
{
  wait_until "the resolver" drill -t @127.0.0.1 SOA "$LAB_OWN"
}
