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
  libraryDebs = lib.filter
    (p: (lib.hasPrefix "lib" p.name || p.name == "zlib1g") && p.name != "libpam-modules-bin")
    index;

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

    busybox = build boot {
      name = "busybox-${upstream named.busybox-static.version}";
      script = ./busybox.sh;
      deb = source named.busybox-static;
    } // { version = upstream named.busybox-static.version; };

    libraries = map (p: build busybox { name = storeName p; script = ./library.sh; deb = source p; }) libraryDebs;

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
      } // { version = upstream linuxDeb.version; };
    linuxPackages = { kernel = linux; };
    linuxPackages_latest = linuxPackages;

    # Names that configurations like to list; busybox has a command for each.
    vim = busybox;
    wget = busybox;
    less = busybox;
    bash = busybox;
    coreutils = busybox;
  };
in
self
