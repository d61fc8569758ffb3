#!/bin/bash
# test-deb.sh: the Debian packages build as an unprivileged user, their unit tests pass, lintian reports nothing, and the
# programs in them run.
. "$(dirname "$0")/lib.sh"
for tool in dh lintian; do
  command -v $tool >/dev/null || { echo "skipped: no $tool here (scripts/install-deps.sh package)"; exit 77; }
done

# The lists of packages in scripts/install-deps.sh and in debian/control must be the same.
build=$(sed -n "/^build='/,/'$/p" "$repo/scripts/install-deps.sh" | tr -s "'=\n" ' ' | tr ' ' '\n' | grep -vxE 'build|gcc|make|' | sort)
depends=$(sed -n '/^Build-Depends:/,/^[^ ]*: /p' "$repo/debian/control" | sed -n 's/^ \([^ ,]*\).*/\1/p' | grep -vx debhelper-compat | sort)
[ "$build" = "$depends" ] && ok "Build-Depends" || bad "Build-Depends: $(diff <(echo "$build") <(echo "$depends"))"
version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$repo/meson.build")
[ "$(sed -n '1s/.*(\(.*\)).*/\1/p' "$repo/debian/changelog")" = "$version" ] && ok "version" || bad "version: not $version in debian/changelog"

copy_tree "$dir/tree"
if ! as_stranger "$dir/tree/scripts/deb.sh" "$dir/deb" >"$dir/out" 2>&1; then
  cat "$dir/out"
  bad "deb.sh"
  exit 1
fi
ok "packages build, lintian is content"
grep -E '^Ok: +[1-9]' "$dir/deb/log" && ok "unit tests ran" || bad "unit tests ran"

for p in domstrap domgrub; do dpkg-deb -x "$dir/deb/${p}_${version}_"*.deb "$dir/root"; done
installed "$dir/root" usr/bin/dom{strap,grub} usr/share/man/man1/dom{strap,grub}.1.gz usr/share/man/man5/domstrap.conf.5.gz \
  usr/share/bash-completion/completions/dom{strap,grub} usr/share/fish/vendor_completions.d/dom{strap,grub}.fish \
  usr/share/zsh/vendor-completions/_dom{strap,grub} usr/share/doc/dom{strap,grub}/copyright \
  usr/share/doc/domstrap/examples/domstrap.conf usr/share/doc/domgrub/examples/domgrub.conf
runs "$dir/root"
finish
