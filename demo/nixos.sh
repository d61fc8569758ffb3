# demo.sh --nixos: a guest of NixOS itself. Sourced by demo.sh, from which it uses dir, tmp, domstrap, cache, key, configuration,
# path, login, answers, boot, interactive.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by demo.sh

# nixpkgs_for: print a channel that the installed Nix can evaluate. nixpkgs's lib/minver.nix has the limit: 2.18 since 25.11.
nixpkgs_for() {
  local version
  version=$(nix-build --version | sed -n 's/.* \([0-9][0-9.]*\).*/\1/p')
  if printf '%s\n' 2.18 "$version" | sort -CV; then echo channel:nixos-26.05; else
    say "nixos-26.05 needs Nix 2.18 or newer, but the installed Nix is $version: the guest will be NixOS 24.11"
    echo channel:nixos-24.11
  fi
}

real() {
  local system create options=() out=$dir/nixos
  mkdir -p "$out"
  create=("$domstrap" create nixos --memory 1024 --output "$out" --force)
  if [ -n "$path" ]; then
    printf '%s\n' "caches = $cache" "trusted-keys = $key" 'connect-timeout = 5' >"$tmp/domstrap.conf"
    create+=(--system "$path" --conf "$tmp/domstrap.conf")
  else
    answers || die "$cache did not answer within 2 seconds, and NIXOS=1 needs it. Behind a proxy, set https_proxy; for another
    cache, set DEMO_CACHE. \"make demo\" without NIXOS needs nothing from the network but Debian's packages."
    nix_settings
    settings=(--option substituters "$cache" --option trusted-public-keys "$key" "${settings[@]:3}")
    create+=(--config "$configuration" --nixpkgs "${DEMO_NIXPKGS:-$(nixpkgs_for)}" "${settings[@]}")
    options=(-e USER=guest -e PASSWORD=guest)
  fi
  say "${create[*]}"
  "${create[@]}" || die "domstrap create failed"
  system=$(readlink -f "$out/nixos.system" 2>/dev/null) || system=$path
  options+=(-c "$out/nixos.cfg" -e "FIRST=$system")
  "$repo/test/xen/build.sh"
  [ -z "$login" ] || { interactive "${options[@]}"; return; }
  say "booting Xen and its dom0 in QEMU; NixOS takes some minutes in emulation"
  boot "${options[@]}"
  cat <<Y
Booted: $system,
on real Xen $(xen_version), by the menu on its own disk. To boot it on a Xen host of yours, copy these files to it:
    $out/nixos.img
    $out/nixos.cfg                     its disk line has the image's full path
Y
}
