# Debian's Nix: each command is a script that calls the loader (foreign.sh).
mkdir -p t "$out/bin" "$out/lib" "$out/libexec"
ar p "$deb" data.tar.xz | tar xJ -C t
cp t/usr/bin/nix "$out/libexec/nix"
# Since Debian 13 the program has them in it.
for f in t/usr/lib/nix/*.so; do [ ! -e "$f" ] || cp -a "$f" "$out/lib/"; done
# shellcheck source=demo/nixos/pkgs/foreign.sh
. "$foreign"
link_libraries "$out/libexec/nix"
ln -s "${ld%/*}/libnss_dns.so.2" "$out/lib/" # Nix loads it by name
for c in nix t/usr/bin/nix-*; do
  c=${c##*/}
  cat >"$out/bin/$c" <<X
#!$busybox/bin/sh
export NIX_BIN_DIR=$out/bin
exec $ld --argv0 $c --library-path $out/lib $out/libexec/nix "\$@"
X
  chmod 755 "$out/bin/$c"
done
