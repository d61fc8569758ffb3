# lib.sh: sourced by the tests beside it, which use the installed programs on a small system that real Nix builds.
# Sets system, its store path; guest_boots IMAGE is true if domgrub's answer for IMAGE is that system.
# shellcheck shell=bash
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export HOME=$dir NIX_PATH='' LC_ALL=C
cat >"$dir/nix.conf" <<'CONF'
sandbox = false
build-users-group =
substituters =
experimental-features = nix-command
CONF
export NIX_CONF_DIR=$dir NIX_REMOTE=''

# The kernel has what Xen asks of one and does nothing; the rest is from the project's own tests.
python3 "$here/test/inspect/kernel.py" 6.12.40 1 1 "$dir/kernel"
system=$(nix-build --no-out-link "$here/test/create/system.nix" --argstr kind small \
  --argstr extra "cp --remove-destination $dir/kernel kernel")
cd "$dir"

clean() { e2fsck -fn "$1?offset=1048576"; }

guest_boots() {
  local answer
  answer=$(domgrub -q --output-directory "$dir" "$1")
  echo "$answer"
  grep -qF "init=$system/init" <<<"$answer"
  cmp "$(sed -n "s,.*(kernel '\([^']*\)').*,\1,p" <<<"$answer")" "$dir/kernel"
}
