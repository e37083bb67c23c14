# lib.sh - names, addresses and small helpers of the lab. Sourced by its other pieces.
#
# The addresses are documentation ranges (RFC 5737), the names end in -voorbeeld.nl
# ("voorbeeld" is Dutch for example); neither exists outside the lab's own namespaces.

LAB=/run/lab # a tmpfs of the lab's own mount namespace

LAB_OWN=praktijk-voorbeeld.nl        # an organisation of ours, default on-request
LAB_LOCAL=post.$LAB_OWN              # its users on our mail server itself
LAB_OWN2=kliniek-voorbeeld.nl        # another one, default secure
LAB_COMMUNITY=apotheek-voorbeeld.nl  # a partner in the domain book, verified TLS
LAB_READY=ziekenhuis-voorbeeld.nl    # NTA-ready: DNSSEC, TLSA, NTA 7516 record
LAB_EXPIRED=verlopen-voorbeeld.nl    # like ready, but its DNSSEC signatures expired
LAB_BOGUS=vals-voorbeeld.nl          # like ready, but its DNSSEC signatures are wrong
LAB_UNSIGNED=kaal-voorbeeld.nl       # like ready, but without DNSSEC
LAB_OUTSIDER=patient-voorbeeld.nl    # anybody: mail without TLS

# Like ready but for one thing; all signed. Their mail server is ready's unless it is named.
LAB_NOTYET=straks-voorbeeld.nl       # its NTA record begins next year
LAB_ENDED=voorbij-voorbeeld.nl       # its NTA record ended last year
LAB_TWO=dubbel-voorbeeld.nl          # two NTA records, each good by itself
LAB_NOMX=gewoon-voorbeeld.nl         # no ntamx in its record: the ordinary MX counts
LAB_ALIAS=omweg-voorbeeld.nl         # its ntamx host is an alias in the zone of unsigned
LAB_WEAK=zwak-voorbeeld.nl           # only TLSA of usage 1, and a certificate that fits it
LAB_MISMATCH=anders-voorbeeld.nl     # its TLSA is that of another certificate
LAB_DOWN=plat-voorbeeld.nl           # nothing listens at its mail server
LAB_STRIPPED=bloot-voorbeeld.nl      # nothing either, until a test listens there without TLS
LAB_SILENT=stil-voorbeeld.nl         # its name server takes questions and never answers
LAB_PARTNER=partner-voorbeeld.nl     # no TLSA: "nta secure" in the domain book; mail server
                                     # of community
LAB_PARTS="own own2 community ready expired bogus unsigned outsider notyet ended two nomx"
LAB_PARTS+=" alias weak mismatch down stripped silent partner"

LAB_DNS_ADDR=192.0.2.53         # the one name server of this internet
LAB_MAIL_ADDR=192.0.2.10        # our Postfix
LAB_WEB_ADDR=192.0.2.80         # our web server
LAB_DESK_ADDR=192.0.2.100       # a sender's own computer: must log in
LAB_SYSTEM_ADDR=192.0.2.129     # a record system of own, known by its network
LAB_SYSTEM_NET=192.0.2.128/28
LAB_SYSTEM2_ADDR=192.0.2.145    # the same of own2
LAB_SYSTEM2_NET=192.0.2.144/28
LAB_COMMUNITY_ADDR=198.51.100.10
LAB_READY_ADDR=198.51.100.20
LAB_OUTSIDER_ADDR=203.0.113.25  # also takes the mail of expired, bogus and unsigned
LAB_DOWN_ADDR=203.0.113.45
LAB_STRIPPED_ADDR=203.0.113.55
LAB_SILENT_ADDR=203.0.113.53    # the name server of silent
LAB_ADDRS="$LAB_DNS_ADDR $LAB_MAIL_ADDR $LAB_WEB_ADDR $LAB_DESK_ADDR $LAB_SYSTEM_ADDR \
$LAB_SYSTEM2_ADDR $LAB_COMMUNITY_ADDR $LAB_READY_ADDR $LAB_OUTSIDER_ADDR $LAB_DOWN_ADDR $LAB_STRIPPED_ADDR \
$LAB_SILENT_ADDR"

LAB_VIEWER_URL=${LAB_VIEWER_URL:-https://veilig.$LAB_OWN/}

LAB_CA=$LAB/pki/ca.pem
LAB_STATE_IMAGE=$LAB/state.img  # the file system with the state of zegel
LAB_MAIL_LOG=$LAB/mail.log
LAB_MAILDIRS=$LAB/maildirs      # DOMAIN/USER/new/..., users not named there: DOMAIN/all
LAB_SMS=/var/spool/gammu       # spool of gammu-smsd
LAB_SELECTOR=zegel              # of the DKIM key of own
LAB_PLAIN_RESOLVER=127.0.0.2    # started by hand: does not validate, so never says AD
LAB_PASSWORD=laat-mij-erin      # of every login
LAB_LOGINS="janssen@$LAB_OWN devries@$LAB_OWN bakker@$LAB_OWN2"

# The domain that plays part $1.
part_domain()
{
  case " $LAB_PARTS " in
    *" $1 "*) local name=LAB_${1^^}; echo "${!name}" ;;
    *) echo "lab: no part is called '$1'; there are: $LAB_PARTS" >&2; return 64 ;;
  esac
}

# Writes template conf/$1 with @NAME@ replaced by $LAB_NAME, for every NAME.
fill()
{
  local name
  for name in $(compgen -v LAB_); do
    printf 's|@%s@|%s|g\n' "${name#LAB_}" "${!name}"
  done | sed -f - "$LAB_HERE/conf/$1"
}

# Postfix doubts a main.cf that changed less than 100 s ago: each of its programs reads it
# again and again for 1.5 s. This makes main.cf $1... look older.
settle()
{
  touch -d '1 hour ago' "$@"
}

# Ends the start with a sentence.
die()
{
  echo "lab: $*" >&2
  exit 1
}

# Waits until the command succeeds; $1 says what for. Long, for a busy machine.
wait_until()
{
  local end=$((SECONDS + 60)) what=$1
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || die "$what did not come"
    sleep 0.05
  done
}

# Runs a program of the lab in the background, its output in $LAB/log/$1.
background()
{
  local name=$1
  shift
  : >>"$LAB/log/$name"
  setsid "$@" >>"$LAB/log/$name" 2>&1 </dev/null 3<&- &
  echo $! >"$LAB/pid/$name"
}
