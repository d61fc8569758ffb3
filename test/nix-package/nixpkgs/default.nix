# A minimal stand-in for nixpkgs: the packages for package.nix are the host's libraries, and mkDerivation runs nixpkgs'
# phases with the host's tools, so the sandbox must be off. pkg-config files and hooks that package.nix does not name are
# not available. Attributes that mean nothing to nixpkgs are errors.
{ system }:
let
  lib = import ./lib.nix;

  # pc: its pkg-config modules; commands: the commands it provides to a build
  package = name: { pc ? [ ], commands ? [ ] }: { inherit name pc commands; type = "derivation"; outPath = "/usr"; };
  packages = builtins.mapAttrs package {
    brotli.pc = [ "libbrotlidec" ];
    bzip2 = { };
    cmocka.pc = [ "cmocka" ];
    curl.pc = [ "libcurl" ];
    e2fsprogs.pc = [ "ext2fs" "com_err" ];
    jansson.pc = [ "jansson" ];
    libbsd.pc = [ "libbsd" ];
    libseccomp.pc = [ "libseccomp" ];
    libsodium.pc = [ "libsodium" ];
    libxcrypt = { };
    lz4.pc = [ "liblz4" ];
    nettle.pc = [ "nettle" ];
    openssl.pc = [ "libcrypto" ];
    sqlite.pc = [ "sqlite3" ];
    util-linux.pc = [ "blkid" ];
    xxHash.pc = [ "libxxhash" ];
    xz.pc = [ "liblzma" ];
    zlib.pc = [ "zlib" ];
    zstd.pc = [ "libzstd" ];
    makeWrapper.commands = [ "wrapProgram" ];
    meson.commands = [ "meson" ];
    ninja.commands = [ "ninja" ];
    pkg-config.commands = [ "pkg-config" ];
    python3.commands = [ "python3" ];
  };
  all = builtins.attrValues packages;

  known = [
    "pname" "version" "src" "nativeBuildInputs" "buildInputs" "postPatch" "doCheck" "doInstallCheck" "installCheckPhase"
    "postFixup" "meta"
  ];
  knownMeta = [ "description" "license" "mainProgram" "platforms" ];
  onlyKnown = what: names: set: f:
    let strange = builtins.filter (name: !(builtins.elem name names)) (builtins.attrNames set); in
    if strange == [ ] then f else throw "${what} has ${toString strange}, which nixpkgs would ignore";

  mkDerivation = args:
    onlyKnown "mkDerivation" known args (onlyKnown "meta" knownMeta args.meta (
      let
        inputs = args.nativeBuildInputs ++ args.buildInputs;
        drv = derivation (removeAttrs args [ "meta" "nativeBuildInputs" "buildInputs" ] // {
          name = "${args.pname}-${args.version}";
          inherit system;
          builder = "/bin/bash";
          args = [ ./builder.sh ];
          modules = lib.concatMapStringsSep " " toString (map (p: p.pc) inputs);
          every_module = lib.concatMapStringsSep " " toString (map (p: p.pc) all);
          commands = lib.concatMapStringsSep " " toString (map (p: p.commands) inputs);
          every_command = lib.concatMapStringsSep " " toString (map (p: p.commands) all);
        });
      in
      drv // { inherit (args) meta pname version; }));

  self = packages // {
    inherit lib callPackage;
    stdenv = { inherit mkDerivation; };
  };
  # As in nixpkgs: a function's arguments are passed by name, and an unknown name is an error.
  callPackage = path: others:
    let f = import path; in
    f (builtins.intersectAttrs (builtins.functionArgs f) self // others);
in
self
