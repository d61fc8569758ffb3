# A configuration's values -> the system: /nix/store/…-nixos-system-NAME-VERSION.
{ lib, pkgs, config, nested, specialise }:
let
  inherit (lib) optional optionalString concatMapStrings mapAttrsToList;
  inherit (pkgs) busybox runCommand writeText substitute;

  release = "26.05";
  label = if config.system.nixos.label != null then config.system.nixos.label else "${release}.0.demo";
  hostName = config.networking.hostName;
  kernel = config.boot.kernelPackages.kernel;
  grub = config.boot.loader.grub;
  withSystemd = config.standIn.init == "systemd";
  overlay = config.system.etc.overlay.enable;

  # ---- what NixOS, too, refuses
  check = condition: text: value: if condition then value else throw text;
  checked = value:
    check (config.fileSystems ? "/") "fileSystems: there is no \"/\", so stage 1 would find no root file system"
      (check (!grub.enable || grub.device != "" || grub.devices != [ ])
        "boot.loader.grub.enable is true, but neither .device nor .devices is set (\"nodev\" for a guest of Xen)"
        (check (withSystemd || config.standIn.init == "busybox") "standIn.init: only systemd and busybox are known"
          (check (!overlay || (withSystemd && config.boot.initrd.systemd.enable))
            "`system.etc.overlay.enable` requires `boot.initrd.systemd.enable`, and here standIn.init = \"systemd\""
            value)));

  # ---- file systems
  device = name: fs:
    if fs.device != null then fs.device
    else if fs.label != null then "/dev/disk/by-label/${fs.label}"
    else throw "fileSystems.\"${name}\" has neither device nor label";
  # The root, and what lies under it and the store need, is mounted in stage 1.
  inInitrd = lib.filter (name: config.fileSystems ? ${name}) [ "/" "/nix" "/nix/store" "/var" "/var/log" "/var/lib" "/etc" "/usr" ];
  fsOptions = name: fs:
    (if fs.options == [ ] then [ "defaults" ] else fs.options)
    # busybox's mount hands such words to the kernel, which refuses them.
    ++ lib.optional (withSystemd && fs.autoResize) "x-systemd.growfs"
    ++ lib.optional (withSystemd && builtins.elem name inInitrd) "x-initrd.mount";
  fsLine = name:
    let fs = config.fileSystems.${name}; in
    "${device name fs} ${name} ${fs.fsType} ${lib.concatStringsSep "," (fsOptions name fs)} 0 ${
      if builtins.elem fs.fsType [ "none" "auto" "tmpfs" "overlay" ] then "0" else if name == "/" then "1" else "2"}\n";
  fstab = lib.concatStringsSep "" (map fsLine (lib.attrNames config.fileSystems));

  initrd = import ./initrd.nix { inherit lib pkgs config fsLine os-release; initrdFileSystems = inInitrd; };
  pid1 = import (if withSystemd then ./systemd.nix else ./busybox.nix) { inherit lib pkgs config hostName; };

  # ---- /etc
  os-release = ''
    BUILD_ID="${label}"
    ID=nixos
    NAME=NixOS
    PRETTY_NAME="NixOS ${label}, domstrap's demo of Debian's packages"
    VERSION="${label}"
    VERSION_ID="${release}"
  '';
  userShell = pid1.shell;
  keys = lib.filterAttrs (_: u: u.openssh.authorizedKeys.keys != [ ]) config.users.users;
  etcFiles = {
    fstab.text = fstab;
    hosts.text = "127.0.0.1 localhost\n::1 localhost\n" + lib.optionalString (hostName != "") "127.0.0.2 ${hostName}\n";
    issue.text = "\n<<< Welcome to NixOS ${label} (\\m) - \\l >>>\n\n";
    "nix/nix.conf".text = "build-users-group = nixbld\nsandbox = false\nsubstituters =\n";
    "nsswitch.conf".text = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n";
    os-release.text = os-release;
    profile.source = ./profile;
    shells.text = "${userShell}\n/bin/sh\n";
  }
  // lib.optionalAttrs (hostName != "") { hostname.text = "${hostName}\n"; }
  // lib.optionalAttrs (config.time.timeZone != null) {
    localtime.source = "${pkgs.tzdata}/share/zoneinfo/${config.time.timeZone}";
    zoneinfo.source = "${pkgs.tzdata}/share/zoneinfo";
  }
  // lib.listToAttrs (mapAttrsToList
    (name: u: {
      name = "ssh/authorized_keys.d/${name}";
      # A copy: sshd refuses files below the store, whose directory a group may write to.
      value = { text = concatMapStrings (k: k + "\n") u.openssh.authorizedKeys.keys; mode = "0444"; };
    })
    keys)
  // pid1.etc // config.environment.etc;
  etc = runCommand "etc"
    {
      list = concatMapStrings
        (name:
          let
            f = etcFiles.${name};
            source = if f.source or null != null then f.source else writeText "etc-${baseNameOf name}" f.text;
          in
          "${name} ${source} ${f.mode or "symlink"} ${toString (f.uid or 0)} ${toString (f.gid or 0)}\n")
        (lib.attrNames etcFiles);
      passAsFile = [ "list" ];
    } ''
    while read -r name source mode uid gid; do
      mkdir -p "$(dirname "$out/etc/$name")"
      ln -s "$source" "$out/etc/$name"
      [ "$mode" != symlink ] || continue
      echo "$mode" >"$out/etc/$name.mode"
      echo "+$uid" >"$out/etc/$name.uid"
      echo "+$gid" >"$out/etc/$name.gid"
    done <"$listPath"
  '';

  # /etc as the lower layer of an overlay: what is copied otherwise is a file in it.
  etcBasedir = runCommand "etc-lowerdir" { inherit etc; } ''
    cp -R "$etc/etc" "$out"
    chmod -R u+w "$out"
    find "$out" -name '*.mode' | while read -r f; do
      f=''${f%.mode}
      [ "$(cat "$f.mode")" = direct-symlink ] || { cp -L "$f" "$f.tmp" && mv -f "$f.tmp" "$f"; }
      rm -f "$f.mode" "$f.uid" "$f.gid"
    done
  '';

  # ---- users: "name:uid:gid:home:shell:normal:groups:KIND:PASSWORD", for users.sh
  gids = { root = 0; wheel = 1; tty = 3; disk = 6; users = 100; nixbld = 30000; nogroup = 65534; } // pid1.gids;
  userLine = name: u:
    let
      group = if u.group != "" then u.group else if u.isNormalUser then "users" else "nogroup";
      home = if u.home != null then u.home else if u.isNormalUser then "/home/${name}" else "/var/empty";
      number = v: if v == null then "" else toString v;
      password =
        if u.initialPassword != null then "plain:${u.initialPassword}"
        else if u.password != null then "plain:${u.password}"
        else if u.initialHashedPassword != null then "hash:${u.initialHashedPassword}"
        else if u.hashedPassword != null then "hash:${u.hashedPassword}"
        else "hash:!";
    in
    "${name}:${number u.uid}:${toString (gids.${group} or gids.nogroup)}:${home}:${
      if u.isNormalUser || name == "root" then userShell else "/run/current-system/sw/bin/nologin"}:${
      if u.isNormalUser then "1" else ""}:${lib.concatStringsSep "," u.extraGroups}:${password}\n";
  buildUser = n: "nixbld${toString n}:${toString (30000 + n)}:${toString gids.nixbld}:/var/empty:/run/current-system/sw/bin/nologin::nixbld:hash:!\n";
  systemUser = name: u: "${name}:${toString u.uid}:${toString gids.${u.group}}:/var/empty:/run/current-system/sw/bin/nologin:::hash:!\n";
  users = writeText "users" (
    lib.concatStringsSep "" (mapAttrsToList userLine config.users.users)
    + concatMapStrings buildUser [ 1 2 3 4 5 6 7 8 ]
    + lib.concatStringsSep "" (mapAttrsToList systemUser pid1.users)
    + "nobody:65534:65534:/var/empty:/run/current-system/sw/bin/nologin:::hash:!\n"
  );
  groups = writeText "groups" (lib.concatStringsSep "" (mapAttrsToList (name: gid: "${name}:${toString gid}\n") gids));

  tools = runCommand "nixos-tools" { version = substitute "nixos-version" ./nixos-version.sh { inherit busybox; }; }
    ''mkdir -p "$out/bin" && ln -s "$version" "$out/bin/nixos-version"'';
  sw = runCommand "system-path"
    {
      # busybox comes last: what a package of its own brings goes before busybox's version
      packages = lib.unique (lib.filter (p: p != busybox) config.environment.systemPackages ++ pid1.packages ++ [ tools busybox ]);
    } ''
    mkdir -p "$out/bin"
    for p in $packages; do
      for f in "$p"/bin/*; do [ -e "$out/bin/''${f##*/}" ] || ln -s "$f" "$out/bin/"; done
    done
  '';
  activate = substitute "activate.sh" ./activate.sh {
    inherit busybox etc users groups;
    inherit (pid1) sh;
    setupUsers = ./users.sh;
    setupEtc = ./setup-etc.sh;
    etcOverlay = toString overlay;
    fhs = optionalString withSystemd "${pkgs.fhs}";
    su = if withSystemd then "${pkgs.util-linux}/bin/su" else "${busybox}/bin/busybox";
  };
  stage2 = substitute "stage-2-init.sh" ./stage-2-init.sh {
    inherit busybox;
    systemd = toString withSystemd;
  };

  specialisations =
    if nested then { }
    else lib.mapAttrs (_: s: specialise s.inheritParentConfig s.configuration) config.specialisation;
in
checked (runCommand "nixos-system-${if hostName == "" then "unnamed" else hostName}-${label}"
  {
    inherit busybox activate stage2 etc sw kernel initrd label hostName;
    inherit (pid1) systemd;
    systemdInitrd = toString config.boot.initrd.systemd.enable;
    withKernel = toString config.boot.kernel.enable;
    modulesTree = "${kernel}";
    kernelParams = toString config.boot.kernelParams;
    kernelParamsJSON = builtins.toJSON config.boot.kernelParams;
    extensions = builtins.toJSON (lib.filterAttrs (_: v: v != null) config.boot.bootspec.extensions
      // lib.optionalAttrs overlay {
      "org.nixos.nixos-init.v1" = config.boot.bootspec.extensions."org.nixos.nixos-init.v1" // { etc_basedir = "${etcBasedir}"; };
    });
    bootLabel = "NixOS ${label} (Linux ${kernel.version})";
    installBootLoader = optionalString grub.enable (substitute "install-grub.sh" ./install-grub.sh {
      inherit busybox;
      inherit (grub) configurationLimit fsIdentifier timeoutStyle;
      extraConfig = writeText "grub-extra-config" (grub.extraConfig + "\n");
      default = toString grub.default;
      timeout = config.boot.loader.timeout;
      copyKernels = toString grub.copyKernels;
    });
    switch = ./switch-to-configuration.sh;
    specialisations = lib.concatStringsSep " " (mapAttrsToList (name: path: "${name}=${path}") specialisations);
  } ./toplevel.sh)
