#!/bin/bash
# build.sh [SUITE]: make the files that run.sh boots, Xen and a dom0, from Debian packages of one SUITE (bookworm: Xen 4.17,
# trixie: Xen 4.20). Needs no root. The default SUITE is XEN_SUITE, else the host's. Writes to xen-rig/SUITE/out below
# $DOMSTRAP_WORK, or below build/ in this tree:
#   xen          the hypervisor, an uncompressed multiboot image
#   vmlinux      dom0's kernel, unpacked, because Xen would need seconds for XZ
#   dom0.cpio    dom0's whole system: busybox, xl, xenstored, xenconsoled, kernel modules
#   pygrub.cpio  Python and Debian's pygrub, appended only for jobs that need them
#   versions     those of Xen and of dom0's kernel
#   stamp        a checksum of the inputs; while it matches, nothing is built again
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
. "$repo/scripts/suite.sh"
suite=${1:-${XEN_SUITE:-$host_suite}}
apt_of "$suite"
rig=$work/xen-rig/$suite out=$work/xen-rig/$suite/out
mkdir -p "$rig"
only_one "$rig/lock"

# Querying apt takes seconds, so do it only if its answers or these scripts may have changed.
scripts=$(cat "$here/build.sh" "$here"/dom0/*)
quick=$({ apt_state; echo "$scripts"; } | sha256sum)
[ "$(sed -n 1p "$out/stamp" 2>/dev/null)" != "$quick" ] || { say "Xen rig: up to date in $rig"; exit 0; }

# ---- which packages ----------------------------------------------------------------------------
# Some package names contain a version; Debian's metapackages depend on the current one.
versioned() { apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2\)\$/\1/p" | head -1 || true; }
hypervisor=$(versioned xen-system-amd64 'xen-hypervisor-[0-9.]*-amd64')
linux=$(versioned linux-image-amd64 'linux-image-[0-9].*')
if [ -z "$hypervisor" ] || [ -z "$linux" ]; then
  [ ! -e "$out/stamp" ] || { say "Xen rig: apt's package lists are empty, using what is there"; exit 0; }
  die "apt does not know xen-system-amd64 and linux-image-amd64: run apt-get update first"
fi
xenver=${hypervisor#xen-hypervisor-} xenver=${xenver%-amd64}
kver=${linux#linux-image-}

# What apt would install for xl on an empty system, except packages that the rig never uses.
never='adduser|passwd|dpkg|tar|debconf|udev|mawk|perl.*|gcc-.*|media-types|ucf|sensible-utils|readline-common|
base-files|libpam.*|libsemanage.*|libsepol.*|libdb.*|libgcrypt20|libgpg-error0|libsystemd0|logsave|libaudit.*|
libss2|libnsl2|libtirpc.*|libgssapi.*|libkrb5.*|libk5.*|libkeyutils1|libsqlite3.*|libcap-ng0|debianutils|
sysvinit-utils|util-linux-extra'
closure() {
  apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null "$@" 2>/dev/null |
    awk '/^Inst/ { print $2 }' | grep -Evx "${never//$'\n'/}" | sort
}
mapfile -t names < <(closure "xen-utils-$xenver" xenstore-utils busybox-static bash python3 util-linux libext2fs2 libcom-err2)
# ncurses-base (terminfo for pygrub's menu) is essential, so apt does not list it above.
names+=(ncurses-base "$linux" "$hypervisor")
debs=$("$repo/scripts/fetch-debs.sh" "$rig/debs" "${names[@]}")

stamp=$(echo "$debs$scripts" | sha256sum)
if [ "$(sed -n 2p "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
  printf '%s\n' "$quick" "$stamp" >"$out/stamp"
  say "Xen rig: up to date in $rig"
  exit 0
fi

say "Xen rig, $suite: Xen $xenver and Linux $kver for dom0, from ${#names[@]} Debian packages"
tmp=$rig/tmp
rm -rf "$tmp" "$out"
mkdir -p "$tmp"/{dom0,pygrub,kernel,new}
root=$tmp/dom0

# ---- unpack ------------------------------------------------------------------------------------
unpack() { # unpack DEB DIR [tar's options]
  dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --no-same-owner "${@:3}"
}
# Merged /usr, as Debian has it: /bin/bash and the dynamic loader must resolve.
for d in bin sbin lib lib64; do mkdir -p "$root/usr/$d"; ln -s "usr/$d" "$root/$d"; done
no_docs=()
for d in doc man locale info lintian bug zoneinfo; do no_docs+=(--exclude="./usr/share/$d"); done
while read -r deb; do
  case ${deb##*/} in
    linux-image-*) # of 390 MB of modules only the directories needed for the list below
      unpack "$deb" "$tmp/kernel" --transform 's,^\./usr/lib/,./lib/,' --wildcards './boot/vmlinuz-*' \
        './*lib/modules/*/modules.builtin' './*lib/modules/*/kernel/'{drivers/{block,virtio,xen,net/xen-netback},net/{802,bridge,llc},fs,lib,crypto}'/*' ;;
    xen-hypervisor-*) unpack "$deb" "$tmp/kernel" "./boot/xen-$xenver-amd64.gz" ;;
    ncurses-base_*) unpack "$deb" "$tmp/pygrub" --transform 's,.*/terminfo/,./usr/lib/terminfo/,' --wildcards './*/terminfo/[lvdx]/*' ;;
    *) unpack "$deb" "$root" "${no_docs[@]}" --exclude='*/gconv/*' ;;
  esac
done <<<"$debs"

# ---- kernels -----------------------------------------------------------------------------------
gzip -dc "$tmp/kernel/boot/xen-$xenver-amd64.gz" >"$tmp/new/xen"
# A bzImage (the kernel's Documentation/arch/x86/boot.rst): setup_sects at 0x1f1 counts 512-byte
# sectors after the first; payload_offset at 0x248 counts from their end; payload_length is at 0x24c. The
# payload's last 4 bytes are its unpacked size, not part of the compressed stream.
vmlinux() {
  local image=$1 offset length unzip
  field() { od -An -tu"$2" -j"$(($1))" -N"$2" "$image" | tr -d ' '; }
  offset=$((($(field 0x1f1 1) + 1) * 512 + $(field 0x248 4)))
  length=$(($(field 0x24c 4) - 4))
  case $(od -An -tx1 -j"$offset" -N4 "$image" | tr -d ' ') in
    fd377a58) unzip=(xz -dc) ;;
    28b52ffd) unzip=(zstd -dcq) ;;
    02214c18) unzip=(lz4 -dc) ;;
    1f8b*) unzip=(gzip -dc) ;;
    *) die "$image: payload at $offset has the magic of none of xz, zstd, lz4, gzip" ;;
  esac
  tail -c "+$((offset + 1))" "$image" | head -c "$length" | "${unzip[@]}" || [ "${PIPESTATUS[2]}" = 0 ]
}
vmlinux "$tmp/kernel/boot/vmlinuz-$kver" >"$tmp/new/vmlinux"

# modules NAME...: copy them with all their dependencies; their order of loading is written to $root/modules
modules() {
  local name file dep
  for name; do
    name=${name//-/_}
    ! grep -qx "$name" "$root/modules" || continue
    file=$(find "$tmp/kernel/lib/modules/$kver" -name "${name//_/[-_]}.ko" -o -name "${name//_/[-_]}.ko.xz")
    if [ -z "$file" ]; then
      grep -q "/${name//_/[-_]}\.ko$" "$tmp/kernel/lib/modules/$kver/modules.builtin" && continue
      die "Linux $kver has no module $name"
    fi
    if [[ $file = *.xz ]]; then # since Debian 13
      xz -dc "$file" >"$tmp/$name.ko"
      file=$tmp/$name.ko
    fi
    for dep in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr , ' '); do modules "$dep"; done
    cp "$file" "$root/modules.d/$name.ko"
    echo "$name" >>"$root/modules"
  done
}
mkdir "$root/modules.d"
: >"$root/modules"
modules xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc xen-blkback loop virtio_pci virtio_blk \
  crc32c_generic ext4 xen-netback bridge

# ---- dom0's system -----------------------------------------------------------------------------
# Python is half of it, and unpacking it takes boot time, so it is in a separate archive.
mkdir -p "$tmp/pygrub/usr"/{bin,lib,"lib/xen-$xenver/bin"}
py=$(cd "$root/usr/lib" && echo python3.*)
for d in test unittest distutils lib2to3 idlelib tkinter ensurepip pydoc_data email asyncio multiprocessing sqlite3 \
  xml wsgiref html http xmlrpc dbm turtledemo concurrent venv; do rm -rf "$root/usr/lib/$py/$d"; done
mv "$root"/usr/lib/python3* "$tmp/pygrub/usr/lib/"
mv "$root"/usr/bin/python3* "$tmp/pygrub/usr/bin/"
mv "$root/usr/lib/xen-$xenver/bin/pygrub" "$tmp/pygrub/usr/lib/xen-$xenver/bin/"
mv "$root/usr/lib/xen-$xenver/lib/python" "$tmp/pygrub/usr/lib/xen-$xenver/lib-python"
mkdir -p "$tmp/pygrub/usr/lib/xen-$xenver/lib"
mv "$tmp/pygrub/usr/lib/xen-$xenver/lib-python" "$tmp/pygrub/usr/lib/xen-$xenver/lib/python"
rm -rf "${root:?}"/usr/{share,lib/udev,lib/systemd} "$root"/etc/init.d "$root"/usr/lib/xen-*/boot/hvmloader \
  "$root"/usr/lib/xen-*/bin/{test-*,oxenstored}
ln -sfn "xen-$xenver" "$root/usr/lib/xen" # jobs need not know the version

# busybox for commands that the packages do not contain
for applet in $("$root/bin/busybox" --list); do
  [ -e "$root/usr/bin/$applet" ] || [ -e "$root/usr/sbin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
done
install -m 755 "$here/dom0/init" "$root/init"
install -m 644 "$here/dom0/lib.sh" "$root/lib.sh"
for script in block vif-bridge; do
  mv "$root/etc/xen/scripts/$script" "$root/etc/xen/scripts/$script.debian"
  install -m 755 "$here/dom0/$script" "$root/etc/xen/scripts/$script"
done
mkdir -p "$root"/{proc,sys,dev,run,tmp,mnt,rig,root,var/log/xen/console,var/lib/xen,var/lib/xenstored}
rm -rf "$root/var/run" "$root/var/lock"
ln -s /run "$root/var/run"
ln -s /run/lock "$root/var/lock"
printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/sh \
  bootloader:x:900:65534::/:/bin/sh >"$root/etc/passwd"
printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
printf 'autoballoon="off"\n' >"$root/etc/xen/xl.conf"

pack() { (cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$2"; }
pack "$root" "$tmp/new/dom0.cpio"
pack "$tmp/pygrub" "$tmp/new/pygrub.cpio"
printf '%s\n' "$xenver" "$kver" >"$tmp/new/versions"
printf '%s\n' "$quick" "$stamp" >"$tmp/new/stamp"
mv "$tmp/new" "$out"
rm -rf "$tmp"
say "Xen rig: built in $rig"
