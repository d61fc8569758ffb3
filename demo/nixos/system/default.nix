# A configuration's values -> the system: /nix/store/…-nixos-system-NAME-VERSION.
{ lib, pkgs, config, nested, specialise }:
let
  inherit (lib) optional optionalString concatMapStrings mapAttrsToList;
  inherit (pkgs) busybox runCommand writeText;

  release = "23.05";
  label = if config.system.nixos.label != null then config.system.nixos.label else "${release}.0.demo";
  hostName = config.networking.hostName;
  kernel = config.boot.kernelPackages.kernel;
  grub = config.boot.loader.grub;

  # ---- what NixOS, too, refuses
  check = condition: text: value: if condition then value else throw text;
  checked = value:
    check (config.fileSystems ? "/") "fileSystems: there is no \"/\", so stage 1 would find no root file system"
      (check (!grub.enable || grub.device != "" || grub.devices != [ ])
        "boot.loader.grub.enable is true, but neither .device nor .devices is set (\"nodev\" for a guest of Xen)"
        value);

  # substitute NAME FILE { var = value; }: FILE, executable, with @var@ replaced.
  substitute = name: file: vars: runCommand name ({ inherit file; vars = lib.attrNames vars; } // vars) ''
    cp "$file" "$out"
    chmod 755 "$out"
    for v in $vars; do eval "value=\$$v"; sed -i "s|@$v@|$value|g" "$out"; done
  '';

  # ---- file systems
  device = name: fs:
    if fs.device != null then fs.device
    else if fs.label != null then "/dev/disk/by-label/${fs.label}"
    else throw "fileSystems.\"${name}\" has neither device nor label";
  fstabLine = name: fs: "${device name fs} ${name} ${fs.fsType} ${
    if fs.options == [ ] then "defaults" else lib.concatStringsSep "," fs.options} 0 ${if name == "/" then "1" else "2"}\n";
  fstab = lib.concatStringsSep "" (mapAttrsToList fstabLine config.fileSystems);

  # ---- initrd
  shrunkModules = runCommand "linux-${kernel.version}-modules-shrunk"
    {
      inherit kernel;
      names = config.boot.initrd.availableKernelModules ++ config.boot.initrd.kernelModules;
    } ./shrink-modules.sh;
  stage1 = substitute "stage-1-init.sh" ./stage-1-init.sh {
    inherit busybox;
    modulesClosure = shrunkModules;
    kernelModules = config.boot.initrd.kernelModules;
    fsInfo = writeText "initrd-fsinfo" (fstabLine "/" config.fileSystems."/");
  };
  initrd = runCommand "initrd-linux-${kernel.version}"
    {
      inherit stage1;
      exportReferencesGraph = [ "closure" stage1 ];
    } ./initrd.sh;

  # ---- /etc
  os-release = ''
    BUILD_ID="${label}"
    ID=nixos
    NAME=NixOS
    PRETTY_NAME="NixOS ${label}, domstrap's demo with Debian's kernel and busybox"
    VERSION="${label}"
    VERSION_ID="${release}"
  '';
  userShell = "/run/current-system/sw/bin/sh";
  keys = lib.filterAttrs (_: u: u.openssh.authorizedKeys.keys != [ ]) config.users.users;
  etcFiles = {
    fstab.text = fstab;
    hostname.text = "${hostName}\n";
    hosts.text = "127.0.0.1 localhost\n::1 localhost\n127.0.0.2 ${hostName}\n";
    inittab.source = inittab;
    issue.text = "\n<<< Welcome to NixOS ${label} (\\m) - \\l >>>\n\n";
    "nix/nix.conf".text = "build-users-group = nixbld\nsandbox = false\nsubstituters =\n";
    "nsswitch.conf".text = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n";
    os-release.text = os-release;
    profile.source = ./profile;
    shells.text = "${userShell}\n/bin/sh\n";
    "udhcpc.sh".source = substitute "udhcpc.sh" ./udhcpc.sh { inherit busybox; };
  }
  // lib.optionalAttrs (config.time.timeZone != null) {
    localtime.source = "${pkgs.tzdata}/share/zoneinfo/${config.time.timeZone}";
    zoneinfo.source = "${pkgs.tzdata}/share/zoneinfo";
  }
  // lib.listToAttrs (mapAttrsToList
    (name: u: {
      name = "ssh/authorized_keys.d/${name}";
      value.text = concatMapStrings (k: k + "\n") u.openssh.authorizedKeys.keys;
    })
    keys)
  // config.environment.etc;
  etc = runCommand "etc"
    {
      list = concatMapStrings
        (name:
          let
            f = etcFiles.${name};
            source = if f.source or null != null then f.source else writeText "etc-${baseNameOf name}" f.text;
          in
          "${name} ${source} ${f.mode or "symlink"}\n")
        (lib.attrNames etcFiles);
      passAsFile = [ "list" ];
    } ''
    while read -r name source mode; do
      mkdir -p "$(dirname "$out/etc/$name")"
      ln -s "$source" "$out/etc/$name"
      [ "$mode" = symlink ] || echo "$mode" >"$out/etc/$name.mode"
    done <"$listPath"
  '';

  # ---- users: "name:uid:gid:home:shell:normal:groups:KIND:PASSWORD", for users.sh
  gids = { root = 0; wheel = 1; tty = 3; disk = 6; users = 100; nixbld = 30000; nogroup = 65534; };
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
  users = writeText "users" (
    lib.concatStringsSep "" (mapAttrsToList userLine config.users.users)
    + concatMapStrings buildUser [ 1 2 3 4 5 6 7 8 ]
    + "nobody:65534:65534:/var/empty:/run/current-system/sw/bin/nologin:::hash:!\n"
  );
  groups = writeText "groups" (lib.concatStringsSep "" (mapAttrsToList (name: gid: "${name}:${toString gid}\n") gids));

  # ---- network: "MATCH VALUE DHCP ADDRESSES GATEWAYS SERVERS", lists with commas, for startup.sh
  commas = l: if l == [ ] then "-" else lib.concatStringsSep "," l;
  networkLine = name: n:
    let
      match = n.matchConfig;
      by = if match.Driver or null != null then "Driver" else "Name";
    in
    check (match.${by} or null != null) "systemd.network.networks.${name}: matchConfig has neither Driver nor Name"
      "${by} ${match.${by}} ${if builtins.elem (n.networkConfig.DHCP or null) [ "yes" "ipv4" true ] then "yes" else "no"} ${
        commas n.address} ${commas (n.gateway ++ lib.filter (g: g != null) (map (r: r.Gateway or null) n.routes))} ${commas n.dns}\n";
  networks = writeText "networks" (lib.concatStringsSep "" (mapAttrsToList networkLine config.systemd.network.networks));

  # ---- what runs
  interfaces = lib.filterAttrs (_: i: i.useDHCP == true) config.networking.interfaces;
  startup = substitute "startup.sh" ./startup.sh {
    inherit busybox networks;
    allDHCP = toString config.networking.useDHCP;
    interfaces = lib.attrNames interfaces;
    kernelModules = config.boot.kernelModules;
  };
  inittab = runCommand "inittab"
    {
      inherit busybox startup;
      daemon = substitute "nix-daemon.sh" ./nix-daemon.sh { inherit busybox; inherit (pkgs) nix; };
      getty = substitute "getty.sh" ./getty.sh { inherit busybox; };
      shutdown = substitute "shutdown.sh" ./shutdown.sh { inherit busybox; };
    } ''
    cat >"$out" <<X
    ::sysinit:$startup
    hvc0::respawn:$getty hvc0
    tty1::respawn:$getty tty1
    ::respawn:$daemon
    ::ctrlaltdel:$busybox/bin/reboot
    ::shutdown:$shutdown
    X
  '';
  # PID 1: busybox init, where NixOS has systemd.
  systemd = runCommand "systemd-stand-in-${busybox.version}" { inherit busybox; } ''
    mkdir -p "$out/lib/systemd"
    printf '#!%s/bin/sh\nexec %s/bin/init "$@"\n' "$busybox" "$busybox" >"$out/lib/systemd/systemd"
    chmod 755 "$out/lib/systemd/systemd"
  '';
  tools = runCommand "nixos-tools"
    {
      version = substitute "nixos-version" ./nixos-version.sh { inherit busybox; };
      login = substitute "login.sh" ./login.sh { inherit busybox; inherit (pkgs) pam; };
    } ''
    mkdir -p "$out/bin"
    ln -s "$version" "$out/bin/nixos-version"
    ln -s "$login" "$out/bin/login"
  '';
  sw = runCommand "system-path"
    {
      # busybox comes last: what a package of its own brings goes before busybox's version
      packages = lib.unique (lib.filter (p: p != busybox) config.environment.systemPackages ++ [ tools busybox ]);
    } ''
    mkdir -p "$out/bin"
    for p in $packages; do
      for f in "$p"/bin/*; do [ -e "$out/bin/''${f##*/}" ] || ln -s "$f" "$out/bin/"; done
    done
  '';
  activate = substitute "activate.sh" ./activate.sh {
    inherit busybox etc users groups;
    setupUsers = ./users.sh;
  };
  stage2 = substitute "stage-2-init.sh" ./stage-2-init.sh { inherit busybox; };

  specialisations =
    if nested then { }
    else lib.mapAttrs (_: s: specialise s.inheritParentConfig s.configuration) config.specialisation;
in
checked (runCommand "nixos-system-${hostName}-${label}"
  {
    inherit busybox activate stage2 etc sw systemd kernel initrd label hostName;
    systemdInitrd = toString config.boot.initrd.systemd.enable;
    withKernel = toString config.boot.kernel.enable;
    modulesTree = "${kernel}";
    kernelParams = toString config.boot.kernelParams;
    kernelParamsJSON = builtins.toJSON config.boot.kernelParams;
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
