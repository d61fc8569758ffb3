#!/bin/sh
# SPDX-License-Identifier: MIT
# Which menu is read if there are several on a disk, the messages about disks that
# cannot be read, and what -l lists. usage: menus.sh DOMGRUB
# Mounts in its own mount namespace, so that no other test keeps them busy.
if [ "$(id -u)" = 0 ] && [ -z "${own_mounts:-}" ]; then
	own_mounts=1 exec unshare --mount "$0" "$@"
fi
. "$(dirname "$0")/common.sh"

# gpt DISK DIR...: a partition for each directory; "esp*" becomes FAT, all others ext4
gpt() {
	disk=$1 start=2048
	shift
	rm -f "$disk"
	truncate -s $(($# * 40 + 2))M "$disk"
	echo "label: gpt" >table
	for dir; do
		rm -f "$dir.part"
		truncate -s 40M "$dir.part"
		case $dir in
		esp*)
			mkfs.fat -F 32 -s 1 -i C0DE2611 "$dir.part" >/dev/null
			mcopy -i "$dir.part" -s "$dir"/* ::
			echo "start=$start,size=81920,type=uefi" >>table
			;;
		*)
			mke2fs -q -F -t ext4 -U "$uuid" -d "$dir" "$dir.part"
			echo "start=$start,size=81920" >>table
			;;
		esac
		start=$((start + 81920))
	done
	sfdisk -q "$disk" <table
	start=2048
	for dir; do
		into "$disk" $start "$dir.part"
		start=$((start + 81920))
	done
}

# boots NAME WANTED-ARGS KERNEL-FILE RAMDISK-FILE DISK
boots() {
	clean
	if ! run -q --output-format=simple --output-directory=out "$5" >got 2>got.err; then
		fail "$1" "$(cat got.err)"
	elif ! grep -qxF "args $2" got; then
		fail "$1" "$(cat got)"
	elif ! cmp -s out/boot_kernel.* "$3"; then
		fail "$1" "another kernel"
	elif [ -n "$4" ] && ! cmp -s out/boot_ramdisk.* "$4"; then
		fail "$1" "another ramdisk"
	else
		ok "$1"
	fi
}

# says NAME WORDS DISK: status 1, and WORDS in the message
says() {
	rc=0
	run -q --output-directory=out "$3" >got 2>got.err || rc=$?
	[ $rc -eq 1 ] && grep -qF -- "$2" got.err && ok "$1" || fail "$1" "status $rc: $(cat got.err)"
}

# Fedora and RHEL: the directory of $root, not of $boot.
mkdir -p boot/loader/entries boot/grub2 esp/loader/entries esp/EFI/redhat
echo kernel >boot/vmlinuz-5.14
echo ramdisk >boot/initramfs-5.14.img
echo stale >esp/vmlinuz-old
printf '%s\n' "title Stale" "linux /vmlinuz-old" "options stale" >esp/loader/entries/stale.conf
head="search --no-floppy --fs-uuid --set=root $uuid
search --no-floppy --fs-uuid --set=boot C0DE-2611
insmod blscfg
blscfg"
echo "$head" >boot/grub2/grub.cfg
# shellcheck disable=SC2016
printf '%s\n' 'title Linux 5.14' 'version 5.14' 'linux /vmlinuz-5.14' 'initrd /initramfs-5.14.img $tuned_initrd' \
	'options root=UUID=x dyndbg="file foo.c +p" $tuned_params' 'grub_users $grub_users' >boot/loader/entries/m-5.14.conf
gpt img boot esp
boots "blscfg takes the entries of its root" 'root=UUID=x "dyndbg=file foo.c +p"' boot/vmlinuz-5.14 boot/initramfs-5.14.img img
gpt img esp boot
boots "a menu comes before entries" 'root=UUID=x "dyndbg=file foo.c +p"' boot/vmlinuz-5.14 boot/initramfs-5.14.img img

# RHEL 8: menu and environment block are on the ESP.
rm -r boot/grub2 esp/loader
echo "$head" | sed 's/^insmod.*/load_env/' >esp/EFI/redhat/grub.cfg
# shellcheck disable=SC2016
sed -i 's/^options.*/options $kernelopts $tuned_params/' boot/loader/entries/m-5.14.conf
{
	printf '# GRUB Environment Block\nkernelopts=root=UUID=good ro\n'
	head -c 1024 /dev/zero | tr '\0' '#'
} | head -c 1024 >esp/EFI/redhat/grubenv
gpt img esp boot
boots "kernelopts on the ESP" "root=UUID=good ro" boot/vmlinuz-5.14 boot/initramfs-5.14.img img
rm esp/EFI/redhat/grub.cfg
gpt img esp boot
boots "kernelopts on the ESP, no grub.cfg" "root=UUID=good ro" boot/vmlinuz-5.14 boot/initramfs-5.14.img img
rm esp/EFI/redhat/grubenv
echo x >esp/EFI/redhat/x
gpt img esp boot
# shellcheck disable=SC2016
says "kernelopts nowhere" 'm-5.14.conf: skipped: its options use $kernelopts' img

# Entries for systemd-boot, on its ESP.
mkdir -p esp/loader/entries
cp boot/vmlinuz-5.14 esp/linux
printf '%s\n' 'title "A B"' 'linux /linux' 'options "root=/dev/xvda2 ro"' >esp/loader/entries/arch.conf
printf '%s\n' 'title Fallback' 'linux /linux' 'options fallback' >esp/loader/entries/arch-fallback.conf
printf '%s\n' 'title Gone' 'linux /gone' >esp/loader/entries/zzz.conf
rm -r boot/loader
gpt img esp boot
boots "systemd-boot's order and quotes" "root=/dev/xvda2 ro" boot/vmlinuz-5.14 "" img
grep -q "zzz.conf: skipped: (hd0,gpt1)/gone: .*no such file" got.err && ok "a kernel that is gone" ||
	fail "a kernel that is gone" "$(cat got.err)"

# A menu written for a /boot without a partition table, on a disk with one.
mkdir -p boot/grub
printf '%s\n' 'set root=(hd0)' 'menuentry T {' 'linux /vmlinuz-5.14 root=/dev/xvda1' '}' >boot/grub/grub.cfg
gpt img boot
boots "(hd0) on a disk with partitions" "root=/dev/xvda1" boot/vmlinuz-5.14 "" img
grep -qF "(hd0) has partitions and no file system; using (hd0,gpt1)" got.err && ok "and a warning" ||
	fail "and a warning" "$(cat got.err)"

# The messages about disks that cannot be read name their contents.
truncate -s 1M luks
printf 'LUKS\272\276\000\002' | dd of=luks conv=notrunc status=none
says "LUKS" "(hd0): LUKS2, which domgrub does not read" luks
rm boot/grub/grub.cfg
gpt img boot boot
printf 'LABELONE' | dd of=img bs=512 seek=$((2048 + 81920 + 1)) conv=notrunc status=none
printf 'LVM2 001' | dd of=img bs=1 seek=$(((2048 + 81920 + 1) * 512 + 24)) conv=notrunc status=none
dd if=/dev/zero of=img bs=512 seek=$((2048 + 81920 + 2)) count=2 conv=notrunc status=none
says "what each partition holds" "(hd0,gpt1): ext2, no menu; (hd0,gpt2): LVM2, which domgrub does not read" img
printf '%s\n' 'menuentry T {' 'linux (hd0,gpt2)/vmlinuz' '}' >boot/grub/grub.cfg
gpt img boot boot
dd if=/dev/zero of=img bs=512 seek=$((2048 + 81920 + 2)) count=2 conv=notrunc status=none
printf '\064\064' | dd of=img bs=1 seek=$(((2048 + 81920) * 512 + 1030)) conv=notrunc status=none
says "a kernel on a partition that cannot be read" "(hd0,gpt2): NILFS2, which domgrub does not read" img

# A disk of the Red Hat family: its /boot is XFS.
if command -v mkfs.xfs >/dev/null; then
	printf '%s\n' 'menuentry T {' "search --fs-uuid --set=root $uuid" 'insmod xfs' \
		'linux /vmlinuz-5.14 on xfs' 'initrd /initramfs-5.14.img' '}' >boot/grub/grub.cfg
	printf '%s\n' / '0 0' 'd--755 0 0' 'vmlinuz-5.14 ---644 0 0 boot/vmlinuz-5.14' \
		'initramfs-5.14.img ---644 0 0 boot/initramfs-5.14.img' 'grub2 d--755 0 0' \
		'grub.cfg ---644 0 0 boot/grub/grub.cfg' '$' '$' >proto
	rm -f xfs.part img
	truncate -s 320M xfs.part
	mkfs.xfs -q -m "uuid=$uuid" -p proto xfs.part
	truncate -s 340M img
	printf '%s\n' 'label: gpt' 'start=2048,size=655360' | sfdisk -q img
	into img 2048 xfs.part
	boots "XFS" "on xfs" boot/vmlinuz-5.14 boot/initramfs-5.14.img img
fi

# partition FILE: img becomes a disk with FILE as its partition
partition() {
	rm -f img
	truncate -s $(($(stat -c %s "$1") + (4 << 20))) img
	printf '%s\n' 'label: gpt' "start=2048,size=$(($(stat -c %s "$1") / 512))" | sfdisk -q img
	into img 2048 "$1"
}

# on_btrfs MOUNT-OPTIONS: make btrfs.part and img from fs; as root with Linux, and with subvolumes for the folders of fs
on_btrfs() {
	rm -f btrfs.part
	truncate -s 120M btrfs.part
	if [ "$(id -u)" = 0 ] && grep -qw btrfs /proc/filesystems && mkfs.btrfs -q btrfs.part >/dev/null 2>&1 &&
		mkdir -p mnt && mount -t btrfs -o "loop,$1" btrfs.part mnt 2>/dev/null; then
		for dir in fs/*; do
			btrfs -q subvolume create "mnt/${dir#fs/}"
			cp -r "$dir/." "mnt/${dir#fs/}"
		done
		sync -f mnt
		umount mnt
	else
		mkfs.btrfs -q -f -r fs btrfs.part >/dev/null 2>&1
	fi
	partition btrfs.part
}

if command -v mkfs.btrfs >/dev/null; then
	# Debian, Ubuntu: the root is the subvolume @.
	mkdir -p fs/@/boot/grub fs/@home
	cp boot/vmlinuz-5.14 boot/initramfs-5.14.img fs/@/boot
	seq 100000 >>fs/@/boot/initramfs-5.14.img
	printf '%s\n' 'menuentry T {' 'insmod btrfs' 'linux /@/boot/vmlinuz-5.14 root=x rootflags=subvol=@' \
		'initrd /@/boot/initramfs-5.14.img' '}' >fs/@/boot/grub/grub.cfg
	on_btrfs compress-force=zstd
	boots "btrfs with /@" "root=x rootflags=subvol=@" fs/@/boot/vmlinuz-5.14 fs/@/boot/initramfs-5.14.img img
	# The libraries for the other checksums work in the jail.
	for sum in xxhash sha256 blake2; do
		rm -f btrfs.part
		truncate -s 120M btrfs.part
		mkfs.btrfs -q --csum $sum -r fs btrfs.part >/dev/null 2>&1
		partition btrfs.part
		boots "btrfs with $sum" "root=x rootflags=subvol=@" fs/@/boot/vmlinuz-5.14 fs/@/boot/initramfs-5.14.img img
	done
	# Fedora: the root is the subvolume root; grub.cfg sets the directory of entries.
	mkdir -p fs/root
	mv fs/@/boot fs/root
	mkdir -p fs/root/boot/loader/entries fs/root/boot/grub2
	rm -r fs/@ fs/root/boot/grub
	printf '%s\n' 'insmod blscfg' 'set blsdir=/root/boot/loader/entries' blscfg >fs/root/boot/grub2/grub.cfg
	printf '%s\n' 'title Linux 5.14' 'version 5.14' 'linux /root/boot/vmlinuz-5.14' 'initrd /root/boot/initramfs-5.14.img' \
		'options root=x rootflags=subvol=root' >fs/root/boot/loader/entries/m-5.14.conf
	on_btrfs compress-force=lzo
	boots "btrfs with /root and blscfg" "root=x rootflags=subvol=root" fs/root/boot/vmlinuz-5.14 fs/root/boot/initramfs-5.14.img img
	# openSUSE: paths start in the default subvolume.
	if mount -t btrfs -o loop btrfs.part mnt 2>/dev/null; then
		printf '%s\n' 'menuentry T {' 'linux /boot/vmlinuz-5.14 root=x' 'initrd /boot/initramfs-5.14.img' '}' \
			>mnt/root/boot/grub2/grub.cfg
		mkdir mnt/@home/.snapshots
		btrfs -q subvolume snapshot mnt/root mnt/@home/.snapshots/1
		btrfs subvolume set-default mnt/@home/.snapshots/1
		btrfs -q subvolume delete mnt/root
		umount mnt
		partition btrfs.part
		boots "btrfs with a default subvolume" "root=x" fs/root/boot/vmlinuz-5.14 fs/root/boot/initramfs-5.14.img img
	fi
fi

# Installation CDs with menus for isolinux and GRUB.
if command -v genisoimage >/dev/null; then
	mkdir -p cd/isolinux cd/boot
	cp boot/vmlinuz-5.14 cd/boot/bzImage
	cp boot/initramfs-5.14.img cd/boot/initrd
	printf '%s\n' 'DEFAULT boot' 'LABEL boot' 'LINUX /boot/bzImage' 'APPEND init=/x root=LABEL=CD' 'INITRD /boot/initrd' \
		>cd/isolinux/isolinux.cfg
	rm -f img
	genisoimage -quiet -R -J -V CD -o img cd 2>/dev/null
	boots "a CD with isolinux" "init=/x root=LABEL=CD" boot/vmlinuz-5.14 boot/initramfs-5.14.img img
	rm -r cd/isolinux
	mkdir -p cd/EFI/boot
	printf '%s\n' 'search --set=root --label CD' 'menuentry T {' 'linux /boot/bzImage root=LABEL=CD' 'initrd /boot/initrd' '}' \
		>cd/EFI/boot/grub.cfg
	genisoimage -quiet -J -V CD -o img cd 2>/dev/null
	boots "a CD with GRUB" "root=LABEL=CD" boot/vmlinuz-5.14 boot/initramfs-5.14.img img
fi

# Menus that load each other: each is listed once, without delay.
{
	printf 'menuentry "Gr\303\266\303\237e \342\200\223 \360\237\220\247 \344" { linux /vmlinuz-5.14 a=\303\274 }\n'
	for i in 1 2 3 4 5 6 7 8; do echo "menuentry $i { configfile /grub/m$i.cfg }"; done
} >boot/grub/grub.cfg
for i in 1 2 3 4 5 6 7 8; do
	{
		echo "submenu s { menuentry deep$i { linux /vmlinuz-5.14 } }"
		echo "menuentry home { configfile /grub/grub.cfg }"
		for j in 1 2 3 4 5 6 7 8; do echo "menuentry $j { configfile /grub/m$j.cfg }"; done
	} >boot/grub/m$i.cfg
done
ext img 8M boot
timeout 10 "$domgrub" --config=none.conf -l --json img >got 2>got.err || fail "list" "$(cat got.err)"
n=$(grep -c '"entry"' got)
# 9 entries of grub.cfg, and for each of the others 10 entries and one below
[ "$n" -eq $((9 + 8 * 11)) ] && ok "each menu once" || fail "each menu once" "$n entries"
[ "$(grep -c '"title": "deep[1-8]"' got)" -eq 8 ] && ok "all of them" || fail "all of them" "$(cat got)"
python3 - <<'END' && ok "titles in UTF-8" || fail "titles in UTF-8" "$(head -3 got)"
import json
with open("got", encoding="ascii") as f:
    first = json.load(f)[0]
assert first["title"] == "Gr\u00f6\u00dfe \u2013 \U0001f427 \ufffd", first
assert first["args"] == "a=\u00fc", first
END
boots "and it boots" "$(printf 'a=\303\274')" boot/vmlinuz-5.14 "" img
finish
