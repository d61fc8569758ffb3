# Debian's Nix. Its program looks for a loader and libraries where a NixOS has none, so each command is a
# script that calls the loader with the libraries it needs, and lib/ links just those.
mkdir -p t "$out/bin" "$out/lib" "$out/libexec"
ar p "$deb" data.tar.xz | tar xJ -C t
cp t/usr/bin/nix "$out/libexec/nix"
cp -a t/usr/lib/nix/*.so "$out/lib/"
path=$out/lib
for l in $libraries; do
  path=$path:$l/lib
  [ ! -e "$l/lib/ld-linux-x86-64.so.2" ] || ld=$l/lib/ld-linux-x86-64.so.2
done
"$ld" --library-path "$path" --list "$out/libexec/nix" >list
! grep 'not found' list >&2
sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' list | while read -r name file; do
  case $name in */*) continue ;; esac # the loader, which the scripts below name
  [ -e "$out/lib/$name" ] || ln -s "$file" "$out/lib/$name"
done
ln -s "${ld%/*}"/libnss_dns.so.2 "$out/lib/" # Nix loads it by name
for c in nix t/usr/bin/nix-*; do
  c=${c##*/}
  cat >"$out/bin/$c" <<X
#!$busybox/bin/sh
export NIX_BIN_DIR=$out/bin
exec $ld --argv0 $c --library-path $out/lib $out/libexec/nix "\$@"
X
  chmod 755 "$out/bin/$c"
done
