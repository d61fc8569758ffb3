# A stand-in for nixpkgs, as small as can be: the packages that package.nix asks for are the host's own libraries, and
# mkDerivation runs nixpkgs' phases with the host's tools, so the sandbox must be off. What package.nix does not name
# cannot be found: a library's pkg-config file, a hook's function. Attributes that nixpkgs gives no meaning to are
# errors.
{ system }:
let
  lib = import ./lib.nix;

  # pc: the pkg-config modules that come with it; commands: what it gives to a build
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
    libxcrypt = { };
    lz4.pc = [ "liblz4" ];
    nettle.pc = [ "nettle" ];
    openssl.pc = [ "libcrypto" ];
    sqlite.pc = [ "sqlite3" ];
    util-linux.pc = [ "blkid" ];
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
  # As in nixpkgs: what a function names is passed by name, and a name that is not there is an error.
  callPackage = path: others:
    let f = import path; in
    f (builtins.intersectAttrs (builtins.functionArgs f) self // others);
in
self
