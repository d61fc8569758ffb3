# lib.sh: functions for jobs in dom0, which source it as /lib.sh. One guest at a time.
# shellcheck shell=dash
# Under emulation, a fork takes 10 to 25 ms and `xl list` 0.2 s of CPU time, so most functions do not poll with xl.

say() { echo "RIG $(cut -d' ' -f1 /proc/uptime) $*"; }

# guest_start CFG [XL-CREATE-ARGUMENTS...]: xl create. The guest's console (and before it the
# bootloader's) is copied to stdout, each line after "NAME| ", and unchanged to the file $console.
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
  guest_show guest_create "$cfg" "$@"
}

# guest_create XL-CREATE-ARGUMENT...: xl create -c. On a busy machine it may look for the guest's console while the boot
# helper's is still the one that is named, but has gone.
guest_create() {
  xl create -c "$@"
  set -- $?
  ! grep -q "Could not open tty" /tmp/guest.xl || guest_console "$(xl domid "$guest")"
  return "$1"
}

# guest_show COMMAND...: run a command that shows the guest's console, in the background
guest_show() {
  # xenconsole reads no keys if its stdin is not a terminal; guest_type does not use it.
  { { "$@" </dev/null 2>/tmp/guest.xl; echo $? >/tmp/guest.rc; } | tee "$console" |
      while IFS= read -r line || [ -n "$line" ]; do echo "$guest| $line"; done; } &
}

# guest_reboot SECONDS: reboot the guest from its root shell, and continue with the console of the new domain that xl makes.
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

# guest_console DOMAIN: run xl console again when it ends, because it first shows the bootloader's console, then the guest's.
guest_console() {
  while [ "$(xl domid "$guest" 2>/dev/null)" = "$1" ]; do
    xl console "$guest"
    usleep 300000
  done
}

# guest_expect SECONDS TEXT: wait until TEXT appears on the console after the text expected before.
# Returns 1 after SECONDS, 2 if the console closed before.
guest_expect() {
  local left=$(($1 * 2)) gone=
  # Search the file, because "login: " is not followed by a newline.
  until tail -c "+$((seen + 1))" "$console" | grep -Fq -- "$2"; do
    [ -z "$gone" ] || { say "FAIL $guest: console closed without '$2'"; return 2; }
    [ ! -e /tmp/guest.rc ] || gone=1
    left=$((left - 1))
    [ $left -gt 0 ] || { say "FAIL $guest: no '$2' on the console in $1 s"; return 1; }
    usleep 500000
  done
  seen=$(wc -c <"$console")
}

# guest_keys: send standard input to the guest's console unchanged, as xenconsole would.
guest_keys() {
  # The console's terminal changes when the bootloader has ended and the guest begins.
  cat >"$(xenstore-read "/local/domain/$(xl domid "$guest")/$tty")"
}

# guest_type: the same for lines of text; the Enter key sends a carriage return.
guest_type() { tr '\n' '\r' | guest_keys; }

# guest_login USER PASSWORD: log in at "login: ", and set the shell to no echo and the prompt "rig> ".
guest_login() {
  echo "$1" | guest_type
  guest_expect 120 "assword: " || return
  echo "$2" | guest_type
  # Login discards input typed before the shell's prompt, which contains USER@HOST in NixOS.
  guest_expect 120 "$1@" || return
  # The quotes make the echoed command differ from the prompt that it sets.
  echo "stty -echo; PS1='ri''g> '" | guest_type
  guest_expect 120 "rig> "
}

# guest_run SECONDS FILE: run the shell script FILE in the logged-in guest, its output on the console.
guest_run() {
  # Type it into cat, because the shell's line editor takes a millisecond for each key; and only when cat is running, because
  # the editor's terminal settings do not turn a carriage return into a newline.
  echo "echo 'rig''-cat'; cat >~/rig-script" | guest_type
  guest_expect 120 "rig-cat" || return
  { cat "$2"; printf '\004'; } | guest_type
  guest_expect 120 "rig> " || return
  echo "echo; sh ~/rig-script; echo rig-script ended with \$?." | guest_type
  guest_expect "$1" "rig-script ended with " || return
  usleep 200000
  grep -q "rig-script ended with 0\." "$console"
}

# guest_shutdown SECONDS: xl shutdown, and wait until the guest is gone.
guest_shutdown() {
  xl shutdown "$guest" >/dev/null
  guest_gone "$1"
}

# guest_gone SECONDS: wait until the guest, which is shutting down, is gone: the console has ended, and the name is free.
guest_gone() {
  local left=$(($1 * 2))
  until [ -e /tmp/guest.rc ] && ! xl domid "$guest" >/dev/null 2>&1; do
    left=$((left - 1))
    [ $left -gt 0 ] || { say "FAIL $guest: still there after $1 s"; return 1; }
    usleep 500000
  done
}

# guest_report: after a failure, print the messages of xl and the bootloader.
guest_report() {
  sed "s/^/xl| /" /tmp/guest.xl
  for log in /var/log/xen/bootloader.*.log; do [ ! -e "$log" ] || tail -n 20 "$log" | sed "s/^/bootloader| /"; done
}
