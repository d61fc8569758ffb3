# Debian packages as one store path: bin, lib, etc, share. Packages have merged /usr inside or not; here all have.
mkdir -p t "$out"
for d in $debs; do ar p "$d" data.tar.xz | tar xJ -C t; done
mkdir -p "$out/bin" "$out/lib" "$out/share"
for dir in t/bin t/sbin t/usr/bin t/usr/sbin; do [ ! -d $dir ] || cp -af $dir/. "$out/bin/"; done
for dir in t/lib t/usr/lib; do [ ! -d $dir ] || cp -af $dir/. "$out/lib/"; done
for dir in $share; do [ ! -d "t/usr/share/$dir" ] || { mkdir -p "$out/share/$dir" && cp -a "t/usr/share/$dir/." "$out/share/$dir/"; }; done
# shellcheck source=demo/nixos/pkgs/systemd.sh
[ -z "$postInstall" ] || . "$postInstall"
# Links that lead out of the package are made again where all of Debian's files meet (fhs.sh).
find "$out" -type l | while read -r link; do [ -e "$link" ] || rm "$link"; done
find "$out" -depth -type d -exec rmdir {} \; 2>/dev/null || true
