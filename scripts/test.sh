#!/bin/bash
# test.sh: install what is needed, then
#   build-gcc     gcc, -Werror: every test, those with real Nix and real Xen among them
#   build-clang   clang, -Werror, ASan and UBSan: the unit tests and the fuzz targets' corpora
#   build-tsan    clang, TSan: the unit tests with threads (suite threads)
# Ends with a line "N passed, N failed, N skipped"; status 0 where none failed. Arguments: suites of build-gcc to run
# instead of all (unit, program, oracle, image, nix, package, lint, xen), and single tests of it (nix/nar, xen/boot). With --gcc first
# those of clang are left out.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
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

# run_gcc [SUITE | TEST]...: what the arguments ask for. Meson takes tests only within suites, so each kind has a run.
run_gcc() {
  local what suites=() tests=()
  for what; do
    case $what in
      unit | program | oracle | image | nix | package | lint | xen) suites+=(--suite "$what") ;;
      *) tests+=("$what") ;;
    esac
  done
  [ $# -gt 0 ] && [ ${#suites[@]} = 0 ] || run build-gcc "${suites[@]}"
  [ ${#tests[@]} = 0 ] || run build-gcc "${tests[@]}"
}

broken() { # broken WORDS: what could not even be built counts as a failed test
  echo "FAILED: $*"
  failed=$((failed + 1))
}

clang=true
if [ "${1:-}" = --gcc ]; then
  clang=false
  shift
fi

step "packages"
scripts/install-deps.sh build test demo xen || { echo "0 passed, 1 failed"; exit 1; }
scripts/install-deps.sh package lint || echo "their tests are skipped"

if $clang; then
  step "clang, ASan, UBSan: unit tests"
  if configure build-clang clang -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false; then
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 run build-clang --suite unit --timeout-multiplier 5
  else
    broken "build with clang"
  fi
  step "clang, TSan: unit tests with threads"
  targets=(lib/base/test_base_pool lib/cache/test_cache_decompress lib/cache/test_cache_nar_ahead)
  if configure build-tsan clang -Dwerror=true -Db_sanitize=thread -Db_lundef=false; then
    # TSan of clang 14 knows only kernels that place programs with less randomness than today's.
    TSAN_OPTIONS=halt_on_error=1 run build-tsan --suite threads --timeout-multiplier 5 --wrapper 'setarch -R'
  else
    broken "build with clang, TSan"
  fi
  targets=()
fi

step "gcc: ${*:-every test}"
if configure build-gcc gcc -Dwerror=true; then
  run_gcc "$@"
else
  broken "build with gcc"
fi

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
