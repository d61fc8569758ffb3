#!/bin/bash
# Two versions of Nix: the host's and that of the other Debian (scripts/other-nix.sh, or the programs' directory in
# NIX_OTHER). Each one makes a store, a binary cache, a flake and changes in a guest. domstrap creates, updates, collects
# garbage and verifies with the results of each, and both versions must verify every image. The same system gives the same
# image with both versions.
# shellcheck source-path=SCRIPTDIR
if [ -z "${WORLD:-}" ]; then
  [ -n "${NIX_OTHER:-}" ] || NIX_OTHER=$("$(dirname "$0")/../../scripts/other-nix.sh") ||
    { echo "skipped: no packages of another Debian" >&2; exit 77; }
  export NIX_OTHER
fi
. "$(dirname "$0")/lib.sh"
path=$PATH
printf 'experimental-features = nix-command flakes\n' >>"$NIX_CONF_DIR/nix.conf"
printf 'caches = file://%s/none\n' "$PWD" >conf

# use NIX: put it first in PATH from now on
use() {
  PATH=$path
  [ "$1" = host ] || PATH=$NIX_OTHER:$path
  hash -r
  maker=$1
}
# store NIX: use it, and mount its own /nix
store() {
  use "$1"
  ! mountpoint -q /nix || umount /nix
  mkdir -p "$WORLD/of-$1/nix/store"
  mount --bind "$WORLD/of-$1/nix" /nix
  rm -rf "$WORLD/sys"
  mkdir "$WORLD/sys"
}
# both COMMAND...: run the command with each version
both() {
  local was=$maker n
  for n in other host; do use $n; "$@"; done
  use "$was"
}
# right IMAGE WHAT: e2fsck, domstrap and both versions of Nix find no errors and no dead paths; unpacks it into tree
right() {
  clean "$1" "$2"
  "$DOMSTRAP" verify "$1" -q >verify.log 2>&1 || { cat verify.log >&2; fail "$2: domstrap verify"; }
  unpack "$1" tree
  both sane tree "$2"
  both none_dead "$2"
  "$DOMSTRAP" generations "$1" --json | jq -r '.generations[].generation' >ours
  both generations_of tree "$2"
}
none_dead() { [ -z "$(dead tree)" ] || fail "$1: for the $maker's Nix this is dead: $(dead tree)"; }
generations_of() {
  nix-env -p "$1/nix/var/nix/profiles/system" --list-generations | awk '{print $1}' >theirs
  diff ours theirs || fail "$2: generations differ from those of the $maker's Nix"
}
create() { "$DOMSTRAP" create g -q --conf conf --cache-dir none --vif none --size 96M --no-sigs -o "$@"; }
at=(SOURCE_DATE_EPOCH=1700000000)

use other
nix --version
nix-store --generate-binary-cache-key test-1 secret public
use host
nix --version
[ "$(nix --version)" != "$(PATH=$NIX_OTHER:$path nix --version)" ] || fail "it is the same Nix twice"

# ---- each Nix's store, cache and flake ----

for maker in host other; do
  store "$maker"
  mkdir "$maker" "from-$maker" "flake-$maker"
  first=$(system 1) second=$(system 2)
  create "$maker" --system "$first"
  right "$maker"/g.img "$maker: create"
  # With signatures and the marks of local builds in the guest's database.
  "$DOMSTRAP" create s -q --system "$first" --vif none --size 96M -o "$maker"
  right "$maker"/s.img "$maker: create, with signatures"
  nix copy --to "file://$PWD/cache-$maker?compression=zstd&secret-key=$PWD/secret" "$second" 2>copy.log ||
    { cat copy.log >&2; fail "$maker: nix copy"; }
  env "${at[@]}" "$DOMSTRAP" update "$maker"/g.cfg -q --system "$second"
  right "$maker"/g.img "$maker: update"
  cp "$here/system.nix" "flake-$maker"
  sed 's,builtins.currentSystem,"'"$(uname -m)"'-linux",' "$here/../create/build.nix" >"flake-$maker/build.nix"
  sed -i 's,\.\./create/build.nix,./build.nix,' "flake-$maker/system.nix"
  echo '{ outputs = { self }: { nixosConfigurations.g.config.system.build.toplevel = import ./system.nix { n = 1; }; }; }' \
    >"flake-$maker/flake.nix"
  (cd "flake-$maker" && "$DOMSTRAP" build -q --flake "path:$PWD#g" >"../built-$maker") ||
    fail "$maker: build --flake"
done
[ "$(cat built-host)" = "$(cat built-other)" ] || fail "a flake's system: $(cat built-host) and $(cat built-other)"
for maker in host other; do [ -e "$WORLD/of-$maker$(cat "built-$maker")/init" ] || fail "$maker: the flake was not built"; done
cmp host/g.img other/g.img || fail "the two Nixes' stores make different images"

# ---- caches made by each version, read without a store ----

mkdir bare
umount /nix
mount --bind bare /nix
for maker in host other; do
  create "from-$maker" --system "$second" --from "file://$PWD/cache-$maker" --trusted-key "$(cat public)"
done
cmp from-host/g.img from-other/g.img || fail "the two Nixes' caches make different images"
umount /nix

# ---- a guest changed by one version, updated from the other's store ----

# repack IMAGE TREE: make the file system again from the tree, with the host's mke2fs and its default features
repack() {
  local uuid
  uuid=$(debugfs -R 'stats -h' "$(part "$1")" 2>/dev/null | sed -n 's/^Filesystem UUID: *//p')
  rm -f new.fs
  truncate -s $(($(stat -c %s "$1") - 1048576)) new.fs
  mke2fs -q -t ext4 -L NIXOS -U "$uuid" -d "$2" new.fs
  dd if=new.fs of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
}
for maker in host other; do
  other=other
  [ $maker = host ] || other=host
  cp --sparse=always host/g.img guest.img
  # As in the guest: add a third system and set the profile to it; add another path, which is collected.
  store "$maker"
  third=$(system 3)
  rm -rf all
  mkdir all
  debugfs "$(part guest.img)" -R "rdump / all" >/dev/null 2>&1
  nix copy --no-check-sigs --to "$PWD/all" "$third" 2>copy.log || { cat copy.log >&2; fail "$maker: nix copy"; }
  nix-env --store "$PWD/all" -p "$PWD/all/nix/var/nix/profiles/system" --set "$third"
  nix-store --store "$PWD/all" --add conf >/dev/null
  nix-store --store "$PWD/all" --gc >/dev/null 2>&1
  repack guest.img all
  right guest.img "$maker: the guest's own changes"
  [ "$(tr '\n' ' ' <ours)" = "1 2 3 " ] || fail "$maker: the guest's own changes: generations $(tr '\n' ' ' <ours)"
  store "$other"
  "$DOMSTRAP" update guest.img -q --system "$(system 4)"
  right guest.img "$maker's changes, update from the $other's store"
  "$DOMSTRAP" update guest.img -q --system "$second" --conf conf --cache-dir none --from "file://$PWD/cache-$other" \
    --trusted-key "$(cat public)"
  right guest.img "$maker's changes, update from the $other's cache"
  "$DOMSTRAP" rollback guest.img -q
  "$DOMSTRAP" gc guest.img -q --keep 1
  right guest.img "$maker's changes, gc"
done
echo "test-nixes.sh: ok"
