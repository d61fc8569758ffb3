#!/bin/bash
# domstrap verify: finds nothing wrong in images made by create, in any layout, and finds and names every kind of damage.
# The damage is made with debugfs and e2fsck.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

"$DOMSTRAP" create one --system "$(system 1)" -q --vif none --size 96M
"$DOMSTRAP" create two --system "$(system 1)" -q --vif none --size 96M --layout split --boot-size 24M
"$DOMSTRAP" create pvh --system "$(system 1)" -q --vif none --size 96M --type pvh
"$DOMSTRAP" create direct --system "$(system 1)" -q --vif none --size 96M --boot direct
"$DOMSTRAP" update one.cfg --system "$(system 2)" -q

for guest in one.cfg one.img two.cfg "two-boot.img two-root.img" pvh.cfg direct.cfg; do
  # shellcheck disable=SC2086 # several disks
  ends 0 "^OK: [0-9]+ store paths verified" verify $guest
  [ "$(wc -l <said)" = 1 ] || { cat said >&2; fail "$guest: more is said"; }
done
"$DOMSTRAP" verify one.cfg --json -j 1 |
  python3 -c 'import json, sys; o = json.load(sys.stdin); assert o["schema"] == 1 and o["ok"] and o["paths"] > 8 and not o["findings"], o'
# verify changes nothing in the image.
cp --sparse=always one.img before.img
"$DOMSTRAP" verify one.img >/dev/null
cmp one.img before.img || fail "verify writes"

shared=$(basename "$(nix-store -qR "$(system 1)" | grep -- -bash-5.2)")
damaged() { # damaged NAME: make a copy of one.img to damage; sets broken to its name
  broken=$1.img
  cp --sparse=always one.img "$broken"
}
debug() { debugfs -w -R "$2" "$1?offset=1048576" >/dev/null 2>&1; }

damaged byte
flip byte.img "$(($(where byte.img "/nix/store/$shared/bin/bash") + 1234567))"
ends 4 "^error: /nix/store/$shared: differs from the Nix database" verify byte.img
[ "$(grep -c '^error' said)" = 1 ] || { cat said >&2; fail "one byte is more than one error"; }
"$DOMSTRAP" verify byte.img --json >said || true
python3 - "$shared" <<'PY'
import json, sys
o = json.load(open("said"))
assert not o["ok"]
assert [(f["kind"], f["severity"], f["subject"]) for f in o["findings"]] == [("modified", "error", "/nix/store/" + sys.argv[1])], o
PY

# A file of 100 TB according to its inode, with a hole after its beginning: it is not read.
damaged long
debug long.img "sif /nix/store/$shared/bin/bash size 100000000000000"
ends 4 "^error: /nix/store/$shared: differs from the Nix database: larger than the [0-9]+ bytes" verify long.img

damaged link
debug link.img "rm /nix/store/$shared/bin/sh"
debug link.img "symlink /nix/store/$shared/bin/sh bosh"
ends 4 "^error: /nix/store/$shared: differs from the Nix database" verify link.img

damaged gone
for file in number data uses; do debug gone.img "rm /nix/store/$(basename "$(nix-store -qR "$(system 1)" | grep -- -config-1)")/$file"; done
debug gone.img "rmdir /nix/store/$(basename "$(nix-store -qR "$(system 1)" | grep -- -config-1)")"
ends 4 "^error: /nix/store/.*-config-1: registered .*not found" verify gone.img

damaged stranger
debug stranger.img $'mkdir /nix/store/evil\001name'
debug stranger.img "mkdir /nix/store/00000000000000000000000000000000-stranger"
ends 4 '^error: /nix/store/0{32}-stranger: .*Nix database' verify stranger.img
grep -Fq 'evil\x01' said || { cat said >&2; fail "a stranger with odd bytes is not named"; }

damaged device
printf 'cd /nix/store/%s/bin\nmknod null c 1 3\n' "$shared" >commands
debugfs -w -f commands "$(part device.img)" >/dev/null 2>&1
ends 4 "^error: /nix/store/$shared: .*neither a regular file" verify device.img

damaged short
truncate -s 20M short.img
ends 4 '^(error|warning): short.img' verify short.img

damaged menu
echo 'menuentry "x" { linux /no/such/kernel }' >grub.cfg
debug menu.img "rm /boot/grub/grub.cfg"
debug menu.img "write grub.cfg /boot/grub/grub.cfg"
ends 4 '^error: menu entry "x": cannot boot: .*no/such/kernel' verify menu.img
printf 'menuentry "a\033[31m\nb" {\n linux /no/such/kernel\n}\n' >grub.cfg
debug menu.img "rm /boot/grub/grub.cfg"
debug menu.img "write grub.cfg /boot/grub/grub.cfg"
ends 4 '^error: menu entry "a.x1b\[31m' verify menu.img
debug menu.img "rm /boot/grub/grub.cfg"
ends 4 'no boot menu' verify menu.img

damaged kernel
kernel=$(basename "$(nix-store -qR "$(system 1)" | grep -- -linux-6)")
debug kernel.img "rm /nix/store/$kernel/bzImage"
ends 4 'menu entry .*cannot boot: .*bzImage' verify kernel.img
grep -q '^error: .*no entry of the boot menu can boot' said || { cat said >&2; fail "an empty menu is not said"; }

damaged init
debug init.img "rm /nix/store/$(basename "$(system 1)")/init"
ends 4 "menu entry .*init=/nix/store/$(basename "$(system 1)")/init not found" verify init.img

damaged inode
debug inode.img "clri /boot"
ends 4 'the file system is damaged' verify inode.img

damaged count
debug count.img "set_inode_field /boot links_count 9"
ends 4 'the file system is damaged: .*ref count' verify count.img
ends 0 '^OK: ' verify --no-fsck count.img

damaged dirty
debug dirty.img "feature needs_recovery"
ends 4 'was not cleanly unmounted' verify dirty.img

damaged db
flip db.img "$(where db.img /nix/var/nix/db/db.sqlite)"
ends 4 '^error: store: .*database' verify db.img

# ---- wrong input ----

ends 2 'missing GUEST' verify
ends 2 'unknown option "--frobnicate"' verify --frobnicate one.img
ends 2 "a number from 1 to 16" verify -j 0 one.img
ends 1 'no/such' verify no/such
ends 2 'neither a file nor a block device' verify .
head -c 5000000 /dev/zero >zeros
ends 4 'store: zeros: no file system with a /nix/store' verify zeros
: >empty
ends 4 'store: empty: no file system' verify empty
printf 'disk = [ "format=qcow2,vdev=xvda,target=x.qcow2" ]\n' >q.cfg
ends 1 'only raw disks are supported' verify q.cfg
printf 'name = "n"\n' >n.cfg
ends 2 'n.cfg: the config has no disks' verify n.cfg
exec 8<>one.img
flock -x 8
ends 3 'locked' verify one.img
exec 8>&-
echo "test-verify.sh: ok"
