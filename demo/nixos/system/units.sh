# A directory of units. systemd's own are copied with the paths that Debian compiled in replaced; what they are wanted by
# there, among the units that are picked, they are here.
from=$systemd/example/systemd/system
mkdir -p "$out"
for u in $upstream; do
  [ -e "$from/$u" ] || continue # of another version
  sed "/^Exec/{s|@/lib/systemd/system-generators/systemd-fstab-generator |@$systemd/lib/systemd/systemd-sysroot-fstab-check |; s|\([=@!: -]\)/\(usr/\)\{0,1\}lib/systemd/|\1$systemd/lib/systemd/|g; s|\([=@!: -]\)/\(usr/\)\{0,1\}s\{0,1\}bin/|\1$tools/|g}" "$from/$u" >"$out/$u"
done
awk -v out="$out" '
  /^==== / { close(file); file = out "/" $2; dir = file; sub("/[^/]*$", "", dir); system("mkdir -p " dir); printf "" >file; next }
  { print >file }' "$textsPath"
for dir in "$from"/*.wants; do
  for u in "$dir"/*; do
    [ -e "$out/${u##*/}" ] || continue
    mkdir -p "$out/${dir##*/}"
    ln -s "../${u##*/}" "$out/${dir##*/}/"
  done
done
while read -r alias target; do
  mkdir -p "$out/$(dirname "$alias")"
  ln -sf "$target" "$out/$alias"
done <"$linksPath"
