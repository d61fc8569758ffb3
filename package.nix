# domstrap and domgrub for nixpkgs' callPackage.
{
  lib,
  stdenv,
  makeWrapper,
  meson,
  ninja,
  pkg-config,
  python3,
  brotli,
  bzip2,
  cmocka,
  curl,
  e2fsprogs,
  jansson,
  libbsd,
  libseccomp,
  libsodium,
  libxcrypt,
  lz4,
  nettle,
  openssl,
  sqlite,
  util-linux,
  xxHash,
  xz,
  zlib,
  zstd,
}:
let
  # meson.build has the version.
  project = builtins.match ".*\n  version: '([^']*)'.*" (builtins.readFile ./meson.build);
  # Of the top directory; test/build is ours.
  built = map (name: toString (./. + "/${name}")) [ ".git" "build" "result" ];
in
stdenv.mkDerivation {
  pname = "domstrap";
  version = builtins.head project;

  src = builtins.path {
    name = "domstrap-source";
    path = ./.;
    filter = path: type: !(builtins.elem path built || lib.hasPrefix (toString ./build-) path);
  };

  nativeBuildInputs = [ makeWrapper meson ninja pkg-config python3 ];
  buildInputs = [
    brotli bzip2 cmocka curl e2fsprogs jansson libbsd libseccomp libsodium libxcrypt lz4 nettle openssl sqlite
    util-linux xxHash xz zlib zstd
  ];

  # The completions are made by a script, and tests are scripts.
  postPatch = "patchShebangs .";

  # The unit tests start jails, and nobody has tried these in Nix's sandbox; `make test` runs them.
  doCheck = false;

  # domstrap verify runs e2fsck. Nix and xl are the host's own.
  postFixup = ''
    wrapProgram $out/bin/domstrap --suffix PATH : ${lib.makeBinPath [ e2fsprogs ]}
  '';

  doInstallCheck = true;
  installCheckPhase = ''
    $out/bin/domstrap --version
    $out/bin/domgrub --version
  '';

  meta = {
    description = "Make NixOS guests for Xen, and boot them by their own boot menu";
    license = lib.licenses.mit;
    mainProgram = "domstrap";
    platforms = [ "x86_64-linux" "aarch64-linux" ];
  };
}
