# pki.sh - the lab's certificate authority and the certificates of its servers.
#
# The authority is added to the lab's own /etc/ssl/certs/ca-certificates.crt, so that
# every program in the lab trusts it as it would trust a public one.

PKI=$LAB/pki

# A certificate for server $1 with DNS names $2...; $PKI/$1.pem holds key and certificate.
pki_certificate()
{
  local name=$1 names
  shift
  names=$(printf 'DNS:%s,' "$@")
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout "$PKI/$name.key" -subj "/CN=$1" -addext "subjectAltName=${names%,}" |
    openssl x509 -req -CA "$LAB_CA" -CAkey "$PKI/ca.key" -days 30 -copy_extensions copy \
      -set_serial "0x$(openssl rand -hex 8)" -out "$PKI/$name.crt"
  cat "$PKI/$name.key" "$PKI/$name.crt" >"$PKI/$name.pem"
  openssl x509 -in "$PKI/$name.crt" -noout -pubkey |
    openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1 >"$PKI/$name.tlsa"
}

# A certificate called $1 that no authority has signed.
pki_unknown()
{
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -keyout "$PKI/$1.key" -out "$PKI/$1.crt" -subj "/CN=mail.$LAB_COMMUNITY"
  cat "$PKI/$1.key" "$PKI/$1.crt" >"$PKI/$1.pem"
}

pki_make()
{
  mkdir -p "$PKI" /etc/ssl/certs
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
    -keyout "$PKI/ca.key" -out "$LAB_CA" -subj "/CN=Lab CA" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
  cat "$LAB_CA" >>/etc/ssl/certs/ca-certificates.crt
  pki_certificate own "mail.$LAB_OWN"
  pki_certificate community "mail.$LAB_COMMUNITY" "mail.$LAB_PARTNER"
  # Good in every name: where TLSA does not let mail through nothing else is wrong.
  pki_certificate ready "mail.$LAB_READY" "mail.$LAB_WEAK" "mail.$LAB_MISMATCH"
  pki_certificate system "epd.$LAB_OWN"
  pki_unknown stranger
  pki_certificate web "veilig.$LAB_OWN" "veilig.$LAB_OWN2"
  chmod 600 "$PKI"/*.key "$PKI"/*.pem
  chmod 644 "$LAB_CA"
}
