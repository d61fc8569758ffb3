#!/bin/bash
# Errors in a request: the exit status, and a message of one line.
. "$(dirname "$0")/lib.sh"

system=$(build small)
bare=$(build bare)
no_init=$(build small --argstr extra 'rm init')
broken() { build small --argstr extra "$1"; }

# Only the host's store: otherwise a missing path would be requested from the public cache.
here_only=(--from / -o "$out")
ok=(--system "$system" "${here_only[@]}")

# ---- the command line ----

refused 2 'NAME.*--help' "${ok[@]}"
refused 2 'specify --system' g1 -o "$out"
refused 2 'unexpected argument "g2"' g1 g2 "${ok[@]}"
refused 2 'unknown option "--nonsense"' g1 "${ok[@]}" --nonsense
refused 2 'needs a value' g1 "${here_only[@]}" --system
refused 2 'domid|digits' 17 "${ok[@]}"
for name in 'a b' 'a/b' '../a' '-x' '' 'Domain-0' 'ä' "$(printf 'a\nb')" "$(printf %064d 0)"; do
  refused 2 'guest.*name|unknown option' "${ok[@]}" "$name"
done
refused 2 'guest name' g1 "${ok[@]}" --name 'a;b'
refused 2 "--size 'much'.*10G" g1 "${ok[@]}" --size much
refused 2 "--size '0'" g1 "${ok[@]}" --size 0
refused 2 "--memory '1'.*at least" g1 "${ok[@]}" --memory 1
refused 2 "--type 'hvm'.*pv, pvh or auto" g1 "${ok[@]}" --type hvm
refused 2 "--boot 'lilo'" g1 "${ok[@]}" --boot lilo
refused 2 "--vcpus '0'" g1 "${ok[@]}" --vcpus 0
refused 2 "--threads '17'" g1 "${ok[@]}" -j 17
refused 2 "--uuid 'x'.*not a UUID" g1 "${ok[@]}" --uuid x
refused 2 "--label" g1 "${ok[@]}" --label 'more than sixteen bytes'
refused 2 "vif 'nonsense'" g1 "${ok[@]}" --vif nonsense
refused 2 "'00:16:3e' is not a MAC address" g1 "${ok[@]}" --vif mac=00:16:3e
refused 2 'KEY=VALUE' g1 "${ok[@]}" --set on_crash
refused 2 "domstrap writes 'disk' itself" g1 "${ok[@]}" --set 'disk=["x"]'
refused 2 '--channel .*--no-channel' g1 "${ok[@]}" --no-channel --channel https://example.org
refused 2 '--initrd requires --kernel' g1 "${ok[@]}" --initrd x
SOURCE_DATE_EPOCH=yesterday refused 2 'SOURCE_DATE_EPOCH' g1 "${ok[@]}"
SOURCE_DATE_EPOCH=99999999999 refused 2 'SOURCE_DATE_EPOCH' g1 "${ok[@]}"
[ "$("$DOMSTRAP" create --help | head -n 1)" = 'usage: domstrap create NAME --system PATH [options]' ] || fail "help"

# ---- the system ----

# An overlay hides files of the root's /etc, and needs its parts.
overlay() { # IMAGE
  broken "printf '{\"org.nixos.bootspec.v1\":{\"init\":\"%s/init\",\"toplevel\":\"%s\",\"label\":\"x\",\"system\":\"x86_64-linux\",\"kernelParams\":[],\"kernel\":\"%s\",\"initrd\":\"%s\"},\"org.nixos.nixos-init.v1\":{\"etc_basedir\":\"%s\",\"etc_metadata_image\":\"%s\"}}' \$out \$out \$(readlink -f kernel) \$(readlink -f initrd) \$out \$out/$1 >boot.json"
}
mkdir -p below/etc && touch below/etc/x
refused 1 'extra-files puts files below /etc.*overlay' g1 "${here_only[@]}" --system "$(overlay init)" --extra-files below
refused 1 'etc_metadata_image .*/gone does not exist' g1 "${here_only[@]}" --system "$(overlay gone)"

file=$(echo /nix/store/*-just-a-file)
kernel=$(dirname "$(readlink "$system/kernel")")
refused 2 'not a NixOS system.*just-a-file has no init' g1 "${here_only[@]}" --system "$file"
refused 2 'not a NixOS system.*linux-6.12.40 has no init' g1 "${here_only[@]}" --system "$kernel"
refused 2 'not a NixOS system.*init' g1 "${here_only[@]}" --system "$no_init"
refused 1 'No such file' g1 "${here_only[@]}" --system ./result
refused 1 'No such file' g1 "${here_only[@]}" --system "/nix/store/$(printf %032d 0)-nothing"
refused 2 '^domstrap: /etc is not in a Nix store$' g1 "${here_only[@]}" --system /etc
refused 2 'not in a Nix store|store path' g1 "${here_only[@]}" --system /nix/store
refused 2 'store path|NixOS system' g1 "${here_only[@]}" --system "$system/init"
ln -s "$system" result
ln -s loop loop
refused 1 'links' g1 "${here_only[@]}" --system ./loop
create g1 "${here_only[@]}" --system ./result -n -q || fail "a link to a system"
create g1 "${here_only[@]}" --system /nix/store/../store/"${system##*/}"/ -n -q || fail "an odd path to a system"

# Not registered: files without a row in the database.
cp -a "$system" "/nix/store/$(printf %032d 0)-nixos-system-copy"
refused 1 'copy.*not (valid|registered)|does not know' g1 "${here_only[@]}" --system "/nix/store/$(printf %032d 0)-nixos-system-copy"
rm -rf "/nix/store/$(printf %032d 0)-nixos-system-copy"

refused 2 'no kernel.*--kernel' g1 "${here_only[@]}" --system "$bare"
refused 2 'no kernel.*--kernel' g1 "${here_only[@]}" --system "$bare" --boot direct
create g1 "${here_only[@]}" --system "$bare" --boot direct --kernel "$kernel/bzImage" -q || fail "a kernel of the host"
clean "$out/g1.img"
grep -qx "kernel = \"$kernel/bzImage\"" "$out/g1.cfg" || fail "the host's kernel is not in the config"
rm "$out"/*
refused 1 'nowhere: No such file' g1 "${here_only[@]}" --system "$bare" --boot direct --kernel "$WORLD/nowhere"
# shellcheck disable=SC2016 # for the builder's shell
refused 1 'leads out of the store|No such file' g1 "${here_only[@]}" --system "$(broken 'rm kernel; ln -s /boot/vmlinuz kernel')"
refused 1 'boot.json' g1 "${here_only[@]}" --system "$(broken 'echo nonsense >boot.json')"
refused 1 'label' g1 "${here_only[@]}" --system "$(broken 'echo "/dev/disk/by-label/more-than-sixteen-bytes / ext4" >etc/fstab')"
refused 1 'command line has [0-9]+ bytes' g1 "${here_only[@]}" --boot direct --system "$(broken 'printf %01100d 0 >kernel-params')"

# Another architecture: a warning here, an error on a Xen host.
arm=$(build small --argstr arch aarch64-linux)
create g1 "${here_only[@]}" --system "$arm" -n -q 2>"$work/stderr"
grep -q '^warning: .*aarch64-linux' "$work/stderr" || fail "no warning about the architecture"
mkdir -p "$WORLD/proc/xen"
touch "$WORLD/proc/xen/capabilities"
(
  create() { # as on a Xen host
    # shellcheck disable=SC2016
    unshare --mount sh -c 'mount --bind "$0" /proc && exec "$@"' "$WORLD/proc" "$DOMSTRAP" create "$@"
  }
  refused 1 'aarch64-linux, but this Xen host is .*--force' g1 "${here_only[@]}" --system "$arm"
)

# ---- existing files ----

for name in g1.img g1.cfg g1.kernel g1.initrd; do
  echo mine >"$out/$name"
  refused 1 "$name: already exists \(--force" g1 "${ok[@]}" --boot direct
  # Before a cache is queried.
  refused 1 "$name: already exists \(--force" g1 --system "$system" -o "$out" --boot direct --from http://127.0.0.1:1
  [ "$(cat "$out/$name")" = mine ] || fail "$name was overwritten"
  rm "$out/$name"
done
mkdir "$out/g1.img"
refused 1 'g1.img: .*not a regular file' g1 "${ok[@]}" --force
rmdir "$out/g1.img"
ln -s "$work/elsewhere" "$out/g1.cfg"
refused 1 'g1.cfg: already exists' g1 "${ok[@]}"
refused 1 'g1.cfg: .*not a regular file' g1 "${ok[@]}" --force
rm "$out/g1.cfg"
[ ! -e "$work/elsewhere" ] || fail "a link was followed"

# ---- sizes ----

refused 1 'g1.img: .*[0-9]+ MiB' g1 "${ok[@]}" --size 1M
refused 1 'g1.img: .*[0-9]+ MiB' g1 "${ok[@]}" --size 4097
least=$(sed -n 's/.* \([0-9]*\) MiB are .*/\1/p' "$work/stderr")
refused 1 " $least MiB" g1 "${ok[@]}" --size $((least - 1))M
create g1 "${ok[@]}" --size "${least}M" -q || fail "the size that it said would do"
clean "$out/g1.img"
rm "$out"/*
refused 1 'limit' g1 "${ok[@]}" --size 100T
create g1 "${ok[@]}" --size +5G -q
clean "$out/g1.img"
free=$(debugfs -R 'stats -h' "$out/g1.img?offset=$start" 2>/dev/null | sed -n 's/^Free blocks: *//p')
[[ $free -ge $((5 << 18)) && $free -le $(((5 << 18) + (40 << 8))) ]] || fail "--size +5G leaves $free blocks free"
rm "$out"/*

# ---- the configuration ----

refused 1 'nowhere: No such file' g1 "${ok[@]}" --configuration "$WORLD/nowhere"
refused 1 'not a regular file' g1 "${ok[@]}" --configuration "$WORLD"

# ---- --dry-run and --json give the same values ----

create g1 "${ok[@]}" --json -n >"$work/dry"
[ -z "$(ls -A "$out")" ] || fail "--dry-run wrote files"
create g1 "${ok[@]}" --json >"$work/wet" 2>/dev/null
same <(jq 'del(.dryRun)' "$work/dry") <(jq 'del(.dryRun)' "$work/wet") "--dry-run and --json disagree"
[ "$(jq -r '.disks[0].path' "$work/wet")" = "$out/g1.img" ] || fail "JSON: no path"
[ "$(jq -r '.disks[0].size' "$work/wet")" = "$(stat -c %s "$out/g1.img")" ] || fail "JSON: size"
[ "$(jq -r .system "$work/wet")" = "$system" ] || fail "JSON: system"
create g1 "${ok[@]}" --force >"$work/stdout" 2>"$work/stderr"
[ "$(wc -l <"$work/stdout") $(grep -c "xl create -c $out/g1.cfg" "$work/stdout")" = "1 1" ] || fail "the last line"
! grep -q $'\r\|\033' "$work/stderr" || fail "terminal sequences in a file"
create g1 "${ok[@]}" --force -q >"$work/stdout" 2>"$work/stderr"
[ -z "$(cat "$work/stdout" "$work/stderr")" ] || fail "--quiet says something"
rm "$out"/*
echo "every error is told"
