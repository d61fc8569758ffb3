# What every system has, before its own configuration is looked at.
{ config, pkgs, lib, ... }:
{
  boot.kernelPackages = lib.mkOptionDefault pkgs.linuxPackages;
  environment.systemPackages = [ pkgs.busybox pkgs.nix ];
  users.users.root = { uid = 0; group = "root"; home = "/root"; };

  boot.initrd.systemd.enable = lib.mkOptionDefault (config.standIn.init == "systemd");
  # Only a newer systemd knows the word; older ones go by the fstab of the initrd alone.
  boot.kernelParams = lib.mkMerge [
    (lib.mkIf (config.boot.initrd.systemd.enable && builtins.compareVersions pkgs.systemd.version "254" >= 0) (lib.mkBefore [ "root=fstab" ]))
    (lib.mkAfter [ "loglevel=${toString config.boot.consoleLogLevel}" "lsm=landlock,yama,bpf" ])
  ];
  boot.bootspec.extensions = {
    "org.nixos.nixos-init.v1" = {
      firmware = "/run/current-system/firmware";
      modprobe_binary = "${if config.standIn.init == "systemd" then pkgs.kmod else pkgs.busybox}/bin/modprobe";
      nix_store_mount_opts = [ "ro" "nodev" "nosuid" ];
      env_binary = "${pkgs.busybox}/bin/env";
      sh_binary = "${if config.standIn.init == "systemd" then pkgs.bash else pkgs.busybox}/bin/sh";
    };
    "org.nixos.extra-initrd.v1" = lib.mkIf (config.system.boot.extraInitrd.paths != [ ]) { inherit (config.system.boot.extraInitrd) paths; };
  };

  warnings =
    lib.optional (config.services.openssh.enable && config.standIn.init != "systemd")
      "services.openssh.enable: the small system has no SSH server; only its keys are put in place"
    ++ lib.optional (config.boot.initrd.systemd.enable == false && config.standIn.init == "systemd")
      "boot.initrd.systemd.enable: the scripted stage 1 is deprecated since 26.05"
    ++ lib.optional (config.system.stateVersion == null)
      "system.stateVersion is not set";
}
