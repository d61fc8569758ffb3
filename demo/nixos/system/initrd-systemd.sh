# The initrd with systemd: only the files that it needs, under their store paths, with the libraries that they are linked
# to, and links to these in /usr/lib, where Debian's programs look for them.
t=$PWD/t
libs=$fhs/lib/x86_64-linux-gnu
private=$systemdLibraries/lib/x86_64-linux-gnu/systemd
mkdir -p "$t/usr/lib/x86_64-linux-gnu" "$t/lib64" "$t/bin" "$t/etc/systemd" "$t/etc/udev" "$t/etc/modules-load.d" \
  "$t/proc" "$t/sys" "$t/dev" "$t/run" "$t/tmp" "$t/sysroot" "$t/root" "$t/var"
for dir in sbin usr/bin usr/sbin; do ln -s /bin "$t/$dir"; done
ln -s usr/lib "$t/lib"
ln -s /run "$t/var/run"

# add FILE: with what it links to
add() {
  local name file
  if [ -e "$t$1" ] || [ -L "$t$1" ]; then return 0; fi
  mkdir -p "$t${1%/*}"
  cp -P "$1" "$t$1"
  if [ -L "$1" ]; then
    file=$(readlink "$1")
    case $file in /*) ;; *) file=${1%/*}/$file ;; esac
    add "$(realpath "${file%/*}")/${file##*/}"
    return
  fi
  [ "$1" != "$busybox/bin/busybox" ] || return 0 # static, which the loader does not expect
  [ "$(dd if="$1" bs=1 skip=1 count=3 2>/dev/null)" = ELF ] || return 0
  "$ld" --library-path "$private:$libs" --list "$1" 2>/dev/null | sed -n 's/^[[:space:]]*\([^ /]*\) => \([^ ]*\).*/\1 \2/p' |
    while read -r name file; do library "$name" "$file"; done
}
library() { # library NAME FILE: FILE, found as NAME
  case $2 in
    "$private"/*) add "$2" ;;
    *)
      [ -L "$t/usr/lib/x86_64-linux-gnu/$1" ] || ln -s "$2" "$t/usr/lib/x86_64-linux-gnu/$1"
      add "$2"
      ;;
  esac
}
ld=$(realpath "$fhs/lib64/ld-linux-x86-64.so.2")
ln -s "$ld" "$t/lib64/ld-linux-x86-64.so.2"
add "$ld"
ln -s "$private" "$t/usr/lib/x86_64-linux-gnu/systemd"
for name in libkmod.so.2 libblkid.so.1 libmount.so.1 libnss_files.so.2; do # opened by name
  [ ! -e "$libs/$name" ] || library "$name" "$(realpath "$libs/$name")"
done

ln -s "$systemd/lib/systemd" "$systemd/lib/udev" "$t/usr/lib/"
ln -s "$systemd/lib/systemd/systemd" "$t/init"
for f in systemd systemd-executor systemd-fsck systemd-growfs systemd-journald systemd-modules-load systemd-remount-fs \
  systemd-shutdown systemd-sulogin-shell systemd-sysctl systemd-sysroot-fstab-check systemd-udevd; do
  [ ! -e "$systemd/lib/systemd/$f" ] || add "$systemd/lib/systemd/$f"
done
for f in "$busybox"/bin/busybox "$systemd"/bin/systemctl "$systemd"/bin/udevadm "$kmod/bin/kmod" \
  "$utilLinux"/bin/mount "$utilLinux"/bin/umount "$utilLinux"/bin/fsck "$utilLinux"/bin/sulogin \
  "$e2fsprogs"/bin/e2fsck "$e2fsprogs"/bin/fsck.ext4 "$e2fsprogs"/bin/fsck.ext2 "$e2fsprogs"/bin/fsck.ext3; do
  add "$f"
  ln -s "$f" "$t/bin/"
done
for f in modprobe lsmod; do ln -s "$kmod/bin/kmod" "$t/bin/$f"; done
for applet in $("$busybox/bin/busybox" --list); do
  [ -L "$t/bin/$applet" ] || ln -s busybox "$t/bin/$applet"
done
mkdir -p "$t/etc/systemd/system-generators" "$t/etc/udev/rules.d"
for g in fstab debug; do
  f=$systemd/example/systemd/system-generators/systemd-$g-generator
  add "$f"
  ln -s "$f" "$t/etc/systemd/system-generators/"
done
for rules in 50-udev-default 60-block 60-persistent-storage 80-drivers 99-systemd; do
  f=$systemd/example/udev/rules.d/$rules.rules
  add "$f"
  ln -s "$f" "$t/etc/udev/rules.d/"
done
for f in $scripts "$fstab"; do add "$f"; done
mkdir -p "$t${stage1Units%/*}" "$t${modules%/*}"
cp -R "$stage1Units" "$t$stage1Units"
cp -R "$modules" "$t$modules"
# The scripts of units name busybox by its store path, with its own links; other programs use those in /bin.
ln -s busybox "$t$busybox/bin/sh"
for f in cat readlink ln chroot mkdir sed; do ln -s busybox "$t$busybox/bin/$f"; done

ln -s "$modules/lib/modules" "$t/usr/lib/modules"
ln -s "$stage1Units" "$t/etc/systemd/system"
printf '[Manager]\nDefaultEnvironment=PATH=/bin:/sbin\nManagerEnvironment=PATH=/bin:/sbin SYSTEMD_SYSROOT_FSTAB=%s\n%s' "$fstab" "$patience" \
  >"$t/etc/systemd/system.conf"
printf '[Journal]\nStorage=volatile\n' >"$t/etc/systemd/journald.conf"
printf %s "$moduleNames" >"$t/etc/modules-load.d/nixos.conf"
: >"$t/etc/udev/udev.conf"
printf %s "$osRelease" >"$t/etc/os-release"
cp "$t/etc/os-release" "$t/etc/initrd-release"
[ -z "$hostName" ] || echo "$hostName" >"$t/etc/hostname"
echo 'root:x:0:0:root:/root:/bin/sh' >"$t/etc/passwd"
echo 'root:*:::::::' >"$t/etc/shadow"
printf '%s:x:%s:\n' root 0 tty 3 disk 6 kmem 2 input 174 audio 17 video 26 lp 20 cdrom 24 tape 25 dialout 27 \
  render 303 sgx 304 kvm 302 systemd-journal 62 >"$t/etc/group"
echo 'passwd: files
group: files
shadow: files' >"$t/etc/nsswitch.conf"

mkdir -p "$out"
cd "$t" || exit
find . >../names
# Times, inode numbers and owners would differ from one build to the next.
touch -h -d @1 $(cat ../names)
cpio -o -H newc -R 0:0 --renumber-inodes --ignore-devno <../names 2>/dev/null >../cpio
"$ld" --library-path "$libs" "$zstd/bin/zstd" -9 -q ../cpio -o "$out/initrd"
