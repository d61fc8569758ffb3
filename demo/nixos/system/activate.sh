#!@busybox@/bin/sh
# Make this configuration the current one: /etc, users, host name, /run/current-system. May run at any time.
systemConfig=@systemConfig@
export PATH=@busybox@/bin
umask 0022

mkdir -p /bin /usr/bin
ln -sfn @busybox@/bin/sh /bin/sh
ln -sfn @busybox@/bin/env /usr/bin/env

echo "setting up /etc..."
# /etc/static is the configuration's; each of its files has a link in /etc. Links of an older configuration
# go; what the guest made itself (/etc/nixos, /etc/machine-id) stays.
ln -sfn @etc@/etc /etc/static
find /etc -type l | while read -r link; do
  case $(readlink "$link") in /etc/static/*) [ -e "$link" ] || rm -f "$link" ;; esac
done
(cd -P /etc/static && find . -type d | sed 1d) | while read -r dir; do mkdir -p "/etc/$dir"; done
(cd -P /etc/static && find . -type l) | while read -r file; do
  file=${file#./}
  if [ -e "/etc/static/$file.mode" ]; then
    cp -L "/etc/static/$file" "/etc/$file"
    chmod "$(cat "/etc/static/$file.mode")" "/etc/$file"
  elif [ "$(readlink "/etc/$file")" != "/etc/static/$file" ]; then
    ln -sfn "/etc/static/$file" "/etc/$file"
  fi
done

echo "setting up users and groups..."
@busybox@/bin/sh @setupUsers@ @users@ @groups@

hostname "$(cat /etc/hostname)"
mkdir -p /nix/var/nix/gcroots /nix/var/nix/profiles/per-user/root /nix/var/nix/gcroots/per-user

# Programs that need root's rights. The store holds none, and /run is mounted without such rights.
mkdir -p /run/wrappers
grep -q ' /run/wrappers ' /proc/mounts || mount -t tmpfs -o mode=755,nodev tmpfs /run/wrappers
mkdir -p /run/wrappers/bin
cp @busybox@/bin/busybox /run/wrappers/bin/.su
chmod 4755 /run/wrappers/bin/.su
mv /run/wrappers/bin/.su /run/wrappers/bin/su
ln -f /run/wrappers/bin/su /run/wrappers/bin/passwd

ln -sfn "$(readlink -f "$systemConfig")" /run/current-system
ln -sfn /run/current-system /nix/var/nix/gcroots/current-system
