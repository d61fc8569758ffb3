# SPDX-License-Identifier: MIT
# The disks of table_rows.sh. disk_NAME makes the file $made; in the directory t it finds kernels/ with two kernels and
# ramdisks: bzImage and initrd are the right ones, bzImage0 and initrd0 must not be booted.
# shellcheck shell=bash disable=SC2034,SC2154 # shared with table.sh
store=nix/store/h9bt7a7xk3c3m4pj2w2zqy9n6s1v0d5f-linux
uki_py=$sources/lib/grub/test/uki.py
lvm_py=$sources/lib/disk/test/lvm.py
md_py=$sources/lib/disk/test/md.py

mkdir base
python3 "$sources/test/inspect/kernel.py" 6.12.1 1 1 kernel
python3 "$sources/test/inspect/kernel.py" 6.12.0 1 1 kernel0
head -c 5003 /dev/urandom >initrd
head -c 3001 /dev/urandom >initrd0
{ cat initrd; printf '\0'; cat initrd0; } >both
cp kernel base/bzImage
cp kernel0 base/bzImage0
cp initrd initrd0 base

new() { rm -rf t && mkdir t && cp -r base t/kernels; }

# entry PATH [SUFFIX [ARGS]]: a menu's entry for the kernel in PATH
entry() {
  printf '%s\n' "menuentry \"Linux${2-}\" --class os {" " linux $1/bzImage${2-} ${3-right}" " initrd $1/initrd${2-}" '}'
}
wrong() { entry /kernels 0 wrong; }
right() { entry /kernels; }

# file PATH: standard input becomes the file in t
file() { mkdir -p "t/$(dirname "$1")" && cat >"t/$1"; }
menu() { file boot/grub/grub.cfg; }

# make_ext FILE [OPTION...]: t on ext2, or what the options say
make_ext() {
  rm -f "$1"
  truncate -s "${size:-4M}" "$1"
  mke2fs -q -F -m 0 -d t "${@:2}" "$1"
}

# bare [OPTION...]: t on a disk without partitions. part [OPTION...]: in the partition of an MBR.
bare() { make_ext "$made" -t ext4 "$@"; }
part() { make_ext part -t ext4 "$@" && disk "$made" 6M part; }

# gpt FILE [TYPE]: this file system in a partition of GPT
gpt() {
  rm -f "$made"
  truncate -s $(($(stat -c %s "$1") + (3 << 20))) "$made"
  printf '%s\n' 'label: gpt' "start=2048,size=$(($(stat -c %s "$1") / 512)),type=${2:-linux}" | sfdisk -q "$made"
  into "$made" 2048 "$1"
}

# fat [SIZE OPTION...]: t on an EFI system partition
fat() {
  rm -f esp
  truncate -s "${1:-8M}" esp
  mkfs.fat -i C0DE2611 "${@:2}" esp >/dev/null
  mcopy -i esp -s t/* ::
}
esp() { fat && gpt esp uefi; }

# NixOS: kernel and ramdisk for all entries; the generations differ by their arguments.
search_uuid="search --set=drive1 --fs-uuid $uuid
search --set=drive2 --fs-uuid $uuid"
in_store() { mkdir -p "t/$store" && cp base/bzImage base/initrd "t/$store"; }
disk_nixos_uuid() { in_store && nixos_cfg "(\$drive2)/$store" "$search_uuid" | menu && part -U $uuid; }
disk_nixos_label() { in_store && nixos_cfg "(\$drive2)/$store" "${search_uuid//--fs-uuid $uuid/--label NIXOS}" | menu && part -L NIXOS; }
disk_nixos_copied() { mkdir t/boot && mv t/kernels t/boot && nixos_cfg "(\$drive1)/boot/kernels" "$search_uuid" | menu && part -U $uuid; }
disk_nixos_boot_uuid() { nixos_cfg "(\$drive1)//kernels" "$search_uuid" | file grub/grub.cfg && bare -U $uuid; }
disk_nixos_boot() { nixos_cfg /kernels "" | file grub/grub.cfg && bare; }
disk_nixos_two() { rm -r t/kernels && nixos_cfg "(\$drive2)/$store" "$search_uuid" | file grub/grub.cfg && bare; }

# GRUB's menus
disk_plain() { { echo 'set default=1'; wrong; right; } | menu && bare; }
disk_if() { { echo 'if true; then'; echo 'set default=1'; echo 'else'; echo 'set default=0'; echo 'fi'; wrong; right; } | menu && bare; }
disk_for() { { echo 'for k in /kernels; do'; entry "\$k"; echo 'done'; } | menu && bare; }
disk_function() { { echo 'function entries {'; right; echo '}'; echo 'entries'; } | menu && bare; }
disk_variable() { { echo 'set dir=/kernels'; entry "\$dir"; } | menu && bare; }
disk_configfile() { echo 'configfile /boot/other.cfg' | menu && right | file boot/other.cfg && bare; }
disk_linuxefi() { right | sed 's/linux /linuxefi /; s/initrd /initrdefi /' | menu && bare; }
disk_ramdisks() { right | sed 's,initrd /.*,& /kernels/initrd0,' | menu && bare; }
disk_by_title() { { echo 'set default="Linux"'; wrong; right; } | menu && bare; }
disk_by_id() { { echo 'set default=id1'; wrong; right | sed 's/--class os/--id id1/'; } | menu && bare; }
disk_by_path() { { echo 'set default="1>0"'; wrong; echo 'submenu "Older" {'; right; echo '}'; } | menu && bare; }
# saved NAME: the menu's default is the entry that NAME in grubenv has
saved() {
  printf '# GRUB Environment Block\n%s=1\n%1024s' "$1" '' | tr ' ' '#' | sed '1s/#/ /2g' | head -c 1024 | file boot/grub/grubenv
  { echo load_env; echo "set default=\"\${$1}\""; wrong; right; } | menu
  bare
}
disk_saved_entry() { saved saved_entry; }
disk_next_entry() { saved next_entry; }
disk_fallback() { { echo 'set default=0'; echo 'set fallback=1'; entry /gone; right; } | menu && bare; }
disk_root_hd0() { { echo 'set root=(hd0)'; right; } | menu && part; }
disk_multiboot() { printf 'menuentry "Xen" --class xen {\n multiboot /kernels/bzImage right\n module /kernels/initrd\n}\n' | menu && bare; }

# Other menus
disk_legacy() {
  printf '%s\n' 'default 1' 'title Zero' 'root (hd0)' 'kernel /kernels/bzImage0 wrong' 'initrd /kernels/initrd0' \
    'title One' 'root (hd0)' 'kernel /kernels/bzImage right' 'initrd /kernels/initrd' | file boot/grub/menu.lst
  bare
}
# syslinux LINE...: a menu whose entry "one" has these lines. append: KERNEL and APPEND
syslinux() { printf '%s\n' 'DEFAULT one' 'LABEL zero' ' KERNEL /kernels/bzImage0' ' APPEND initrd=/kernels/initrd0 wrong' 'LABEL one' "$@"; }
append() { syslinux ' KERNEL /kernels/bzImage' ' APPEND initrd=/kernels/initrd right'; }
disk_extlinux() { append | file boot/extlinux/extlinux.conf && bare; }
disk_isolinux() { append | file boot/isolinux/isolinux.cfg && iso -R; }
disk_extlinux_linux() {
  syslinux ' LINUX /kernels/bzImage' ' INITRD /kernels/initrd' ' APPEND right' | file boot/extlinux/extlinux.conf
  bare
}
disk_extlinux_relative() {
  syslinux ' KERNEL bzImage' ' APPEND initrd=initrd right' | file boot/extlinux/extlinux.conf
  mv t/kernels/* t/boot/extlinux
  bare
}
disk_extlinux_include() { echo 'INCLUDE more.conf' | file boot/extlinux/extlinux.conf && append | file boot/extlinux/more.conf && bare; }
disk_isolinux_dir() { append | file isolinux/isolinux.cfg && iso -R; }
disk_syslinux_dir() { append | file boot/syslinux/syslinux.cfg && bare; }
# by_module LINE...: the entry "right" by a module of SYSLINUX
by_module() {
  { printf '%s\n' "$@" 'LABEL right'; syslinux ' KERNEL /kernels/bzImage' ' APPEND initrd=/kernels/initrd right' | tail -n 2; } |
    file boot/extlinux/extlinux.conf
  bare
}
disk_whichsys() { by_module 'DEFAULT w' 'LABEL w' ' COM32 whichsys.c32' ' APPEND -iso- gone -sys- right'; }
disk_ifcpu64() { by_module 'DEFAULT i' 'LABEL i' ' COM32 ifcpu64.c32' ' APPEND right -- gone'; }
disk_linux_c32() { by_module 'DEFAULT l' 'LABEL l' ' COM32 linux.c32' ' APPEND /kernels/bzImage initrd=/kernels/initrd right'; }

# bls NAME [SUFFIX [ARGS [LINE...]]]: an entry of the Boot Loader Specification
bls() {
  printf '%s\n' "title Linux${2-}" "linux /kernels/bzImage${2-}" "initrd /kernels/initrd${2-}" "options ${3-right}" "${@:4}" |
    file "loader/entries/$1.conf"
}
disk_bls() { bls z 0 wrong && bls a && printf 'default a.conf\n' | file loader/loader.conf && esp; }
disk_bls_counted() { bls a+0-3 0 wrong && bls b+3 && bare; }
disk_bls_preferred() { bls z 0 wrong && bls a && printf 'preferred a.conf\n' | file loader/loader.conf && esp; }
disk_blscfg() {
  rm -r t/kernels
  { echo "search --no-floppy --fs-uuid --set=root $uuid"; echo 'insmod blscfg'; echo load_env; echo blscfg; } | file EFI/redhat/grub.cfg
  printf '# GRUB Environment Block\nkernelopts=right\n%1024s' '' | head -c 1024 | sed '3s/ /#/g' | file EFI/redhat/grubenv
  fat
  new
  # shellcheck disable=SC2016
  bls m-5 '' '$kernelopts'
  make_ext second -t ext4 -U $uuid
  rm -f "$made"
  truncate -s 14M "$made"
  printf '%s\n' 'label: gpt' 'start=2048,size=16384,type=uefi' 'start=18432,size=8192' | sfdisk -q "$made"
  into "$made" 2048 esp
  into "$made" 18432 second
}
# uki FILE [SUFFIX [SECTION=FILE...]]: a unified kernel image
uki() {
  mkdir -p "t/$(dirname "$1")"
  printf 'NAME=L\nPRETTY_NAME="L"\nID=l\nVERSION_ID=%s\n' "${2:-9}" >osrel
  echo right >right && echo wrong >wrong
  [ -z "${2-}" ] || cp wrong right
  python3 -I -S "$uki_py" "t/$1" .osrel=osrel .cmdline=right ".linux=kernel${2-}" ".initrd=initrd${2-}" "${@:3}"
}
disk_uki() { uki EFI/Linux/a.efi && esp; }
disk_uki_sorted() { uki EFI/Linux/a.efi 0 && uki EFI/Linux/b.efi && esp; }
disk_uki_named() { uki EFI/x/a.efi && printf '%s\n' 'title L' 'uki /EFI/x/a.efi' | file loader/entries/a.conf && esp; }
disk_efi_named() { uki EFI/x/a.efi && printf '%s\n' 'title L' 'efi /EFI/x/a.efi' | file loader/entries/a.conf && esp; }
disk_uki_profiles() {
  printf 'ID=main\nTITLE=Main\n' >profile
  uki EFI/Linux/a.efi '' .profile=profile .profile=profile .cmdline=wrong
  esp
}

# Partition tables
disk_mbr() { right | menu && part; }
disk_logical() {
  right | menu && make_ext part
  rm -f "$made"
  truncate -s 10M "$made"
  printf '%s\n' 'label: dos' 'x1: start=2048,size=2048,type=83' 'x2: start=4096,size=16384,type=5' 'x5: start=6144,size=8192,type=83' |
    sfdisk -q "$made"
  into "$made" 6144 part
}
disk_gpt() { right | menu && make_ext part && gpt part; }
disk_gpt_backup() { disk_gpt && dd if=/dev/zero of="$made" bs=512 seek=1 count=1 conv=notrunc status=none; }
disk_4k() { right | menu && make_ext part -b 4096 && "$(dirname "${program[domgrub]}")/gpt_disk_4k" part "$made"; }

# File systems
extfs() { right | menu && size=8M make_ext "$made" "$@"; }
disk_ext2() { extfs -t ext2; }
disk_ext3() { extfs -t ext3; }
disk_ext4() { extfs -t ext4; }
disk_ext4_inline() { extfs -t ext4 -O inline_data -I 256; }
disk_ext4_casefold() { extfs -t ext4 -O casefold; }
disk_ext4_metabg() { extfs -t ext4 -O meta_bg,^resize_inode; }
disk_ext4_bigalloc() { extfs -t ext4 -O bigalloc; }
# unclean TYPE: the journal has another menu
unclean() {
  { right; wrong; } | sed 's/menuentry/\n&/' >new_menu
  { wrong; right; } | sed 's/menuentry/\n&/' | menu
  size=8M make_ext "$made" -b 1024 -t "$1"
  truncate -s 1024 new_menu
  tr '\0' '\n' <new_menu >block
  printf '%s\n' jo "jw -b $(debugfs -R 'blocks /boot/grub/grub.cfg' "$made" 2>/dev/null | tr -d ' ') block" jc |
    debugfs -w -f - "$made" >/dev/null 2>&1
}
disk_unclean3() { unclean ext3; }
disk_unclean4() { unclean ext4; }
fatfs() {
  mv t/kernels t/kernels-with-a-long-name
  entry /kernels-with-a-long-name | menu
  fat "$@"
  mv esp "$made"
}
disk_fat12() { fatfs 4M -F 12; }
disk_fat16() { fatfs 16M -F 16; }
disk_fat32() { fatfs 40M -F 32 -s 1; }
xfs() {
  right | menu
  python3 -I -S "$sources/lib/fs/test/trees.py" proto t >proto
  truncate -s 320M "$made"
  mkfs.xfs -q -p proto "$@" "$made"
}
disk_xfs4() { xfs -m crc=0,finobt=0; }
disk_xfs4_untyped() { xfs -m crc=0,finobt=0 -n ftype=0; }
disk_xfs5() { xfs -m rmapbt=1,reflink=1; }
disk_btrfs() { right | menu && truncate -s 120M "$made" && mkfs.btrfs -q -r t "$@" "$made" >/dev/null 2>&1; }
disk_btrfs_xxhash() { disk_btrfs --csum xxhash; }
disk_btrfs_sha256() { disk_btrfs --csum sha256; }
disk_btrfs_blake2() { disk_btrfs --csum blake2; }
iso() { genisoimage -quiet "$@" -o "$made" t 2>/dev/null; }
disk_iso() { right | menu && iso -R; }
disk_iso_joliet() { right | menu && iso -J; }
disk_iso_plain() { right | menu && iso -iso-level 4; }

# Containers, and what cannot be read
md() { right | menu && make_ext boot.fs && python3 -I -S "$md_py" "$1" boot.fs member "${@:2}" && gpt member; }
disk_md090() { md 0.90; }
disk_md10() { md 1.0; }
disk_md11() { md 1.1; }
disk_md12() { md 1.2; }
disk_md_raid5() { md 1.2 level=5; }
# lvm SEGMENT: the volume boot on pv0 and pv1, the files $made and $second
lvm() {
  second=${made%.img}.second
  cat >vg <<END
vg { id = "AAAAAA-0000-0000-0000-0000-0000-AAAAAA"
seqno = 1
status = ["READ", "WRITE"]
extent_size = 2048
physical_volumes {
pv0 { id = "000000-0000-0000-0000-0000-0000-000000" device = "/dev/sda" dev_size = 20480 flags = [] pe_start = 2048 pe_count = 9 }
pv1 { id = "111111-1111-1111-1111-1111-1111-111111" device = "/dev/sdb" dev_size = 20480 flags = [] pe_start = 2048 pe_count = 9 }
}
logical_volumes {
boot { id = "llllll-0000-0000-0000-0000-0000-llllll"
status = ["READ", "WRITE", "VISIBLE"] segment_count = 1
segment1 { start_extent = 0 extent_count = 4 $1 } }
}
}
contents = "Text Format Volume Group"
version = 1
END
  { echo "set root='lvm/vg-boot'"; right; } | menu
  make_ext boot.fs
  truncate -s 10M "$made" "$second"
  python3 -I -S "$lvm_py" label vg pv0 "$made"
  python3 -I -S "$lvm_py" label vg pv1 "$second"
}
placed() { lvm "$1" && python3 -I -S "$lvm_py" put vg boot boot.fs pv0="$made" pv1="$second"; }
disk_lvm() { placed 'type = "striped" stripe_count = 1 stripes = ["pv0", 3]'; }
disk_lvm_striped() { placed 'type = "striped" stripe_count = 2 stripe_size = 128 stripes = ["pv0", 0, "pv1", 2]'; }
disk_lvm_thin() { lvm 'type = "thin" thin_pool = "pool" transaction_id = 1'; }
disk_lvm_raid1() { lvm 'type = "raid1" device_count = 2'; }
disk_lvm_cache() { lvm 'type = "cache"'; }
# magic OFFSET BYTES: a disk of 1 MiB that is recognised by them
magic() { truncate -s 1M "$made" && printf "$2" | dd of="$made" bs=1 seek="$1" conv=notrunc status=none; }
disk_luks() { magic 0 'LUKS\272\276\000\002'; }
disk_zfs() { magic $(((128 << 10) + 33 * 1024)) '\014\261\272\0\0\0\0\0'; }
