#!/bin/sh
# install-packages.sh [KIND...] - installs the packages of contrib/packages that are missing,
# of the kinds that are named (build, lab, check), else all.
#
# Asks nothing, starts no service, and refuses when a package of this machine would have to
# go (such as another mail server). Run as root, by contrib/try and contrib/check.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d

say_and_stop() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# npm comes with other packages of nodejs than Debian's, too.
is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ||
        { [ "$1" = npm ] && command -v npm >/dev/null; }
}

list_missing() {
    sed 's/#.*//' "$here/packages" | while read -r package kind; do
        [ -n "$package" ] || continue
        case " ${*:-$kind} " in
            *" $kind "*) is_installed "$package" || echo "$package" ;;
        esac
    done
}

# Small systems leave out documentation; the suite of RFC 7208 comes as such.
apt() {
    apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
        -o 'DPkg::Options::=--path-include=/usr/share/doc/python3-spf/*' "$@" </dev/null
}

# Services that come with the packages shall not run on this machine, now or after a restart.
# Some have only a script of the old kind.
disable_services() {
    for package in "$@"; do
        dpkg -L "$package" | sed -n 's|^/etc/init\.d/\(.*\)|\1|p' | while read -r script; do
            update-rc.d "$script" disable >/dev/null 2>&1 || echo "$script: was not enabled"
        done
        command -v systemctl >/dev/null || continue # it works where systemd does not run, too
        for unit in $(dpkg -L "$package" |
            sed -n 's|^\(/usr\)\{0,1\}/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\)\)$|\2|p'); do
            systemctl disable "$unit" >/dev/null 2>&1 || echo "$unit: was not enabled"
        done
    done
}

if ! command -v apt-get >/dev/null; then
    say_and_stop "this is no Debian: install what contrib/packages names by hand"
fi
missing=$(list_missing "$@")
if [ -z "$missing" ]; then
    echo "nothing is missing"
    exit 0
fi
# shellcheck disable=SC2086 # a list of words
set -- $missing
echo "installing: $*"
export DEBIAN_FRONTEND=noninteractive
apt update
plan=$(apt install --simulate --no-install-recommends "$@")
removed=$(echo "$plan" | sed -n 's/^Remv \([^ ]*\).*/\1/p')
installed=$(echo "$plan" | sed -n 's/^Inst \([^ ]*\).*/\1/p')
if [ -n "$removed" ]; then
    say_and_stop "Debian would have to remove $(echo "$removed" | tr '\n' ' ')here: use another machine"
fi
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
apt install -y --no-install-recommends "$@"
# shellcheck disable=SC2086 # a list of words
disable_services $installed
