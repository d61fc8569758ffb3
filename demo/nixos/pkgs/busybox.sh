# Debian's static busybox, with a link for each of its commands. The one that runs this is the same
# program, brought in alone: it has no links yet.
b="$builder"
"$b" mkdir -p "$out/bin" t
"$b" ar p "$deb" data.tar.xz | "$b" tar xJ -C t
# Since Debian 13 packages have merged /usr inside, too.
for f in t/bin/busybox t/usr/bin/busybox; do [ ! -e "$f" ] || "$b" cp "$f" "$out/bin/"; done
"$b" chmod 755 "$out/bin/busybox"
for applet in $("$b" --list); do
  [ "$applet" = busybox ] || "$b" ln -s busybox "$out/bin/$applet"
done
