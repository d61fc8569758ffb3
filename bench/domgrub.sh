#!/bin/bash
# SPDX-License-Identifier: MIT
# domgrub.sh [WORKDIR]: time and memory of domgrub and of Debian's pygrub, alternating in one run, on the same disk: ext4,
# NixOS's menu for a separate /boot, a 12 MB kernel, a 48 MB initrd.
#
#   list      domgrub -l, pygrub -l
#   answer    domgrub -q, pygrub -q: read the menu, copy kernel and initrd, print the answer
#   first     domgrub -q with known-kernels = no, as for a kernel booted for the first time: it is unpacked and checked
#   floor     cat of the two files into one
#   unchecked domgrub -q with check-kernel = no
#
# The kernel is a bzImage with Xen's notes 24 MB into its ELF file. KERNEL_PACKING is its compression: none (default, to
# measure only the copying), zstd (as in NixOS), xz, lz4 or gzip. KERNEL is a file to use instead. Peak memory is that of
# the largest process; "all" is the sum over all of domgrub's processes, sampled. ROUNDS (21): number of rounds. Needs
# python3, and apt for the pygrub of the host's suite (or PYGRUB, a path; scripts/get-pygrub.sh gets those of other suites).
. "$(dirname "$0")/common.sh"
rounds=${ROUNDS:-21}
domgrub=$(built domgrub)
pygrub=${PYGRUB:-$work/pygrub/pygrub}
[ -n "${PYGRUB-}" ] || "$top/scripts/get-pygrub.sh" "$work/pygrub" || die "no pygrub"

out=$work/out disk=$work/boot.img src=$work/boot
rm -rf "$src" "$out"
mkdir -p "$src/kernels" "$src/grub" "$out"
if [ -n "${KERNEL-}" ]; then
  cp "$KERNEL" "$src/kernels/kernel"
else
  "$here/kernel.py" "${KERNEL_PACKING:-none}" >"$src/kernels/kernel"
fi
head -c 48000000 /dev/urandom >"$src/kernels/initrd"
{
  printf 'set default=0\nset timeout=5\n'
  for g in "NixOS" "NixOS - Configuration 2 (2025-10-03 - 25.11)" "NixOS - Configuration 1 (2025-10-02 - 25.11)"; do
    printf 'menuentry "%s" --class nixos --unrestricted {\n' "$g"
    printf '  linux /kernels/kernel init=/nix/store/x/init console=hvc0 loglevel=4\n  initrd /kernels/initrd\n}\n'
  done
} >"$src/grub/grub.cfg"
rm -f "$disk"
truncate -s 200M "$disk"
mke2fs -q -t ext4 -L NIXBOOT -d "$src" "$disk"
printf 'check-kernel = no\n' >"$work/unchecked.conf"
printf 'known-kernels = no\n' >"$work/first.conf"
printf 'known-kernels = %s/known\n' "$work" >"$work/usual.conf"
rm -f "$work/known"

run() { # NAME COMMAND...: run and measure once, with an empty output directory
  local name=$1
  shift
  rm -f "$out"/*
  measured "$name" "$@" >/dev/null 2>"$work/err" || die "$name: $(cat "$work/err")"
}

"$domgrub" --config="$work/usual.conf" -q --output-directory="$out" "$disk" >/dev/null 2>&1 # from here on the kernel is known
for _ in $(seq "$rounds"); do
  run list "$domgrub" --config="$work/usual.conf" -l "$disk"
  run pygrub-list "$pygrub" -l "$disk"
  run answer "$domgrub" --config="$work/usual.conf" -q --output-format=simple0 --output-directory="$out" "$disk"
  run pygrub-answer "$pygrub" -q --output-format=simple0 --output-directory="$out" "$disk"
  run first "$domgrub" --config="$work/first.conf" -q --output-format=simple0 --output-directory="$out" "$disk"
  run unchecked "$domgrub" --config="$work/unchecked.conf" -q --output-format=simple0 --output-directory="$out" "$disk"
  run floor sh -c "cat '$src/kernels/kernel' '$src/kernels/initrd' >'$out/both'"
done

printf '%-14s %9s %9s %10s\n' "" "wall ms" "CPU ms" "peak KiB"
for n in list pygrub-list answer first unchecked pygrub-answer floor; do
  printf '%-14s %9.2f %9.2f %10d\n' "$n" "$(column $n 1 | median | awk '{print $1 * 1000}')" \
    "$(column $n 2 | median | awk '{print $1 * 1000}')" "$(column $n 3 | sort -n | tail -1)"
done
echo
printf 'list:   %6.1f times faster than pygrub      (aim 20)\n' "$(ratio pygrub-list list)"
printf 'answer: %6.1f times faster than pygrub      (aim 5)\n' "$(ratio pygrub-answer answer)"
printf 'answer: %6.2f times the floor               (aim 1.2)\n' "$(ratio answer floor)"
printf 'first:  %6.1f times faster than pygrub\n' "$(ratio pygrub-answer first)"
rm -f "$out"/*
printf 'memory: %6.1f MiB in the largest process\n' "$(column answer 3 | sort -n | tail -1 | awk '{print $1 / 1024}')"
together() { "$here/peak.py" "$domgrub" --config="$work/$1.conf" -q --output-directory="$out" "$disk"; }
printf 'memory: %6.1f MiB, all processes together   (aim 8)\n' "$(together usual)"
printf 'memory: %6.1f MiB, the same, first\n' "$(together first)"
rm -f "$out"/*
