#!@busybox@/bin/sh
# Make this configuration the current one: /etc, users, host name, /run/current-system. May run at any time.
systemConfig=@systemConfig@
export PATH=@busybox@/bin
umask 0022

mkdir -p /bin /usr/bin
ln -sfn @sh@ /bin/sh
ln -sfn @busybox@/bin/env /usr/bin/env
# What Debian's programs have compiled in, which no NixOS has.
fhs=@fhs@
if [ -z "$fhs" ]; then
  [ ! -L /lib ] || rm -f /lib /lib64 /sbin /usr/lib /usr/sbin # of a generation with systemd
else
  [ -L /lib ] || { rm -f /lib/modules && rmdir /lib; } 2>/dev/null # of one without
  ln -sfn $fhs/lib /lib
  ln -sfn $fhs/lib64 /lib64
  ln -sfn $fhs/bin /sbin
  ln -sfn $fhs/lib /usr/lib
  ln -sfn $fhs/bin /usr/sbin
  for f in mount umount kmod systemctl; do ln -sfn $fhs/bin/$f /bin/$f; ln -sfn $fhs/bin/$f /usr/bin/$f; done
fi

echo "setting up /etc..."
if [ -n "@etcOverlay@" ]; then : >>/etc/NIXOS; else @busybox@/bin/sh @setupEtc@ @etc@/etc; fi

echo "setting up users and groups..."
@busybox@/bin/sh @setupUsers@ @users@ @groups@

# Without it systemd looks at the presets of every unit, half a minute under emulation.
[ -z "$fhs" ] || [ -s /etc/machine-id ] || od -An -N16 -tx1 /dev/urandom | tr -d ' ' >/etc/machine-id
hostname "$(cat /etc/hostname)"
mkdir -p /nix/var/nix/gcroots /nix/var/nix/profiles/per-user/root /nix/var/nix/gcroots/per-user /var/empty

# Programs that need root's rights. The store holds none, and /run is mounted without such rights.
mkdir -p /run/wrappers
grep -q ' /run/wrappers ' /proc/mounts || mount -t tmpfs -o mode=755,nodev tmpfs /run/wrappers
mkdir -p /run/wrappers/bin
cp @su@ /run/wrappers/bin/.su
chmod 4755 /run/wrappers/bin/.su
mv /run/wrappers/bin/.su /run/wrappers/bin/su
[ -n "$fhs" ] || ln -f /run/wrappers/bin/su /run/wrappers/bin/passwd

ln -sfn "$(readlink -f "$systemConfig")" /run/current-system
ln -sfn /run/current-system /nix/var/nix/gcroots/current-system
