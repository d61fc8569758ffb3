# The options that mean something here, with NixOS's names, types and defaults.
{ lib, init }:
let
  inherit (lib) attrsOf lines list scalar;
  interface = _: { useDHCP = scalar null; };
  user = name: {
    isNormalUser = scalar false;
    isSystemUser = scalar false;
    uid = scalar null;
    group = scalar "";
    extraGroups = list;
    home = scalar null;
    shell = scalar null;
    description = scalar "";
    password = scalar null;
    initialPassword = scalar null;
    hashedPassword = scalar null;
    initialHashedPassword = scalar null;
    openssh.authorizedKeys.keys = list;
    packages = list;
  };
in
{
  # Which program is PID 1: "systemd", in stage 1 as well, as in NixOS; or "busybox", for a small system that starts quickly.
  standIn.init = scalar (if init == "" then "systemd" else init);
  boot = {
    bootspec.extensions = attrsOf (_: scalar null);
    kernel.enable = scalar true;
    kernelPackages = scalar null;
    kernelParams = list;
    kernelModules = list;
    consoleLogLevel = scalar 4;
    growPartition = scalar false;
    initrd = {
      availableKernelModules = list;
      kernelModules = list;
      systemd.enable = scalar true;
    };
    loader = {
      timeout = scalar 5;
      grub = {
        enable = scalar true;
        device = scalar "";
        devices = list;
        configurationLimit = scalar 100;
        fsIdentifier = scalar "uuid";
        copyKernels = scalar false;
        default = scalar "0";
        extraConfig = lines;
        timeoutStyle = scalar "menu";
      };
    };
  };
  environment = {
    systemPackages = list;
    etc = attrsOf (_: { text = scalar null; source = scalar null; mode = scalar "symlink"; uid = scalar 0; gid = scalar 0; });
  };
  fileSystems = attrsOf (_: {
    device = scalar null;
    label = scalar null;
    fsType = scalar "auto";
    options = list;
    autoResize = scalar false;
  });
  networking = {
    hostName = scalar "nixos";
    useDHCP = scalar true;
    useNetworkd = scalar false;
    interfaces = attrsOf interface;
  };
  security.sudo.wheelNeedsPassword = scalar true;
  services.openssh = {
    enable = scalar false;
    settings = attrsOf (_: scalar null);
  };
  specialisation = attrsOf (_: { inheritParentConfig = scalar true; configuration = scalar { }; });
  system = {
    boot.extraInitrd.paths = list;
    etc.overlay = { enable = scalar false; mutable = scalar true; };
    stateVersion = scalar null;
    nixos.label = scalar null;
    build = attrsOf (_: scalar null);
  };
  systemd.services = attrsOf (name: {
    description = scalar name;
    after = list;
    before = list;
    wants = list;
    requires = list;
    wantedBy = list;
    unitConfig = attrsOf (_: scalar null);
    serviceConfig = attrsOf (_: scalar null);
    environment = attrsOf (_: scalar null);
    path = list;
    script = lines;
  });
  systemd.network.networks = attrsOf (_: {
    matchConfig = attrsOf (_: scalar null);
    networkConfig = attrsOf (_: scalar null);
    address = list;
    gateway = list;
    dns = list;
    routes = list;
  });
  time.timeZone = scalar null;
  users.users = attrsOf user;
  warnings = list;
}
