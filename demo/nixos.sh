# The demo's guest of a real NixOS (demo.sh --nixos), on top of demo.sh, which sources this. What it takes from there:
# dir, tmp, domstrap, cache, key, configuration, path, login, answers, boot, interactive.
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by demo.sh

# nixpkgs_for: a release of nixpkgs that the installed Nix can evaluate. Its lib/minver.nix says which: 2.18 since 25.11.
nixpkgs_for() {
  local version
  version=$(nix-build --version | sed -n 's/.* \([0-9][0-9.]*\).*/\1/p')
  if printf '%s\n' 2.18 "$version" | sort -CV; then echo channel:nixos-26.05; else
    say "nixos-26.05 wants Nix 2.18 or newer and this is $version, so the guest will be NixOS 24.11"
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
    answers || die "$cache did not answer in 2 seconds, and NIXOS=1 needs it. Where a proxy is needed, set https_proxy;
    DEMO_CACHE names another cache. Plain \"make demo\" needs no network but Debian's packages."
    nix_settings
    settings=(--option substituters "$cache" --option trusted-public-keys "$key" "${settings[@]:3}")
    create+=(--config "$configuration" --nixpkgs "${DEMO_NIXPKGS:-$(nixpkgs_for)}" "${settings[@]}")
    options=(-e USER=guest -e PASSWORD=guest)
  fi
  say "${create[*]}"
  "${create[@]}" || die "no guest could be made; domstrap's message is above"
  system=$(readlink -f "$out/nixos.system" 2>/dev/null) || system=$path
  options+=(-c "$out/nixos.cfg" -e "FIRST=$system")
  "$repo/test/xen/build.sh"
  [ -z "$login" ] || { interactive "${options[@]}"; return; }
  say "booting Xen and its dom0 in QEMU; NixOS takes some minutes there"
  boot "${options[@]}"
  cat <<Y
That was $system
on a real Xen $(xen_version), by the boot menu in its own disk. To boot it on a Xen host of yours, copy both files there:
    $out/nixos.img
    $out/nixos.cfg                     its disk line has the image's full path
Y
}
