#!/bin/bash
# restart with a script in place of xl: the order of what it does, which generation runs in the end, its exit status and its
# messages; ^C and kill -9 before each command of xl. test/xen/test-restart.sh restarts guests on a real Xen.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${DOMGRUB:?}"
printf 'check-kernel = no\nknown-kernels = no\n' >dg.conf
one=$(system 1) two=$(system 2)
unit=$(nix-build --no-out-link "$here/system.nix" --arg n 3 --arg unit true 2>log) || fail "$(cat log)"
XL=$PWD
export XL DOMGRUB
mkdir bin
cp "$here/xl" bin/xl
cat >bin/xenstore-ls <<'SH'
#!/bin/sh
printf 'vif = ""\n 0 = ""\n  ipv4 = "192.0.2.8"\n  ipv6 = "2001:db8::8"\n  name = "a; b"\n os = "\\n192.0.2.9"\n'
SH
chmod +x bin/xenstore-ls
"$DOMSTRAP" create g --system "$one" -q --vif none --size 64M
mkdir base
cp --sparse=always g.img g.cfg base/
plain=$PATH
PATH=$PWD/bin:$PATH

# begin [off]: the guest as created, generation 1 running or off
begin() {
  rm -f id last gen how.* kill.* int.* stuck slow early confirmed calls
  cp --sparse=always base/* .
  echo g >name
  [ "${1:-}" = off ] || xl create g.cfg
  rm -f calls
}
# now: the generation that runs, or "off"
now() { if [ -e id ]; then cat gen; else echo off; fi; }
# restarts STATUS WORDS CALLS RUNS OPTION...: run it, and compare. short restarts ...: with a limit that is to be reached
limit=30
short() { limit=5; "$@"; limit=30; }
restarts() {
  local want=$1 words=$2 calls=$3 runs=$4 status=0
  shift 4
  : >>calls
  "$DOMSTRAP" restart g.cfg --wait $limit "$@" >out 2>said || status=$?
  { [ $status = "$want" ] && grep -qE -- "$words" out said && [ "$(tr '\n' ' ' <calls)" = "${calls:+$calls }" ] && [ "$(now)" = "$runs" ]; } ||
    fail "restart $*: status $status, calls '$(tr '\n' ' ' <calls)', $(now) runs: $(cat out said)"
}
# next GENERATION...: what further starts boot
next() {
  local g
  rm -f id how.*
  for g; do
    xl create g.cfg
    [ "$(now)" = "$g" ] || fail "the next start boots $(now), not $g"
    rm id
  done
  e2fsck -fn "$(part g.img)" >fsck.log 2>&1 || fail "e2fsck: $(cat fsck.log)"
}
try=(--system "$two" --try)

# ---- good ones

begin; restarts 0 '^g is up \(domain 2\)$' "shutdown boots 1" 1
begin off; restarts 0 '^g is up \(domain 1\)$' "boots 1" 1
begin; restarts 0 '^g is up' "shutdown boots 2" 2 --system "$two"
next 2 2
begin; restarts 0 "^confirmed $two\$" "shutdown boots 2 shutdown boots 2" 2 "${try[@]}"
next 2 2
begin; echo confirm >how.3; restarts 0 "^confirmed $unit\$" "shutdown boots 3" 3 --system "$unit" --try
# The unit says nothing: the disk has the answer.
begin; short restarts 5 'the guest has not confirmed /nix' "shutdown boots 3 shutdown boots 1" 1 --system "$unit" --try
next 1 1
begin; echo refuse >how.3; restarts 5 'the guest has not confirmed its system' "shutdown boots 3 destroy boots 1" 1 --system "$unit" --try
next 1 1
begin; echo mute >how.3; short restarts 0 "^confirmed $unit\$" "shutdown boots 3 shutdown boots 3" 3 --system "$unit" --try
next 3 3
# It confirms itself, then the health command fails: back, if its disk can be written
not_second='[ $DOMSTRAP_DOMID != 2 ]'
begin; echo confirm >how.3; short restarts 5 'and the old generation runs again' "shutdown boots 3 shutdown boots 1" 1 --system "$unit" --try --health "$not_second"
next 1 1
begin; echo mute >how.3; short restarts 6 'the guest has confirmed it itself, and still boots it' "shutdown boots 3 destroy boots 3" 3 \
  --system "$unit" --try --health "$not_second"
# A trial that an update began
begin off
"$DOMSTRAP" update g.cfg -q "${try[@]}"
restarts 0 "^confirmed $two\$" "boots 2 shutdown boots 2" 2
# The health command, and what it is told
begin
cat >health <<'SH'
echo "$DOMSTRAP_NAME $DOMSTRAP_DOMID $DOMSTRAP_MAC $DOMSTRAP_ADDRESSES" >>told
[ "$(wc -l <told)" -ge 2 ]
SH
rm -f told
echo silent >how.2
restarts 0 "^confirmed" "shutdown boots 2 shutdown boots 2" 2 "${try[@]}" --health 'sh ./health'
[ "$(head -n 1 told)" = "g 2 00:16:3e:01:02:03 192.0.2.7 192.0.2.8 2001:db8::8" ] || fail "told: $(cat told)"

# ---- bad ones

for how in panic stop silent nocreate; do
  begin; echo $how >how.2
  case $how in
    panic) restarts 5 'restarted by itself|it stopped' "shutdown boots 2 boots 1" 1 "${try[@]}" ;;
    stop) restarts 5 'it stopped' "shutdown boots 2 boots 1" 1 "${try[@]}" ;;
    silent)
      short restarts 5 'no login prompt on its console within 5 s' "shutdown boots 2 destroy boots 1" 1 "${try[@]}"
      grep -qx '  Linux \\x1b\[1m2\\x1b\[0m' said || fail "the console's lines: $(cat said)"
      ;;
    nocreate) restarts 5 '"xl create" failed \(status 3\): libxl: error: no memory' "shutdown boots 2 boots 1" 1 "${try[@]}" ;;
  esac
  grep -q "$two failed, and the old generation runs again" said || fail "$how: $(cat said)"
  next 1 1
done
begin; touch early; restarts 5 'libxl: error: no bridge' "shutdown boots 1" 1 "${try[@]}"
next 1 1
begin; short restarts 5 'health command has not succeeded within 5 s \(status 7\): no answer' "shutdown boots 2 destroy boots 1" 1 \
  "${try[@]}" --health '[ $DOMSTRAP_DOMID != 2 ] || { echo no answer; exit 7; }'
begin; short restarts 5 'health command has not ended within 5 s' "shutdown boots 2 destroy boots 1" 1 "${try[@]}" --health '[ $DOMSTRAP_DOMID != 2 ] || { sleep 77 & sleep 77; }'
! pgrep -f '^sleep 77$' >/dev/null || fail "the health command still runs"
# Not on trial: nothing to go back to
begin; echo silent >how.2; short restarts 6 'no login prompt' "shutdown boots 2" 2 --system "$two"
# The old one does not come up, either
begin; echo silent >how.1; echo silent >how.2
short restarts 6 'and the old generation has not come up \(g: no login prompt on its console within 5 s\): g: no login' "shutdown boots 2 destroy boots 1" 1 "${try[@]}"
# It does not shut down
begin; touch stuck; short restarts 1 'has not shut down within 5 s, and runs on unchanged.*xl destroy 1"' "shutdown" 1 "${try[@]}"
# The update fails
begin; restarts 1 'no-such' "shutdown boots 1" 1 --system /nix/store/no-such
begin off; restarts 1 'no-such' "" off --system /nix/store/no-such
begin; echo other >name; restarts 3 'domain 1, other, uses a disk of this guest' "" 1 --system "$two"

# ---- refused: nothing happens

begin
restarts 2 'requires --system' "" 1 --try
restarts 2 'wait' "" 1 --wait 0
: >calls
status=0; "$DOMSTRAP" restart g.img >out 2>&1 || status=$?
{ [ $status = 2 ] && grep -q "requires the guest's xl config" out; } || fail "an image: $(cat out)"
status=0; PATH=$plain "$DOMSTRAP" restart g.cfg >out 2>&1 || status=$?
{ [ $status = 1 ] && grep -q 'xl or Xen not found' out; } || fail "no xl: $status, $(cat out)"
# While another works
"$DOMSTRAP" restart g.cfg --health false --wait 10 >first 2>&1 &
until grep -q 'shutting down' first; do sleep 0.1; done
for c in "restart g.cfg" "update g.cfg --system $two" "rollback g.img" "generations g.cfg"; do
  status=0
  # shellcheck disable=SC2086 # words
  "$DOMSTRAP" $c >out 2>&1 || status=$?
  { [ $status = 3 ] && grep -qE 'domstrap restart. is working|running guest' out; } || fail "$c: status $status, $(cat out)"
done
wait
rm -f id
"$DOMSTRAP" generations g.cfg >/dev/null || fail "the claim stays"

# ---- ^C and kill -9 before each command of xl

# It runs generation 1 at the end, or where domstrap was killed, the second start boots that or the confirmed one.
n=0
for event in int kill; do
  for command in shutdown create console destroy; do
    n=$((n + 1))
    chosen $n || continue
    begin
    limit=5
    touch "$event.$command"
    [ $command != destroy ] || echo silent >how.2
    status=0
    [ $command = destroy ] || limit=30
    "$DOMSTRAP" restart g.cfg --wait $limit "${try[@]}" >out 2>said || status=$?
    sleep 1
    what="$event at $command: status $status, $(tr '\n' ' ' <calls), $(now) runs: $(cat said)"
    case $event.$command in
      int.*) [ $status = 130 ] || fail "$what" ;;
      kill.*) [ $status = 137 ] || fail "$what" ;;
    esac
    [ $event = kill ] || [ "$(now)" = 1 ] || fail "$what"
    rm -f id
    xl create g.cfg
    rm id
    next 1 1
  done
done
# ^C while the health command runs, and while the guest shuts down
begin
"$DOMSTRAP" restart g.cfg "${try[@]}" --health 'touch began; sleep 66' >out 2>said &
rm -f began
until [ -e began ]; do sleep 0.1; done
kill -INT $!
status=0; wait $! || status=$?
{ [ $status = 130 ] && [ "$(now)" = 1 ]; } || fail "^C during the health command: $status, $(now) runs: $(cat said)"
! pgrep -f '^sleep 66$' >/dev/null || fail "the health command still runs after ^C"
begin; touch slow
"$DOMSTRAP" restart g.cfg "${try[@]}" >out 2>said &
until grep -q shutdown calls 2>/dev/null; do sleep 0.1; done
kill -INT $!
kill -INT $! 2>/dev/null || true
status=0; wait $! || status=$?
{ [ $status = 130 ] && [ "$(now)" = 1 ]; } || fail "^C during the shutdown: $status, $(now) runs: $(cat said)"
echo "test-restart.sh: ok"
