#!/bin/bash
# test-installer.sh DOMSTRAP: real xl reads both configs of `domstrap installer`, and understands what was meant.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
[ $# = 1 ] || { echo "usage: test-installer.sh DOMSTRAP" >&2; exit 2; }
"$repo/scripts/install-deps.sh" xen
"$here/build.sh"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

python3 "$here/../build/iso.py" "$dir/cd.iso"
"$1" installer web1 --iso "$dir/cd.iso" -o "$dir" -q
"$1" installer web2 --iso "$dir/cd.iso" -o "$dir" -q --type pvh --boot pygrub --vif bridge=br0 --vcpus 2 --set on_crash=preserve
files=()
for cfg in "$dir"/*.cfg; do files+=(-f "$cfg"); done
"$here/run.sh" "${files[@]}" "$here/jobs/configs" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; die "xl refuses a config"; }

failed=0
means() { # means NAME FILTER WHAT: a jq filter is true of what xl understood
  if sed -n "s/.*JSON $1.cfg: //p" "$dir/log" | tr -d '\r' | jq -e "$2" >/dev/null; then
    echo "ok $1: $3"
  else
    echo "not ok $1: $3"
    failed=1
  fi
}
disks='[.disks[] | .vdev] ='
means web1-install '.c_info.type == "hvm" and .b_info["type.hvm"].bios == "seabios" and .b_info["type.hvm"].boot == "dc"' "a PC that boots its CD"
means web1-install "$disks= [\"xvda\", \"xvdb\", \"hdc\"]" "two disks and a CD"
means web1-install '.disks[2].is_cdrom == 1 and (.disks[2].readwrite // 0) == 0 and (.disks[2].pdev_path | endswith("/cd.iso"))' "the CD is read-only"
means web1-install '.b_info["type.hvm"].serial == "pty" and .b_info.device_model_version == "qemu_xen"' "a serial console"
means web1-install '(.on_reboot // "destroy") == "destroy"' "ends after the installation"
means web1 '.on_reboot == "restart"' "starts again"
means web1 '.c_info.type == "pv" and .b_info.bootloader == "domgrub"' "a PV guest with domgrub"
means web1 "$disks= [\"xvda\", \"xvdb\"]" "two disks"
means web2 '.c_info.type == "pvh" and .b_info.bootloader == "pygrub" and .b_info.max_vcpus == 2' "a PVH guest with pygrub"
means web2-install '.nics[0].bridge == "br0" and .on_crash == "preserve"' "its options are kept"
for key in uuid name; do
  of() { sed -n "s/.*JSON $1.cfg: //p" "$dir/log" | tr -d '\r' | jq -r ".c_info.$key"; }
  if [ "$(of web1)" = "$(of web1-install)" ]; then echo "ok one $key"; else echo "not ok one $key"; failed=1; fi
done
[ $failed = 0 ] || cat "$dir/log" >&2
exit $failed
