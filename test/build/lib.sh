# Functions for the tests of building, in addition to those for create. Sourced first.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../create/lib.sh"
nixpkgs=$(cd "$here/../build/nixpkgs" && pwd)

# flake DIR HOST...: a flake whose hosts differ in a file; pure evaluation has no builtins.currentSystem
flake() {
  local dir=$1 host
  shift
  mkdir "$dir"
  cp "$here/system.nix" "$dir"
  sed 's,builtins.currentSystem,"'"$(uname -m)"'-linux",' "$here/build.nix" >"$dir/build.nix"
  {
    echo '{ outputs = { self }: {'
    for host; do
      echo "nixosConfigurations.\"$host\".config.system.build.toplevel = import ./system.nix { kind = \"small\"; extra = \"echo $host >host\"; };"
    done
    echo '}; }'
  } >"$dir/flake.nix"
}

# inside IMAGE FILE: print a file of the root file system
inside() { debugfs -R "cat \"$2\"" "$1?offset=${start_of:-$start}" 2>/dev/null; }
# about IMAGE FILE: "TYPE MODE UID:GID MTIME" of it
about() {
  debugfs -R "stat \"$2\"" "$1?offset=${start_of:-$start}" 2>/dev/null | tr '\n' ' ' |
    sed -E 's/.*Type: ([a-z]+) +Mode: +0?([0-7]+).*User: +([0-9]+) +Group: +([0-9]+).* mtime: 0x([0-9a-f]+).*/\1 \2 \3:\4 \5/'
}
