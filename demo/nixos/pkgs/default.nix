# The packages: Debian's, taken apart and put into store paths of their own. Every derivation is built by
# busybox alone.
{ lib, debs, kernelSuite }:
let
  index =
    if builtins.pathExists (debs + "/packages.json")
    then builtins.fromJSON (builtins.readFile (debs + "/packages.json"))
    else throw "demo/nixos: no Debian packages in ${toString debs}: run demo/nixos/fetch.sh first";

  # The first builder comes from outside; all later ones are run by the copy of it that is a package.
  boot = builtins.path { path = debs + "/busybox"; name = "busybox-boot"; };
  build = shell: args: derivation ({
    system = "x86_64-linux";
    builder = "${shell}/bin/busybox";
    PATH = "${shell}/bin";
    args = [ "sh" "-eu" args.script ];
    allowSubstitutes = false; # no cache has these: do not wait for one
  } // removeAttrs args [ "script" ]);

  named = lib.listToAttrs (map (p: { inherit (p) name; value = p; }) index);
  # An upstream version, without Debian's revision.
  upstream = version: builtins.head (builtins.match "([^-]*).*" version);
  source = p: builtins.path {
    path = debs + "/${p.file}";
    name = builtins.replaceStrings [ "%3a" "~" ] [ "-" "-" ] p.file;
  };
  storeName = p: builtins.replaceStrings [ "~" ] [ "-" ] "${p.name}-${p.version}";

  linuxDeb =
    if kernelSuite == "" then builtins.head (lib.filter (p: lib.hasPrefix "linux-image-" p.name) index)
    else builtins.fromJSON (builtins.readFile (debs + "/kernel/${kernelSuite}.json"));
  # libpam-modules-bin is programs, whatever its name.
  isLibrary = p: (lib.hasPrefix "lib" p.name || p.name == "zlib1g") && p.name != "libpam-modules-bin";
  libraryDebs = lib.filter isLibrary index;

  self = rec {
    inherit build;
    # SCRIPT: a file, or its text
    runCommand = name: args: script: build busybox (args // {
      inherit name;
      script = if builtins.isPath script then script else builtins.toFile "builder.sh" script;
    });
    writeText = name: text: runCommand name { inherit text; passAsFile = [ "text" ]; } ''cp "$textPath" "$out"'';
    writeScript = name: text: runCommand name { inherit text; passAsFile = [ "text" ]; }
      ''cp "$textPath" "$out"; chmod 755 "$out"'';

    # substitute NAME FILE { var = value; }: FILE, executable, with @var@ replaced.
    substitute = name: file: vars: runCommand name ({ inherit file; vars = lib.attrNames vars; } // vars) ''
      cp "$file" "$out"
      chmod 755 "$out"
      for v in $vars; do eval "value=\$$v"; sed -i "s|@$v@|$value|g" "$out"; done
    '';

    busybox = build boot {
      name = "busybox-${upstream named.busybox-static.version}";
      script = ./busybox.sh;
      deb = source named.busybox-static;
    } // { version = upstream named.busybox-static.version; };

    # A store path of Debian packages.
    package = name: debs: args: build busybox ({
      name = "${name}-${upstream named.${lib.head debs}.version}";
      script = ./deb.sh;
      debs = map (d: source named.${d}) debs;
      share = [ ];
      postInstall = "";
    } // args) // { version = upstream named.${lib.head debs}.version; };

    libraryOf = lib.listToAttrs (map
      (p: {
        inherit (p) name;
        value = package p.name [ p.name ] { name = storeName p; postInstall = builtins.toFile "no-gconv.sh" ''rm -rf "$out"/lib/x86_64-linux-gnu/gconv''; };
      })
      libraryDebs);
    libraries = lib.attrValues libraryOf;

    nix = build busybox {
      name = "nix-${upstream named.nix-bin.version}";
      script = ./nix.sh;
      deb = source named.nix-bin;
      foreign = ./foreign.sh;
      inherit busybox libraries;
    };

    pam = build busybox {
      name = "pam-${upstream named.libpam-modules-bin.version}";
      script = ./pam.sh;
      deb = source named.libpam-modules-bin;
      foreign = ./foreign.sh;
      inherit busybox libraries;
    };

    systemd = package "systemd" [ "systemd" "udev" ] { postInstall = ./systemd.sh; };
    util-linux = package "util-linux" [ "util-linux" "mount" "fdisk" ] { };
    e2fsprogs = package "e2fsprogs" [ "e2fsprogs" ] { };
    kmod = package "kmod" [ "kmod" ] { };
    shadow = package "shadow" [ "login" ] { };
    openssh = package "openssh" [ "openssh-server" "openssh-client" "openssh-sftp-server" ] { };
    linux-pam = package "linux-pam" [ "libpam-modules-bin" ] { };
    bash = package "bash" [ "bash" ] { postInstall = builtins.toFile "sh.sh" ''ln -sf bash "$out/bin/sh"; rm -f "$out/bin/bashbug"''; };
    zstd = package "zstd" [ "zstd" ] { };
    cloud-utils = package "cloud-utils" [ "cloud-guest-utils" ] {
      postInstall = builtins.toFile "growpart.sh" ''find "$out/bin" -type f ! -name growpart -exec rm {} +'';
    };
    # Debian's programs find their loader, libraries and helpers below it.
    fhs = build busybox {
      name = "debian-fhs";
      script = ./fhs.sh;
      inherit libraries systemd openssh;
      programs = [ systemd util-linux e2fsprogs kmod shadow openssh linux-pam bash ];
      systemdLibraries = libraryOf.libsystemd-shared;
      pamModules = libraryOf.libpam-modules;
    };

    tzdata = build busybox {
      name = "tzdata-${upstream named.tzdata.version}";
      script = ./tzdata.sh;
      deb = source named.tzdata;
    };

    linux = build busybox
      {
        name = "linux-${upstream linuxDeb.version}";
        script = ./linux.sh;
        deb = source linuxDeb;
        inherit fhs;
      } // { version = upstream linuxDeb.version; };
    linuxPackages = { kernel = linux; };
    linuxPackages_latest = linuxPackages;

    # Names that configurations like to list; busybox has a command for each.
    vim = busybox;
    wget = busybox;
    less = busybox;
    coreutils = busybox;
  };
in
self
