# lib.sh: what jobs in dom0 source as /lib.sh. One guest at a time.
# shellcheck shell=dash
# CPU time is dear under emulation: a fork is 10 to 25 ms, `xl list` 0.2 s. So nothing here polls with xl.

say() { echo "RIG $(cut -d' ' -f1 /proc/uptime) $*"; }

# guest_start CFG [XL-CREATE-ARGUMENTS...]: xl create. The guest's console (and before it the
# bootloader's) goes live to stdout, each line after "NAME| ", and whole to the file $console.
guest_start() {
  cfg=$1
  shift
  guest=$(sed -n "s/^ *name *= *[\"']\(.*\)[\"'].*/\1/p" "$cfg" | tail -n 1)
  console=/tmp/$guest.console seen=0 tty=console/tty
  # an HVM guest's console is its serial port
  ! grep -q '^ *type *= *"hvm"' "$cfg" || tty=serial/0/tty
  : >"$console"
  rm -f /tmp/guest.rc
  say "xl create -c $cfg $*"
  guest_show xl create -c "$cfg" "$@"
}

# guest_show COMMAND...: run what shows the guest's console, in the background
guest_show() {
  # xenconsole reads no keys when its stdin is no terminal; guest_type goes round it.
  { { "$@" </dev/null 2>/tmp/guest.xl; echo $? >/tmp/guest.rc; } | tee "$console" |
      while IFS= read -r line || [ -n "$line" ]; do echo "$guest| $line"; done; } &
}

# guest_reboot SECONDS: have the logged-in root reboot the guest, and go on with the console of the domain that xl
# makes in its place.
guest_reboot() {
  local left=$(($1 * 2)) old
  old=$(xl domid "$guest")
  echo reboot | guest_type
  until [ -e /tmp/guest.rc ] && new=$(xl domid "$guest" 2>/dev/null) && [ "$new" != "$old" ]; do
    left=$((left - 1))
    [ $left -gt 0 ] || { say "FAIL $guest: no new domain $1 s after its reboot"; return 1; }
    usleep 500000
  done
  rm /tmp/guest.rc
  seen=0
  : >"$console"
  say "xl console $guest, domain $new after $old"
  guest_show guest_console "$new"
}

# guest_console DOMAIN: xl console, and again when the bootloader has ended, whose console it showed until then.
guest_console() {
  while [ "$(xl domid "$guest" 2>/dev/null)" = "$1" ]; do
    xl console "$guest"
    usleep 300000
  done
}

# guest_expect SECONDS TEXT: wait until TEXT appears on the console after what was expected before.
# 1: it did not in time; 2: the console closed without it.
guest_expect() {
  local left=$(($1 * 2)) gone=
  # "login: " ends in no newline, so line readers never see it. Search the file.
  until tail -c "+$((seen + 1))" "$console" | grep -Fq -- "$2"; do
    [ -z "$gone" ] || { say "FAIL $guest: console closed without '$2'"; return 2; }
    [ ! -e /tmp/guest.rc ] || gone=1
    left=$((left - 1))
    [ $left -gt 0 ] || { say "FAIL $guest: no '$2' on the console in $1 s"; return 1; }
    usleep 500000
  done
  seen=$(wc -c <"$console")
}

# guest_keys: send standard input to the guest's console as it is, as xenconsole would.
guest_keys() {
  # Where that is changes when the bootloader has ended and the guest begins.
  cat >"$(xenstore-read "/local/domain/$(xl domid "$guest")/$tty")"
}

# guest_type: the same for lines of text; a terminal's Enter key is a carriage return.
guest_type() { tr '\n' '\r' | guest_keys; }

# guest_login USER PASSWORD: from "login: " to a shell that does not echo and has the prompt "rig> ".
guest_login() {
  echo "$1" | guest_type
  guest_expect 120 "assword: " || return
  echo "$2" | guest_type
  # A login throws away what is typed ahead of the shell's prompt, in which NixOS has USER@HOST.
  guest_expect 120 "$1@" || return
  # The quotes keep the echoed command from looking like the prompt it asks for.
  echo "stty -echo; PS1='ri''g> '" | guest_type
  guest_expect 120 "rig> "
}

# guest_run SECONDS FILE: run the shell script FILE in the logged-in guest, its output on the console.
guest_run() {
  # Through cat, since the shell's own line editor takes a millisecond a key here; and once cat runs: what comes earlier may
  # meet that editor's terminal settings, which keep a carriage return as it is.
  echo "echo 'rig''-cat'; cat >~/rig-script" | guest_type
  guest_expect 120 "rig-cat" || return
  { cat "$2"; printf '\004'; } | guest_type
  guest_expect 120 "rig> " || return
  echo "echo; sh ~/rig-script; echo rig-script ended with \$?." | guest_type
  guest_expect "$1" "rig-script ended with " || return
  usleep 200000
  grep -q "rig-script ended with 0\." "$console"
}

# guest_shutdown SECONDS: have the guest shut itself down, as the host's admin would, and wait until it is gone.
guest_shutdown() {
  xl shutdown "$guest" >/dev/null
  guest_gone "$1"
}

# guest_gone SECONDS: wait until the guest, which shuts itself down, is gone.
guest_gone() {
  local left=$(($1 * 2))
  until [ -e /tmp/guest.rc ]; do
    left=$((left - 1))
    [ $left -gt 0 ] || { say "FAIL $guest: still there after $1 s"; return 1; }
    usleep 500000
  done
}

# guest_report: after a failure, what xl and the bootloader had to say.
guest_report() {
  sed "s/^/xl| /" /tmp/guest.xl
  for log in /var/log/xen/bootloader.*.log; do [ ! -e "$log" ] || tail -n 20 "$log" | sed "s/^/bootloader| /"; done
}
