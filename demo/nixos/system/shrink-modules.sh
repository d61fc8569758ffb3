# The initrd's kernel modules: NAMES with all they depend on. Those built into the kernel are there anyway;
# of those that Debian's cloud kernel does not have (xen-kbdfront, say) only the build log tells.
version=$(ls "$kernel/lib/modules")
from=$kernel/lib/modules/$version
to=$out/lib/modules/$version
mkdir -p "$to"
cp "$from/modules.builtin" "$from/modules.order" "$to/"
add() {
  [ ! -e "$to/$1" ] || return 0
  mkdir -p "$(dirname "$to/$1")"
  cp "$from/$1" "$to/$1"
}
for name in $names; do
  pattern="/$(echo "$name" | sed 's/[-_]/[-_]/g')\.ko"
  line=$(grep "^[^:]*$pattern:" "$from/modules.dep" || true)
  if [ -n "$line" ]; then
    for f in $(echo "$line" | tr -d :); do add "$f"; done
  elif ! grep -q "$pattern\$" "$from/modules.builtin"; then
    echo "warning: Linux $version has no module $name, the initrd goes without"
  fi
done
"$fhs/lib64/ld-linux-x86-64.so.2" --argv0 depmod --library-path "$fhs/lib/x86_64-linux-gnu" "$fhs/bin/kmod" -b "$out" "$version"
