#!/bin/bash
# Downloads that are kept, and ^C.
. "$(dirname "$0")/lib.sh"

large=$(large)
fill "$work/c" "compression=zstd&secret-key=$work/secret" "$large"
serve "$work/c"
keep=$work/keep/a/b
opts=(--conf "$work/conf" --system "$large" -o "$out" --trusted-key "$key" --no-sigs --from "$url/plain" --cache-dir "$keep" -q)
asked() { grep -c "$1" "$requests" || true; }

create g1 "${opts[@]}"
cp "$out/g1.img" "$work/first.img"
infos=$(asked narinfo) nars=$(asked nar/)
[ "$nars" -gt 50 ] || fail "only $nars NARs"
[ "$(sort "$requests" | uniq -d)" = "" ] || fail "something was fetched twice"
ls "$keep"/nar | wc -l | grep -qx "$nars" || fail "$nars NARs, $(ls "$keep/nar" | wc -l) are kept"
"$DOMSTRAP" cache --cache-dir "$keep" | grep -q "^$keep: $((infos + nars)) files, .* MiB\$" || fail "domstrap cache"
"$DOMSTRAP" cache --cache-dir "$keep" --json | grep -q "\"files\": $((infos + nars))" || fail "domstrap cache --json"

again() { # again WHAT: create the same image; the log has the requests
  : >"$requests"
  create g1 "${opts[@]}" -f 2>"$work/stderr" || { cat "$work/stderr"; fail "$1"; }
  same_image "$out/g1.img" "$work/first.img" || fail "$1: another image"
  echo "$1: $(asked narinfo) narinfos, $(asked nar/) NARs"
}
again "all kept"
[ "$(wc -l <"$requests")" = 1 ] || fail "not just nix-cache-info was asked for"

# Damaged, truncated, lengthened, emptied, exchanged, and not a regular file.
damage() {
  local f
  f=$(ls -S "$keep"/"$1"/* | sed -n "$2p")
  shift 2
  "$@" "$f"
}
another() { flip "$1" $(($(stat -c %s "$1") / 2)); }
longer() { echo more >>"$1"; }
empty() { : >"$1"; }
cut() { truncate -s -3 "$1"; }
exchange() { cp "$(dirname "$1")/$(ls "$(dirname "$1")" | head -n 1)" "$1.x"; mv "$1.x" "$1"; }
linked() { rm "$1"; ln -s /etc/passwd "$1"; }
i=1
for how in another longer empty cut exchange linked; do
  damage nar $i "$how"
  i=$((i + 1))
done
damage narinfo 1 another
damage narinfo 2 empty
again "damaged"
[ "$(asked nar/)" = 6 ] && [ "$(asked narinfo)" = 2 ] || fail "not just the damaged ones were fetched"
again "repaired"
[ "$(wc -l <"$requests")" = 1 ] || fail "what was fetched again was not kept"
blocked=$(ls "$keep/nar" | head -n 1)
rm "$keep/nar/$blocked"
mkdir "$keep/nar/$blocked"
again "a directory in the way"
again "repaired"
[ "$(wc -l <"$requests")" = 1 ] || fail "what was fetched again was not kept"

# Narinfos that are older than the cache, which now has other files with another compression.
fill "$work/other" "compression=xz&compression-level=1&secret-key=$work/secret" "$large"
mv "$work/c" "$work/c.zstd"
mv "$work/other" "$work/c"
rm "$keep"/nar/*
again "old narinfos"
grep -q '^warning: .* 404; trying the next cache' "$work/stderr" || { cat "$work/stderr"; fail "no word of old narinfos"; }
again "new ones"
[ "$(asked nar/)" = 0 ] || fail "NARs were fetched again"
rm -r "$work/c"
mv "$work/c.zstd" "$work/c"

# Commands that only read make no directory and keep nothing.
for c in "cache" "cache --clean" "cache --json"; do
  # shellcheck disable=SC2086 # words
  "$DOMSTRAP" $c --cache-dir "$work/no/such" >/dev/null || fail "$c: no directory yet"
done
create g2 "${opts[@]}" --cache-dir "$work/no/such" --dry-run >/dev/null
[ ! -e "$work/no" ] || fail "a directory was made by who only looks"
! "$DOMSTRAP" cache --cache-dir "$keep" >/dev/full 2>"$work/stderr" || fail "a result that was lost is none"
grep -q 'standard output' "$work/stderr" || fail "a lost result: not said"
find "$keep" -printf '%p %s %T@\n' | sort >"$work/before"
create g2 "${opts[@]}" --dry-run >/dev/null
find "$keep" -printf '%p %s %T@\n' | sort >"$work/after"
same "$work/before" "$work/after" "--dry-run keeps something"
refused 2 'empty path' g2 "${opts[@]}" --cache-dir ''

# If the directory is full or not writable, one warning is printed, and the guest is made.
told() { # told WORDS ARGUMENT...
  local words=$1
  shift
  create g2 "${opts[@]}" "$@" 2>"$work/stderr" || { cat "$work/stderr"; fail "$words"; }
  rm "$out"/g2.*
  [ "$(wc -l <"$work/stderr")" = 1 ] && grep -Eq -- "^warning: .*$words" "$work/stderr" || { cat "$work/stderr"; fail "not one line: $words"; }
  cat "$work/stderr"
}
mkdir "$WORLD/mnt"
if mount -t tmpfs -o size=20m tmpfs "$WORLD/mnt" 2>/dev/null; then
  told "$WORLD/mnt.*No space left" --cache-dir "$WORLD/mnt"
  rm -r "${WORLD:?}"/mnt/*
  mkdir "$WORLD"/mnt/nar "$WORLD"/mnt/narinfo
  mount -o remount,ro "$WORLD/mnt"
  told "$WORLD/mnt: Read-only" --cache-dir "$WORLD/mnt"
  umount "$WORLD/mnt"
  mount -t tmpfs -o ro tmpfs "$WORLD/mnt"
  refused 1 "$WORLD/mnt/nar: Read-only" g2 "${opts[@]}" --cache-dir "$WORLD/mnt"
  umount "$WORLD/mnt"
fi
# The default directory is optional.
if setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
  mkdir -m 777 "$work/nobody"
  install -m 755 "$DOMSTRAP" "$work/domstrap"
  chmod 755 "$WORLD" "$work"
  setpriv --reuid 65534 --clear-groups env -u XDG_CACHE_HOME HOME=/nonexistent "$work/domstrap" create g2 --conf "$work/conf" \
    --system "$large" -o "$work/nobody" --trusted-key "$key" --from "$url/plain" -q </dev/null 2>"$work/stderr" ||
    { cat "$work/stderr"; fail "no HOME"; }
  grep -q '^warning: the directory for downloads: /nonexistent: ' "$work/stderr" || { cat "$work/stderr"; fail "no HOME: not said"; }
fi

"$DOMSTRAP" cache --cache-dir "$keep" --clean >/dev/null
"$DOMSTRAP" cache --cache-dir "$keep" | grep -q ': 0 files' || fail "not clean"

# ^C while a server does not answer, or is slow: the command ends at once and leaves nothing.
rm "$out"/g1.*
for mode in stall slow; do
  "$DOMSTRAP" create g1 --conf "$work/conf" --system "$large" -o "$out" --trusted-key "$key" --from "$url/$mode" \
    --cache-dir none -q </dev/null &
  pid=$!
  sleep 1
  start_ns=$(date +%s%N)
  kill -INT $pid
  status=0
  wait $pid || status=$?
  took=$((($(date +%s%N) - start_ns) / 1000000))
  [ "$status" = 130 ] || fail "^C: status $status"
  [ "$took" -lt 1500 ] || fail "^C took $took ms"
  [ -z "$(ls -A "$out")" ] || fail "^C leaves $(ls -A "$out")"
  echo "^C with $mode: $took ms"
done
