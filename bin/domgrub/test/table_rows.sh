# SPDX-License-Identifier: MIT
# The rows of doc/domgrub.md's first table, and what table.sh checks for each. A row has disks (table_disks.sh); "with" adds an
# option for a program, "words" names what a cell says if the disks, in this order, have these results. Without them, the cell
# is made of the results. The last line of a row is "end".
# shellcheck shell=bash disable=SC2016,SC2034
nixos='init=/nix/store/x/init console=hvc0'

row 'NixOS by default: `search --fs-uuid`, `($drive2)/nix/store/…`' nixos_uuid
args=$nixos
words pygrub no 'no; with `--debug`: "invalid literal for int()"' 'ValueError: invalid literal for int()'
end
row 'NixOS by label' nixos_label
args=$nixos
end
row 'NixOS, `copyKernels`: `($drive1)/boot/kernels/…`' nixos_copied
args=$nixos
end
row 'NixOS, /boot on a separate disk, by UUID: `($drive1)//kernels/…`' nixos_boot_uuid
args=$nixos
end
row 'NixOS, /boot on a separate disk, `fsIdentifier = "provided"`: `/kernels/…`' nixos_boot
args=$nixos
end
row 'the same, an older generation in a submenu' nixos_boot
args='init=/nix/store/2/init'
with domgrub '--entry=1>1'
with pygrub --entry=2
words domgrub boots "\`--entry='1>1'\`"
words pygrub boots 'submenus are flattened, entries numbered through'
end
row 'menu on one disk, kernels on another' nixos_two
args=$nixos
beside nixos_uuid
with domgrub --disk=nixos_uuid.img
words domgrub boots '`--disk=`'
end
row 'a plain GRUB 2 menu without functions' plain
words domgrub boots 'boots, the same answer'
end
row '`if`, `for`, functions, variables, `configfile`, `linuxefi`' if for function variable configfile linuxefi
words domgrub 'boots boots boots boots boots boots' evaluated
words pygrub 'entry0 no no no no no' 'taken literally, skipped or an error' '' '$k' 'Unable to find' '$dir' 'Unable to find'
end
row '`default` as title, id, `a>b`; `saved_entry`, `next_entry`, `fallback`' by_title by_id by_path saved_entry next_entry fallback
words domgrub 'boots boots boots boots boots warns' used 'booting a fallback'
words pygrub 'entry0 entry0 entry0 entry0 entry0 no' 'entry 0' /gone/bzImage
end
row 'several ramdisks' ramdisks
ramdisk=both
words domgrub boots 'concatenated, each aligned to 4 bytes'
words pygrub no 'taken as one path with a space: fails' 'Error opening /kernels/initrd /kernels/initrd0'
end
row 'GRUB legacy, `menu.lst`' legacy
words domgrub boots 'boots, the same answer'
end
row 'extlinux, isolinux with KERNEL and APPEND' extlinux isolinux
words domgrub 'boots boots' 'boots, the same answer'
end
row 'extlinux with LINUX, INITRD, INCLUDE, relative paths (Alpine)' extlinux_linux extlinux_relative extlinux_include
words pygrub 'no no no' 'no kernel' 'Unable to find partition containing kernel' bzImage 'Unable to find partition containing kernel'
end
row 'Boot Loader Specification: systemd-boot entries, with loader.conf, boot counters (see below), `preferred`' bls bls_counted bls_preferred
with domgrub --write-env
end
row 'the same by Fedora'\''s and RHEL'\''s `blscfg`, with grubenv on the EFI system partition' blscfg
end
row 'unified kernel images in `EFI/Linux` or named by an entry (`uki`, `efi`), sorted among the entries; of several profiles the first' \
  uki uki_sorted uki_named efi_named uki_profiles
end
row 'isolinux and syslinux in their other directories; `whichsys.c32`, `ifcpu64.c32`, `linux.c32` (Arch, SystemRescue)' \
  isolinux_dir syslinux_dir whichsys ifcpu64 linux_c32
end
row '`set root=(hd0)` on a disk with partitions' root_hd0
end
row 'MBR, primary partitions' mbr
end
row 'MBR, logical partitions' logical
words pygrub no 'not seen'
end
row 'GPT; the backup GPT if the primary is invalid' gpt gpt_backup
end
row 'disks with sectors of 4096 bytes' 4k
end
row 'ext2, ext3, ext4 with any feature of mke2fs 1.47 except encrypted files' ext2 ext3 ext4 ext4_inline ext4_casefold ext4_metabg ext4_bigalloc
words pygrub 'boots boots boots boots boots boots no' 'most, not `bigalloc`'
end
row 'ext3, ext4 not cleanly unmounted' unclean3 unclean4
words domgrub 'warns warns' 'reads through the journal, as Linux will replay it' 'read as Linux will see it, with its journal replayed'
words pygrub 'entry0 entry0' 'ignores the journal'
end
row 'FAT12, FAT16, FAT32 with long names' fat12 fat16 fat32
end
row 'XFS of version 4 and 5, with any feature of mkfs.xfs 6.12 except `metadir`' xfs4 xfs4_untyped xfs5
words pygrub 'no boots no' 'version 4 with `ftype=0`'
end
row 'btrfs: subvolumes, snapshots, compressed files, all checksums; one device, or one of RAID1' btrfs btrfs_xxhash btrfs_sha256 btrfs_blake2
end
row 'ISO 9660 with Rock Ridge, Joliet or neither; files of more than 4 GiB' iso iso_joliet iso_plain
words pygrub 'boots no boots' 'boots, but not Joliet alone'
end
row 'ZFS' zfs
words domgrub no 'no; the message names it' ZFS
not_tried pygrub 'needs a disk that zpool has made'
end
row '/boot on one half of a RAID1 of Linux md, metadata 0.90 or 1.x' md090 md10 md11 md12
words pygrub 'boots boots no no' 'if the data is at the start'
end
row '/boot on LVM2: linear and striped volumes of one or several disks (`--disk`)' lvm lvm_striped
with domgrub --disk=DISK.second
end
row 'kernel on an encrypted disk, a thin, mirrored or cached volume, or another RAID' luks lvm_thin lvm_raid1 lvm_cache md_raid5
words domgrub 'no no no no no' 'no; the message names it' LUKS2 'type thin' 'type raid1' 'type cache' 'Linux md RAID'
end
row 'multiboot' multiboot
words domgrub no 'refused, with a reason' multiboot
words pygrub no 'not known' 'image directive multiboot'
end
