mkdir -p t "$out/share"
ar p "$deb" data.tar.xz | tar xJ -C t
mv t/usr/share/zoneinfo "$out/share/"
rm -rf "$out/share/zoneinfo/right" "$out/share/zoneinfo/posix"
