#!@busybox@/bin/sh
# Stage 2: make the root file system ready, activate the configuration, start PID 1 proper.
systemConfig=@systemConfig@
export HOME=/root PATH=@busybox@/bin

echo
echo "<<< NixOS Stage 2 >>>"
echo
mountpoint() { grep -q " $1 " /proc/mounts; }
mountpoint /proc || mount -t proc proc /proc
mountpoint /sys || mount -t sysfs sysfs /sys
mount -o remount,rw /

mkdir -m 0755 -p /etc /etc/nixos /bin /home /root /usr /usr/bin /var /var/log /var/lib /var/db /var/empty /var/tmp /nix/var
mkdir -m 1777 -p /tmp
chmod 1777 /tmp /var/tmp
chmod 0700 /root
ln -sfn /proc/mounts /etc/mtab
ln -sfn /run /var/run
: >>/etc/NIXOS
mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts -o mode=620,gid=3,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm

# The store is writable for Nix alone, which remounts it for itself.
chown -f 0:30000 /nix/store
chmod -f 1775 /nix/store
grep -q ' /nix/store .*[ ,]ro[ ,]' /proc/mounts ||
  { mount --bind /nix/store /nix/store && mount -o remount,ro,bind /nix/store; }

echo "running activation script..."
$systemConfig/activate
ln -sfn "$systemConfig" /run/booted-system
ln -sfn /run/booted-system /nix/var/nix/gcroots/booted-system

# As prepare-root for systemd's stage 1 the work ends here: PID 1 is still in the initrd.
[ "${0##*/}" != prepare-root ] || exit 0
exec env -i $systemConfig/systemd/lib/systemd/systemd
