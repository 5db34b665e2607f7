#!/usr/bin/env bash
# Tests the Debian package in a root of its own: installs it, serves from it, upgrades, removes and purges it, and looks at what stays.
#
#   Tests/Package/test_deb.sh BINARY        (`make test-deb`)
#
# It needs root, debootstrap, dpkg-dev and a mirror of the running Debian, which it takes from apt's sources; without these it is
# skipped. The root is made below TMPDIR (600 MB) and removed. It takes two to five minutes.
set -euo pipefail
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

skip() { echo "test_deb.sh: SKIPPED: $*"; exit 0; }

# Mounts and processes of the test go with it, however it ends.
if [ -z "${DOCKET_TEST_INSIDE:-}" ]; then
  binary=$(realpath "${1:?usage: Tests/Package/test_deb.sh BINARY}")
  cd "$(dirname "$0")/../.."
  [ "$(id -u)" = 0 ] || skip "only root can make a root folder of its own (chroot); try: sudo make test-deb"
  for tool in debootstrap dpkg-deb dpkg-shlibdeps strip unshare python3; do
    command -v "$tool" >/dev/null || skip "there is no $tool; try: apt-get install debootstrap dpkg-dev binutils util-linux python3"
  done
  unshare --mount --pid --fork true 2>/dev/null || skip "namespaces of mounts and processes cannot be made here (unshare)"
  exec unshare --mount --pid --fork --kill-child --mount-proc env DOCKET_TEST_INSIDE=1 "$PWD/Tests/Package/test_deb.sh" "$binary"
fi
binary=$1

. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI)' \
  'Created-By: Packages' "Release: ${VERSION_CODENAME:-none}" 'Component: main' 2>/dev/null | head -n 1)
[ -n "$mirror" ] || skip "apt's sources name no mirror of ${VERSION_CODENAME:-this system}"
# As apt goes there.
proxy=; eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -z "$proxy" ] || export http_proxy=$proxy

work=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
  umount "$work/root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap finish EXIT
root=$work/root

failures=0
# expect WHAT COMMAND...: the command succeeds.
expect() {
  local what=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    echo "ok: $what"
  else
    echo "FAILED: $what"
    sed 's/^/    /' "$work/output"
    failures=$((failures + 1))
  fi
}
equal() { [ "$1" = "$2" ] || { printf 'expected %s\nnot      %s\n' "$2" "$1"; return 1; }; }
inside() { chroot "$root" "$@"; }
install_package() {
  cp "$1" "$root/tmp/docket.deb"
  inside apt-get install -qq -y --no-install-recommends --allow-downgrades /tmp/docket.deb
}
owner_and_mode() { inside stat -c '%U:%G %a' "$1"; }
state() { inside dpkg-query -W -f '${db:Status-Status}' docket 2>/dev/null || echo not-installed; }

# Serves as the unit does, with its variables and the options in /etc/default/docket, as far as that goes without systemd.
serve() {
  inside install -d -o docket -g docket -m 755 /run/docket
  : >"$work/ready"
  chroot --userspec=docket:docket "$root" env -i sh -c '
    DOCKET_DATABASE=/var/lib/docket/docket.db; set -a; . /etc/default/docket; umask 077
    cd /var/lib/docket && exec /usr/bin/docket serve' >"$work/ready" 2>"$work/log" &
  server=$!
  for _ in $(seq 600); do
    grep -q '^docket: listening' "$work/ready" && return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/log"
  return 1
}
stop() {
  local status=0
  kill -TERM "$server"
  wait "$server" || status=$?
  server=
  equal "$status" 0
}
client() { chroot --userspec=docket:docket "$root" env DOCKET_UNIX_SOCKET=/run/docket/docket.sock docket "$@"; }
document() { equal "$(client get /notes/1)" '{"title": "kept"}'; }
# All that is in the root, but for what apt and dpkg write down of their work.
contents() {
  inside find / -xdev \( -path /proc -o -path /tmp -o -path /run -o -path /var/cache -o -path /var/log -o -path /var/lib/apt \
    -o -path /var/lib/dpkg \) -prune -o -print | sort
}

echo "== Two packages"
export DEB_COMPRESSION_LEVEL=0 # a matter of a minute, not of what is in them
first=$(packaging/build_deb.sh "$binary" "$work/first")
again=$(packaging/build_deb.sh "$binary" "$work/again")
version=$(dpkg-deb --field "$first" Version)
second=$(DEB_VERSION=$version+upgrade packaging/build_deb.sh "$binary" "$work/second")
expect "the same binary makes the same package" cmp "$first" "$again"
expect "everything in it is root's" equal "$(dpkg-deb --contents "$first" | awk '$2 != "root/root"')" ""

echo "== A clean root of $VERSION_CODENAME"
debootstrap --variant=minbase "$VERSION_CODENAME" "$root" "$mirror" >"$work/debootstrap.log" 2>&1 || {
  tail -n 5 "$work/debootstrap.log"
  exit 1
}
mount -t proc proc "$root/proc"
inside apt-get update -qq
contents >"$work/before"

echo "== Install"
expect "it installs, with what it depends on" install_package "$first"
expect "it is configured" equal "$(state)" installed
expect "the service has a user of its own, which cannot log in" \
  equal "$(inside getent passwd docket | cut -d : -f 6-)" /var/lib/docket:/usr/sbin/nologin
expect "and a folder of its own" equal "$(owner_and_mode /var/lib/docket)" "docket:docket 700"
expect "the command runs" inside docket --version
expect "there are completions and manual pages" inside ls /usr/share/bash-completion/completions/docket \
  /usr/share/zsh/vendor-completions/_docket /usr/share/fish/vendor_completions.d/docket.fish
# (Where an image leaves documents out it does that by dpkg's settings; a root of debootstrap has none.)
expect "and the documents" inside ls /usr/share/doc/docket/OPERATIONS.md /usr/share/doc/docket/copyright \
  /usr/share/doc/docket/images/overview-light.png /usr/share/man/man1/docket-serve.1.gz /usr/share/doc/docket/licences/swift-nio/LICENSE.txt
expect "the service starts with the machine" inside test -L /etc/systemd/system/multi-user.target.wants/docket.service
if command -v systemd-analyze >/dev/null; then
  # (The root has no systemd, and so none of its targets.)
  expect "the unit has no mistakes" equal \
    "$(systemd-analyze verify --man=no --root="$root" docket.service 2>&1 | grep -v 'sysinit.target not found')" ""
  expect "and no wider reach than 1.5 of 10" systemd-analyze security --no-pager --offline=true --threshold=15 \
    "$root/usr/lib/systemd/system/docket.service"
else
  echo "skipped: the unit is not looked at, since there is no systemd-analyze"
fi
options_exist() {
  local option variable unknown=0
  inside docket serve --help >"$work/help"
  for variable in $(grep -o '^#DOCKET_[A-Z_]*' "$root/etc/default/docket" | cut -c 2-); do
    option=--$(echo "${variable#DOCKET_}" | tr A-Z_ a-z-)
    grep -q -- "^ *$option\b" "$work/help" || { echo "docket serve has no $option"; unknown=1; }
  done
  return "$unknown"
}
expect "/etc/default/docket names options that there are" options_exist

echo "== Serve"
printf 'DOCKET_PORT=0\nDOCKET_UNIX_SOCKET=/run/docket/docket.sock\n' >>"$root/etc/default/docket"
expect "it starts as its own user, with the options of /etc/default/docket" serve
expect "a document is stored" client put /notes/1 '{"title": "kept"}'
expect "and comes back" document
expect "the database is its owner's alone" equal "$(owner_and_mode /var/lib/docket/docket.db)" "docket:docket 600"

echo "== Upgrade"
expect "a newer version installs while the old one serves" install_package "$second"
expect "it is there" equal "$(inside dpkg-query -W -f '${Version}' docket)" "$version+upgrade"
expect "the old server still answers, and ends well" document
expect "(ends)" stop
expect "the options are as they were" grep -q '^DOCKET_PORT=0$' "$root/etc/default/docket"
expect "the new one starts" serve
expect "with the document" document
expect "and ends well" stop
expect "the old version goes back in its place" install_package "$first"

echo "== Remove"
expect "it can be removed" inside apt-get remove -qq -y docket
expect "documents and options stay" equal "$(state) $(inside ls /var/lib/docket /etc/default/docket | tr '\n' ' ')" \
  "config-files /etc/default/docket  /var/lib/docket: docket.db "
expect "the program does not" inside test ! -e /usr/bin/docket
expect "it comes back" install_package "$first"
expect "and starts" serve
expect "with the document" document
expect "and ends well" stop

echo "== Purge"
inside apt-get purge -qq -y docket >"$work/purge" 2>&1
expect "says that the documents stay" grep -q 'the documents stay in /var/lib/docket' "$work/purge"
expect "and they do" inside test -s /var/lib/docket/docket.db
expect "the options do not" inside test ! -e /etc/default/docket
expect "nor does the package" equal "$(state)" not-installed
expect "it comes back to its documents" install_package "$first"
expect "which are still its own" equal "$(owner_and_mode /var/lib/docket/docket.db)" "docket:docket 600"
echo 'docket docket/postrm_purge_data boolean true' | inside debconf-set-selections
expect "where that is asked for, a purge removes the documents too" inside apt-get purge -qq -y docket
inside apt-get autoremove -qq -y --purge >/dev/null 2>&1
contents >"$work/after"
expect "and then nothing is left of it but its user" equal "$(diff "$work/before" "$work/after" | grep '^[<>]' | grep -v -- '[-~]$')" ""
expect "(which is)" inside getent passwd docket

if command -v systemd-nspawn >/dev/null; then
  echo "== With systemd"
  inside apt-get install -qq -y --no-install-recommends systemd systemd-sysv procps >"$work/systemd.log" 2>&1
  install_package "$first" >>"$work/systemd.log" 2>&1
  printf 'DOCKET_PORT=0\nDOCKET_UNIX_SOCKET=/run/docket/docket.sock\n' >>"$root/etc/default/docket"
  cp "$second" "$root/root/second.deb"
  install -m 755 Tests/Package/systemd_stage.sh "$root/root/stage.sh"
  cat >"$root/etc/systemd/system/stage.service" <<'UNIT'
[Unit]
After=docket.service
[Service]
Type=oneshot
TimeoutStartSec=300
ExecStart=/root/stage.sh
StandardOutput=file:/root/stage.out
UNIT
  inside systemctl --quiet add-wants multi-user.target stage.service
  umount "$root/proc" # it brings its own
  timeout 400 systemd-nspawn --quiet --register=no --keep-unit --boot --directory "$root" >"$work/boot.log" 2>&1 </dev/null || true
  if [ -s "$root/root/stage.out" ]; then
    grep -v '^end$' "$root/root/stage.out"
    failures=$((failures + $(grep -c '^FAILED' "$root/root/stage.out" || true)))
    expect "(to its end)" grep -q '^end$' "$root/root/stage.out"
  else
    echo "skipped: nothing can be booted here: $(tail -n 1 "$work/boot.log")"
  fi
else
  echo "skipped: the service is not tried, since there is no systemd-nspawn (apt-get install systemd-container)"
fi

[ "$failures" = 0 ] || { echo "test_deb.sh: $failures failed"; exit 1; }
echo "test_deb.sh: all is well"
