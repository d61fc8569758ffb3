# In the guest: a system that "domstrap update --try" put on trial becomes the default once it has started, with all units that
# domstrap.confirm.requires names, and domstrap.confirm.script succeeds. Otherwise the next start boots the old one again.
# The journal of domstrap-confirm.service has the verdict, as has the console. A system that was not on trial is left alone.
#
# Xen's watchdog: if systemd is not alive for domstrap.watchdog.seconds, Xen ends the guest, and on_watchdog = "restart" in its xl
# config starts it again.
{ config, lib, pkgs, ... }:
let
  cfg = config.domstrap.confirm;
  watchdog = config.domstrap.watchdog;
  units = description: lib.mkOption {
    type = lib.types.listOf lib.types.str;
    default = [ ];
    example = [ "nginx.service" ];
    inherit description;
  };
in
{
  options.domstrap.confirm = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether a system on trial confirms itself.";
    };
    requires = units "Units without which a system on trial is not confirmed.";
    after = units "Units to wait for.";
    script = lib.mkOption {
      type = lib.types.lines;
      default = "";
      example = "curl --fail --silent http://localhost/";
      description = "Commands, for bash, of which each must succeed.";
    };
    grubenv = lib.mkOption {
      type = lib.types.str;
      default = "/boot/grub/grubenv";
      description = "GRUB's environment block, in which domstrap notes what is on trial.";
    };
  };

  options.domstrap.watchdog = {
    enable = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether Xen's watchdog is armed.";
    };
    seconds = lib.mkOption {
      type = lib.types.ints.positive;
      default = 60;
      description = "Seconds without a sign of life from systemd after which Xen ends the guest.";
    };
  };

  config = lib.mkMerge [
    (lib.mkIf watchdog.enable {
      boot.kernelModules = [ "xen_wdt" ];
      # All releases of NixOS read this file; the option for it has had several names.
      environment.etc."systemd/system.conf.d/50-domstrap-watchdog.conf".text = ''
        [Manager]
        RuntimeWatchdogSec=${toString watchdog.seconds}
      '';
    })
    (lib.mkIf cfg.enable {
      systemd.services.domstrap-confirm = {
        description = "Make a system on trial the default";
        wantedBy = [ "multi-user.target" ];
        after = [ "multi-user.target" ] ++ cfg.requires ++ cfg.after;
        requires = cfg.requires;
        path = [ pkgs.bash pkgs.coreutils pkgs.gnused pkgs.grub2 config.nix.package ];
        environment.HOME = "/root";
        restartIfChanged = false;
        serviceConfig.Type = "oneshot";
        # "domstrap restart" on the host reads the verdict on the console.
        serviceConfig.StandardOutput = "journal+console";
        script = ''
          set -eu
          env=${lib.escapeShellArg cfg.grubenv}
          profile=/nix/var/nix/profiles/system
          value() { grub-editenv "$env" list | sed -n "s/^$1=//p"; }

          [ -s "$env" ] || exit 0
          tried=$(value domstrap_try)
          [ -n "$tried" ] || exit 0
          # This start is the trial, or it came after it: later ones, by hand from the menu, are none.
          grub-editenv "$env" set "domstrap_tried=$tried"
          grub-editenv "$env" unset domstrap_try

          booted=$(readlink -f /run/booted-system)
          if [ "$booted" != "$tried" ]; then
            echo "not confirmed: $tried; the guest has started $booted"
            exit 0
          fi
          if ! bash -eu ${pkgs.writeText "domstrap-confirm" cfg.script}; then
            echo "not confirmed: $tried; domstrap.confirm.script failed"
            exit 1
          fi
          if [ "$(readlink -f "$profile")" != "$(value domstrap_kept)" ]; then
            echo "not confirmed: $tried; the system profile has changed since it was put on trial"
            exit 0
          fi
          nix-env --profile "$profile" --set "$tried"
          "$tried/bin/switch-to-configuration" boot
          grub-editenv "$env" unset domstrap_tried domstrap_kept
          echo "confirmed: $tried boots by default"
        '';
      };
    })
  ];
}
