# PID 1 is systemd: its units, and what is in /etc for it, for PAM and for sshd.
{ lib, pkgs, config, hostName }:
let
  inherit (lib) concatMapStrings concatStringsSep filter mapAttrsToList optional optionalAttrs optionals optionalString;
  inherit (pkgs) busybox systemd fhs;
  units = import ./units.nix { inherit lib pkgs; };
  inherit (units) service unit script;
  sshd = config.services.openssh;
  value = v: if v == true then "yes" else if v == false then "no" else toString v;

  upstream = [
    # The order of the start and of the end.
    "basic.target" "sysinit.target" "sockets.target" "slices.target" "paths.target" "timers.target" "swap.target"
    "multi-user.target" "local-fs-pre.target" "local-fs.target" "remote-fs-pre.target" "remote-fs.target"
    "network-pre.target" "network.target" "network-online.target" "nss-lookup.target" "nss-user-lookup.target"
    "time-set.target" "time-sync.target" "getty-pre.target" "getty.target" "graphical.target" "first-boot-complete.target"
    "rescue.target" "rescue.service" "emergency.target" "emergency.service"
    "shutdown.target" "umount.target" "final.target" "poweroff.target" "reboot.target" "halt.target" "kexec.target"
    "exit.target" "sigpwr.target" "systemd-poweroff.service" "systemd-reboot.service" "systemd-halt.service"
    # Devices, modules, kernel settings.
    "systemd-udevd.service" "systemd-udevd-control.socket" "systemd-udevd-kernel.socket" "systemd-udev-trigger.service"
    "systemd-udev-settle.service" "systemd-modules-load.service" "kmod-static-nodes.service" "modprobe@.service"
    "systemd-sysctl.service" "systemd-random-seed.service" "dev-mqueue.mount" "dev-hugepages.mount"
    # File systems.
    "systemd-fsck@.service" "systemd-fsck-root.service" "systemd-remount-fs.service" "systemd-growfs@.service"
    "systemd-growfs-root.service" "systemd-tmpfiles-setup.service" "systemd-tmpfiles-setup-dev.service"
    "systemd-tmpfiles-setup-dev-early.service" "systemd-tmpfiles-clean.service" "systemd-tmpfiles-clean.timer"
    # The journal, sessions, the network.
    "systemd-journald.service" "systemd-journald.socket" "systemd-journald-dev-log.socket" "systemd-journal-flush.service"
    "systemd-update-utmp.service" "systemd-user-sessions.service" "user.slice" "systemd-networkd.service"
    "systemd-networkd.socket" "systemd-networkd-wait-online.service"
    "getty@.service" "serial-getty@.service"
  ];

  getty = terminal: ''
    [Service]
    ExecStart=
    ExecStart=@${pkgs.util-linux}/bin/agetty agetty --login-program ${pkgs.shadow}/bin/login --noclear --keep-baud ${terminal} $TERM
  '';

  # ---- services of the configuration
  userUnit = s: {
    inherit (s) description after before wants requires wantedBy unitConfig;
  };
  userService = name: s: service (userUnit s) (s.serviceConfig
    // optionalAttrs (s.environment != { }) { Environment = mapAttrsToList (n: v: "\"${n}=${v}\"") s.environment; }
    // optionalAttrs (s.script != "") { ExecStart = script name s.path s.script; });

  own = {
    "nix-daemon.socket" = unit
      {
        description = "Nix Daemon Socket";
        before = [ "multi-user.target" ];
        wantedBy = [ "sockets.target" ];
        unitConfig = { RequiresMountsFor = "/nix/store"; ConditionPathIsReadWrite = "/nix/var/nix/daemon-socket"; };
      }
      { Socket.ListenStream = "/nix/var/nix/daemon-socket/socket"; };
    "nix-daemon.service" = service
      {
        description = "Nix Daemon";
        unitConfig = { RequiresMountsFor = [ "/nix/store" "/nix/var" ]; ConditionPathIsReadWrite = "/nix/var/nix/daemon-socket"; };
      }
      { ExecStart = "${pkgs.nix}/bin/nix-daemon"; KillMode = "process"; LimitNOFILE = 1048576; Delegate = "yes"; };
  } // optionalAttrs config.boot.growPartition {
    # Before the file system grows (x-systemd.growfs), its partition.
    "growpart.service" = service
      {
        description = "Grow the root partition";
        after = [ "-.mount" ];
        before = [ "systemd-growfs-root.service" "systemd-growfs@-.service" "shutdown.target" ];
        conflicts = [ "shutdown.target" ];
        wantedBy = [ "-.mount" ];
        unitConfig.DefaultDependencies = false;
      }
      {
        Type = "oneshot";
        RemainAfterExit = true;
        TimeoutSec = "infinity";
        SuccessExitStatus = "0 1"; # growpart ends with 1 where there is nothing to grow
        # Without udevadm in its PATH: "udevadm settle" at its end takes two minutes here, and the kernel knows the size.
        ExecStart = script "growpart" [ pkgs.util-linux ] ''
          device=$(awk '$2 == "/" && $1 ~ "^/dev/" { print $1; exit }' /proc/self/mounts)
          part=''${device##*[!0-9]}
          [ -n "$part" ] || { echo "$device is no partition"; exit 0; }
          TMPDIR=/run exec sh ${pkgs.cloud-utils}/bin/growpart "''${device%"$part"}" "$part"
        '';
      };
  } // optionalAttrs sshd.enable {
    "sshd-keygen.service" = service
      {
        description = "SSH Host Keys Generation";
        before = [ "sshd.service" ];
        requiredBy = [ "sshd.service" ];
        unitConfig.ConditionFileNotEmpty = "|!/etc/ssh/ssh_host_ed25519_key";
      }
      {
        Type = "oneshot";
        ExecStart = script "sshd-keygen" [ pkgs.openssh ] ''
          [ -s /etc/ssh/ssh_host_ed25519_key ] || {
            mkdir -p /etc/ssh
            rm -f /etc/ssh/ssh_host_ed25519_key
            ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
          }
        '';
      };
    "sshd.service" = service
      {
        description = "SSH Daemon";
        after = [ "network.target" "sshd-keygen.service" ];
        wantedBy = [ "multi-user.target" ];
      }
      {
        Type = "notify";
        ExecStart = "${pkgs.openssh}/bin/sshd -D -f /etc/ssh/sshd_config";
        KillMode = "process";
        Restart = "always";
        RuntimeDirectory = "sshd";
      };
  } // lib.listToAttrs (mapAttrsToList (name: s: { name = "${name}.service"; value = userService name s; }) config.systemd.services);

  systemUnits = units.directory "system-units" {
    inherit upstream;
    units = own;
    links = {
      "default.target" = "multi-user.target";
      "ctrl-alt-del.target" = "reboot.target";
      "autovt@.service" = "getty@.service";
      "getty.target.wants/autovt@tty1.service" = "../getty@.service";
      "multi-user.target.wants/remote-fs.target" = "../remote-fs.target";
      "multi-user.target.wants/systemd-networkd.service" = "../systemd-networkd.service";
      "sockets.target.wants/systemd-networkd.socket" = "../systemd-networkd.socket";
    };
    dropIns = units.dropIns // {
      "serial-getty@.service" = getty "%I";
      "getty@.service" = getty "%I";
      "systemd-udev-settle.service" = "[Service]\nTimeoutSec=60\n";
    };
    tools = "${fhs}/bin";
  };

  # ---- networkd
  section = name: set: optionalString (set != { }) ("[${name}]\n" + concatStringsSep "" (mapAttrsToList (n: v: "${n}=${value v}\n") set));
  lines = name: concatMapStrings (v: "${name}=${v}\n");
  network = n: section "Match" n.matchConfig
    + "[Network]\n" + concatStringsSep "" (mapAttrsToList (k: v: "${k}=${value v}\n") n.networkConfig)
    + lines "Address" n.address + lines "Gateway" n.gateway + lines "DNS" n.dns
    + concatMapStrings (section "Route") n.routes;
  byDHCP = match: "[Match]\n${match}[Network]\nDHCP=yes\nIPv6PrivacyExtensions=kernel\n";
  networks = lib.mapAttrs (_: network) config.systemd.network.networks
    // optionalAttrs (config.networking.useDHCP == true) {
    "99-ethernet-default-dhcp" = byDHCP "Type=ether\nKind=!*\n";
  }
    // lib.listToAttrs (mapAttrsToList (i: _: { name = "40-${i}"; value = byDHCP "Name=${i}\n"; })
    (lib.filterAttrs (_: i: i.useDHCP == true) config.networking.interfaces));
  servers = lib.unique (lib.concatMap (n: n.dns) (lib.attrValues config.systemd.network.networks));

  # ---- PAM and sshd
  pam = "${pkgs.libraryOf.libpam-modules}/lib/x86_64-linux-gnu/security";
  pamService = ''
    account required ${pam}/pam_unix.so
    auth sufficient ${pam}/pam_unix.so likeauth try_first_pass
    auth required ${pam}/pam_deny.so
    password sufficient ${pam}/pam_unix.so nullok yescrypt
    session required ${pam}/pam_unix.so
  '';
  settings = { PermitRootLogin = "prohibit-password"; PasswordAuthentication = true; KbdInteractiveAuthentication = true; X11Forwarding = false; }
    // lib.filterAttrs (_: v: v != null) sshd.settings;

  examples = dir: names: lib.listToAttrs (map (n: { name = "${dir}/${n}"; value.source = "${systemd}/example/${dir}/${n}"; }) names);
in
{
  inherit systemd;
  packages = [ systemd pkgs.bash pkgs.util-linux pkgs.e2fsprogs pkgs.kmod pkgs.openssh pkgs.shadow ];
  shell = "/run/current-system/sw/bin/bash";
  sh = "${pkgs.bash}/bin/sh";
  gids = {
    kmem = 2; messagebus = 4; audio = 17; floppy = 18; uucp = 19; lp = 20; cdrom = 24; tape = 25; video = 26;
    dialout = 27; utmp = 29; systemd-journal = 62; keys = 96; systemd-network = 152; input = 174; kvm = 302;
    render = 303; sgx = 304; sshd = 998;
  };
  users = {
    systemd-network = { uid = 152; group = "systemd-network"; };
    sshd = { uid = 998; group = "sshd"; };
  };
  etc = {
    "systemd/system".source = systemUnits;
    "systemd/system.conf".text = "[Manager]\nManagerEnvironment=PATH=${fhs}/bin\nDefaultEnvironment=PATH=/run/current-system/sw/bin\n${units.patience}";
    "systemd/journald.conf".text = "[Journal]\nStorage=persistent\nRateLimitInterval=30s\nRateLimitBurst=10000\n";
    # systemd must not enable units on its own. Versions before 256 know "disable" alone.
    "systemd/system-preset/00-nixos.preset".text = "ignore *\ndisable *\n";
    "tmpfiles.d/00-nixos.conf".text = ''
      d /nix/var 0755 root root - -
      d /nix/var/nix/daemon-socket 0755 root root - -
      L+ /nix/var/nix/gcroots/booted-system 0755 root root - /run/booted-system
      d /run/keys 0750 root keys - -
      d /run/lock 0755 root root - -
      d /var/db 0755 root root - -
      d /var/log/journal 2755 root systemd-journal - -
      D! /tmp 1777 root root 0
      d /tmp 1777 root root 10d
      d /var/tmp 1777 root root 30d
      q /var/log 0755 - - -
      f+ /run/utmp 0664 root utmp -
    '';
    "sysctl.d/60-nixos.conf".text = "kernel.poweroff_cmd=${systemd}/bin/poweroff\nkernel.modprobe=${fhs}/bin/modprobe\nkernel.printk=${toString config.boot.consoleLogLevel} 4 1 7\n";
    "modules-load.d/nixos.conf".text = concatMapStrings (m: "${m}\n") config.boot.kernelModules;
    "udev/udev.conf".text = "";
    # What systemd names Xen's cards since 253.
    "udev/rules.d/79-xen-net.rules".text = ''ACTION=="add", SUBSYSTEM=="net", DRIVERS=="vif", KERNEL=="eth*", NAME="enX%n"'' + "\n";
    "login.defs".text = "ENV_PATH /run/current-system/sw/bin\nENV_SUPATH /run/current-system/sw/bin\nUMASK 077\nTTYGROUP tty\nTTYPERM 0620\nLOGIN_TIMEOUT 60\n";
    "pam.d/login".text = pamService;
    "pam.d/other".text = pamService;
    "pam.d/passwd".text = pamService;
    "pam.d/su".text = "auth sufficient ${pam}/pam_rootok.so\n" + pamService;
  }
  // examples "systemd/system-generators" [ "systemd-fstab-generator" "systemd-getty-generator" "systemd-debug-generator" "systemd-run-generator" ]
  // examples "udev/rules.d" [ "50-udev-default.rules" "60-block.rules" "60-persistent-storage.rules" "75-net-description.rules" "80-drivers.rules" "80-net-setup-link.rules" "99-systemd.rules" ]
  // examples "systemd/network" [ "99-default.link" ]
  // lib.listToAttrs (mapAttrsToList (n: text: { name = "systemd/network/${n}.network"; value = { inherit text; }; }) networks)
  // optionalAttrs (servers != [ ]) { "resolv.conf".text = concatMapStrings (s: "nameserver ${s}\n") servers; }
  // optionalAttrs sshd.enable {
    "pam.d/sshd".text = pamService;
    "ssh/sshd_config".text = concatStringsSep "" (mapAttrsToList (n: v: "${n} ${value v}\n") settings) + ''
      UsePAM yes
      SetEnv PATH=/run/wrappers/bin:/run/current-system/sw/bin
      HostKey /etc/ssh/ssh_host_ed25519_key
      AuthorizedKeysFile %h/.ssh/authorized_keys /etc/ssh/authorized_keys.d/%u
      Subsystem sftp ${pkgs.openssh}/lib/openssh/sftp-server
    '';
  };
}
