#!/bin/bash
# A large sparse disk: more groups than one block of descriptors holds, and free space far from the beginning. Update,
# growth and gc, checked with e2fsck and real Nix.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
free_blocks() { debugfs -R 'stats -h' "$(part "$1")" 2>/dev/null | awk '/^Free blocks/ { print $3 }'; }

for layout in single split; do
  "$DOMSTRAP" create g --system "$(system 1)" -q --force --vif none --layout $layout --size 100G
  root=g.img
  [ $layout = single ] || root=g-root.img
  for n in 2 3; do
    "$DOMSTRAP" update g.cfg --system "$(system $n)" -q
    clean $root "$layout: update $n"
  done
  "$DOMSTRAP" update g.cfg --size 140G -q
  clean $root "$layout: --size 140G"
  "$DOMSTRAP" rollback g.cfg -q
  "$DOMSTRAP" gc g.cfg --keep 1 -q
  "$DOMSTRAP" update g.cfg --system "$(system 4)" --size +10G -q
  clean $root "$layout: after gc and --size +10G"
  same_generations g.cfg $root tree
  sane tree "$layout"
  [ "$(debugfs -R 'stats -h' "$(part $root)" 2>/dev/null | awk '/^Block count/ {print $3}')" -gt 39000000 ] || fail "$layout: it did not grow"
  [ "$(du -m $root | cut -f1)" -lt 1000 ] || fail "$layout: $(du -h $root | cut -f1) on the host"
  rm -f g*.img
done

# Free space only after the first 45 GB: a file occupies all space before it, with enough extents to need a tree.
"$DOMSTRAP" create g --system "$(system 1)" -q --force --vif none --layout split --size 60G
echo x >x
printf 'write x large\nfallocate large 0 11796480\n' | debugfs -w -f - "$(part g-root.img)" >/dev/null 2>&1
[ "$(free_blocks g-root.img)" -lt 4000000 ] || fail "no large file"
"$DOMSTRAP" update g.cfg --system "$(system 2)" -q
clean g-root.img "behind a large file"
"$DOMSTRAP" rollback g.cfg -q
clean g-root.img "rollback behind a large file"
"$DOMSTRAP" gc g.cfg --keep 1 -q
clean g-root.img "gc behind a large file"
same_generations g.cfg g-root.img tree
sane tree "behind a large file"
echo "test-large.sh: ok"
