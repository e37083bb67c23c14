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

# An NTA 7516 record that is valid this month.
zone_nta()
{
  local year
  year=$(date +%Y)
  echo "@ TXT \"v=NTA7516-1;startdate=$((year - 1))-01;enddate=$((year + 1))-12;\"" \
    "\"provider=Voorbeeld;ntamx=10 mail.$1\""
}

# TLSA 3 1 1 of the certificate $1 of the mail server.
zone_tlsa()
{
  echo "_25._tcp.mail TLSA 3 1 1 $(cat "$LAB/pki/$1.tlsa")"
}

zone_part()
{
  local domain
  domain=$(part_domain "$1")
  case $1 in
    own)
      zone_mail "$domain" "$LAB_MAIL_ADDR"
      zone_tlsa own
      zone_policy
      zone_nta "$domain"
      zone_service "$domain"
      ;;
    own2)
      echo "@ MX 10 mail.$LAB_OWN."
      zone_policy
      zone_service "$domain"
      ;;
    community) zone_mail "$domain" "$LAB_COMMUNITY_ADDR"; zone_policy ;;
    ready)
      zone_mail "$domain" "$LAB_READY_ADDR"
      zone_tlsa ready
      zone_policy
      zone_nta "$domain"
      ;;
    outsider) zone_mail "$domain" "$LAB_OUTSIDER_ADDR"; zone_policy ;;
    *) zone_mail "$domain" "$LAB_OUTSIDER_ADDR"; zone_policy; zone_nta "$domain" ;;
  esac
}

# veilig.DOMAIN: the web pages, and the domain of the mail that zegel itself sends.
zone_service()
{
  echo "veilig A $LAB_WEB_ADDR"
  echo "veilig MX 10 mail.$LAB_OWN."
  echo "veilig TXT \"v=spf1 mx -all\""
  echo "_dmarc.veilig TXT \"v=DMARC1; p=quarantine\""
}

# The start of every zone file; $1 with its final dot.
zone_head()
{
  printf '$ORIGIN %s\n$TTL 60\n' "$1"
  echo "@ SOA ns.nl. hostmaster.nl. 1 3600 600 86400 60"
  echo "@ NS ns.nl."
}

# Signs zone $1 from $DNS/$1.zone into $DNS/$1.signed and writes its DS record to $1.ds;
# further arguments go to ldns-signzone. File names of the root have "root".
zone_sign()
{
  local name=$1 file=$1 key
  [ "$name" != . ] || file=root
  shift
  key=$(ldns-keygen -a ECDSAP256SHA256 -k -r /dev/urandom "$name") || return 1
  ldns-key2ds -n -2 "$key.key" >"$file.ds" || return 1
  ldns-signzone -f "$file.signed" "$@" "$file.zone" "$key"
}

dns_domain_zone()
{
  local part=$1 domain
  domain=$(part_domain "$part")
  { zone_head "$domain."; zone_part "$part"; } >"$domain.zone"
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
    *) zone_sign "$domain" ;;
  esac
}

dns_zones()
{
  local part domain
  mkdir -p "$DNS"
  cd "$DNS" || return 1
  for part in $LAB_PARTS; do
    dns_domain_zone "$part" || die "cannot make the zone of part $part"
  done
  {
    zone_head nl.
    echo "ns A $LAB_DNS_ADDR"
    for part in $LAB_PARTS; do
      domain=$(part_domain "$part")
      echo "$domain. NS ns.nl."
      [ ! -e "$domain.ds" ] || cat "$domain.ds"
    done
  } >nl.zone
  zone_sign nl || die "cannot sign nl"
  {
    zone_head .
    echo "nl. NS ns.nl."
    echo "ns.nl. A $LAB_DNS_ADDR"
    cat nl.ds
  } >root.zone
  zone_sign . || die "cannot sign the root"
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
      printf 'zone:\n  name: "%s"\n  zonefile: %s.signed\n' "$domain" "$domain"
    done
  } >"$DNS/nsd.conf"
  fill unbound.conf >"$DNS/unbound.conf"
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

# TCP, because a closed port then says so at once.
dns_wait()
{
  wait_until 10 "the name server" drill -t "@$LAB_DNS_ADDR" SOA nl
  wait_until 10 "the resolver" drill -t @127.0.0.1 SOA "$LAB_OWN"
}
