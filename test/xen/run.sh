#!/bin/bash
# run.sh [OPTIONS] JOB: boot Xen and dom0 in QEMU, run JOB/job in dom0, print its console.
#   -c CFG      an xl config: its kernel=, ramdisk= and disks appear in dom0 at the same paths (disks are
#               links to /dev/vda, vdb and so on); the job finds the config in $CFG
#   -W          keep what the guest writes to CFG's disks; else it is discarded at the end
#   -d DISK     a raw image as dom0's next /dev/vdX; never written to      -w DISK   the same, written to
#   -f FILE     put beside the job, as /rig/NAME                           -e N=V    environment for the job
#   -b PROGRAM  a bootloader: put in /usr/lib/xen/bin; it runs with this host's loader and shared libraries
#   -x PROGRAM  another program: the same, in /usr/bin
#   -p          add Debian's pygrub, with Python
#   -H          add what HVM guests need in dom0 (build-hvm.sh)
#   -g PORT     QEMU waits for a debugger on this TCP port (gdb: target remote :PORT) before it starts
#   -i          this terminal becomes dom0's console, which a job may connect to the guest's
#   -m MB       QEMU's memory (default: enough for CFG's guest)            -t SECONDS   limit (default 900)
#   -v          show dom0's kernel messages
#   -s SUITE    the Xen of this Debian suite, made by build.sh (default: XEN_SUITE, else the host's)
# Each line of output starts with the seconds since the start (not with -i).
# Exit status: the job's; 124 if the job did not end; 2 usage.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
. "$repo/scripts/suite.sh"
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | grep -v '^set' >&2; exit 2; }

suite=${XEN_SUITE:-$host_suite} mem='' limit=900 quiet=quiet interactive='' pygrub='' hvm='' cfg='' debugger=()
disks=snapshot=on
drives=() files=() env=() programs=()
drive() { drives+=(-drive "file=$1,format=raw,if=none,id=d${#drives[@]},$2" -device "virtio-blk-pci,drive=d${#drives[@]}"); }
while getopts Wc:d:w:f:e:b:x:pHg:im:t:vs: option; do
  case $option in
    c) cfg=$OPTARG ;;
    d) drive "$OPTARG" snapshot=on ;;
    w) drive "$OPTARG" cache=unsafe ;;
    W) disks=cache=unsafe ;;
    f) files+=("$OPTARG") ;;
    e) env+=("$OPTARG") ;;
    b) programs+=("$OPTARG /usr/lib/xen/bin") ;;
    x) programs+=("$OPTARG /usr/bin") ;;
    p) pygrub=1 ;;
    H) hvm=1 ;;
    g) debugger=(-S -gdb "tcp:127.0.0.1:$OPTARG") ;;
    i) interactive=1 ;;
    m) mem=$OPTARG ;;
    t) limit=$OPTARG ;;
    v) quiet= ;;
    s) suite=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# = 1 ] || usage
job=$1
[ -x "$job/job" ] || die "$job/job: no such job"
out=$work/xen-rig/$suite/out
[ -e "$out/stamp" ] || die "$out: no Xen rig; run ${here#"$PWD/"}/build.sh $suite first"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/t/rig/files"
cp -rL "$job/." "$tmp/t/rig/"
[ ${#files[@]} = 0 ] || cp -L "${files[@]}" "$tmp/t/rig/"

# put FILE PATH: FILE appears in dom0 as PATH
put() {
  local n
  n=$(find "$tmp/t/rig/files" -type f | wc -l)
  cp -L "$1" "$tmp/t/rig/files/$n"
  echo "/rig/files/$n $2" >>"$tmp/t/rig/links"
}
guest_mb=128
if [ -n "$cfg" ]; then
  [ -r "$cfg" ] || die "$cfg: cannot be read"
  dir=$(cd "$(dirname "$cfg")" && pwd)
  put "$cfg" "$dir/${cfg##*/}"
  env+=("CFG=$dir/${cfg##*/}")
  value() { sed -n "s/^ *$1 *= *[\"']\{0,1\}\([^\"'#]*\).*/\1/p" "$cfg" | tail -n 1; }
  absolute() { case $1 in /*) echo "$1" ;; *) echo "$dir/$1" ;; esac; }
  for key in kernel ramdisk; do
    path=$(value $key)
    [ -z "$path" ] || put "$(absolute "$path")" "$(absolute "$path")"
  done
  guest_mb=$(value memory)
  letters=abcdefgh
  # disk = [ 'SPEC', ... ]: the target follows "target=", or is the first positional part
  while read -r path; do
    n=$((${#drives[@]} / 4))
    echo "/dev/vd${letters:n:1} $(absolute "$path")" >>"$tmp/t/rig/links"
    drive "$(absolute "$path")" "$disks"
  done < <(perl -0ne 's/^\s*#.*$//mg; if (/^\s*disk\s*=\s*\[(.*?)\]/ms) { for ($1 =~ /["\x27](.*?)["\x27]/g) {
    /target=(.*)/ || /^(?:\w+:)?([^,]*)/; print "$1\n" } }' "$cfg")
fi
# A program is linked with this host's libraries, and dom0's may be older. So patchelf sets its loader and library path to a
# separate directory; programs that it starts use dom0's.
own=/usr/lib/xen-rig
for program in "${programs[@]}"; do
  read -r program place <<<"$program"
  name=${program##*/}
  # Use directories below usr only: in dom0, /lib and /bin are links, which a directory in the archive would replace.
  mkdir -p "$tmp/t$own/lib"
  cp -L "$program" "$tmp/t$own/$name"
  echo "$own/$name $place/$name" >>"$tmp/t/rig/links"
  loader=$(patchelf --print-interpreter "$program" 2>/dev/null) || continue # a script, or static
  patchelf --set-interpreter "$own/lib/${loader##*/}" --force-rpath --set-rpath "$own/lib" "$tmp/t$own/$name"
  libs=$(ldd "$program" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p')
  for lib in "$loader" $libs; do cp -L "$lib" "$tmp/t$own/lib/"; done
done
for e in "${env[@]}"; do # as an assignment for sh
  v=${e#*=}
  printf "%s='%s'\n" "${e%%=*}" "${v//\'/\'\\\'\'}" >>"$tmp/t/rig/env"
done

cat "$out/dom0.cpio" ${pygrub:+"$out/pygrub.cpio"} ${hvm:+"$out/hvm.cpio"} >"$tmp/initrd"
(cd "$tmp/t" && find . -mindepth 1 | cpio --quiet -o -H newc -R 0:0) >>"$tmp/initrd"

# dom0's memory: twice its files (an initramfs may fill half of the memory), plus what its kernel needs.
files_mb=$(($(stat -c %s "$tmp/initrd") >> 20))
dom0_mb=$((256 + 2 * files_mb))
[ -z "$hvm" ] || dom0_mb=$((dom0_mb + 96)) # for copies of the kernel and initrd of an installed guest
: "${mem:=$((dom0_mb + guest_mb + guest_mb / 32 + 160))}"

# These CPU features do not work in QEMU's emulation. smap, smep: dom0's kernel faults. monitor: #GP in Xen's idle loop.
# xsave (with AVX): dom0's programs sometimes crash, because a guest overwrites their registers. rdtscp: with a PVH guest,
# Xen needs an SVM feature that QEMU lacks.
# shellcheck disable=SC2054 # QEMU's own commas
qemu=(qemu-system-x86_64 -accel tcg,tb-size=512 -cpu "max,-smap,-smep,-monitor,-xsave,-rdtscp" -smp 1 -m "$mem"
  -nodefaults -display none -no-reboot "${drives[@]}" "${debugger[@]}" -kernel "$out/xen"
  -append "console=com1 com1=115200,8n1 dom0_mem=${dom0_mb}M,max:${dom0_mb}M dom0_max_vcpus=1 spec-ctrl=no xpti=no bootscrub=0 loglvl=warning"
  -initrd "$out/vmlinux console=hvc0 mitigations=off rodata=off $quiet,$tmp/initrd")
# turn: wait for a lock; there are as many as processors, because an emulated machine keeps one busy all the time, and tests
# have time limits. The lock is released when this script and QEMU end.
turn() {
  local place places
  places=$(nproc)
  for ((;;)); do
    for ((place = 0; place < places; place++)); do
      exec 8>"$work/xen-rig/turn.$place"
      flock -n 8 && return
    done
    sleep 1
  done
}
if [ -n "$interactive" ]; then
  timeout --foreground -k 5 "$limit" "${qemu[@]}" -serial mon:stdio | tee "$tmp/log" || true
else
  turn
  timeout --foreground -k 5 "$limit" "${qemu[@]}" -serial stdio </dev/null 2>&1 |
    perl -MTime::HiRes=time -pe 'BEGIN { $| = 1; $start = time } s/\r//g; $_ = sprintf "%7.2f %s", time - $start, $_' |
    tee "$tmp/log" || true
fi
rc=$(sed -n 's/.*RIG [0-9.]* DONE rc=\([0-9]*\).*/\1/p' "$tmp/log" | tail -n 1)
exit "${rc:-124}"
