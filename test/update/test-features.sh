#!/bin/bash
# Guests with file systems made by mke2fs, with each of its features and blocks of 1, 2 and 4 KiB, for root and for /boot:
# commands that read support all of them; commands that write succeed, so that e2fsck finds no errors, or name the feature
# and change nothing. SIZES and SETS (a pattern) select cases (default: all, with TEST_SHORT only blocks of 4 KiB).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

"$DOMSTRAP" create g --layout split --vif none --system "$(system 1)" --size 64M --boot-size 32M -q
"$DOMSTRAP" update g.cfg --system "$(system 2)" -q
system 3 >/dev/null
# Without times of links and space used, which depend on mke2fs.
generations() { "$DOMSTRAP" generations g.cfg --json | grep -vE '"(time|alone|bytes)"'; }
generations >want.json
mkdir tree-root tree-boot
for part in root boot; do
  debugfs -R "rdump / tree-$part" g-$part.img >/dev/null 2>&1
  rm -rf "tree-$part/lost+found"
  dumpe2fs -h g-$part.img 2>/dev/null | sed -n 's/^Filesystem UUID: *//p' >uuid-$part
  dumpe2fs -h g-$part.img 2>/dev/null | sed -n 's/^Filesystem volume name: *//p' >label-$part
done

# make PART SIZE OPTION...: make its file system again, with the same files
make() {
  local part=$1 image=g-$1.img size=64M db=/nix/var/nix/db/db.sqlite
  [ "$part" = root ] || size=32M
  rm -f "$image"
  mke2fs -q -F -b "$2" -U "$(cat "uuid-$part")" -L "$(cat "label-$part")" -d "tree-$part" "${@:3}" "$image" $size >mk.log 2>&1 ||
    { cat mk.log >&2; return 1; }
  # With inline_data, mke2fs 1.47.0 drops zeros at a file's end.
  [ "$part" = boot ] || debugfs -w -R "sif $db size $(stat -c %s "tree-root$db")" "$image" >/dev/null 2>&1
  # mke2fs leaves wrong quota counts, which e2fsck corrects.
  e2fsck -fn "$image" >/dev/null 2>&1 || e2fsck -fy "$image" >/dev/null 2>&1 || true
  clean "$image" "made"
}

both_clean() { clean g-root.img "$what: $1"; clean g-boot.img "$what: $1"; }
done_or_fail() { "$DOMSTRAP" "$@" -q >said 2>&1 || { cat said >&2; fail "$what: $*"; }; }

reads() {
  generations >have.json || fail "$what: generations"
  diff want.json have.json >&2 || fail "$what: generations says something else"
  done_or_fail rollback g.cfg --dry-run
  done_or_fail verify g.cfg
  "$DOMSTRAP" inspect g.cfg >said 2>&1 || { cat said >&2; fail "$what: inspect"; }
  grep -q 'generations.*25.11' said && ! grep -q trouble said || { cat said >&2; fail "$what: inspect"; }
  both_clean reading
}

writes() { # GROWS
  done_or_fail update g.cfg --system "$(system 3)"; both_clean update
  done_or_fail verify g.cfg
  done_or_fail rollback g.cfg --to 1; both_clean rollback
  done_or_fail gc g.cfg --keep 1; both_clean gc
  if [ "$1" = yes ]; then
    done_or_fail update g.cfg --size +40M; both_clean growing
  else
    ! "$DOMSTRAP" update g.cfg --size +40M -q >said 2>&1 || fail "$what: it grows"
    grep -qE "$1" said || { cat said >&2; fail "$what: why it does not grow"; }
  fi
  done_or_fail update g.cfg --system "$(system 2)"; both_clean "the second update"
  done_or_fail verify g.cfg
  same_generations g.cfg g-root.img unpacked
  rm -rf bootdir; mkdir bootdir; debugfs g-boot.img -R "rdump / bootdir" >/dev/null 2>&1
  entries unpacked bootdir || fail "$what: the menu"
}

refuses() { # TEXT
  local command
  cp --sparse=always g-root.img root.kept; cp --sparse=always g-boot.img boot.kept
  for command in "update g.cfg --system $(system 3)" "rollback g.cfg" "gc g.cfg --keep 1"; do
    # shellcheck disable=SC2086
    ! "$DOMSTRAP" $command -q >said 2>&1 || fail "$what: $command writes it"
    grep -qi damaged said && { cat said >&2; fail "$what: $command calls it damaged"; }
    grep -q -- "$1" said || { cat said >&2; fail "$what: $command does not name it"; }
    cmp g-root.img root.kept && cmp g-boot.img boot.kept || fail "$what: $command has changed something"
  done
}

# try NAME WHERE GROWS WRITES OPTION...: WHERE is root, boot or both; GROWS and WRITES: yes, or words of the refusal
try() {
  local name=$1 where=$2 grows=$3 write=$4 size
  shift 4
  # shellcheck disable=SC2053 # it is a pattern
  [[ $name == ${SETS:-*} ]] || return 0
  for size in $sizes; do
    what="$name, blocks of $size"
    if [ "$where" = boot ]; then make root "$size" -t ext4; else make root "$size" "$@"; fi
    if [ "$where" = root ]; then make boot "$size" -t ext4; else make boot "$size" "$@"; fi
    reads
    if [ "$write" = yes ]; then writes "$grows"; else refuses "$write"; fi
    tried=$((tried + 1))
  done
}
tried=0 sizes=${SIZES:-1024 2048 4096}
[ -z "${TEST_SHORT:-}" ] || sizes=4096
try ext4 both yes yes -t ext4
try ext3 both yes yes -t ext3
try ext2 boot yes yes -t ext2
try ext2root root no 'tune2fs -O has_journal' -t ext2
try nojournal boot yes yes -t ext4 -O ^has_journal
try nothing boot yes yes -t ext2 -O none
try little both yes yes -t ext3 -O none,has_journal,resize_inode,sparse_super
try newest both yes yes -t ext4 -O metadata_csum_seed,orphan_file
try no64bit both yes yes -t ext4 -O ^64bit
try noflex both yes yes -t ext4 -O ^flex_bg
try metabg both meta_bg yes -t ext4 -O meta_bg,^resize_inode
try nocsum both yes yes -t ext4 -O ^metadata_csum
try uninit both yes yes -t ext4 -O ^metadata_csum,uninit_bg
try small both yes yes -t ext4 -I 128
try large both yes yes -t ext4 -I 512
try lists both yes yes -t ext4 -O ^extent,^64bit
try noindex both yes yes -t ext4 -O ^dir_index
try nofiletype both yes yes -t ext4 -O ^filetype
try casefold both yes yes -t ext4 -O casefold
try encrypt both yes yes -t ext4 -O encrypt
try verity both yes yes -t ext4 -O verity
try project both yes yes -t ext4 -O project
try quota root no quota -t ext4 -O project,quota
try quotaboot boot no quota -t ext4 -O quota
try eainode both yes yes -t ext4 -O ea_inode
try largedir both yes yes -t ext4 -O large_dir
try mmp both yes yes -t ext4 -O mmp
try fast both yes yes -t ext4 -O fast_commit
try stable both yes yes -t ext4 -O stable_inodes
try bigalloc root no bigalloc -t ext4 -O bigalloc
try bigallocboot boot no bigalloc -t ext4 -O bigalloc
try inline root no inline_data -t ext4 -O inline_data
try smallgroups both yes yes -t ext4 -g 2048
echo "test-features.sh: $tried guests"
[ $tried -gt 0 ]
