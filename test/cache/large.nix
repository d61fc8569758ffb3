# A system with NARs of all sizes that domstrap treats differently: some over 12 MiB, many small ones.
let
  build = import ../create/build.nix;
  # Bytes that cannot be compressed, the same every time.
  noise = name: n: build name ''
    mkdir $out
    head -c ${toString n} /dev/zero | openssl enc -aes-128-ctr -nosalt -K $key -iv 00 >$out/data 2>/dev/null
    for i in 1 2 3 4 5 6 7; do echo $i >$out/$i; done
  '' { key = builtins.substring 0 32 (builtins.hashString "sha256" name); };
  large = map (i: noise "large-${toString i}" (17000000 + i * 2500000)) [ 1 2 3 4 ];
  # Compresses to next to nothing.
  flat = build "flat" "mkdir $out; head -c 40000000 /dev/zero >$out/zeros; head -c 30000000 /dev/zero | tr '\\0' x >$out/x" { };
  medium = map (i: noise "medium-${toString i}" (1000000 * i)) [ 1 2 3 4 5 6 7 ];
  small = map (i: build "small-${toString i}" "echo ${toString i} >$out" { }) (builtins.genList (i: i) 40);
  kernel = build "linux-6.12.40" "mkdir $out; head -c 700000 /dev/zero | tr '\\0' k >$out/bzImage" { };
  initrd = build "initrd-linux-6.12.40" "mkdir $out; head -c 300000 /dev/zero | tr '\\0' i >$out/initrd" { };
  etc = build "etc" "mkdir -p $out/etc; ln -s $fstab $out/etc/fstab" { inherit fstab; };
  fstab = builtins.toFile "fstab" "/dev/disk/by-label/ROOTFS / ext4 x 0 1\n";
in
build "nixos-system-large" ''
  mkdir -p $out/specialisation
  printf '#!/bin/sh\n' >$out/init
  chmod +x $out/init
  ln -s $out/init $out/activate
  printf 25.11.20251201.ccccccc >$out/nixos-version
  printf x86_64-linux >$out/system
  printf 'loglevel=4' >$out/kernel-params
  ln -s $kernel/bzImage $out/kernel
  ln -s $initrd/initrd $out/initrd
  ln -s $etc/etc $out/etc
  echo $large $flat $medium $small >$out/refs
'' { inherit kernel initrd etc large flat medium small; }
