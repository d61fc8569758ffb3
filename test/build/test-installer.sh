#!/bin/bash
# domstrap installer: the two configs, the disks, and what is refused. In test/xen, xl itself reads the configs.
. "$(dirname "$0")/lib.sh"
iso_py=$here/../build/iso.py

installer() { "$DOMSTRAP" installer "$@" </dev/null; }
# refuses STATUS WORDS ARGUMENT...: one line on stderr matches WORDS, and nothing is written
refuses() {
  local status=$1 words=$2 got=0 before
  shift 2
  before=$(ls -lA "$out")
  installer -q "$@" >stdout 2>stderr || got=$?
  [ "$got" = "$status" ] || { cat stderr >&2; fail "status $got, not $status: installer $*"; }
  grep -Eq -- "$words" stderr || { cat stderr >&2; fail "not said: $words: installer $*"; }
  [ "$(grep -vc '^warning: ' stderr)" = 1 ] || { cat stderr >&2; fail "not one line: installer $*"; }
  [ ! -s stdout ] || fail "text on stdout: installer $*"
  [ "$(ls -lA "$out")" = "$before" ] || { ls -lA "$out" >&2; fail "it left something: installer $*"; }
  echo "$got: $(cat stderr)"
}
has() { grep -qxF -- "$2" "$out/$1" || { cat "$out/$1" >&2; fail "$1 lacks $2"; }; }
has_not() { ! grep -qF -- "$2" "$out/$1" || { cat "$out/$1" >&2; fail "$1 has $2"; }; }

python3 "$iso_py" 'cd, one.iso'
ok=(web1 --iso "cd, one.iso" -o "$out")

# ---- new disks ----

installer "${ok[@]}" -n >stdout 2>stderr
grep -q "^would make $out/web1-boot.img, $out/web1-root.img, $out/web1-install.cfg and $out/web1.cfg" stdout || fail "--dry-run"
[ -z "$(ls -A "$out")" ] || fail "--dry-run wrote files"
installer "${ok[@]}" >stdout 2>stderr
[[ "$(wc -l <stdout)" = 1 && ! -s stderr ]] || { cat stdout stderr >&2; fail "it speaks"; }
[ "$(stat -c '%s %b' "$out/web1-boot.img")" = "$((512 << 20)) 0" ] || fail "the boot disk is not 512 MiB of nothing"
[ "$(stat -c '%s %b' "$out/web1-root.img")" = "$((10 << 30)) 0" ] || fail "the root disk is not 10 GiB of nothing"
for line in 'name = "web1"' 'type = "hvm"' 'bios = "seabios"' 'device_model_version = "qemu-xen"' 'boot = "dc"' \
  "    \"format=raw,vdev=xvda,access=rw,target=$out/web1-boot.img\"," \
  "    \"format=raw,vdev=xvdb,access=rw,target=$out/web1-root.img\"," \
  "    \"format=raw,vdev=hdc,access=ro,devtype=cdrom,target=$work/cd, one.iso\"" \
  'memory = 2048' 'vnclisten = "127.0.0.1"' 'serial = "pty"' 'on_reboot = "destroy"'; do
  has web1-install.cfg "$line"
done
has_not web1-install.cfg bootloader
for line in 'name = "web1"' 'type = "pv"' 'bootloader = "domgrub"' 'on_reboot = "restart"' \
  "    \"format=raw,vdev=xvda,access=rw,target=$out/web1-boot.img\"," \
  "    \"format=raw,vdev=xvdb,access=rw,target=$out/web1-root.img\""; do
  has web1.cfg "$line"
done
for word in hdc bios vnc serial; do has_not web1.cfg "$word"; done
# check reports a missing CD.
got=0
"$DOMSTRAP" check "$out/web1-install.cfg" >stdout 2>&1 || got=$?
[ $got = 0 ] || { cat stdout >&2; fail "check of the domain to install with: $got"; }
mv "cd, one.iso" gone.iso
"$DOMSTRAP" check "$out/web1-install.cfg" >stdout 2>&1 || got=$?
[ $got = 4 ] && grep -q "cd, one.iso" stdout || { cat stdout >&2; fail "check without the CD: $got"; }
mv gone.iso "cd, one.iso"
# Both configs are for the same guest.
for key in uuid mac; do
  [ "$(grep -o "${key}[ =].*" "$out/web1.cfg")" = "$(grep -o "${key}[ =].*" "$out/web1-install.cfg")" ] || fail "another $key"
done
# Commands for guests that are off can read the config.
"$DOMSTRAP" generations "$out/web1.cfg" 2>stderr && fail "empty disks have generations"
grep -q 'no file system with a /nix/store' stderr || { cat stderr >&2; fail "the config's disks are not found"; }
echo precious >"$out/web1-root.img"
refuses 1 'web1-boot.img: already exists' "${ok[@]}"
rm "$out/web1-boot.img"
refuses 1 'web1-root.img: already exists' "${ok[@]}"
[ "$(cat "$out/web1-root.img")" = precious ] || fail "a disk was overwritten"
rm "$out/web1-root.img" "$out/web1.cfg"
refuses 1 'web1-install.cfg: already exists' "${ok[@]}"
installer "${ok[@]}" -q -f --size 2G --boot-size 100M --boot pygrub --type pvh -m 1G --vcpus 2 \
  --vif bridge=br0 --set on_crash=preserve --set vncdisplay=5 2>stderr >stdout
grep -q 'web1-root.img: only 2.* GiB; NixOS needs 5' stderr || { cat stderr >&2; fail "a small disk is not told"; }
[ "$(stat -c %s "$out/web1-root.img")" = $((2 << 30)) ] || fail "--size"
for line in 'memory = 1024' 'vcpus = 2' '    "bridge=br0"' 'on_crash = "preserve"' 'vncdisplay = 5'; do
  has web1-install.cfg "$line"
  has web1.cfg "$line"
done
has web1.cfg 'bootloader = "pygrub"'
has web1.cfg 'type = "pvh"'
rm "$out"/*

# ---- existing disks ----

truncate -s 600M boot.img
truncate -s 6G root.img
before=$(stat -c '%y %s %b' boot.img root.img)
installer "${ok[@]}" --boot-disk boot.img --root-disk ./root.img --json >json 2>stderr
[ ! -s stderr ] || { cat stderr >&2; fail "warnings"; }
[ "$(stat -c '%y %s %b' boot.img root.img)" = "$before" ] || fail "the disks were touched"
[ "$(ls "$out")" = $'web1-install.cfg\nweb1.cfg' ] || fail "other files were made"
has web1.cfg "    \"format=raw,vdev=xvda,access=rw,target=$work/boot.img\","
[ "$(jq -r '[.schema, .name, .iso.label, .disks[0].path, .disks[0].made, .disks[1].size, .installConfig, .config] | join(" ")' json)" = \
  "1 web1 nixos-minimal $work/boot.img false $((6 << 30)) $out/web1-install.cfg $out/web1.cfg" ] || { cat json >&2; fail "JSON"; }
rm "$out"/*
installer "${ok[@]}" --boot-disk boot.img -q
[ "$(ls -x "$out")" = 'web1-install.cfg  web1-root.img  web1.cfg' ] || fail "one new disk"
rm "$out"/*
if [ -z "$no_loop" ]; then
  loop=$(losetup -f --show boot.img)
  loops+=("$loop")
  installer web1 --iso "cd, one.iso" -o "$out" --boot-disk "$loop" --root-disk root.img -q -n
  refuses 3 'boot.img: in use: attached to a loop device' "${ok[@]}" --boot-disk boot.img --root-disk root.img
  losetup -d "$loop"
fi

# ---- what is refused ----

refuses 2 'NAME' --iso 'cd, one.iso'
refuses 2 'unexpected argument "web2"' "${ok[@]}" web2
refuses 2 "guest name 'a b'" 'a b' --iso 'cd, one.iso'
refuses 2 'specify --iso' web1 -o "$out"
refuses 2 'needs a value' web1 --iso
refuses 2 'unknown option "--nonsense"' "${ok[@]}" --nonsense
for size in much 0 63M 65T -1G; do refuses 2 "--boot-size '$size': expected a size from 64" "${ok[@]}" --boot-size=$size; done
for size in '' 10X 1023M; do refuses 2 "--size '$size': expected a size from 1" "${ok[@]}" --size="$size"; done
refuses 2 '--size applies to a new image; --root-disk root.img' "${ok[@]}" --root-disk root.img --size 10G
refuses 2 '--boot-size applies to a new image' "${ok[@]}" --boot-disk boot.img --boot-size 1G
refuses 2 "--boot 'direct': expected domgrub or pygrub" "${ok[@]}" --boot direct
refuses 2 "--type 'hvm': expected pv or pvh" "${ok[@]}" --type hvm
refuses 2 "--memory '1'" "${ok[@]}" -m 1
refuses 2 "--vcpus 'x'" "${ok[@]}" --vcpus x
refuses 2 'not a key of xl-network' "${ok[@]}" --vif nonsense
refuses 2 'vif none .*--vif' "${ok[@]}" --vif none --vif bridge=x
refuses 2 "domstrap writes 'type' itself" "${ok[@]}" --set type=hvm
refuses 1 '--output nowhere: No such file' web1 --iso 'cd, one.iso' -o nowhere
refuses 1 '--boot-disk nowhere: No such file' "${ok[@]}" --boot-disk nowhere
refuses 2 'work: neither a file nor a block device' "${ok[@]}" --root-disk .
refuses 2 'null: neither a file nor a block device' "${ok[@]}" --root-disk /dev/null
refuses 2 'root.img: the same disk for /boot and the root' "${ok[@]}" --boot-disk root.img --root-disk root.img
mkdir $'new\nline'
cp 'cd, one.iso' $'new\nline/cd.iso'
refuses 2 'new.x0aline/cd.iso: this path has a control character' web1 --iso $'new\nline/cd.iso' -o "$out"
refuses 1 '--iso nowhere: No such file' web1 --iso nowhere -o "$out"
refuses 2 'work: neither a file nor a block device' web1 --iso . -o "$out"
head -c 50000 'cd, one.iso' >cut.iso
refuses 1 'cut.iso: truncated: .* 81920 bytes, the file only 50000' web1 --iso cut.iso -o "$out"
head -c 32000 'cd, one.iso' >cut.iso
refuses 1 'cut.iso: .*ISO 9660' web1 --iso cut.iso -o "$out"
: >cut.iso
refuses 1 'cut.iso: .*ISO 9660' web1 --iso cut.iso -o "$out"
refuses 1 'boot.img: .*ISO 9660' web1 --iso boot.img -o "$out"
python3 "$iso_py" uefi.iso 239
refuses 1 'uefi.iso: SeaBIOS cannot boot' web1 --iso uefi.iso -o "$out"
mkdir sealed
mount -t tmpfs -o ro none sealed
refuses 1 'Read-only file system' web1 --iso 'cd, one.iso' -o sealed
umount sealed
if [ -z "$no_loop" ]; then
  mount -t tmpfs -o size=4k,nr_inodes=4 none sealed
  refuses 1 'No space' web1 --iso 'cd, one.iso' -o sealed
  [ -z "$(ls -A sealed)" ] || fail "a full disk has something half-made"
  umount sealed
  chmod 600 'cd, one.iso'
  chmod 755 "$WORLD" "$work"
  chmod 777 "$out"
  setpriv --reuid 65534 --regid 65534 --clear-groups -- "$DOMSTRAP" installer "${ok[@]}" >stdout 2>stderr && fail "unreadable"
  grep -q 'cd, one.iso: Permission denied' stderr || { cat stderr >&2; fail "not said that it cannot be read"; }
fi
echo "installers are made"
