#!/bin/bash
# Stores that are invalid or in use: everything is verified, and nothing waits forever.
. "$(dirname "$0")/lib.sh"

system=$(build medium)
sizes=$(echo /nix/store/*-sizes)
link=$(echo /nix/store/*-just-a-link)
names=$(echo /nix/store/*-names)
db=/nix/var/nix/db
here_only=(g1 --system "$system" -o "$out" --size 100M)
# Without --from, a missing system would be requested from the public cache.
ok=("${here_only[@]}" --from /)
create "${ok[@]}" -q
mv "$out/g1.img" "$work/good.img"
rm "$out"/*

works() { # works WHAT: create gives the same image
  create "${ok[@]}" -q || fail "$1"
  same_image "$out/g1.img" "$work/good.img" || fail "$1: another image"
  rm "$out"/*
  echo "works: $1"
}

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }

# ---- contents that differ from those registered ----

# changed WORDS COMMAND...: refused after a change to a path, made in a temporary copy
changed() {
  local words=$1 path=$2
  shift 2
  cp -a "$path" "$work/saved"
  chmod -R u+w "$path" 2>/dev/null || true
  (cd "$path" 2>/dev/null || true; eval "$*")
  refused 4 "$words" "${ok[@]}"
  wipe "$path"
  mv "$work/saved" "$path"
}
changed 'NAR hash is .*, but .* in the database' "$sizes" 'printf y | dd of=file-4097 bs=1 seek=4096 conv=notrunc status=none'
changed 'NAR hash is' "$sizes" 'printf y | dd of=zeros bs=1 seek=9000000 conv=notrunc status=none'
changed 'NAR hash is' "$sizes" 'chmod -x program; chmod +x file-0'
changed 'NAR has [0-9]+ bytes, but [0-9]+ in the database' "$sizes" 'chmod -x program'
changed 'NAR hash is' "$sizes" 'echo more >>file-1'
changed 'NAR has' "$sizes" 'truncate -s 4096 file-4194304'
changed 'NAR has' "$sizes" 'rm file-0'
changed 'NAR has' "$sizes" 'touch file-new'
changed 'NAR hash is' "$sizes" 'mv file-2 file-3'
changed 'NAR has' "$sizes" 'mkdir empty'
# shellcheck disable=SC2016 # for eval, there
changed 'NAR hash is' "$link" 'rm "$path"; ln -s "$(readlink "$work/saved" | tr a b)" "$path"'
# shellcheck disable=SC2016
changed 'just-a-link: registered, but not found' "$link" 'rm "$path"'
# shellcheck disable=SC2016
changed 'sizes: registered, but not found' "$sizes" 'rm -rf "$path"'
works "as it was"

# With --no-verify, contents are not compared, but sizes must still match.
chmod u+w "$sizes/file-65536"
cp -p "$sizes/file-65536" "$work/saved"
printf y | dd of="$sizes/file-65536" conv=notrunc status=none
create "${ok[@]}" -q --no-verify || fail "--no-verify"
clean "$out/g1.img"
rm "$out"/*
cp -p "$work/saved" "$sizes/file-65536"
touch -d @1 "$sizes/file-65536"
chmod 444 "$sizes/file-65536"
rm "$work/saved"

# ---- files that store paths cannot contain ----

chmod u+w "$sizes"
mkfifo "$sizes/fifo"
refused 1 'sizes/fifo: neither a regular file' "${ok[@]}"
rm "$sizes/fifo"
mkdir -p "$sizes/$(printf 'd/%.0s' {1..70})"
refused 1 'nested deeper than 64' "${ok[@]}"
rm -r "$sizes/d"
chmod 555 "$sizes"
works "with that gone"

# ---- changes while it is copied ----

# while_copied WORDS COMMAND: run COMMAND between counting and copying; once with and once without verifying
while_copied() {
  local words=$1 verify
  for verify in '' --no-verify; do
    cp -a "$sizes" "$work/saved"
    chmod -R u+w "$sizes"
    MEDDLE_AT=ftruncate64:1 MEDDLE="cd $sizes && $2" LD_PRELOAD=$TOOLS/meddle.so refused 4 "$words" "${ok[@]}" $verify
    wipe "$sizes"
    mv "$work/saved" "$sizes"
  done
}
while_copied 'sizes: ' 'echo more >>file-4096'
while_copied 'sizes: ' 'echo more >>file-9000001; truncate -s 20M file-9000001'
while_copied 'sizes: ' 'truncate -s 1 file-4194304'
while_copied 'sizes: ' 'rm file-8192'
while_copied 'sizes: ' 'rm -rf file-8192; mkdir file-8192'
while_copied 'sizes: ' 'touch a-new-one'
while_copied 'sizes: it changed while it was copied' "mv $sizes $sizes-gone; wait"
wipe "$sizes-gone"
works "after changes"

# ---- databases ----

with_schema() { echo "$1" >$db/schema; }
with_schema 11
refused 1 'schema 11 is newer' "${ok[@]}"
with_schema 9
refused 1 'schema 9 is older' "${ok[@]}"
with_schema ten
refused 1 'schema.*number' "${ok[@]}"
rm $db/schema
refused 1 'has no Nix store' "${ok[@]}"
printf 10 >$db/schema
refused 1 'has no Nix store' "${here_only[@]}" --from "$WORLD/home"
mv $db/db.sqlite "$work/db.sqlite"
refused 1 'has no Nix store' "${ok[@]}"
head -c 5000 "$work/db.sqlite" >$db/db.sqlite
refused 1 'db.sqlite' "${ok[@]}"
echo nonsense >$db/db.sqlite
refused 1 'not an SQLite database' "${ok[@]}"
mv "$work/db.sqlite" $db/db.sqlite

sqlite3 $db/db.sqlite "update ValidPaths set narSize = narSize + 8 where path = '$names'"
refused 4 'names: its NAR has [0-9]+ bytes, but [0-9]+ in the database' "${ok[@]}"
sqlite3 $db/db.sqlite "update ValidPaths set narSize = narSize - 8 where path = '$names'"
sqlite3 $db/db.sqlite "update ValidPaths set path = '/nix/store/../../etc' where path = '$names'"
refused 1 'etc' "${ok[@]}"
sqlite3 $db/db.sqlite "update ValidPaths set path = '$names' where path like '%etc'"
works "with its own database again"

# ---- in use ----

# holding SQL...: a program that runs SQL and keeps the database open
holding() {
  rm -f "$work/ready"
  { printf '%s;\n' "$@"; echo ".shell touch $work/ready; sleep 60"; } | sqlite3 $db/db.sqlite >/dev/null &
  holder=$!
  until [ -e "$work/ready" ]; do sleep 0.05; done
}
released() {
  pkill -P $holder 2>/dev/null || true
  kill $holder 2>/dev/null || true
  wait $holder 2>/dev/null || true
}
sqlite3 $db/db.sqlite 'pragma journal_mode = delete' >/dev/null
works "a database without a log"
holding 'begin exclusive'
refused 3 'lock' "${ok[@]}"
released
sqlite3 $db/db.sqlite 'pragma journal_mode = wal' >/dev/null
# During a transaction of a writer, readers see the state before it.
holding 'begin immediate' "delete from Refs" "delete from ValidPaths"
works "beside a writer"
released
# Rows that are only in the log, because a program keeps the database open.
holding 'begin' 'select count(*) from ValidPaths'
later=$(build small)
[ -s $db/db.sqlite-wal ] || fail "no log, so this tests nothing"
create g1 --system "$later" -o "$out" -n -q || fail "rows in the log"
if [ -z "$no_loop" ]; then
  chmod 755 "$WORLD" "$root"
  chmod 777 "$out"
  as_nobody "$DOMSTRAP" create g1 --system "$later" -o "$out" -n -q || fail "rows in the log, as another user"
  # A log without its index: only a user with write permission can read it.
  cp -a $db "$work/db"
  rm "$work/db/db.sqlite-shm"
  mount --bind "$work/db" $db
  (
    create() { as_nobody "$DOMSTRAP" create "$@"; }
    refused 1 'wal.*root' g1 --system "$later" -o "$out"
  )
  create g1 --system "$later" -o "$out" -n -q || fail "a log without index, as root"
  umount $db
fi
released

# While real Nix adds paths.
(for i in $(seq 40); do echo "$i" >"$work/n$i"; nix-store --add "$work/n$i"; done) >/dev/null 2>&1 &
for i in 1 2 3; do works "beside Nix, $i"; done
wait

# ---- other users ----

if [ -z "$no_loop" ]; then
  (
    create() { as_nobody "$DOMSTRAP" create "$@"; }
    works "as another user"
    chmod 700 $db
    refused 1 'not readable for this user' "${ok[@]}"
    chmod 755 $db
    chmod 600 $db/db.sqlite
    refused 1 'not readable for this user' "${ok[@]}"
    chmod 644 $db/db.sqlite
    chmod 400 "$sizes/file-2"
    refused 1 'sizes/file-2: open: Permission denied' "${ok[@]}"
    chmod 444 "$sizes/file-2"
    chmod 700 "$sizes"
    refused 1 'sizes.*Permission denied' "${ok[@]}"
    chmod 555 "$sizes"
    chmod 755 "$out"
    refused 1 'Permission denied' "${ok[@]}"
  )
fi
echo "stores are not taken on trust"
