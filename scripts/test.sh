#!/bin/bash
# test.sh [--gcc] [--other | --both] [SUITE | TEST]...: install what is needed, then
#   build-gcc     gcc, -Werror: every test, those with real Nix and real Xen among them
#   build-clang   clang, -Werror, ASan and UBSan: the unit tests and the fuzz targets' corpora
#   build-tsan    clang, TSan: the unit tests with threads (suite threads)
# Arguments: suites of build-gcc to run instead of all (unit, program, oracle, image, nix, package, lint, xen), and single
# tests of it (nix/nar, xen/boot).
#   --gcc         without clang
#   --other       not on this system but on a fresh one of the other Debian (scripts/fresh.sh: needs root), with gcc only;
#                 without arguments unit, nix, package and xen/boot. Where a test tries many steps that are alike, it tries
#                 fewer (TEST_SHORT=1).
#   --both        here, then as with --other
# Ends with a line "N passed, N failed", after one that says how many were skipped; status 0 where none failed.
set -uo pipefail
. "$(dirname "$0")/common.sh"
. "$repo/scripts/suite.sh"
cd "$repo" || exit
passed=0 failed=0 skipped=0

step() { printf '\n=== %s\n' "$*"; }

# configure DIR COMPILER OPTION...: a fresh set-up where the options changed, and the build of targets, if there are any,
# instead of everything
targets=()
configure() {
  local dir=$1 cc=$2
  shift 2
  [ "$(cat "$dir/options" 2>/dev/null)" = "$cc $*" ] || rm -rf "$dir"
  [ -e "$dir/build.ninja" ] || CC=$cc meson setup "$dir" "$@" >"$dir.log" 2>&1 || { tail -n 30 "$dir.log"; return 1; }
  mv "$dir.log" "$dir/setup.log" 2>/dev/null
  echo "$cc $*" >"$dir/options"
  ninja -C "$dir" "${targets[@]}" >"$dir/build.log" 2>&1 || { tail -n 60 "$dir/build.log"; return 1; }
}

# run DIR MESON-ARGUMENTS...: run tests, add to the counts
run() {
  local dir=$1
  shift
  # One more than processors: a test often waits, for a server that stalls or for its turn with Xen.
  meson test -C "$dir" --no-rebuild --print-errorlogs --num-processes $(($(nproc) + 1)) "$@" 2>&1 | tee "$dir/test.log"
  grep -q '^Ok:' "$dir/test.log" || { broken "meson test -C $dir $*"; return; }
  passed=$((passed + $(sed -n 's/^Ok: *//p' "$dir/test.log" | tail -n 1)))
  for kind in 'Fail' 'Unexpected Pass' 'Timeout'; do
    failed=$((failed + $(sed -n "s/^$kind: *//p" "$dir/test.log" | tail -n 1)))
  done
  skipped=$((skipped + $(sed -n 's/^Skipped: *//p' "$dir/test.log" | tail -n 1)))
}

# run_gcc [SUITE | TEST]...: what the arguments ask for. Meson takes either suites or names. One run of all names keeps
# every processor at work until the end.
run_gcc() {
  local what tests=()
  for what; do
    case $what in
      unit | program | oracle | image | nix | package | lint | xen)
        mapfile -t -O ${#tests[@]} tests < <(meson test -C build-gcc --no-rebuild --list --suite "$what" 2>/dev/null | sed -n 's,.* / ,,p') ;;
      *) tests+=("$what") ;;
    esac
  done
  # Without names meson would run everything.
  [ $# = 0 ] || [ ${#tests[@]} -gt 0 ] || { broken "no tests in $*"; return; }
  run build-gcc "${tests[@]}"
}

broken() { # broken WORDS: what could not even be built counts as a failed test
  echo "FAILED: $*"
  failed=$((failed + 1))
}

# test_here [SUITE | TEST]...
test_here() {
  step "packages"
  scripts/install-deps.sh build test demo xen || { broken "packages"; return; }
  $clang && { scripts/install-deps.sh clang || { broken "packages"; return; }; }
  # lint's are large.
  [[ $# -gt 0 && " $*" != *" lint"* ]] || scripts/install-deps.sh lint || echo "their tests are skipped"
  scripts/install-deps.sh package || echo "their tests are skipped"
  if $clang; then
    test_clang
  fi
  step "gcc: ${*:-every test}"
  if configure build-gcc gcc -Dwerror=true; then
    run_gcc "$@"
  else
    broken "build with gcc"
  fi
}

test_clang() {
  step "clang, ASan, UBSan: unit tests"
  if configure build-clang clang -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false; then
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 run build-clang --suite unit --timeout-multiplier 5
  else
    broken "build with clang"
  fi
  step "clang, TSan: unit tests with threads"
  targets=(lib/base/test_base_pool lib/cache/test_cache_{decompress,http,unpacker} lib/image/test_image_stream_wire)
  if configure build-tsan clang -Dwerror=true -Db_sanitize=thread -Db_lundef=false; then
    # TSan of clang 14 knows only kernels that place programs with less randomness than today's.
    TSAN_OPTIONS=halt_on_error=1 run build-tsan --suite threads --timeout-multiplier 5 --wrapper 'setarch -R'
  else
    broken "build with clang, TSan"
  fi
  targets=()
}

# test_other [SUITE | TEST]...: what this script says on the other Debian is added to the counts
test_other() {
  local log=$work/test-other.log
  [ $# -gt 0 ] || set -- unit nix package xen/boot
  step "$other_suite: $*"
  mkdir -p "$work"
  scripts/fresh.sh "$other_suite" env TEST_SHORT=1 scripts/test.sh --gcc "$@" 2>&1 | tee "$log"
  if [[ $(tail -n 2 "$log") =~ ^([0-9]+)\ skipped$'\n'([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    skipped=$((skipped + BASH_REMATCH[1])) passed=$((passed + BASH_REMATCH[2])) failed=$((failed + BASH_REMATCH[3]))
  else
    broken "tests on $other_suite"
  fi
}

clang=true here=true other=false
while [[ ${1:-} == -* ]]; do
  case $1 in
    --gcc) clang=false ;;
    --other) here=false other=true ;;
    --both) other=true ;;
    *) die "unknown option \"$1\"" ;;
  esac
  shift
done
if $here; then
  test_here "$@"
fi
if $other; then
  test_other "$@"
fi
printf '\n%d skipped\n%d passed, %d failed\n' "$skipped" "$passed" "$failed"
[ "$failed" = 0 ]
