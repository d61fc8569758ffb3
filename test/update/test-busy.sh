#!/bin/bash
# A disk in use is refused, and so is a guest with invalid contents; nothing is changed.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

"$DOMSTRAP" create g --system "$(system 1)" -q --vif none --size 48M
new=$(system 2)
cp --sparse=always g.img base.img

# refused STATUS WORDS COMMAND...
refused() {
  local want=$1 words=$2 status=0 before
  shift 2
  before=$(sha256sum <g.img)
  "$DOMSTRAP" "$@" >out 2>log || status=$?
  [ "$status" = "$want" ] || { cat log >&2; fail "$*: status $status, not $want"; }
  grep -q -- "$words" log || { cat log >&2; fail "$*: does not say '$words'"; }
  [ "$before" = "$(sha256sum <g.img)" ] || fail "$*: refused, and the image changed"
  [ "$(grep -c . log)" -le 2 ] || fail "$*: more than a line: $(cat log)"
}

# ---- in use ----

( exec 9<>g.img; flock -x 9; refused 3 "locked" update g.img --system "$new"; refused 3 locked generations g.img )
mkdir bin
cat >bin/xl <<'SH'
#!/bin/sh
[ "$*" = "list -l" ] || exit 1
cat "$XL_SAYS"
SH
chmod +x bin/xl
export XL_SAYS=$PWD/says
OLD_PATH=$PATH PATH=$PWD/bin:$PATH
echo '[{"domid": 0, "config": {"c_info": {"name": "Domain-0"}}},
  {"domid": 7, "config": {"c_info": {"name": "web\u001b[31m"}, "disks": [{"pdev_path": "/none"}, {"pdev_path": "'"$PWD"'/./g.img"}]}}]' >says
for c in "update g.img --system $new" "rollback g.cfg" "gc g.img" "generations g.cfg"; do
  # shellcheck disable=SC2086
  refused 3 'running guest web\\x1b\[31m' $c
done
echo 'no list' >says
refused 3 'printed no list' generations g.img
echo '[]' >says
"$DOMSTRAP" generations g.img >/dev/null
PATH=$OLD_PATH
if loop=$(losetup -f --show g.img 2>/dev/null); then
  refused 3 'loop device' gc g.img
  losetup -d "$loop"
fi
dd if=g.img of=part.img bs=1M skip=1 conv=sparse status=none
debugfs -w -R "feature needs_recovery" part.img >/dev/null 2>&1
dd if=part.img of=g.img bs=1M seek=1 conv=notrunc status=none
refused 3 'e2fsck -p' update g.img --system "$new"
"$DOMSTRAP" generations g.img >/dev/null 2>said || fail "a guest that was killed is not read"
grep -q 'not cleanly unmounted' said || fail "generations does not say that the guest was killed"

# ---- a boot during a change ----

cp --sparse=always base.img g.img
printf 'check-kernel = no\nknown-kernels = no\n' >domgrub.conf
boot() { mkdir -p boot; "$DOMGRUB" --config=domgrub.conf -q --output-format=simple --output-directory=boot g.img >answer 2>log; }
FAULT_AT=8 FAULT_KIND=stop LD_PRELOAD=$FAULTS "$DOMSTRAP" update g.img --system "$new" -q &
change=$!
# Its editor waits in the middle of the change.
for _ in {1..100}; do
  editor=$(tr -d ' ' <"/proc/$change/task/$change/children")
  [ -z "$editor" ] || cmp -s g.img base.img || break
  sleep 0.05
done
[ -n "$editor" ] || fail "update has no editor"
status=0; boot || status=$?
[ $status = 3 ] || { cat log >&2; fail "domgrub during a change: status $status, not 3"; }
grep -q 'g.img: locked by another program' log || fail "domgrub during a change: $(cat log)"
[ ! -s answer ] && [ -z "$(ls boot)" ] || fail "domgrub during a change: it leaves something"
for c in inspect verify generations; do refused 3 'locked' $c g.img; done
( sleep 1; kill -CONT "$editor" ) &
boot || { cat log >&2; fail "domgrub does not wait for a change that ends soon"; }
wait $change || fail "update that was stopped for a while"
grep -q "init=$new/init" answer || fail "domgrub after a change: $(cat answer)"
# Several readers are allowed.
( exec 9<g.img; flock -s 9; boot ) || { cat log >&2; fail "domgrub beside another reader"; }
# But a reader prevents changes.
( exec 9<g.img; flock -s 9; refused 3 locked gc g.img )

# ---- hostile, or damaged ----

# inside COMMANDS: change the guest with debugfs
inside() {
  cp --sparse=always base.img g.img
  dd if=g.img of=part.img bs=1M skip=1 conv=sparse status=none
  printf '%s\n' "$@" | debugfs -w part.img >/dev/null 2>&1
  dd if=part.img of=g.img bs=1M seek=1 conv=notrunc status=none
}
profiles=/nix/var/nix/profiles
inside "rm $profiles/system-1-link" "symlink $profiles/system-1-link /etc/passwd"
refused 1 'generation system-1-link' update g.img --system "$new"
inside "rm $profiles/system-1-link" "symlink $profiles/system-1-link ../../../../../../../../etc/passwd"
refused 1 'generation system-1-link' rollback g.img --to 1
inside "rm $profiles/system" "symlink $profiles/system system"
refused 1 'points at no generation' rollback g.img
refused 1 'points at no generation' gc g.img
printf 'SQLite format 3\0 and then nothing of the kind' >fake.sqlite
inside "rm /nix/var/nix/db/db.sqlite" "write fake.sqlite /nix/var/nix/db/db.sqlite"
refused 1 'Nix database' update g.img --system "$new"
inside "rm /nix/var/nix/db/db.sqlite" "symlink /nix/var/nix/db/db.sqlite /nix/var/nix/db/db.sqlite"
refused 1 'more than 40 .*links' gc g.img
debugfs part.img -R "dump /nix/var/nix/db/db.sqlite hidden" >/dev/null 2>&1
dd if=base.img of=part.img bs=1M skip=1 conv=sparse status=none
debugfs part.img -R "dump /nix/var/nix/db/db.sqlite real.sqlite" >/dev/null 2>&1
cp real.sqlite evil.sqlite
sqlite3 evil.sqlite "CREATE TABLE Evil(x); CREATE TRIGGER e AFTER INSERT ON ValidPaths BEGIN INSERT INTO Evil VALUES (1); END"
inside "rm /nix/var/nix/db/db.sqlite" "write evil.sqlite /nix/var/nix/db/db.sqlite"
refused 1 'Evil' update g.img --system "$new"
cp real.sqlite evil.sqlite
sqlite3 evil.sqlite "UPDATE ValidPaths SET path = path || char(10) || 'x' WHERE id = 1"
inside "rm /nix/var/nix/db/db.sqlite" "write evil.sqlite /nix/var/nix/db/db.sqlite"
refused 1 'row 1' gc g.img
cp real.sqlite journal; echo x >db.journal
inside "write db.journal /nix/var/nix/db/db.sqlite-journal"
refused 3 'unfinished transaction' update g.img --system "$new"
# GC roots whose names have terminal escapes, and links in a circle.
inside "mkdir /nix/var/nix/gcroots/$(printf '\033[31m')" "symlink /nix/var/nix/gcroots/a /nix/var/nix/gcroots/b" \
  "symlink /nix/var/nix/gcroots/b /nix/var/nix/gcroots/a"
"$DOMSTRAP" gc g.img >out 2>log || { cat log >&2; fail "links in circles are not passed over"; }
printf '25.11\033[31m' >version
# A directory that contains one of its parents.
inside "link /nix /nix/store/loop"
"$DOMSTRAP" gc g.img --dry-run >out 2>log || true
grep -q $'\033' out log && fail "the guest's bytes reach the terminal"
inside "sif /nix/store links_count 0"
"$DOMSTRAP" update g.img --system "$new" -q >out 2>log && fail "a damaged directory is taken"
inside "feature inline_data"
refused 1 "feature inline_data" update g.img --system "$new"
head -c 20000000 /dev/urandom >g.img
refused 1 'no file system with a /nix/store' generations g.img
: >g.img
refused 1 'no file system with a /nix/store' generations g.img

# ---- a database with a log that was not merged ----

cp --sparse=always base.img g.img
cp real.sqlite wal.sqlite
python3 - "$PWD" <<'PY'
import os, shutil, sqlite3, sys
d = sys.argv[1]
c = sqlite3.connect(d + "/wal.sqlite", isolation_level=None)
c.execute("pragma journal_mode=wal")
c.execute("pragma wal_autocheckpoint=0")
c.execute("insert into ValidPaths(path, hash, registrationTime, narSize) values (?, ?, 5, 120)",
          ("/nix/store/00000000000000000000000000000000-from-the-log", "sha256:" + "ab" * 32))
shutil.copy(d + "/wal.sqlite", d + "/w.sqlite")
shutil.copy(d + "/wal.sqlite-wal", d + "/w.sqlite-wal")
PY
inside "rm /nix/var/nix/db/db.sqlite" "write w.sqlite /nix/var/nix/db/db.sqlite" \
  "write w.sqlite-wal /nix/var/nix/db/db.sqlite-wal"
"$DOMSTRAP" update g.img --system "$new" -q
clean g.img "after a log was merged"
unpack g.img tree
sqlite3 tree/nix/var/nix/db/db.sqlite "select path from ValidPaths" | grep -q from-the-log || fail "the log was lost"
[ ! -e tree/nix/var/nix/db/db.sqlite-wal ] || fail "the log is still there"

# ---- no space left ----

cp --sparse=always base.img g.img
refused 1 ' free' update g.img --system "$(nix-build --no-out-link --expr '
  let old = builtins.storePath "'"$new"'"; in derivation { name = "nixos-system-large"; system = builtins.currentSystem;
    builder = "/bin/sh"; PATH = "/usr/bin:/bin"; inherit old;
    args = [ "-euc" "cp -a $old $out; chmod -R u+w $out; head -c 60000000 /dev/zero | tr \"\\0\" x >$out/large" ]; }' 2>/dev/null)"
clean g.img "too large an update"
echo "test-busy.sh: ok"
