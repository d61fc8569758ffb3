#!/bin/bash
# test-install.sh: `make install` as an unprivileged user, from a copy of this tree, into a DESTDIR: the programs run, the
# man pages have no errors, the sample configurations are accepted, and `make uninstall` removes everything.
. "$(dirname "$0")/lib.sh"
root=$dir/root
copy_tree "$dir/source"
unset MAKEFLAGS MAKELEVEL
# The directory of this suite's Xen, if apt knows it.
xen=$(apt-cache depends xen-system-amd64 2>/dev/null | sed -n 's/.*Depends: xen-hypervisor-\([0-9.]*\)-amd64$/\1/p' | head -n 1)
xen_bin=/usr/lib/xen-${xen:-4.17}/bin
make_() { as_stranger make -C "$dir/source" PREFIX=/usr XEN_BIN="$xen_bin" DESTDIR="$root" "$@" >"$dir/log" 2>&1; }

make_ install || { tail -n 30 "$dir/log"; bad "make install"; exit 1; }
chmod -R a+rX "$dir"
installed "$root" usr/bin/dom{strap,grub} usr/share/man/man1/dom{strap,grub}.1 usr/share/man/man5/domstrap.conf.5 \
  usr/share/bash-completion/completions/dom{strap,grub} usr/share/fish/vendor_completions.d/dom{strap,grub}.fish \
  usr/share/zsh/site-functions/_dom{strap,grub} usr/share/doc/domstrap/{LICENSE,README.md,doc/recipes.md} \
  usr/share/doc/domstrap/examples/dom{strap,grub}.conf usr/share/domstrap/guest.nix
strays=$(cd "$root" && find . -type f | grep -vE '^\./usr/(bin|share)/' || true)
[ -z "$strays" ] && ok "nothing elsewhere" || bad "elsewhere: $strays"
runs "$root"
# libxl looks there for a bootloader without a path.
[ "$(readlink "$root$xen_bin/domgrub")" = /usr/bin/domgrub ] && ok "xl finds domgrub" || bad "xl finds domgrub"

# Links in the documents lead to installed files.
docs=$root/usr/share/doc/domstrap
for page in README.md doc/recipes.md; do
  for link in $(grep -oE '\]\([^):]+\)' "$docs/$page" | sed 's/](\([^)#]*\).*/\1/'); do
    [ -e "$docs/$(dirname "$page")/$link" ] && ok "$page: $link" || bad "$page: $link is not installed"
  done
done

for page in "$root"/usr/share/man/man?/*; do
  said=$(mandoc -T lint -W warning "$page" 2>&1; groff -k -mandoc -Tutf8 -ww -z "$page" 2>&1) || true
  [ -z "$said" ] && ok "${page##*/}: no warning" || bad "${page##*/}: $said"
done

# Every key in the samples is valid, and every key in the man pages is in the samples.
for name in domgrub domstrap; do
  sample=$docs/examples/$name.conf
  sed "s|/dev/vg0/.*|$dir/disk|; s/^#\([a-z-]* = \)/\1/" "$sample" >"$dir/$name.conf"
  page=$(find "$root/usr/share/man" -name "$name.conf.5")
  for key in $(sed -nE 's/^\.It Cm //p' "${page:-$root/usr/share/man/man1/$name.1}" | tr -d ,); do
    grep -q "^#$key = " "$sample" && ok "$name.conf has $key" || bad "$name.conf has no $key"
  done
done
truncate -s 1M "$dir/disk"
printf 'menuentry one {\nlinux /k\n}\n' >"$dir/grub.cfg"
"$root/usr/bin/domgrub" --config="$dir/domgrub.conf" -l --isconfig "$dir/grub.cfg" >"$dir/out" 2>&1 &&
  ok "domgrub reads its sample" || bad "domgrub reads its sample: $(cat "$dir/out")"
"$root/usr/bin/domstrap" cache --conf "$dir/domstrap.conf" >"$dir/out" 2>&1 &&
  ok "domstrap reads its sample" || bad "domstrap reads its sample: $(cat "$dir/out")"

make_ uninstall || { tail -n 30 "$dir/log"; bad "make uninstall"; }
left=$(find "$root" ! -type d 2>/dev/null || true)
[ -z "$left" ] && ok "make uninstall" || bad "make uninstall left $left"
finish
