# builder.sh: the builder for mkDerivation, with the phases of nixpkgs' stdenv and its hooks for Meson and ninja, in order.
# shellcheck shell=bash
# shellcheck disable=SC2154 # Nix puts the derivation's attributes into the environment
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=$PWD

# Only the commands and libraries that the package names are available.
mkdir commands pkgconfig
for command in $every_command; do
  [[ " $commands " == *" $command "* ]] || printf '#!/bin/sh\necho "%s is no input of the package" >&2\nexit 127\n' "$command" >"commands/$command"
done
chmod -R +x commands
PATH=$PWD/commands:$PATH
if [[ " $commands " == *" pkg-config "* ]]; then
  IFS=: read -ra places <<<"$(command pkg-config --variable pc_path pkg-config)"
  for place in "${places[@]}"; do
    for file in "$place"/*.pc; do
      name=$(basename "$file" .pc)
      [ -e "$file" ] && { [[ " $every_module " != *" $name "* ]] || [[ " $modules " == *" $name "* ]]; } || continue
      [ -e "pkgconfig/$name.pc" ] || ln -s "$file" pkgconfig/
    done
  done
fi
export PKG_CONFIG_LIBDIR=$PWD/pkgconfig

patchShebangs() { :; } # the host has /usr/bin/env and /bin/bash
if [[ " $commands " == *" wrapProgram "* ]]; then
  wrapProgram() { # wrapProgram FILE --suffix PATH : VALUE
    [ "$2 $3 $4" = "--suffix PATH :" ]
    mv "$1" "${1%/*}/.${1##*/}-wrapped"
    # shellcheck disable=SC2016 # for the wrapper
    printf '#!/bin/bash\nexport PATH=$PATH:%s\nexec -a "$0" %s "$@"\n' "$5" "${1%/*}/.${1##*/}-wrapped" >"$1"
    chmod +x "$1"
  }
fi

cp -r "$src" source
chmod -R u+w source
cd source
eval "${postPatch:-}"
meson setup build --prefix="$out" --buildtype=plain --wrap-mode=nodownload
ninja -C build
[ -z "${doCheck:-}" ] || meson test -C build --no-rebuild
meson install -C build --no-rebuild
eval "${postFixup:-}"
[ -z "${doInstallCheck:-}" ] || eval "${installCheckPhase:?}"
