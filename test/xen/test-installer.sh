#!/bin/bash
# test-installer.sh DOMSTRAP: real xl parses both configs of `domstrap installer` with the expected result.
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] || usage DOMSTRAP
ready xen

python3 "$repo/test/build/iso.py" "$dir/cd.iso"
"$1" installer web1 --iso "$dir/cd.iso" -o "$dir" -q
"$1" installer web2 --iso "$dir/cd.iso" -o "$dir" -q --type pvh --boot pygrub --vif bridge=br0 --vcpus 2 --set on_crash=preserve
files=()
for cfg in "$dir"/*.cfg; do files+=(-f "$cfg"); done
machine configs "${files[@]}" configs
machine_end

understood() { sed -n "s/.*JSON $1.cfg: //p" "$logs/configs.log"; } # understood NAME: xl's result, as JSON
means() { check "$1: $3" jq -e "$2" <<<"$(understood "$1")"; } # means NAME FILTER WHAT: the jq FILTER is true for it
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
  check "one $key" same "$(understood web1 | jq ".c_info.$key")" "$(understood web1-install | jq ".c_info.$key")"
done
outcome configs 0
finish
