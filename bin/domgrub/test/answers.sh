#!/bin/sh
# SPDX-License-Identifier: MIT
# Complete disks and domgrub's answers for them: what boots, from which file, with
# which arguments. If Debian's pygrub can boot the disk, too, its answer must be
# the same, byte for byte except for random names.
# usage: answers.sh DOMGRUB [PYGRUB]
. "$(dirname "$0")/common.sh"
pygrub=${2-}

store=nix/store/h9bt7a7xk3c3m4pj2w2zqy9n6s1v0d5f

# files DIR PREFIX: a kernel and two ramdisks
files() {
	mkdir -p "$1/$2"
	head -c 300001 /dev/urandom >"$1/$2/bzImage"
	head -c 200003 /dev/urandom >"$1/$2/initrd"
	head -c 70000 /dev/urandom >"$1/$2/initrd2"
}

# boots NAME WANTED-ARGS KERNEL-FILE RAMDISK-FILE [options] DISK
boots() {
	name=$1 args=$2 kernel=$3 ramdisk=$4
	shift 4
	clean
	if ! run -q --output-format=simple --output-directory=out "$@" >got.raw 2>got.err; then
		fail "$name" "$(cat got.err)"
		return
	fi
	plain <got.raw >got
	{
		echo "kernel boot_kernel.X"
		[ -z "$ramdisk" ] || echo "ramdisk boot_ramdisk.X"
		[ -z "$args" ] || echo "args $args"
		echo
	} >want
	same "$name" want got
	cmp -s out/boot_kernel.* "$kernel" || fail "$name" "another kernel"
	[ -z "$ramdisk" ] || cmp -s out/boot_ramdisk.* "$ramdisk" || fail "$name" "another ramdisk"
	[ "$(stat -c %a out/boot_kernel.*)" = 600 ] || fail "$name" "not 0600"
	[ -n "$ramdisk" ] || [ ! -e out/boot_ramdisk.* ] || fail "$name" "a ramdisk was left"
}

# As xl calls a restricted helper. For that, pygrub needs root and a mount name space.
restricted=
[ "$(id -u)" != 0 ] || ! unshare -mni true 2>/dev/null || restricted="--runas=65534 --quiet --output-format=simple0"

# alike NAME [options] DISK: pygrub's answer is the same in each format, restricted, and with -l
alike() {
	name=$1
	shift
	[ -n "$pygrub" ] || return 0
	for how in ${list--l} "-q --output-format=sxp" "-q --output-format=simple" \
		"-q --output-format=simple0" "-qn" ${restricted:+"$restricted"}; do
		clean
		# shellcheck disable=SC2086
		"$pygrub" $how --output-directory="$work/out" "$@" 2>/dev/null | plain >want
		clean
		# shellcheck disable=SC2086
		run $how --output-directory="$work/out" "$@" 2>/dev/null | plain >got
		same "$name: pygrub $how" want got
	done
	clean
}

nixos_shapes() {
	both="search --set=drive1 --fs-uuid $uuid
search --set=drive2 --fs-uuid $uuid"
	usual="init=/nix/store/x/init console=hvc0"
	files root "$store-linux"
	k=root/$store-linux/bzImage r=root/$store-linux/initrd
	mkdir -p root/boot/grub
	nixos_cfg "(\$drive2)/$store-linux" "$both" >root/boot/grub/grub.cfg
	ext part 30M root -U $uuid
	disk img 40M part
	boots "NixOS default" "$usual" $k $r img
	boots "NixOS, older" "init=/nix/store/2/init" $k $r --entry="1>1" img
	boots "NixOS, older by name" "init=/nix/store/3/init" $k $r \
		--entry="NixOS - All configurations>NixOS - Configuration 3 (2025-10-03 - 25.11)" img
	boots "--args" "$usual a b" $k $r --args="a b" img
	boots "--kernel" "x" $k "" --kernel="/$store-linux/bzImage" --args=x img
	boots "--kernel and --ramdisk" "" $k $r --kernel="/$store-linux/bzImage" \
		--ramdisk="/$store-linux/initrd" img
	boots "--offset" "$usual" $k $r --offset=$((2048 * 512)) img

	label="search --set=drive1 --label NIXOS
search --set=drive2 --label NIXOS"
	nixos_cfg "(\$drive2)/$store-linux" "$label" >root/boot/grub/grub.cfg
	ext part 30M root -L NIXOS
	disk img 40M part
	boots "NixOS by label" "$usual" $k $r img

	mkdir -p root/boot/kernels
	cp $k $r root/boot/kernels
	nixos_cfg "(\$drive1)/boot/kernels" "search --set=drive1 --fs-uuid $uuid" \
		>root/boot/grub/grub.cfg
	ext part 30M root -U $uuid
	disk img 40M part
	boots "NixOS copyKernels" "$usual" $k $r img

	mkdir -p boot/grub
	cp -r root/boot/kernels boot/
	nixos_cfg "/kernels" "" >boot/grub/grub.cfg
	ext bare 30M boot -L NIXBOOT
	boots "NixOS separate /boot, bare" "$usual" $k $r bare
	nixos_cfg "(\$drive1)//kernels" "search --set=drive1 --fs-uuid $uuid2" >boot/grub/grub.cfg
	ext bare 30M boot -U $uuid2
	boots "NixOS separate /boot by UUID" "$usual" $k $r bare

	nixos_cfg "(\$drive2)/$store-linux" "search --set=drive1 --fs-uuid $uuid2
search --set=drive2 --fs-uuid $uuid" >boot/grub/grub.cfg
	ext bare 30M boot -U $uuid2
	boots "NixOS, kernel on the second disk" "$usual" $k $r --disk=img bare
}

pygrub_shapes() {
	# The part of grub.cfg that pygrub supports: no submenu, no drives.
	cat >boot/grub/grub.cfg <<'END'
set default=1
set timeout=3
menuentry "One" {
  linux /kernels/bzImage root=/dev/xvda1 ro
  initrd /kernels/initrd
}
menuentry 'Two and "more"' {
  linux /kernels/bzImage root=/dev/xvda1 "it's" ro
  initrd /kernels/initrd
}
END
	ext bare 30M boot
	# GRUB puts a backslash before a quote, but pygrub does not.
	boots "quotes in arguments" "root=/dev/xvda1 it\\'s ro" $k $r bare
	sed -i 's/"it.s" ro/quiet/' boot/grub/grub.cfg
	ext bare 30M boot
	boots "plain grub.cfg" "root=/dev/xvda1 quiet" $k $r bare
	alike "plain grub.cfg" bare
	alike "plain grub.cfg, --args" --args="x y" bare
	alike "plain grub.cfg, --entry number" --entry=0 bare
	alike "plain grub.cfg, --entry title" --entry=One bare
	disk img2 40M bare
	alike "plain grub.cfg in a partition" img2
	list='' # with --kernel pygrub lists nothing
	alike "--kernel" --kernel=/kernels/bzImage --args=single bare
	unset list
	rm boot/grub/grub.cfg

	printf '%s\n' 'default 1' 'timeout 5' 'title One' 'root (hd0)' \
		'kernel /kernels/bzImage one' 'initrd /kernels/initrd' '' \
		'title Two' 'root (hd0)' 'kernel /kernels/bzImage two' \
		'initrd /kernels/initrd' >boot/grub/menu.lst
	ext bare 30M boot
	boots "menu.lst" "two" $k $r bare
	alike "menu.lst" bare
	rm -r boot/grub

	mkdir -p boot/extlinux
	printf '%s\n' 'DEFAULT two' 'TIMEOUT 50' 'LABEL one' ' KERNEL /kernels/bzImage' \
		' APPEND initrd=/kernels/initrd one' 'LABEL two' ' KERNEL /kernels/bzImage' \
		' APPEND initrd=/kernels/initrd two x=y' >boot/extlinux/extlinux.conf
	ext bare 30M boot
	boots "extlinux.conf" "two x=y" $k $r bare
	alike "extlinux.conf" bare
	printf '%s\n' 'DEFAULT virt' 'PROMPT 0' 'LABEL virt' ' MENU LABEL Linux virt' \
		' LINUX ../kernels/bzImage' ' INITRD ../kernels/initrd' ' APPEND alpine' \
		>boot/extlinux/extlinux.conf
	ext bare 30M boot
	boots "extlinux.conf as Alpine's" "alpine" $k $r bare
	rm -r boot/extlinux
}

other_shapes() {
	# Two ramdisks: the second starts at a multiple of four.
	mkdir -p boot/grub
	cp root/$store-linux/initrd2 boot/kernels/
	cat >boot/grub/grub.cfg <<'END'
menuentry Two {
  linux /kernels/bzImage
  initrd /kernels/initrd /kernels/initrd2
}
END
	ext bare 30M boot
	{ cat boot/kernels/initrd; printf '\0'; cat boot/kernels/initrd2; } >both
	boots "two ramdisks" "" $k both bare

	# Logical partitions: the menu is on the sixth.
	rm -f img
	truncate -s 100M img
	printf '%s\n' 'label: dos' 'img1: start=2048,size=2048,type=83' \
		'img2: size=190000,type=5' 'img5: size=4096,type=83' \
		'img6: size=70000,type=83' | sfdisk -q img
	into img "$(sfdisk -d img | sed -n 's/^img6.*start= *\([0-9]*\).*/\1/p')" bare
	boots "logical partition" "" $k both img

	# GPT with Boot Loader Specification entries on FAT, as for systemd-boot.
	mkdir -p esp/loader/entries esp/EFI/nixos
	cp $k esp/EFI/nixos/kernel.efi
	cp $r esp/EFI/nixos/initrd.efi
	printf '%s\n' 'default nixos-generation-2.conf' 'timeout 5' >esp/loader/loader.conf
	for g in 1 2; do
		printf '%s\n' "title NixOS" "version Generation $g" 'linux /EFI/nixos/kernel.efi' \
			'initrd /EFI/nixos/initrd.efi' "options init=/nix/store/$g/init" \
			>esp/loader/entries/nixos-generation-$g.conf
	done
	rm -f img part
	truncate -s 60M part
	mkfs.fat -F 32 -s 1 part >/dev/null
	mcopy -i part -s esp/* ::
	truncate -s 80M img
	printf '%s\n' 'label: gpt' 'start=2048,size=122880,type=uefi' | sfdisk -q img
	into img 2048 part
	boots "systemd-boot on GPT and FAT" "init=/nix/store/2/init" $k $r img
	# The first header is destroyed: the copy at the end is used.
	dd if=/dev/zero of=img bs=512 seek=1 count=1 conv=notrunc status=none
	boots "GPT's copy" "init=/nix/store/2/init" $k $r img

	# A disk with sectors of 4096 bytes, in a file.
	cat >boot/grub/grub.cfg <<'END'
menuentry 4k {
  linux (hd0,gpt1)/kernels/bzImage 4k
  initrd (hd0,1)/kernels/initrd
}
END
	ext part 30M boot -b 4096
	"$(dirname "$domgrub")/gpt_disk_4k" part img
	boots "sectors of 4096 bytes" "4k" $k $r img
}

nixos_shapes
pygrub_shapes
other_shapes
finish
