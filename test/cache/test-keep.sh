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

again() { # again WHAT: the same image; what was fetched is in the log
  : >"$requests"
  create g1 "${opts[@]}" -f 2>"$work/stderr" || { cat "$work/stderr"; fail "$1"; }
  cmp "$out/g1.img" "$work/first.img" || fail "$1: another image"
  echo "$1: $(asked narinfo) narinfos, $(asked nar/) NARs"
}
again "all kept"
[ "$(wc -l <"$requests")" = 1 ] || fail "not just nix-cache-info was asked for"

# Damaged, truncated, lengthened, emptied, exchanged, and no file at all.
damage() {
  local f
  f=$(ls -S "$keep"/"$1"/* | sed -n "$2p")
  shift 2
  "$@" "$f"
}
flip() { printf X | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") / 2)) conv=notrunc status=none; }
longer() { echo more >>"$1"; }
empty() { : >"$1"; }
cut() { truncate -s -3 "$1"; }
exchange() { cp "$(dirname "$1")/$(ls "$(dirname "$1")" | head -n 1)" "$1.x"; mv "$1.x" "$1"; }
linked() { rm "$1"; ln -s /etc/passwd "$1"; }
i=1
for how in flip longer empty cut exchange linked; do
  damage nar $i "$how"
  i=$((i + 1))
done
damage narinfo 1 flip
damage narinfo 2 empty
again "damaged"
[ "$(asked nar/)" = 6 ] && [ "$(asked narinfo)" = 2 ] || fail "not just the damaged ones were fetched"
rm -f "$keep"/nar/"$(find "$keep/nar" -type l -printf %f)"
again "repaired"

"$DOMSTRAP" cache --cache-dir "$keep" --clean >/dev/null
"$DOMSTRAP" cache --cache-dir "$keep" | grep -q ': 0 files' || fail "not clean"

# ^C while a server is silent, or slow: it ends at once, and leaves nothing.
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
