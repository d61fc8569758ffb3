#!/bin/bash
# Databases of Nix 2.3 to current versions, and unusual ones: what can be read is read, a rewritten database keeps all of
# Nix's data, and if something would be lost, that is refused before anything changes. Real Nix reads the results.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
db=/nix/var/nix/db/db.sqlite
export NIX_CONFIG="experimental-features = nix-command ca-derivations"

"$DOMSTRAP" create g --system "$(system 1)" -q --vif none --size 96M
"$DOMSTRAP" update g.cfg --system "$(system 2)" -q
mv g.img first.img

get() { debugfs "$(part g.img)" -R "dump $1 $2" >/dev/null 2>&1; }
put() { printf 'rm %s\nwrite %s %s\n' "$1" "$2" "$1" | debugfs -w "$(part g.img)" >/dev/null 2>&1; }
# with SQL: restore the first guest, and run SQL on its database
with() {
  cp --sparse=always first.img g.img
  get $db db
  sqlite3 db "$1" >/dev/null
  put $db db
}
ask() { get $db after; sqlite3 after "$1"; }
does() { # STATUS WORDS COMMAND...: domstrap ends with STATUS, and its output matches WORDS
  local want=$1 words=$2 rc=0
  shift 2
  "$DOMSTRAP" "$@" >said 2>&1 || rc=$?
  [ $rc = "$want" ] || { cat said >&2; fail "$*: status $rc, not $want"; }
  [ -z "$words" ] || grep -qE "$words" said || { cat said >&2; fail "$*: does not say: $words"; }
}
fits() { # WHAT: e2fsck and Nix find no errors
  clean g.img "$1"
  unpack g.img tree
  sane tree "$1"
}

# ---- tables of content-addressed derivations, with Nix's schema
realised="select drvPath, outputName, substr(path, 45), signatures from Realisations join ValidPaths v on outputPath = v.id"
nix --store "$PWD/ca" path-info --all >/dev/null
sqlite3 ca$db ".schema Realisations%" ".schema IndexRealisations%" ".schema RealisationsRefs%" ".schema IndexRealisationsRefs%" |
  awk 'BEGIN {RS = ";\n"; ORS = ";\n"} !seen[$0]++' >schema.sql
grep -q 'TABLE Realisations ' schema.sql || fail "Nix's own tables"
with "$(cat schema.sql)"
does 0 'nixos' update g.cfg --system "$(system 3)" -v
fits "empty Realisations"
[ "$(ask 'select count(*) from Realisations')" = 0 ] || fail "Realisations are gone"
with "$(cat schema.sql)
  create table SchemaMigrations (migration text primary key not null);
  insert into SchemaMigrations values ('20220326-ca-derivations');
  insert into Realisations select id + 100, 'sha256:' || hex(id), 'out', id, 's:' || id from ValidPaths;
  insert into RealisationsRefs select id, (select min(id) from Realisations) from Realisations;"
before=$(sqlite3 db "$realised" | sort)
does 0 '' update g.cfg --system "$(system 3)" -q
fits "Realisations"
[ "$(ask "$realised" | sort)" = "$before" ] || fail "update loses realisations"
[ "$(ask 'select count(*) from RealisationsRefs')" = "$(sqlite3 db 'select count(*) from RealisationsRefs')" ] || fail "update loses references"
[ "$(ask 'select migration from SchemaMigrations')" = 20220326-ca-derivations ] || fail "update loses migrations"
does 0 '' gc g.cfg --keep 1 -q
fits "gc with Realisations"
[ "$(ask 'select count(*) from Realisations')" -gt 0 ] || fail "gc loses realisations"
[ -z "$(ask 'pragma foreign_key_check')" ] || fail "gc leaves realisations of paths that are gone"
nix-store --store "$PWD/tree" --delete "$(system 1)" >/dev/null 2>&1 || true
fits "Nix deletes"

# ---- data that a rewritten database would lose
for odd in "alter table ValidPaths add column provenance text; update ValidPaths set provenance = 'x'|column .provenance. of the table ValidPaths" \
  "create table Notes (id integer); insert into Notes values (1)|table .Notes." \
  "alter table Refs add column weight integer|column .weight. of the table Refs"; do
  with "${odd%|*}"
  cp --sparse=always g.img before.img
  does 0 '^ *2\*' generations g.cfg
  does 0 '^OK: ' verify g.cfg
  does 0 'paths, ' inspect g.cfg
  for command in "update g.cfg --system $(system 3)" "gc g.cfg --keep 1"; do
    # shellcheck disable=SC2086 # a command
    does 1 "would lose: ${odd#*|}" $command
    # shellcheck disable=SC2086
    does 1 "would lose: ${odd#*|}" $command --dry-run
  done
  cmp g.img before.img || fail "a refused change writes"
  does 0 '' rollback g.cfg -q
done

# ---- rows that Nix ignores
with "pragma foreign_keys = off; insert into Refs values (999999, 1), (1, 999999)"
does 0 '^OK: ' verify g.cfg
does 0 '^ *2\*' generations g.cfg
does 0 '' update g.cfg --system "$(system 3)" -q
fits "dangling references"
[ -z "$(ask 'pragma foreign_key_check')" ] || fail "dangling references are written again"
with "insert into ValidPaths (path, hash, registrationTime, narSize) values ('/oix/store/1ijz8ihxk4na7d9kjprg8d8i63fb80n0-x.drv',
  'sha256:0000000000000000000000000000000000000000000000000000000000000000', 1, 120)"
does 0 '^OK: ' verify g.cfg
does 0 '' update g.cfg --system "$(system 3)" -q
[ "$(ask "select narSize from ValidPaths where path like '/oix/%'")" = 120 ] || fail "another store's row is gone"
does 0 '' gc g.cfg --keep 1 -q
[ "$(ask "select narSize from ValidPaths where path like '/oix/%'")" = 120 ] || fail "gc takes another store's row"

# ---- unknown sizes
with "update ValidPaths set narSize = case id % 2 when 0 then null else 0 end"
does 0 '^OK: ' verify g.cfg
does 0 '' update g.cfg --system "$(system 3)" -q
fits "no sizes"
[ "$(ask 'select count(*) from ValidPaths where narSize is null')" -gt 0 ] || fail "an unknown size is made up"
[ "$(ask 'select count(*) from ValidPaths where narSize = 0')" = 0 ] || fail "an unknown size is 0"

# ---- a log that was not merged
cp --sparse=always first.img g.img
get $db db
python3 - <<'PY'
import os, sqlite3
c = sqlite3.connect("db", isolation_level=None)
c.execute("pragma journal_mode = wal")
c.execute("create table SchemaMigrations (migration text primary key not null)")
c.execute("insert into SchemaMigrations values ('in the log')")
c.execute("update ValidPaths set registrationTime = 77")
os._exit(0)
PY
[ -s db-wal ] || fail "no log"
put $db db
put $db-wal db-wal
does 0 '^OK: ' verify g.cfg
does 0 '' update g.cfg --system "$(system 3)" -q
fits "a log"
[ "$(ask 'select migration from SchemaMigrations')" = "in the log" ] || fail "the log was not read"
[ "$(ask 'select count(*) from ValidPaths where registrationTime = 77')" -gt 0 ] || fail "the log was not read"
debugfs "$(part g.img)" -R "stat $db-wal" 2>&1 | grep -q 'File not found' || fail "the log is still there"
rm -f db-wal db-shm

# ---- databases that cannot be read
with "drop table Refs"
does 0 '^ *2\*.*\?' generations g.cfg
grep -q "not a Nix database.*tables are missing; the size of each generation is unknown" said || fail "generations does not say why"
"$DOMSTRAP" generations g.cfg --json 2>/dev/null | python3 -c 'import json, sys; assert all(g["ownBytes"] is None for g in json.load(sys.stdin)["generations"])'
does 0 "^store +unknown: .*not a Nix database.*tables are missing" inspect g.cfg
does 4 "not a Nix database.*tables are missing" verify g.cfg
does 1 "not a Nix database.*tables are missing" update g.cfg --system "$(system 3)"
does 1 "not a Nix database.*tables are missing" gc g.cfg --keep 1
does 0 '' rollback g.cfg -q
does 0 '^ *1\*' generations g.cfg
head -c 100000 /dev/urandom >db
cp --sparse=always first.img g.img
put $db db
does 0 'not an SQLite database; the size' generations g.cfg
does 0 '' rollback g.cfg -q
with ""
printf 11 >schema
put /nix/var/nix/db/schema schema
does 0 '^OK: ' verify g.cfg
does 1 'would lose: schema .11. instead of 10' gc g.cfg --keep 1

# ---- the host's database: an unknown size is taken from the files
nix copy --no-check-sigs --to "$PWD/host" "$(system 1)" >/dev/null 2>&1
"$DOMSTRAP" create h1 --system "$(system 1)" --from "$PWD/host" -q --vif none --size 96M
sqlite3 host$db "update ValidPaths set narSize = null where path = '$(system 1)'"
"$DOMSTRAP" create h2 --system "$(system 1)" --from "$PWD/host" -q --vif none --size 96M
for g in h1 h2; do
  debugfs "$(part $g.img)" -R "dump $db $g.db" >/dev/null 2>&1
  sqlite3 $g.db 'select path, narSize from ValidPaths order by path' >$g.sizes
done
cmp h1.sizes h2.sizes || fail "a size that the host does not know"
chmod -R u+w "host$(system 1)"
echo x >>"host$(system 1)/nixos-version"
does 4 'its NAR hash is' create h3 --system "$(system 1)" --from "$PWD/host" -q --vif none --size 96M
echo "test-databases.sh: ok"
