#!/bin/bash
# A guest cannot exhaust the host: whatever is on its disk, every command ends soon, with an exit status and not by a
# signal, and uses less than 512 MiB in each process. The time limit is only for hangs. With FIGURES set, prints a table.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
db=/nix/var/nix/db/db.sqlite
"$DOMSTRAP" create good --system "$(system 1)" -q --vif none --size 700M
"$DOMSTRAP" update good.cfg --system "$(system 2)" -q
cp good.cfg bad.cfg
sed -i 's/good/bad/g' bad.cfg
debugfs "$(part good.img)" -R "dump $db good.db" >/dev/null 2>&1

run() { # COMMAND...
  local figure
  figure=$(python3 "$tools/greedy.py" "$DOMSTRAP" "$@") || { cat said >&2; fail "$kind: $*"; }
  [ -z "${FIGURES:-}" ] || printf '%-12s %-28s %s  %s\n' "$kind" "${*//bad.cfg/}" "$figure" "$(tail -n 1 said | cut -c1-90)"
}
says() { grep -qE -- "$1" said || { cat said >&2; fail "$kind: not said: $1"; }; }

kinds=${KINDS:-$(python3 "$tools/hostile.py")}
n=0
for kind in $kinds; do
  n=$((n + 1))
  [ -n "${KINDS:-}" ] || chosen $n || continue
  cp --sparse=always good.img bad.img
  rm -f -- *-wal
  cp good.db bad.db
  python3 "$tools/hostile.py" "$kind" bad.db >commands
  debugfs -w -f commands "$(part bad.img)" >debugfs.log 2>&1
  run generations bad.cfg
  case $kind in
    dag | farm | strangers) says '^ *2\*' ;;
    maze) says 'path components to follow' ;;
    sparse) says '^ *2\*.* [0-9.]+ [KM]iB' ;;
    counted) says '1073741824 bytes, larger than the limit of 134217728' ;;
    many | woven | generations) says '^ *1 .* [0-9.]+ [KM]iB' ;;
    bootspecs) says 'more than 134217728 bytes of small files' ;;
    arguments) says 'more than 67108864 bytes of kernel arguments' ;;
    log) says 'with its -wal file, more than the limit of 134217728' ;;
  esac
  run inspect bad.cfg
  run inspect bad.cfg --paths --json
  run list bad.cfg
  run verify bad.cfg --no-fsck
  run check bad.cfg
  run rollback bad.cfg -n
  run gc bad.cfg --keep 1 -n
  run update bad.cfg --system "$(system 3)" -n
  cp --sparse=always bad.img keep.img
  run update bad.cfg --system "$(system 3)"
  mv keep.img bad.img
  run gc bad.cfg --keep 1
done
echo "test-limits.sh: ok"
