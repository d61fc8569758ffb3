# What every system has, before its own configuration is looked at.
{ config, pkgs, lib, ... }:
{
  boot.kernelPackages = lib.mkOptionDefault pkgs.linuxPackages;
  boot.kernelParams = lib.mkAfter [ "loglevel=${toString config.boot.consoleLogLevel}" ];
  environment.systemPackages = [ pkgs.busybox pkgs.nix ];
  users.users.root = { uid = 0; group = "root"; home = "/root"; };

  warnings =
    lib.optional config.services.openssh.enable
      "services.openssh.enable: there is no SSH server among the demo's packages; only its keys are put in place"
    ++ lib.optional (config.system.stateVersion == null)
      "system.stateVersion is not set";
}
