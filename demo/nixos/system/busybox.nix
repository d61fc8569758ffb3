# PID 1 is busybox init, for systems that start quickly: no units, no udev, no sshd.
{ lib, pkgs, config, hostName }:
let
  inherit (pkgs) busybox runCommand writeText substitute;
  inherit (lib) concatMapStrings mapAttrsToList;
  check = condition: text: value: if condition then value else throw text;

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
  tools = runCommand "login" { login = substitute "login.sh" ./login.sh { inherit busybox; inherit (pkgs) pam; }; }
    ''mkdir -p "$out/bin" && ln -s "$login" "$out/bin/login"'';
in
{
  inherit systemd;
  packages = [ tools ];
  shell = "/run/current-system/sw/bin/sh";
  sh = "${busybox}/bin/sh";
  gids = { };
  users = { };
  etc = {
    inittab.source = inittab;
    "udhcpc.sh".source = substitute "udhcpc.sh" ./udhcpc.sh { inherit busybox; };
  };
}
