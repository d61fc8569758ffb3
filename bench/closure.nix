# A closure of the size of a real system, for benchmarks: one store path for each Debian package, an
# environment of links to their files (like NixOS's system-path), and a system on top that refers to all.
#
#   nix-build closure.nix --arg debs DIR --option sandbox false
#
# The host's dpkg-deb unpacks them, so the sandbox must be off.
{ debs }:
let
  build = import ../test/create/build.nix;

  # "libc6_2.36-9_amd64.deb" becomes "libc6-2.36-9"; characters that store paths do not allow become "_".
  words = file: builtins.match "([^_]+)_([^_]+)_[^_]+\\.deb" file;
  clean = text: builtins.concatStringsSep "_" (builtins.filter builtins.isString (builtins.split "[^0-9a-zA-Z+._?=-]+" text));
  nameOf = file: let w = words file; in clean "${builtins.elemAt w 0}-${builtins.elemAt w 1}";

  files = builtins.filter (f: words f != null) (builtins.attrNames (builtins.readDir debs));
  packages = map (f: build (nameOf f) "mkdir $out; dpkg-deb --fsys-tarfile $deb | tar -x -C $out --no-same-permissions --no-same-owner" {
    deb = builtins.path { path = debs + "/${f}"; name = nameOf f + ".deb"; };
  }) files;

  environment = build "system-path" ''
    mkdir $out
    for p in $packages; do
      cd $p
      find . -type d | sed 's,^\./*,,' | while read -r d; do mkdir -p "$out/$d"; done
      find ./usr/bin ./usr/sbin ./bin ./sbin ./usr/lib ./usr/share/man ./etc -type f 2>/dev/null | sed 's,^\./,,' |
        while read -r f; do ln -sfn "$p/$f" "$out/$f"; done
    done
  '' { inherit packages; };
in
build "nixos-system-bench-1.0" ''
  mkdir $out
  ln -s $environment $out/sw
  printf '#!%s/usr/bin/sh\n' "$environment" >$out/init
  chmod +x $out/init
  ln -s $out/init $out/activate
  printf 1.0 >$out/nixos-version
  printf x86_64-linux >$out/system
  printf loglevel=4 >$out/kernel-params
  mkdir $out/boot
  echo "a kernel" >$out/boot/bzImage
  ln -s $out/boot/bzImage $out/kernel
  ln -s $out/boot/bzImage $out/initrd
  echo $packages >$out/packages
'' { inherit packages environment; }
