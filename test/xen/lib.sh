# Functions for the tests on real Xen, in addition to ../lib.sh. Sourced first; then call ready.
# shellcheck shell=bash
# shellcheck disable=SC2034 # set for the scripts that source this
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$repo/scripts/suite.sh"
export XEN_SUITE=${XEN_SUITE:-$host_suite} # the Debian suite whose Xen is used
export DOMSTRAP_DEMO_INIT=busybox              # guests start quickly; a configuration may set standIn.init
xen=$repo/test/xen
machines=()
set -m # each machine is a separate process group, so that ^C ends all of it

# ready GROUP...: install Debian's packages of these GROUPs (scripts/install-deps.sh) and build the Xen rig. Sets logs, a
# directory that is kept, and dir, a temporary one in it.
ready() {
  "$repo/scripts/install-deps.sh" "$@"
  "$xen/build.sh"
  logs=$work/$(basename "$0" .sh)/$XEN_SUITE
  mkdir -p "$logs"
  scratch
}
end_machines() { local m; for m in "${machines[@]}"; do kill -- "-$m" 2>/dev/null || true; done; }
at_end() {
  end_machines
  remove_scratch
}

# demo CONFIGURATION [NAME]: build a system with the demo's modules, with a result link $logs/NAME; prints its store path
demo() { "$repo/demo/nixos/build.sh" "$1" "$logs/${2:-system}"; }

# machine NAME OPTION... JOB: run.sh in the background; its output goes to $logs/NAME.log
machine() {
  "$xen/run.sh" "${@:2:$#-2}" "$xen/jobs/${!#}" >"$logs/$1.log" 2>&1 </dev/null &
  machines+=($!)
}
# machine_end: wait for the first of the machines; sets rc, its exit status
machine_end() {
  rc=0
  wait "${machines[0]}" || rc=$?
  machines=("${machines[@]:1}") # its process ID may soon be used again
}
# machine_said NAME WORDS...: check that the job reported each of these steps as successful
machine_said() {
  local words
  for words in "${@:2}"; do check "$1: $words" grep -q "RIG .* OK $words" "$logs/$1.log"; done
}

# Guests that one machine boots one after the other through a boot helper: guests_of NAME begins their list, guest adds
# one, start_guests NAME RUN-OPTION... boots them, guests_end NAME waits for them and checks each result.
guests_of() {
  guests=$dir/$1/guests letters=abcdefghijkl next=0 arguments=()
  mkdir "$dir/$1"
  : >"$guests"
}
# guest HOW NAME CREATE-OPTION...: HOW is yes, no or restricted, see jobs/menus
guest() {
  local how=$1 name=$2 disk line
  shift 2
  "$domstrap" create "$name" -q -o "$dir" "$@"
  line="$how $name.cfg"
  for disk in "$dir/$name-boot.img" "$dir/$name-root.img" "$dir/$name.img"; do
    [ -e "$disk" ] || continue
    line+=" vd${letters:next:1}"
    next=$((next + 1))
    arguments+=(-d "$disk")
  done
  echo "$line" >>"$guests"
  arguments+=(-f "$dir/$name.cfg")
}
start_guests() { machine "$1" -t 1400 "${@:2}" "${arguments[@]}" -f "$guests" menus; }
guests_end() {
  local before=$failed how cfg
  machine_end
  while read -r how cfg _; do
    machine_said "$1" "${cfg%.cfg}: login prompt: $how"
  done <"$dir/$1/guests"
  outcome "$1" "$before"
}

# For scripts that run in a guest; short, because they are typed on its console. They print lines that begin with "CHECK".
# shellcheck disable=SC2016
guest_functions='check() { n=$1; shift; o=$("$@" 2>&1) && echo "CHECK ok $n" || echo "CHECK not ok $n: $(echo "$o" | tail -n 3 | tr "\n" " ")"; }
same() { [ "$1" = "$2" ] || { echo "$1 is not $2"; false; }; }
has() { case "$1" in *"$2"*) ;; *) echo "no $2 in: $1"; false ;; esac; }
gens() { same "$(nix-env -p /nix/var/nix/profiles/system --list-generations | sed "s/^ *\([0-9]*\) .*(current)/\1*/; s/^ *\([0-9]*\) .*/\1/" | tr "\n" " ")" "$1 "; }
ext4() { same "$(dmesg | grep -E -i "ext4-fs (error|warning)|i/o error")" ""; }'

# answers NAME SCRIPT: check the guest's result for each check of the SCRIPT that it ran
answers() {
  local line expected answered=0
  expected=$(grep -c '^ *check "' "$2")
  while read -r line; do
    answered=$((answered + 1))
    case $line in "ok "*) ok "$1: ${line#ok }" ;; *) bad "$1: ${line#not ok }" ;; esac
  done < <(sed -n "s/^ *[0-9.]* [^|]*| CHECK //p" "$logs/$1.log")
  [ "$answered" = "$expected" ] || bad "$1: the guest answered $answered of $expected checks"
}
# outcome NAME FAILED: if the machine's rc is not 0, or more checks than FAILED have failed, print the end of its log
outcome() {
  [ "$rc" = 0 ] || bad "$1: the machine ended with $rc"
  [ "$failed" = "$2" ] || { say "the end of $logs/$1.log:"; tail -n 60 "$logs/$1.log" >&2; }
}
