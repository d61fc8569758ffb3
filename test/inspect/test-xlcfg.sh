#!/bin/bash
# xl configs of every kind: each command uses the disks that xl would give the guest, and refuses those it cannot read.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

"$DOMSTRAP" create web --system "$(system 1)" -q --size 96M --vif none
"$DOMSTRAP" create old --system "$(system 2)" -q --size 96M --vif none
cp --sparse=always web.img a,b.img
truncate -s 8M swap.img; mkswap -q swap.img
truncate -s 1M x.iso
one=$("$DOMSTRAP" generations --json web.img | jq -r '.generations[0].version')
two=$("$DOMSTRAP" generations --json old.img | jq -r '.generations[0].version')
[ "$one" != "$two" ] || fail "both systems are of version $one"

# config LINES: write x.cfg, with DIR replaced by the current directory
config() { printf 'name = "web"\nbootloader = "%s"\n%b\n' "$DOMGRUB" "$1" | sed "s|DIR|$PWD|g" >x.cfg; }
taken() { # taken LINES: each command reads the guest in web.img
  config "$1"
  ends 0 "$one" generations x.cfg
  ! grep -q "$two" said || { cat x.cfg said >&2; fail "generations of two guests"; }
}
refused() { # refused WORDS LINES: by every command
  config "$2"
  ends 1 "$1" generations x.cfg
  ends 1 "$1" update x.cfg --system "$(system 2)"
  ends 1 "$1" verify x.cfg
}

taken "disk = [ 'DIR/web.img,raw,xvda,w' ]"
taken "disk = [ 'DIR/web.img,,xvda' ]\ndisk += [ 'DIR/swap.img,,xvdb' ]"
ends 0 'swap.img' inspect x.cfg
taken "disk = [ 'tap:aio:DIR/web.img,xvda,w' ]"
taken "disk = [ 'tap2:tapdisk:aio:DIR/web.img,xvda,w' ]"
taken "disk = [ 'vdev=xvda,access=rw,target=DIR/a,b.img' ]"
taken "disk = [ 'format=raw,vdev=xvda,access=w,discard,target=DIR/web.img' ]"
taken "disk = [ 'backendtype=qdisk,format=raw,vdev=xvda,no-discard,direct-io-safe,target=DIR/web.img' ]"
taken "disk = [ 'backend=Domain-0,vdev=xvda,target=DIR/web.img' ]"
taken "extra = \"b=\\\\\"q\\\\\" c\"\ndisk = [ 'DIR/web.img,,xvda,w' ]"
grep -qF 'extra = "b=\"q\" c"' x.cfg || fail "no escapes in x.cfg"
taken "vnuma = [\n  [ 'pnode=0', 'size=1024' ]\n]\ndisk = [ 'DIR/web.img,,xvda,w' ]"
taken "disk = [ 'DIR/old.img,,xvda,w' ]\n# moved\ndisk = [ 'DIR/web.img,,xvda,w' ]"
ends 0 "$one" inspect x.cfg
! grep -q 'old.img' said || fail "a disk that no longer counts"
taken "disk = [ 'DIR/web.img,,xvda', 'DIR/x.iso,,hdc,cdrom' ]"

refused 'script block-drbd sets up this disk' "disk = [ 'drbd:r0,xvda,w' ]"
refused 'script block-x sets up this disk' "disk = [ 'script=block-x,vdev=xvda,target=DIR/web.img' ]"
refused 'in the domain "storage"' "disk = [ 'backend=storage,vdev=xvda,format=raw,target=DIR/web.img' ]"
refused 'format qcow2: only raw' "disk = [ 'tap:qcow2:DIR/web.img,xvda,w' ]"
refused 'format qcow2: only raw' "disk = [ 'qcow2:DIR/web.img,xvda,w' ]"
refused 'format vhd: only raw' "disk = [ 'DIR/web.img,vhd,xvda,w' ]"
refused 'QEMU' "disk = [ 'rbd:pool/web,raw,xvda' ]"
refused 'x.cfg: xl would refuse this config: line 3: lexical error near "\\x0d"' "disk = [ 'DIR/web.img,raw,xvda,w' ]\r"
refused 'unknown value for access near "xvda"' "disk = [ 'file:DIR/web.img,raw,xvda,w' ]"
refused 'unknown value for format near "raw "' "disk = [ 'DIR/web.img , raw , xvda , w' ]"
refused 'unknown parameter near "backenddomain=s"' "disk = [ 'backenddomain=storage,vdev=xvda,target=DIR/web.img' ]"
config "disk = [ 'DIR/web.img,raw,xvda,w' ]\nmemory = 1.5"
ends 1 'line 4: lexical error near "\.5"' check x.cfg
config "disk = [ 'backend=storage,vdev=xvda,target=DIR/web.img' ]"
ends 0 'web.img, xvda, cannot be read: it is in the domain "storage"' inspect x.cfg
ends 0 '^unknown: .*web.img: not checked: .* in the domain' check x.cfg
[ "$("$DOMSTRAP" generations --json web.img | jq '.generations | length')" = 1 ] || fail "a refused update wrote"

config "disk = [ 'DIR/web.img,,xvda' ]\nvif = [ 'bridge=br7,backend=net' ]"
ends 0 '^unknown: br7: .*domain net' check x.cfg

# xl gives the boot helper the first disk, even a CD.
config "disk = [ 'DIR/x.iso,,hdc,cdrom', 'DIR/web.img,,xvda' ]"
ends 4 '^error: .*x.iso: the first disk, a CD-ROM' check x.cfg
grep -qF -- '--disk=PATH' said || fail "no remedy"
config "disk = [ 'DIR/swap.img,,xvdb', 'DIR/web.img,,xvda' ]"
ends 4 '^error: .*swap.img: the first disk, the only one' check x.cfg
config "disk = [ 'DIR/swap.img,,xvdb', 'DIR/web.img,,xvda' ]\nbootloader_args = [ '-q', '--disk=DIR/web.img' ]"
"$DOMSTRAP" check x.cfg >said || true
grep -q '^ok: .*swap.img: the first disk; the boot helper finds the boot menu' said || { cat said >&2; fail "--disk="; }
"$DOMGRUB" -q --output-format=simple --output-directory=. "--disk=$PWD/web.img" -n swap.img >/dev/null || fail "domgrub and --disk="
config "disk = [ 'DIR/x.iso,,hdc,cdrom', 'DIR/web.img,,xvda' ]\nbootloader_args = '--disk=DIR/swap.img'"
ends 4 '^error: .*x.iso: the first disk' check x.cfg

# Configs that xl would not start.
config "disk = [ 'DIR/web.img,,xvda' ]"
sed -i 's|^bootloader = .*|bootloader = "/no/such/domgrub"|' x.cfg
ends 4 '^error: /no/such/domgrub: not found' check x.cfg
sed -i '/^bootloader/d' x.cfg
ends 4 '^error: x.cfg: has neither bootloader= nor kernel=' check x.cfg
sed -i '/^name/d' x.cfg
ends 4 '^error: x.cfg: has no name=' check x.cfg
config "disk = [ 'DIR/web.img,,xvda' ]\ntype = 'xen'"
ends 1 'invalid domain type "xen"' check x.cfg

# Properties of the host in "xl info".
mkdir bin
host() { # host VERSION CAPS
  printf '#!/bin/sh\n[ "$1" = info ] || exit 1\nprintf "xen_version            : %s\\nvirt_caps              : %s\\nfree_memory : 4096\\n"\n' "$@" >bin/xl
  chmod +x bin/xl
}
with() { PATH=$PWD/bin:$PATH "$DOMSTRAP" check x.cfg >said 2>&1 || true; }
line() { grep -Eq "$1" said || { cat said >&2; fail "not said: $1"; }; }
no_line() { ! grep -Eq "$1" said || { cat said >&2; fail "said: $1"; }; }
config "disk = [ 'DIR/web.img,,xvda' ]"
host 4.17.7 "pv hvm hap gnttab-v1"; with
line '^ok: xl: answers: Xen 4.17.7'
line '^warning: pv: this Xen has no shadow paging: .*migrated'
line 'type pvh'
host 4.17.7 "pv gnttab-v1"; with
line '^warning: pv: this Xen has no shadow paging'
no_line 'type pvh'
host 4.17.7 "pv hvm hap shadow"; with
line '^ok: pv: this Xen supports it'
host 4.11.4 "hvm hvm_directio"; with
no_line ': pv: '
config "disk = [ 'DIR/web.img,,xvda' ]\ntype = 'pvh'"
host 4.20.2 "pv hvm hap"; with
line '^ok: pvh: '
host 4.20.2 "pv"; with
line '^error: pvh: .*hvm'
host 4.20.2 "pv hvm"; with
line '^error: pvh: .*hap .*shadow'
# GRUB as the kernel, with the layout of grub-mkimage. The guest's own menu boots.
python3 - >grub.bin <<'X'
import struct, sys
head = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0x100000, 52, 0, 0, 52, 32, 2, 0, 0, 0)
head += struct.pack("<8I", 1, 116, 0, 0, 12, 12, 7, 4) + struct.pack("<8I", 4, 128, 0, 0, 20, 20, 0, 4)
note = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100000)
sys.stdout.buffer.write(head + b"mimg" + bytes(8) + note)
X
make_grub() { "$DOMSTRAP" create grub --system "$(system 1)" --size 96M --vif none --boot grub "$@" >said 2>&1; }
! make_grub --grub-image grub.bin --type pv || fail "GRUB for PV"
line 'PVH guests only .*LZ4 or zstd'
! make_grub --grub-image /no/such || fail "no such image"
line '/no/such: No such file'
! make_grub --grub-image web.cfg || fail "a config for GRUB"
line "web.cfg: not GRUB's image for PVH guests"
! make_grub --grub-image grub.bin --set extra=quiet || fail "extra= for GRUB"
line 'the guest.s boot menu sets'
! "$DOMSTRAP" create g --system "$(system 1)" --grub-image grub.bin >said 2>&1 || fail "--grub-image alone"
[ ! -e grub.img ] || fail "a refused create wrote"
make_grub --grub-image grub.bin || { cat said >&2; fail "create --boot grub"; }
line 'warning: .*lacks .*panic=30, and with --boot grub'
grep -Fqx "kernel = \"$PWD/grub.bin\"" grub.cfg || fail "kernel="
grep -Fqx 'type = "pvh"' grub.cfg || fail "type="
! grep -Eq '^(ramdisk|cmdline|extra|bootloader)' grub.cfg || fail "more than GRUB's"
[ ! -e grub.kernel ] || fail "a copy of the kernel"
"$DOMSTRAP" check grub.cfg >said 2>&1 || true
line '^ok: .*grub.bin: GRUB'
line '^ok: .*grub.cfg: domgrub can read it'
ends 0 'GRUB .*grub.bin' inspect grub.cfg
[ "$("$DOMSTRAP" inspect --json grub.cfg | jq -r '.config | .grub, .kernel' | tr '\n' ' ')" = "$PWD/grub.bin null " ] || fail "JSON of GRUB"
ends 1 'image in kernel= does not read grubenv' update grub.cfg --system "$(system 2)" --try
ends 0 '' update grub.cfg --system "$(system 2)"
! grep -qi 'direct\|still boots' said || { cat said >&2; fail "GRUB taken for a kernel of the guest"; }
ends 0 "$two" generations grub.cfg
ends 0 '' rollback grub.cfg
ends 0 '' verify --no-fsck grub.cfg
sed -i 's/^type = .*/type = "pv"/' grub.cfg
ends 4 "GRUB for PVH guests, but the config's type is pv" check grub.cfg

# A guest that panics is restarted, and a setting written by --set is read again.
grep -Fqx 'on_crash = "restart"' web.cfg || fail "on_crash"
grep -Eqx 'extra = "([^"]* )?panic=30"' web.cfg || fail "panic="
"$DOMSTRAP" create set --system "$(system 1)" -q --size 96M --set 'extra=a "b" \c' --set "vnuma=[['pnode=0'],]" --set on_crash=preserve
grep -Fqx 'extra = "a \"b\" \\c"' set.cfg || fail "extra"
[ "$(grep -c '^extra\|^on_crash' set.cfg)" = 2 ] || fail "our own lines beside those of --set"
ends 0 "$one" generations set.cfg
ends 2 'xl cannot read it: line 2: syntax error' create n --system "$(system 1)" --set 'vnuma=[1'
ends 2 'expected one setting' create n --system "$(system 1)" --set 'a=[1]; disk=[]'
ends 2 'xl ignores it beside cmdline=' create n --system "$(system 1)" --boot direct --set extra=x
mkdir $'a\nb'
ends 1 'xl would refuse this config' create n --system "$(system 1)" -o $'a\nb'
echo "test-xlcfg.sh: ok"
