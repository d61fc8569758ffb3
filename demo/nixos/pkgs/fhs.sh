# Debian's programs have paths compiled in: the loader and libraries below /lib, and helpers. NixOS has no such paths; here
# activation makes /lib, /lib64 and /sbin links to this tree.
path=
for l in $libraries; do path=$path:$l/lib/x86_64-linux-gnu; done
path=$systemdLibraries/lib/x86_64-linux-gnu/systemd$path
for l in $libraries; do
  f=$l/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
  [ ! -e "$f" ] || ld=$f
done
libs=$out/lib/x86_64-linux-gnu
mkdir -p "$libs" "$out/lib64" "$out/bin"
ln -s "$ld" "$out/lib64/ld-linux-x86-64.so.2"
ln -s "$systemdLibraries/lib/x86_64-linux-gnu/systemd" "$pamModules/lib/x86_64-linux-gnu/security" "$libs/"

# What the programs and PAM's modules are linked to; systemd's own libraries they find by their RUNPATH.
{
  for p in $programs; do find "$p/" -type f -perm -100; done
  find "$pamModules/lib/x86_64-linux-gnu/security/" -name pam_unix.so
} | while read -r f; do
  [ "$(dd if="$f" bs=1 skip=1 count=3 2>/dev/null)" != ELF ] || "$ld" --library-path "$path" --list "$f" 2>/dev/null || true
done | sed -n 's/^[[:space:]]*\([^ /]*\) => \([^ ]*\).*/\1 \2/p' | sort -u >list
while read -r name file; do
  case $file in
    */systemd/*) ;;
    /nix/store/*) ln -s "$file" "$libs/$name" ;;
    *) echo "no package has $name" >&2 ;;
  esac
done <list
# What the C library and systemd open by name.
for name in libnss_files.so.2 libnss_dns.so.2 libgcc_s.so.1 libkmod.so.2 libblkid.so.1 libmount.so.1; do
  for l in $libraries; do
    f=$l/lib/x86_64-linux-gnu/$name
    [ ! -e "$f" ] || [ -e "$libs/$name" ] || ln -s "$f" "$libs/$name"
  done
done

ln -s "$systemd/lib/systemd" "$systemd/lib/udev" "$openssh/lib/openssh" "$out/lib/"
for p in $programs; do
  for f in "$p"/bin/*; do [ -e "$out/bin/${f##*/}" ] || ln -s "$f" "$out/bin/"; done
done
ln -s /run/booted-system/kernel-modules/lib/modules "$out/lib/modules"
