# Generations of one small system with NixOS's top level, for tests. The host's shell builds them, so the sandbox
# must be off. Generation n shares most of its parts with its neighbours.
#
#   n        the number of the generation
#   special  with specialisations
#   unit     with the unit of share/domstrap/guest.nix
#   secrets  with a program append-initrd-secrets: "some", or "none", which appends nothing
#   fstab    its etc/fstab
{ n, special ? false, secrets ? "", unit ? false, fstab ? "/dev/disk/by-label/NIXOS / ext4 x-initrd.mount 0 1" }:
let
  build = import ../create/build.nix;
  div = a: b: toString (a / b);

  # A new kernel every third generation.
  release = "6.12.4${div n 3}";
  kernel = build "linux-${release}" ''
    mkdir -p $out/lib/modules/${release}
    head -c 900000 /dev/zero | tr '\0' ${div n 3} >$out/bzImage
    echo module >$out/lib/modules/${release}/module.ko
  '' { };
  initrd = build "initrd-linux-${release}" ''
    mkdir $out
    head -c 300000 /dev/zero | tr '\0' ${div n 3} >$out/initrd
  '' { };

  shared = build "bash-5.2" ''
    mkdir -p $out/bin $out/share/many; cd $out
    head -c 2000000 /dev/zero | tr '\0' b >bin/bash
    for i in $(seq 300); do echo $i >share/many/a-file-with-a-long-name-$i; done
    ln -s bash bin/sh
    ln -s "$out/share/many/a-file-with-a-long-name-that-is-not-there-as-far-as-anybody-knows" dangling
  '' { };
  slow = build "glibc-2.${div n 2}" ''
    mkdir -p $out/lib; head -c 400000 /dev/zero | tr '\0' ${div n 2} >$out/lib/libc.so
  '' { };
  fast = build "config-${toString n}" ''
    mkdir $out; echo ${toString n} >$out/number; echo $slow >$out/uses
    head -c $((${toString n} * 10000)) /dev/zero | tr '\0' f >$out/data
  '' { inherit slow; };

  top = name: specials: build "nixos-system-${name}-25.11" ''
    mkdir -p $out/etc $out/bin $out/specialisation; cd $out
    printf '#!/bin/sh\n# %s\n' "$refers" >init; chmod +x init
    cp init activate
    printf '25.11.%03d' ${toString n} >nixos-version
    printf x86_64-linux >system
    printf 'loglevel=4 console=hvc0 generation=%d' ${toString n} >kernel-params
    printf 1 >init-interface-version
    case $secrets in
      some) printf '#!/bin/sh\necho %s >"$1"\n' "$out" ;;
      none) printf '#!/bin/sh\nif [ "$1" = --help ]; then\n  exit 0\nfi\n\nexit 0\necho x >"$1"\n' ;;
    esac >append-initrd-secrets
    if [ -n "$unit" ]; then mkdir -p etc/systemd/system; echo >etc/systemd/system/domstrap-confirm.service; fi
    if [ -n "$secrets" ]; then chmod +x append-initrd-secrets; else rm append-initrd-secrets; fi
    printf '%s\n' "$fstab" >etc/fstab
    ln -s $kernel/bzImage kernel; ln -s $initrd/initrd initrd; ln -s $kernel kernel-modules
    for s in $specials; do ln -s $s specialisation/with-$(cut -c 45-48 <<E
    $s
    E
    ); done
    rmdir specialisation 2>/dev/null || true
  '' { refers = [ shared slow fast ]; inherit kernel initrd specials secrets unit fstab; };
in
top "t${toString n}" (if special then [ (top "debug" [ ]) ] else [ ])
