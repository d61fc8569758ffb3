#!/bin/bash
# update.sh [WORKDIR]: time "domstrap update" for a generation that shares 99 % of a 1.4 GB closure, and other ways,
# alternating in one run:
#
#   create     domstrap create of a new image with the new system
#   update     domstrap update of an image with the old system
#   manual     losetup, mount, nix copy, nix-env --set, umount of such an image
#
# All of them sync their data to disk. Prints medians and medians of the ratios within each round; then times rollback
# and gc. ROUNDS (5): number of rounds. Needs root for the manual way, 15 GB in WORKDIR (default: build/bench) and an
# otherwise idle machine.
. "$(dirname "$0")/common.sh"
rounds=${ROUNDS:-5}
size=4G
domstrap=$(built domstrap)

[ "$(id -u)" = 0 ] || die "not root: the manual way mounts"

# The new system refers to the old one and adds 500 files of 14 MB in all.
old=$("$here/closure.sh" "$work")
new=$(nix-build --no-out-link "${settings[@]}" --option sandbox false -E '
  derivation {
    name = "nixos-system-bench-next";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    old = builtins.storePath "'"$old"'";
    args = [ "-euc" "cp -a $old $out; chmod -R u+w $out; rm -f $out/boot.json; mkdir $out/own
      for i in $(seq 500); do head -c 28000 /dev/urandom >$out/own/file-$i; done; echo $old >$out/previous
      rm -f $out/init; echo \"#!/bin/sh\" >$out/init; chmod +x $out/init" ];
  }')
mapfile -t paths < <(nix-store -qR "$new")
find "${paths[@]}" -type f -exec cat {} + >/dev/null # warm
mkdir -p "$work/update" "$work/mnt"
cd "$work/update"
"$domstrap" create base --system "$old" --size $size -q --force

fresh() { rm -f run.img run.cfg; cp --sparse=always base.img run.img; sync; }

create() { "$domstrap" create made --system "$new" --size $size -q --force; }
update() { "$domstrap" update run.img --system "$new" -q; }
manual() {
  local loop
  loop=$(losetup --show -f -o 1M run.img)
  mount "$loop" "$work/mnt"
  nix --extra-experimental-features nix-command copy --no-check-sigs --to "$work/mnt" "$new" 2>nix.log
  nix-env --store "$work/mnt" -p "$work/mnt/nix/var/nix/profiles/system" --set "$new" 2>>nix.log
  umount "$work/mnt"
  losetup -d "$loop"
  sync run.img
}

rollback() { "$domstrap" rollback run.img -q; }
gc() { "$domstrap" gc run.img --keep 1 -q; }

clock() { # WRITER
  local start end
  start=$(date +%s%N)
  "$1"
  end=$(date +%s%N)
  awk -v n=$((end - start)) 'BEGIN {print n / 1e9}' >>"$work/times.$1"
}

for ((i = 1; i <= rounds; i++)); do
  echo "update.sh: round $i of $rounds" >&2
  rm -f made.img made.cfg
  sync
  clock create
  for w in manual update; do fresh; clock $w; done
  clock rollback
  clock gc
done
e2fsck -fn "run.img?offset=1048576" >/dev/null || die "e2fsck finds faults"
printf '| %s | %s | %s |\n' what "wall s" "by create" --- --- ---
for w in create manual update; do
  printf '| %s | %.3f | %.3f |\n' $w "$(column $w 1 | median)" "$(ratio $w create)"
done
printf '| rollback | %.3f | |\n| gc | %.3f | |\n' "$(column rollback 1 | median)" "$(column gc 1 | median)"
printf 'manual by update: %.1f\n' "$(ratio manual update)"
