#!/bin/sh
# SPDX-License-Identifier: MIT
# A /boot on one half of a RAID1 of Linux md, with each kind of metadata. mdadm and GRUB are asked about the
# same disks where they are installed. usage: mirrors.sh DOMGRUB
md=$(realpath "$(dirname "$0")")/../../../lib/disk/test/md.py
. "$(dirname "$0")/common.sh"

mkdir -p boot/grub
echo kernel >boot/vmlinuz
{
	printf '# GRUB Environment Block\n'
	head -c 1024 /dev/zero | tr '\0' '#'
} | head -c 1024 >boot/grub/grubenv
cat >boot/grub/grub.cfg <<-END
	load_env
	set next_entry=
	save_env next_entry
	set root='md/gone'
	search --no-floppy --fs-uuid --set=root --hint='mduuid/000102030405060708090a0b0c0d0e0f' $uuid
	menuentry T {
	insmod diskfilter
	insmod mdraid1x
	linux /vmlinuz root=/dev/md0
	}
END
ext boot.fs 8M boot -U "$uuid"
cp boot.fs searched.fs
# named DEVICE: boot.fs has a menu that names it
named() {
	printf "set root='%s'\nmenuentry T {\nlinux /vmlinuz root=/dev/md0\n}\n" "$1" >boot/grub/grub.cfg
	ext boot.fs 8M boot -U "$uuid"
}

# half VERSION [FIELD=VALUE]: img has it as its only partition
half() {
	python3 -I -S "$md" "$1" boot.fs member ${2:+"$2"}
	rm -f img
	truncate -s 16M img
	printf '%s\n' 'label: gpt' "start=2048,size=$(($(stat -c %s member) / 512))" | sfdisk -q img
	into img 2048 member
}

# boots NAME [OPTION...]
boots() {
	name=$1
	shift
	clean
	run -q --write-env --output-format=simple --output-directory=out "$@" img >got 2>got.err || { fail "$name" "$(cat got.err)"; return; }
	grep -qxF "args root=/dev/md0" got && cmp -s out/boot_kernel.* boot/vmlinuz && ok "$name" || fail "$name" "$(cat got)"
}

# says NAME WORDS
says() {
	rc=0
	run -q --output-directory=out img >got 2>got.err || rc=$?
	[ $rc -eq 1 ] && grep -qF -- "$2" got.err && ok "$1" || fail "$1" "status $rc: $(cat got.err)"
}

for version in 0.90 1.0 1.1 1.2; do
	half $version
	cp img before
	boots "metadata $version"
	grep -q "half of a RAID1" got.err && cmp -s img before && ok "nothing is written to it" ||
		fail "nothing is written to it" "$(cat got.err)"
	if command -v mdadm >/dev/null; then
		mdadm --examine member >examined 2>&1
		grep -q "Checksum : .* correct" examined && ok "mdadm finds it valid" || fail "mdadm" "$(cat examined)"
	fi
	if command -v grub-fstest >/dev/null; then
		grub-fstest member ls 2>/dev/null | grep -qF "(md/" && ok "GRUB finds it, too" || fail "GRUB" "finds no (md/)"
	fi
done
for v in "1.2 md/boot" "1.0 mduuid/000102030405060708090a0b0c0d0e0f" "0.90 md/md0" "0.90 mduuid/00000001000000020000000300000004"; do
	named "${v#* }"
	half "${v% *}"
	boots "by the name ${v#* }"
	command -v grub-fstest >/dev/null || continue
	grub-fstest member cat "(${v#* })/vmlinuz" 2>/dev/null | cmp -s - boot/vmlinuz && ok "GRUB has that name" || fail "GRUB" "${v#* }"
done
# An old half has another kernel.
named md/boot
echo old >boot/vmlinuz
ext old.fs 8M boot -U "$uuid"
echo kernel >boot/vmlinuz
for version in 0.90 1.2; do
	named md/boot
	[ $version = 1.2 ] || named md/md0
	cp boot.fs new.fs
	cp old.fs boot.fs
	half $version events=5
	cp img oldhalf
	cp new.fs boot.fs
	half $version events=7
	mv img newhalf
	mv oldhalf img
	boots "metadata $version, an old half first" --disk=newhalf
done
half 1.2 events=6
cp img newhalf
cp old.fs boot.fs
half 1.2 events=5
boots "the name leads to the half with the last change" --disk=newhalf
mv searched.fs boot.fs
nothing="Linux md RAID, which domgrub does not read"
half 1.2 state=0xffff
says "a spare" "$nothing"
half 1.2 state=0xfffe
says "a failed half" "$nothing"
half 1.1 features=2
says "a half that is being rebuilt" "$nothing"
half 1.2 level=5
says "RAID5" "$nothing"
half 1.2 sum=1
says "a wrong checksum" "$nothing"
python3 -I -S "$md" 1.2 boot.fs member
truncate -s 4M member
cp member img
says "a disk that is too short" "RAID1: "
finish
