#!/bin/bash
# A system whose /etc is an overlay (system.etc.overlay): files that create and update put below /etc go to its writable
# layer, or are refused or left out with the reason. create, check and verify check that the overlay's parts exist.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
command -v cpio >/dev/null || skip "no cpio"

# overlay NAME [UNIT...]: a system with UNITs in its initrd; NAME links: in the form before nixos-init; dir: boot.json
# names only the directory
overlay() {
  local name=$1 spec
  shift
  # shellcheck disable=SC2016 # it is the builder's shell that expands it
  spec='printf "{\"org.nixos.bootspec.v1\":{\"init\":\"%s/init\",\"toplevel\":\"%s\",\"label\":\"x\",\"system\":\"x86_64-linux\",\"kernelParams\":[\"console=hvc0\"],\"kernel\":\"%s\",\"initrd\":\"%s/initrd\"},\"org.nixos.nixos-init.v1\":{\"etc_basedir\":\"%s/parts/dir\",\"etc_metadata_image\":\"%s/parts/image\"}}" $out $out $(readlink -f kernel) $out $out $out >boot.json'
  if [ "$name" = dir ]; then
    spec=${spec/,'\"etc_metadata_image\":\"%s/parts/image\"'/}
    spec=${spec/ \$out >boot.json/ >boot.json}
  fi
  [ "$name" != links ] || spec='ln -s parts/dir etc-basedir; ln -s parts/image etc-metadata-image'
  echo "
    mkdir -p parts/dir t/nix/store/units; echo $name >parts/image
    for u in $*; do echo x >t/nix/store/units/\$u; done
    [ $name = unknown ] || { rm initrd; (cd t; find . | cpio -o -H newc --quiet) | gzip >initrd; }
    rm -r t; $spec" >"$name.sh"
  build small --argstr version "25.11.$name" --argstr extra "$(cat "$name.sh")"
}
plain=$(build small)
mutable=$(overlay mutable sysroot-etc.mount rw-etc.service)
fixed=$(overlay fixed sysroot-etc.mount)
unknown=$(overlay unknown)
links=$(overlay links sysroot-etc.mount rw-etc.service)
dir=$(overlay dir sysroot-etc.mount rw-etc.service)
opt=(--from / -o "$out" -q --vif none)

has() { # PATH TEXT: the image has a file with this text
  [ "$(debugfs -R "cat $1" "$out/g.img?offset=$start" 2>/dev/null)" = "$2" ] || fail "$1 in the image"
}
lacks() { # PATH
  ! debugfs -R "stat $1" "$out/g.img?offset=$start" 2>&1 | grep -q '^Inode:' || fail "$1 is in the image"
}
mode() { # PATH MODE
  debugfs -R "stat $1" "$out/g.img?offset=$start" 2>/dev/null | grep -Eq "Mode: +$2 " || fail "the mode of $1"
}

ssh-keygen -q -t ed25519 -N '' -C me -f hostkey
mkdir -p tree/etc/app tree/var
echo secret >tree/etc/app/key; echo data >tree/var/data
echo '{ one = 1; }' >one.nix; echo '{ two = 2; }' >two.nix
extra=(--ssh-host-key hostkey --extra-files tree --chmod /etc/app/key:0400)

# ---- mutable: the layer

for system in "$mutable" "$links"; do
  create g --system "$system" "${opt[@]}" "${extra[@]}" --configuration one.nix --authorized-key hostkey.pub --force
  clean "$out/g.img"
  for file in nixos/configuration.nix ssh/ssh_host_ed25519_key ssh/ssh_host_ed25519_key.pub app/key; do lacks "/etc/$file"; done
  has /.rw-etc/upper/nixos/configuration.nix "$(cat one.nix)"
  has /.rw-etc/upper/ssh/ssh_host_ed25519_key "$(cat hostkey)"
  has /.rw-etc/upper/app/key secret
  has /var/data data
  has /root/.ssh/authorized_keys "$(cat hostkey.pub)"
  mode /.rw-etc 0755; mode /.rw-etc/upper 0755; mode /.rw-etc/upper/ssh 0755
  mode /.rw-etc/upper/ssh/ssh_host_ed25519_key 0600; mode /.rw-etc/upper/app/key 0400
done
"$DOMSTRAP" update "$out/g.cfg" --system "$mutable" --from / --configuration two.nix -q
clean "$out/g.img"
has /.rw-etc/upper/nixos/configuration.nix "$(cat two.nix)"
has /.rw-etc/upper/nixos/configuration.nix.old "$(cat one.nix)"
lacks /etc/nixos/configuration.nix

# ---- read-only, and unknown

refused 1 'ssh-host-key puts files below /etc.*read-only overlay' g --system "$fixed" "${opt[@]}" --ssh-host-key hostkey --force
refused 1 'extra-files puts files below /etc.*does not say whether it is mutable' g --system "$unknown" "${opt[@]}" --extra-files tree --force
refused 1 'configuration puts a file into /etc/nixos.*read-only overlay' g --system "$fixed" "${opt[@]}" --configuration one.nix --force
rm -r tree/etc
create g --system "$fixed" "${opt[@]}" --extra-files tree --force --authorized-key hostkey.pub
has /var/data data
cp "$out/g.img" before.img
ends 1 'configuration puts a file into /etc/nixos.*does not say' update "$out/g.cfg" --system "$unknown" --from / --configuration two.nix
same_image "$out/g.img" before.img || fail "a refused update writes"
# The configuration's files are left out, because they were not requested explicitly.
cat >fixed.nix <<-NIX
	{ config.system.build.toplevel = import $here/system.nix {
	  kind = "small"; version = "25.11.fixed"; extra = builtins.readFile ./fixed.sh; }; }
	NIX
ends 0 'warning: .* read-only overlay .*; no files are copied into /etc/nixos' create g --file fixed.nix -o "$out" --vif none --force
lacks /etc/nixos/system.nix
ends 0 'warning: .* read-only overlay .*; no files are copied into /etc/nixos' update "$out/g.cfg" --file fixed.nix
lacks /etc/nixos/system.nix

# ---- a plain /etc becomes an overlay

create g --system "$plain" "${opt[@]}" --configuration one.nix --force
has /etc/nixos/configuration.nix "$(cat one.nix)"
lacks /.rw-etc
ends 0 'warning: .*/etc is an overlay.*hides what the guest has.*copy what it needs to /.rw-etc/upper' \
  update "$out/g.cfg" --system "$mutable" --from / --configuration two.nix
has /.rw-etc/upper/nixos/configuration.nix "$(cat two.nix)"
has /etc/nixos/configuration.nix "$(cat one.nix)"
ends 0 'generation' update "$out/g.cfg" --system "$links" --from /
! grep -q 'hides what' said || fail "an overlay after an overlay hides nothing"
ends 0 'generation' update "$out/g.cfg" --system "$mutable" --from /
! grep -q 'hides what' said || fail "an overlay after one of links hides nothing"

# ---- its parts

gone() { # SYSTEM PART WORDS: check and verify report the missing part
  create g --system "$1" "${opt[@]}" --force
  "$DOMSTRAP" check "$out/g.cfg" >said 2>&1 || true
  ! grep -q "system.etc.overlay" said || { cat said >&2; fail "check complains of a whole system"; }
  "$DOMSTRAP" verify "$out/g.cfg" >said 2>&1 || { cat said >&2; fail "verify complains of a whole system"; }
  debugfs -w -R "$2" "$out/g.img?offset=$start" >/dev/null 2>&1
  ends 4 "^error: .*$3: not found; .*system.etc.overlay" check "$out/g.cfg"
  ends 4 "^error: menu entry .*$3 not found; .*system.etc.overlay" verify "$out/g.cfg" --no-fsck
}
gone "$mutable" "rm $mutable/parts/image" parts/image
ends 4 "generation 1: parts of .* are missing" verify "$out/g.cfg" --no-fsck
gone "$mutable" "rmdir $mutable/parts/dir" parts/dir
gone "$dir" "rmdir $dir/parts/dir" parts/dir
gone "$links" "rm $links/parts/image" etc-metadata-image
"$DOMSTRAP" check --system "$mutable" >said 2>&1 || true
! grep -q 'system.etc.overlay' said || { cat said >&2; fail "check --system complains of a whole system"; }
rm -f "$mutable/parts/image"
"$DOMSTRAP" check --system "$mutable" >said 2>&1 || true
grep -q "^error: $mutable/parts/image: not found" said || { cat said >&2; fail "check --system: parts/image"; }
refused 1 'etc_metadata_image .*/parts/image does not exist' g2 --system "$mutable" "${opt[@]}"
echo "test-etc.sh: ok"
