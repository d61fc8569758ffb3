# What the benchmarks share. Sourced first, with a benchmark's arguments, [WORKDIR]. Sets here, top (this tree), build
# (BUILD, or build/ in this tree), work (WORKDIR, or bench/ in build; created if missing) and settings, the options that
# nix-build needs. Results go to $work/times.NAME, a line for each run: seconds, CPU seconds, peak KiB. Those of an earlier
# benchmark are removed.
# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those that source this file
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=${here%/*}
# shellcheck source-path=SCRIPTDIR
. "$top/scripts/common.sh"
nix_settings
build=$(realpath -m "${BUILD:-$top/build}")
mkdir -p "${1:-$build/bench}"
work=$(cd "${1:-$build/bench}" && pwd)
rm -f "$work"/times.*
export LC_ALL=C

# built NAME: the program's path
built() {
  local program=$build/bin/$1/$1
  [ -x "$program" ] || die "no $program; run make first"
  echo "$program"
}

# measured NAME COMMAND...: run once; adds a line to NAME's times
measured() { "$build/bench/measure" "$work/times.$1" "${@:2}"; }

# column NAME N: column N of NAME's times; ratio A B: the median over the rounds of A's seconds divided by B's
column() { awk -v c="$2" '{print $c}' "$work/times.$1"; }
ratio() { paste <(column "$1" 1) <(column "$2" 1) | awk '{print $1 / $2}' | median; }
median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
