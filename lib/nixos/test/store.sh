#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares lib/nix and lib/store with real Nix, in separate stores below a
# temporary directory: the host's /nix is neither read nor written.
set -eu
tool=$1

command -v nix-store >/dev/null || { echo "no nix-store here"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "building in a store of its own needs root"; exit 77; }

T=$(mktemp -d /tmp/domstrap-nix.XXXXXX)
trap 'chmod -R u+w "$T"; rm -rf "$T"' EXIT
S=$T/s
export HOME="$T/home" LC_ALL=C
export NIX_CONFIG="experimental-features = nix-command
substituters =
build-users-group =
sandbox = true
sandbox-paths = /bin=/usr/bin /usr /lib /lib64
require-sigs = false"
mkdir -p "$HOME"

failed=0
passed=0
check() { # NAME COMMAND...: it must succeed
	name=$1
	shift
	if "$@" >"$T/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok   $name"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		sed 's/^/     /' "$T/log" | head -20
	fi
}
same() { cmp "$1" "$2" || { diff -a "$1" "$2" | head -10; return 1; }; }
silent() { [ ! -s "$1" ] || { cat "$1"; return 1; }; }
refuses() { # WORDS COMMAND...: it must fail and say so
	words=$1
	shift
	if "$@" >/dev/null 2>"$T/err"; then echo "it succeeded"; return 1; fi
	grep -q "$words" "$T/err" || { cat "$T/err"; return 1; }
}

# A tree with everything that a store path may contain.
tree=$T/tree
mkdir -p "$tree/dir/empty" "$tree/many"
printf 'hello\n' >"$tree/file"
: >"$tree/empty"
printf '#!/bin/sh\n' >"$tree/run"
chmod 755 "$tree/run"
printf 12345678 >"$tree/dir/eight"
x59=$(printf '%059d' 0)
ln -s "$x59" "$tree/l59"
ln -s "${x59}x" "$tree/l60"
ln -s "$(printf '%04095d' 0)" "$tree/l4095"
ln -s dangling "$tree/dir/link"
: >"$tree/$(printf '%0255d' 0)"
printf x >"$tree/$(printf 'not-utf8-\377\200')"
printf y >"$tree/$(printf 'b\nnewline')"
printf z >"$tree/a b"
for i in 1 10 100 2 A a _ '~' .hidden; do echo "$i" >"$tree/many/$i"; done
head -c 3000000 /dev/urandom >"$tree/large"
ln "$tree/file" "$tree/hardlink"

# A small system: references, one to itself, derivers, two outputs.
cat >"$T/top.nix" <<'NIX'
let
  system = builtins.currentSystem;
  sh = name: outputs: script: env: derivation ({
    inherit name system outputs;
    builder = "/bin/sh";
    args = [ "-c" script ];
    PATH = "/bin";
  } // env);
  text = builtins.toFile "text" "contents\n";
  linked = builtins.toFile "linked" "see ${text}\n";
  two = sh "two" [ "out" "dev" ] "echo $dev > $out; mkdir $dev; echo dev > $dev/d" { };
in sh "top" [ "out" ] ''
  mkdir -p $out/bin
  echo "$out ${two} ${two.dev} ${linked}" > $out/bin/refs
  chmod 755 $out/bin/refs
  ln -s ${two.dev}/d $out/d
  ln -s $out/bin $out/self
'' { inherit linked; }
NIX
added=$(nix-store --store "$S" --add "$tree")
top=$(nix-build --store "$S" --no-out-link "$T/top.nix" 2>"$T/log") || { cat "$T/log"; exit 1; }
drv=$(nix-store --store "$S" -q --deriver "$top")
nix-store --generate-binary-cache-key test-1 "$T/secret" "$T/public"
nix store sign --store "$S" --key-file "$T/secret" -r "$top"

# 1. Archives.
dump_like_nix() { "$tool" dump "$1" >"$T/a" && nix-store --dump "$1" >"$T/b" && same "$T/a" "$T/b"; }
copy_like_nix() { nix-store --dump "$1" >"$T/b" && "$tool" copy <"$T/b" >"$T/a" && same "$T/a" "$T/b"; }
for path in "$tree" "$tree/empty" "$tree/run" "$tree/l60" "$tree/dir" "$S$added" "$S$top"; do
	check "dump ${path##*/}" dump_like_nix "$path"
	check "copy ${path##*/}" copy_like_nix "$path"
done
nix-store --dump "$tree" >"$T/tree.nar"
check "no more than the archive" refuses "extra bytes" sh -c \
	'(cat "$1"; printf x) | "$2" copy' - "$T/tree.nar" "$tool"
check "no less than the archive" refuses "truncated" sh -c \
	'head -c -1 "$1" | "$2" copy' - "$T/tree.nar" "$tool"

# 2. Reading the database.
sqlite_dump() { # DB WHERE: what a copied path keeps
	sqlite3 "$1" "SELECT path, hash, deriver, narSize, sigs, ca FROM ValidPaths WHERE $2
		ORDER BY path; SELECT a.path, b.path FROM Refs, ValidPaths a, ValidPaths b
		WHERE a.id = referrer AND b.id = reference AND a.$2 ORDER BY 1, 2;
		SELECT a.path, o.id, o.path FROM DerivationOutputs o, ValidPaths a WHERE
		a.id = drv AND a.$2 ORDER BY 1, 2"
}
closure_like_nix() {
	"$tool" closure "$S" "$1" >"$T/a" &&
		nix-store --store "$S" --dump-db $(nix-store --store "$S" -qR "$1" | sort) >"$T/b" &&
		same "$T/a" "$T/b"
}
for path in "$top" "$added" "$drv"; do
	check "closure of ${path##*-}" closure_like_nix "$path"
	check "hashes of ${path##*-}" "$tool" verify "$S" "$path"
done
check "a reference to itself" sh -c '"$1" closure "$2" "$3" | grep -cx "$3" | grep -qx 2' - \
	"$tool" "$S" "$top"
check "nobody else's path" refuses "not registered" "$tool" closure "$S" "${top}x"
chmod u+w "$S$added/file" && echo changed >"$S$added/file"
check "a changed file" refuses "not what the database says" "$tool" verify "$S" "$added"
echo hello >"$S$added/file"

# 3. Writing the database: a second store with the same files.
R=$T/r
db=$R/nix/var/nix/db
mkdir -p "$db" "$R/nix/store" "$R/nix/var/nix/gcroots"
# The derivations, too, so that there are outputs to list.
all=$(nix-store --store "$S" -qR --include-outputs "$drv")
for path in $all; do cp -a "$S$path" "$R/nix/store/"; done
"$tool" build "$S" "$drv" 1000 >"$T/drv.sqlite"
"$tool" build "$S" "$top" 1000 >"$db/db.sqlite"
printf 10 >"$db/schema"
check "the same bytes again" sh -c '"$1" build "$2" "$3" 1000 | cmp - "$4"' - \
	"$tool" "$S" "$top" "$db/db.sqlite"
closure_in() { echo "path IN ($(nix-store --store "$S" -qR "$1" | sed "s/.*/'&'/" | paste -sd,))"; }
rows_alike() { # PATH DB
	sqlite_dump "$S/nix/var/nix/db/db.sqlite" "$(closure_in "$1")" >"$T/a" &&
		sqlite_dump "$2" "path LIKE '%'" >"$T/b" && test -s "$T/a" && same "$T/a" "$T/b"
}
check "rows of the system" rows_alike "$top" "$db/db.sqlite"
check "rows of the derivation" rows_alike "$drv" "$T/drv.sqlite"
check "outputs are listed" sh -c 'sqlite3 "$1" "SELECT count(*) FROM DerivationOutputs" | grep -qx 3' \
	- "$T/drv.sqlite"
# Except for comments and blanks, the schema is Nix's; a newer Nix adds an empty table when it opens the database.
schema() { sqlite3 "$1" .schema | sed 's/--.*//' | tr -s ' \t\n' ' ' | sed 's/ *\([(),;]\) */\1/g' |
	tr ';' '\n' | grep -v SchemaMigrations | sort; }
check "the schema" sh -c 'test "$1" = "$2"' - "$(schema "$db/db.sqlite")" \
	"$(schema "$S/nix/var/nix/db/db.sqlite")"
check "integrity" sh -c 'test "$(sqlite3 "$1" "PRAGMA integrity_check; PRAGMA foreign_key_check;
	PRAGMA user_version; PRAGMA page_size; PRAGMA journal_mode" | paste -sd" ")" = "ok 0 4096 delete"' \
	- "$db/db.sqlite"
cp -a "$R" "$T/r2"
# Nix would report paths that are not in the database, so keep only the closure.
for path in $all; do
	grep -qx "$path" <<LIST || { chmod -R u+w "$R$path"; rm -rf "$R$path"; }
$(nix-store --store "$S" -qR "$top")
LIST
done
verify_silent() {
	nix-store --store "$1" --verify --check-contents >"$T/out" 2>"$T/err" ||
		{ cat "$T/err"; return 1; }
	grep -v -e '^reading the Nix store' -e '^checking path existence' -e '^checking store hashes' \
		-e '^checking link hashes' "$T/err" >"$T/rest"
	silent "$T/rest" && silent "$T/out"
}
check "nix-store --verify" verify_silent "$R"
ln -s "$top" "$R/nix/var/nix/gcroots/top"
check "nothing is dead" sh -c 'test -z "$(nix-store --store "$1" --gc --print-dead 2>/dev/null)"' - "$R"
check "all is live" sh -c 'test "$(nix-store --store "$1" --gc --print-live 2>/dev/null | sort)" = \
	"$(nix-store --store "$2" -qR "$3" | sort)"' - "$R" "$S" "$top"
check "a path more" sh -c 'test "$(nix-store --store "$1" --add "$2")" = "$3"' - "$R" "$tree" "$added"
check "signatures" nix store verify --store "$R" --trusted-public-keys "$(cat "$T/public")" -r \
	--sigs-needed 1 "$top"
check "read back, now write-ahead" sh -c '"$1" closure "$2" "$4" >"$5/a" && "$1" closure "$3" "$4" |
	cmp - "$5/a"' - "$tool" "$R" "$S" "$top" "$T"
rm "$R/nix/var/nix/gcroots/top"
check "it can be collected" sh -c 'nix-store --store "$1" --gc && test "$(sqlite3 \
	"$1/nix/var/nix/db/db.sqlite" "SELECT (SELECT count(*) FROM ValidPaths) + (SELECT count(*) FROM
	Refs)")" = 0' - "$R"
# A damaged file must be found by Nix, which proves that the check above can fail.
chmod -R u+w "$T/r2$top" && echo other >"$T/r2$top/bin/refs"
check "damage is found" refuses "was modified" nix-store --store "$T/r2" --verify --check-contents

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
