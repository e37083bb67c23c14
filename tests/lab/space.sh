# space.sh - the lab's own file systems, devices, addresses and users.
#
# We are the first process of new network, mount and process namespaces. Nothing here is
# seen outside, and all of it goes when the first process ends.

# An overlay on directory $1: writable, with the staged install on top of the real one.
overlay()
{
  local dir=$1 lower=$1 upper
  upper=$LAB/overlay/$(echo "$dir" | tr / _)
  [ -n "$LAB_STAGE" ] && [ -d "$LAB_STAGE$dir" ] && lower=$LAB_STAGE$dir:$lower
  mkdir -p "$upper/up" "$upper/work"
  mount -t overlay lab -o "lowerdir=$lower,upperdir=$upper/up,workdir=$upper/work" "$dir" ||
    die "cannot lay an overlay file system on $dir"
}

# Whether a directory lies under one that has an overlay already.
is_covered()
{
  case "$1/" in
    /etc/* | /var/*) return 0 ;;
    "${LAB_PREFIX%/}"/*) return 0 ;;
  esac
  return 1
}

space_mounts()
{
  mount -t tmpfs -o mode=0755 lab /run || die "cannot mount a tmpfs on /run"
  mkdir -p "$LAB"/{overlay,log,pid} /run/lock
  overlay /etc
  overlay /var
  if [ "$LAB_PREFIX" != / ]; then
    mkdir -p "$LAB_PREFIX"
    overlay "${LAB_PREFIX%/}"
  fi
  local dir
  for dir in "$LAB_SYSCONFDIR" "$LAB_LOCALSTATEDIR"; do
    is_covered "$dir" || die "$dir lies outside /etc, /var and $LAB_PREFIX"
    mkdir -p "$dir"
  done
}

# Our own /dev, so that /dev/log is ours. Devices come from the real one by bind mounts.
space_devices()
{
  local dev=$LAB/dev name
  mkdir -p "$dev"
  mount -t tmpfs -o mode=0755 lab "$dev"
  for name in null zero full random urandom tty; do
    : >"$dev/$name"
    mount --bind "/dev/$name" "$dev/$name"
  done
  mkdir -m 1777 "$dev/shm"
  mkdir "$dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$dev/pts"
  ln -s pts/ptmx "$dev/ptmx"
  ln -s /proc/self/fd "$dev/fd"
  ln -s fd/0 "$dev/stdin"
  ln -s fd/1 "$dev/stdout"
  ln -s fd/2 "$dev/stderr"
  mount --move "$dev" /dev
}

# The state of zegel and its temporary files lie on a file system of their own, so that
# tests can look for a canary in its raw image. Detaches itself when the lab ends.
space_state()
{
  LAB_STATEDIR=$LAB_LOCALSTATEDIR/lib/zegel
  truncate -s 1G "$LAB_STATE_IMAGE"
  mkfs.ext4 -q -F "$LAB_STATE_IMAGE" || die "mkfs.ext4 failed"
  mkdir -p "$LAB_STATEDIR"
  mount -o loop "$LAB_STATE_IMAGE" "$LAB_STATEDIR" ||
    die "cannot mount a loop device (is the loop module there?)"
  mkdir -m 1777 "$LAB_STATEDIR/tmp"
}

space_network()
{
  local addr
  ip link set lo up
  # As many lines may wait for the log as systemd lets wait there, or nearly: more than one
  # program can put into a socket of its own cannot be filled up by a test.
  echo 200 >/proc/sys/net/unix/max_dgram_qlen
  for addr in $LAB_ADDRS; do
    ip addr add "$addr/32" dev lo
  done
  hostname "mail.$LAB_OWN"
  rm -f /etc/resolv.conf
  printf 'nameserver 127.0.0.1\noptions edns0 trust-ad\n' >/etc/resolv.conf
  printf '127.0.0.1 localhost\n' >/etc/hosts
  sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
}

# Adds system user $1 with a group of the same name, further groups $2 and home directory $3.
add_user()
{
  grep -q "^$1:" /etc/passwd && return
  local id=$LAB_NEXT_ID
  LAB_NEXT_ID=$((id + 1))
  echo "$1:x:$id:$id::${3-/nonexistent}:/usr/sbin/nologin" >>/etc/passwd
  echo "$1:x:$id:" >>/etc/group
  echo "$1:!:19000::::::" >>/etc/shadow
  [ -z "${2-}" ] || sed -i "/^$2:/s/:\$/:$1/;t;/^$2:/s/\$/,$1/" /etc/group
}

space_users()
{
  LAB_NEXT_ID=64100
  grep -q '^zegel-store:' /etc/group || echo "zegel-store:x:64099:" >>/etc/group
  add_user zegel-milter postfix # asks zegel-policyd on a socket of that group
  add_user zegel-mx postfix     # the same
  add_user zegel-policyd
  add_user zegel-deliver zegel-store
  add_user zegel-viewer zegel-store
  add_user zegel-auditd
  add_user lab-mailbox
  add_user balie "" "$LAB/home/balie"
  add_user reiziger "" "$LAB/home/reiziger"
}

space_log()
{
  background syslogd python3 "$LAB_HERE/syslogd" "$LAB_MAIL_LOG"
  wait_until "/dev/log" test -S /dev/log
}
