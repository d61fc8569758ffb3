# A Debian library package: its shared objects, in lib/.
mkdir -p t "$out/lib"
ar p "$deb" data.tar.xz | tar xJ -C t
for dir in t/lib/x86_64-linux-gnu t/usr/lib/x86_64-linux-gnu; do
  for f in "$dir"/*.so*; do if [ -e "$f" ] || [ -L "$f" ]; then cp -a "$f" "$out/lib/"; fi; done
done
