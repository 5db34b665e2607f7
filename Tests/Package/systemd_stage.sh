#!/bin/sh
# What the package does on a machine with systemd. Runs as root within the root of test_deb.sh, booted; the package is installed,
# and /root/second.deb is a newer version of it. Each check is a line, `ok: …` or `FAILED: …`; the last line is `end`.
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive DOCKET_UNIX_SOCKET=/run/docket/docket.sock

# expect WHAT COMMAND...: the command succeeds.
expect() {
  what=$1
  shift
  if "$@" >/root/output 2>&1; then
    echo "ok: $what"
  else
    echo "FAILED: $what"
    sed 's/^/    /' /root/output
  fi
}
equal() { [ "$1" = "$2" ] || { printf 'expected %s\nnot      %s\n' "$2" "$1"; return 1; }; }
unless() { ! "$@"; }
of() { systemctl show --property "$1" --value docket; }
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$(of MainPID)/status"; }
# Waits, half a minute at most, until the service is `active`, say.
until_state() {
  for _ in $(seq 300); do
    [ "$(of ActiveState)" != "$1" ] || return 0
    sleep 0.1
  done
  systemctl status --no-pager docket
  return 1
}
option() { sed -i "/^$1=/d" /etc/default/docket && [ -z "$2" ] || echo "$1=$2" >>/etc/default/docket; }
document() { equal "$(docket get /notes/1)" '{"title": "kept"}'; }

expect "the service runs once the machine is up" equal "$(of ActiveState)" active
expect "and says where it listens" equal "$(of StatusText | sed 's/:[0-9]* / /')" "Listening on 127.0.0.1 and /run/docket/docket.sock."
expect "it runs as docket" equal "$(ps -o user= -p "$(of MainPID)")" docket
expect "without capabilities, and can gain none" \
  equal "$(status CapEff) $(status CapBnd) $(status NoNewPrivs)" "0000000000000000 0000000000000000 1"
expect "with a filter of system calls" equal "$(status Seccomp)" 2
expect "a document is stored" docket put /notes/1 '{"title": "kept"}'
expect "it comes back" document
# What takes threads, memory, temporary files and other calls than a read does.
expect "settings are made" docket settings /notes/ '{"indexes": [["title"]], "text": ["title"]}'
expect "words are found" docket list /notes/ --where '{"$text": "kept"}'
expect "there is an export" docket export --output /root/export.ndjson
expect "and an import" docket import /root/export.ndjson
expect "many connections at once" docket bench --requests 20000 --connections 200 --workload mixed --keys 1000
# A call that the filter refuses shows in the log, or in nothing working. (Where the machine itself may not raise the limit,
# LimitNICE is not in force, and the runtime gets 13, EACCES. From the filter it would be 1, EPERM.)
complaints=$(journalctl -u docket --output cat --no-pager | grep -Ei 'fail|error|warning|not permitted|denied' |
  grep -v 'thread priority.*errno=13')
expect "nothing was complained of" equal "$complaints" ""

before=$(of MainPID)
expect "reloaded" systemctl reload docket
expect "it goes on" document
expect "as the process that it was" equal "$(of MainPID) $(of ActiveState)" "$before active"

expect "killed" kill -KILL "$(of MainPID)"
sleep 1
expect "it is started again" until_state active
expect "(by systemd)" equal "$(of NRestarts)" 1
expect "with the document" document

expect "it stops" systemctl stop docket
expect "well" equal "$(of Result) $(of ExecMainStatus)" "success 0"

option DOCKET_MAX_DEPTH many
expect "a wrong option: the start fails" unless systemctl start docket
expect "with 2" equal "$(of ExecMainStatus)" 2
expect "and is not tried again" equal "$(of ActiveState) $(of NRestarts)" "failed 0"
expect "the journal says why" sh -c 'journalctl -u docket --no-pager --output cat | grep -q "DOCKET_MAX_DEPTH"'
option DOCKET_MAX_DEPTH ""

install -d -o docket -g docket -m 700 /srv/docket
option DOCKET_DATABASE /srv/docket/docket.db
expect "documents elsewhere: the service may not write there" unless systemctl start docket
expect "exits with 1" equal "$(of ExecMainStatus)" 1
mkdir -p /etc/systemd/system/docket.service.d
printf '[Service]\nReadWritePaths=/srv/docket\n' >/etc/systemd/system/docket.service.d/override.conf
systemctl daemon-reload
expect "and what cannot start is tried again, now that it may" until_state active
expect "there" test -s /srv/docket/docket.db
option DOCKET_DATABASE ""
rm -r /etc/systemd/system/docket.service.d
systemctl daemon-reload
expect "back" systemctl restart docket
expect "at the old place" document

before=$(of MainPID)
expect "an upgrade" dpkg --install /root/second.deb
expect "restarts the service" unless equal "$(of MainPID)" "$before"
expect "which runs" equal "$(of ActiveState)" active
expect "with the document" document
option DOCKET_MAX_DEPTH many
expect "an upgrade of a service that cannot start succeeds" dpkg --install /root/second.deb
expect "and the service does not run" equal "$(of ActiveState)" failed
option DOCKET_MAX_DEPTH ""
expect "until that is mended" systemctl start docket
expect "a service that is disabled" systemctl disable --now docket
expect "by an upgrade" dpkg --install /root/second.deb
expect "is neither started nor enabled" equal "$(of ActiveState) $(systemctl is-enabled docket)" "inactive disabled"
expect "enabled it is started" systemctl enable --now docket
expect "removal" apt-get remove -qq -y docket
expect "stops it" equal "$(of ActiveState)" inactive
echo end
systemctl poweroff --no-block 2>/dev/null # (it would like to ask logind)
