#!/bin/sh
# SPDX-License-Identifier: MIT
# Unified kernel images on an EFI system partition. systemd's bootctl lists the same ones where it is installed, and objcopy
# makes one from systemd's own stub. usage: images.sh DOMGRUB
here=$(realpath "$(dirname "$0")")
make=$here/../../../lib/grub/test/uki.py
# Mounts in its own mount namespace, so that no other test keeps them busy.
if [ "$(id -u)" = 0 ] && [ -z "${own_mounts:-}" ]; then
	own_mounts=1 exec unshare --mount "$0" "$@"
fi
. "$(dirname "$0")/common.sh"

head -c 300001 /dev/urandom >kernel
head -c 200003 /dev/urandom >initrd
printf 'other kernel' >kernel2
mkdir -p esp/EFI/Linux esp/loader/entries
# osrel FILE LINE...
osrel() {
	file=$1
	shift
	printf '%s\n' "$@" >"$file"
}
osrel arch 'NAME="Arch Linux"' 'PRETTY_NAME="Arch Linux"' ID=arch BUILD_ID=rolling
osrel fedora40 'NAME="Fedora Linux"' 'VERSION="40 (Server)"' ID=fedora VERSION_ID=40 'PRETTY_NAME="Fedora Linux 40"'
osrel fedora41 'NAME="Fedora Linux"' 'VERSION="41 (Server)"' ID=fedora VERSION_ID=41 'PRETTY_NAME="Fedora Linux 41"'
osrel image "IMAGE_ID='appliance'" IMAGE_VERSION=7 ID=debian
printf 'root=/dev/xvda2 ro\n\tquiet\n\0' >cmdline
printf '6.1.0-1\n' >uname

# uki NAME ARGUMENT...: EFI/Linux/NAME.efi
uki() {
	name=$1
	shift
	python3 -I -S "$make" "esp/EFI/Linux/$name.efi" "$@"
}

# disk: img has esp as its only partition
disk() {
	rm -f esp.fs img
	truncate -s 40M esp.fs
	mkfs.fat -F 32 -s 1 -i C0DE2611 esp.fs >/dev/null
	mcopy -i esp.fs -s esp/* ::
	truncate -s 44M img
	printf '%s\n' 'label: gpt' 'start=2048,size=81920,type=uefi' | sfdisk -q img
	into img 2048 esp.fs
}

# boots NAME ARGS KERNEL INITRD [OPTION...]
boots() {
	name=$1 args=$2 kernel=$3 initrd=$4
	shift 4
	clean
	run -q --output-format=simple --output-directory=out "$@" img >got 2>got.err || { fail "$name" "$(cat got.err)"; return; }
	[ "$(sed -n 's/^args //p' got)" = "$args" ] || { fail "$name" "$(cat got)"; return; }
	cmp -s out/boot_kernel.* "$kernel" || { fail "$name" "another kernel"; return; }
	[ -z "$initrd" ] || cmp -s out/boot_ramdisk.* "$initrd" || { fail "$name" "another initrd"; return; }
	ok "$name"
}

# notes NAME WORDS: the last boot said this
notes() { grep -qF -- "$2" got.err && ok "$1" || fail "$1" "$(cat got.err)"; }

# says NAME WORDS
says() {
	rc=0
	run -q --output-directory=out img >got 2>got.err || rc=$?
	[ $rc -eq 1 ] && grep -qF -- "$2" got.err && ok "$1" || fail "$1" "status $rc: $(cat got.err)"
}

uki arch .text=cmdline .osrel=arch .cmdline=cmdline .uname=uname .linux=kernel .initrd=initrd
disk
boots "one image, without entries" "root=/dev/xvda2 ro  quiet" kernel initrd
rm -r esp/loader
disk
boots "without loader/" "root=/dev/xvda2 ro  quiet" kernel initrd
mkdir -p esp/loader/entries

# A menu of images and entries.
uki fedora-41 .osrel=fedora41 .linux=kernel2 .cmdline=cmdline
uki fedora-40+0-3 .osrel=fedora40 .linux=kernel .cmdline=cmdline
uki fedora-40.9 .osrel=fedora40 .linux=kernel .initrd=initrd
uki appliance .osrel=image .linux=kernel
uki auto-hidden .osrel=image .linux=kernel
mkdir esp/EFI/other
cp esp/EFI/Linux/arch.efi esp/EFI/other/
cp kernel2 esp/vmlinuz
cat >esp/loader/entries/one.conf <<-END
	title By an entry
	sort-key arch
	version 9
	uki \\EFI\\other\\arch.efi
	options its own
END
cat >esp/loader/entries/two.conf <<-END
	title Implied
	efi /EFI/other/arch.efi
END
printf '%s\n' 'title Plain' 'sort-key fedora' 'version 40.5' 'linux /vmlinuz' >esp/loader/entries/plain.conf
disk
run -l img 2>got.err | sed -n 's/^title: //p' >got
printf '%s\n' appliance "By an entry" "Arch Linux" "Fedora Linux 41" "Fedora Linux 40 (40 (Server)) (fedora-40.9)" "Plain" "Implied" \
	"Fedora Linux 40 (40 (Server)) (fedora-40)" >want
same "the order and the titles" want got
[ ! -s got.err ] && ok "no warning" || fail "no warning" "$(cat got.err)"
boots "the first" "" kernel "" --entry=0
boots "an entry's options replace the image's" "its own" kernel initrd --entry=1
boots "an entry without options" "root=/dev/xvda2 ro  quiet" kernel initrd --entry=Implied
boots "by its title" "" kernel initrd "--entry=Fedora Linux 40 (40 (Server)) (fedora-40.9)"
boots "by its name" "root=/dev/xvda2 ro  quiet" kernel2 "" --entry=fedora-41
printf 'default fedora-4*.efi\ntimeout 3\n' >esp/loader/loader.conf
disk
boots "the default of loader.conf" "root=/dev/xvda2 ro  quiet" kernel2 ""
printf 'default plain.conf\n' >esp/loader/loader.conf
disk
boots "the default is an entry" "" kernel2 ""
mkdir mnt
ext esp.ext 40M esp
# Some kernels have no FAT.
if command -v bootctl >/dev/null && mount -o loop,ro esp.ext mnt 2>/dev/null; then
	SYSTEMD_RELAX_ESP_CHECKS=1 bootctl --esp-path="$work/mnt" --boot-path="$work/mnt" --json=short list >listed 2>listed.err || true
	umount mnt
	# bootctl of systemd 252 has neither counters in the names of images nor the key "uki".
	cat >ids.py <<-'END'
		import json, re, sys
		text = open(sys.argv[1]).read()
		entries = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
		for e in entries:
		    args = e.get("options", e.get("args")) or ""
		    name = re.sub(r"(\+0-3)?\.(efi|conf)$", "", e["id"])
		    if name not in ("one", "two", "auto-hidden"):
		        print(name, e.get("title"), " ".join(args.split()))
	END
	run -l --json img >ours 2>/dev/null
	python3 -I -S ids.py listed >want
	python3 -I -S ids.py ours >got
	sed 's/ (40 (Server)) (fedora-40[.0-9]*)//' got >got.plain
	# There, the image without tries left is an ordinary one.
	grep -v '^fedora-40 ' want >want.good
	grep -v '^fedora-40 ' got.plain >got.good
	[ -s want.good ] || fail bootctl "$(cat listed.err)"
	same "bootctl lists the same, in the same order" want.good got.good
fi

# Profiles: the first one's sections, and those for all.
rm -r esp/EFI/Linux esp/loader
mkdir esp/EFI/Linux
printf 'base\n' >base
printf 'first\n' >first
printf 'second\n' >second
printf 'ID=main\nTITLE=Main\n' >profile
uki p .osrel=arch .linux=kernel .initrd=initrd .cmdline=base .profile=profile .cmdline=first .profile=profile .cmdline=second
disk
boots "the first of two profiles" "first" kernel initrd
uki p .osrel=arch .linux=kernel .initrd=initrd .cmdline=base .profile=profile .profile=profile .cmdline=second .linux=kernel2
disk
boots "a profile without its own" "base" kernel initrd

stub=${STUB:-/usr/lib/systemd/boot/efi/linuxx64.efi.stub}
if [ -e "$stub" ] && command -v objcopy >/dev/null; then
	objcopy --add-section .osrel=arch --change-section-vma .osrel=0x20000 --add-section .cmdline=cmdline \
		--change-section-vma .cmdline=0x30000 --add-section .linux=kernel --change-section-vma .linux=0x2000000 \
		--add-section .initrd=initrd --change-section-vma .initrd=0x3000000 "$stub" esp/EFI/Linux/p.efi
	disk
	boots "made by objcopy" "root=/dev/xvda2 ro  quiet" kernel initrd
fi

# What is left out, with a good one beside it.
good() { uki z .osrel=arch .linux=kernel2; }
# bad NAME WORDS ARGUMENT...
bad() {
	bad=$1 words=$2
	shift 2
	uki p "$@"
	disk
	boots "$bad" "" kernel2 ""
	if [ -n "$words" ]; then
		notes "$bad: a warning" "p.efi: skipped: $words"
	else
		grep -q skipped got.err && fail "$bad" "$(cat got.err)" || ok "$bad: no warning"
	fi
}
good
bad "no kernel" "" .osrel=arch .cmdline=cmdline
bad "for ARM" "" machine=0xaa64 .osrel=arch .linux=kernel
bad "a header outside of it" "" pe=0x7fffffff .osrel=arch .linux=kernel
bad "no name" "its section .osrel names no system" .linux=kernel .cmdline=cmdline
bad "too many sections" "/EFI/Linux/p.efi: 97 sections, more than the limit of 96" sections=97 .osrel=arch .linux=kernel
bad "headers beyond its end" "/EFI/Linux/p.efi: 40 bytes are needed at 504, but there are only 512" sections=96 short=512 .text=arch
bad "a section beyond its end" "/EFI/Linux/p.efi: section .linux of 300001 bytes at 1024 does not fit into" short=5000 .osrel=arch .linux=kernel
head -c 70000 /dev/zero | tr '\0' a >long
bad "a long command line" "/EFI/Linux/p.efi: a text of 70000 bytes, more than the limit of 65536" .osrel=arch .linux=kernel .cmdline=long
uki p raw=512 .osrel=arch .cmdline=cmdline .linux=kernel .initrd=initrd .uname=uname .text=long
disk
boots "sections that are longer in the file" "root=/dev/xvda2 ro  quiet" kernel initrd --entry=p
rm esp/EFI/Linux/*
cp kernel esp/EFI/Linux/x.efi
disk
says "only what is none" "(hd0,gpt1)/loader: no entries"
finish
