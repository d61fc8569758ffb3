#!@busybox@/bin/sh
# Stage 2: make the root file system ready, activate the configuration, start PID 1 proper. As prepare-root it runs in
# the new root at the end of systemd's stage 1, which starts PID 1 afterwards.
systemConfig=@systemConfig@
export HOME=/root PATH=@busybox@/bin

if [ "$IN_NIXOS_SYSTEMD_STAGE1" != true ]; then
  echo
  echo "<<< NixOS Stage 2 >>>"
  echo
  mount -o remount,rw none /
fi
# Stage 1 has mounted these, but where this is started without one, or in a root that stage 1 only prepares.
if [ ! -e /proc/1 ]; then
  special() { # special DEVICE DIR OPTIONS TYPE
    mkdir -m 0755 -p "$2"
    mount -n -t "$4" -o "$3" "$1" "$2"
  }
  special proc /proc nosuid,noexec,nodev proc
  special sysfs /sys nosuid,noexec,nodev sysfs
  special devtmpfs /dev nosuid,strictatime,mode=755 devtmpfs
  grep -q ' /run ' /proc/mounts || special tmpfs /run nosuid,nodev,strictatime,mode=755 tmpfs
fi
if [ -z "@systemd@" ]; then # what systemd mounts itself
  mkdir -p /dev/pts /dev/shm
  mount -t devpts -o mode=620,gid=3,ptmxmode=666 devpts /dev/pts
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm
fi
echo "booting system configuration $systemConfig" >/dev/kmsg

# The store is writable for Nix alone, which remounts it for itself.
chown -f 0:30000 /nix/store
chmod -f 1775 /nix/store
grep -q ' /nix/store .*[ ,]ro[ ,]' /proc/mounts ||
  { mount --bind /nix/store /nix/store && mount -o remount,ro,nodev,nosuid,bind /nix/store; }

mkdir -m 0755 -p /etc
[ -e /etc/fstab ] || : >/etc/fstab
[ "$(readlink /etc/mtab)" = /proc/mounts ] || ln -sfn /proc/mounts /etc/mtab
mkdir -m 1777 -p /tmp
mkdir -m 0755 -p /var /var/log /var/lib /var/db /var/tmp /nix/var /bin /home /etc/nixos /run/lock
chmod 1777 /tmp /var/tmp
mkdir -m 0700 -p /root
chmod 0700 /root
rm -rf /var/run /var/lock /nix/var/nix/gcroots/tmp /nix/var/nix/temproots
rm -f /etc/group.lock /etc/passwd.lock /etc/shadow.lock
ln -s /run /var/run
ln -s /run/lock /var/lock

echo "running activation script..."
$systemConfig/activate
ln -sfn "$systemConfig" /run/booted-system
ln -sfn /run/booted-system /nix/var/nix/gcroots/booted-system

[ "$IN_NIXOS_SYSTEMD_STAGE1" != true ] || exit 0
echo "starting systemd..."
exec env -i PATH=/run/current-system/systemd/lib/systemd $systemConfig/systemd/lib/systemd/systemd
