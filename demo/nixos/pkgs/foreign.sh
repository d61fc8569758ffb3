# A program of Debian's looks for a loader and libraries where a NixOS has none. So it is called by a script,
# through the loader and with the libraries it needs in $out/lib.
# link_libraries PROGRAM: have them there; sets ld, the loader.
link_libraries() {
  path=$out/lib
  for l in $libraries; do
    path=$path:$l/lib/x86_64-linux-gnu
    f=$l/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
    [ ! -e "$f" ] || ld=$f
  done
  "$ld" --library-path "$path" --list "$1" >list
  ! grep 'not found' list >&2
  sed -n 's/^[[:space:]]*\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' list | while read -r name file; do
    case $name in */*) continue ;; esac # the loader, which the scripts name
    [ -e "$out/lib/$name" ] || ln -s "$file" "$out/lib/$name"
  done
}
