# domstrap and domgrub on a NixOS dom0: both programs for everybody, domgrub where xl finds it, and their configuration
# files out of options.
{ config, lib, pkgs, ... }:
let
  cfg = config.programs.domstrap;

  word = value: if builtins.isBool value then (if value then "yes" else "no") else toString value;
  line = key: value: "${key} = ${if builtins.isList value then lib.concatMapStringsSep " " word value else word value}\n";
  conf = settings: lib.concatStrings (lib.mapAttrsToList line settings);
  # An absent file means the defaults.
  file = settings: lib.mkIf (settings != { }) { text = conf settings; };

  value = lib.types.oneOf [ lib.types.bool lib.types.int lib.types.str ];
  settingsOption = page: example: lib.mkOption {
    type = lib.types.attrsOf (lib.types.either value (lib.types.listOf value));
    default = { };
    inherit example;
    description = "Keys and values of ${page}. A list is written with blanks between its words.";
  };
in
{
  options.programs.domstrap = {
    enable = lib.mkEnableOption "domstrap, which makes guests, and domgrub, the boot helper that xl starts";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.domstrap or (pkgs.callPackage ./package.nix { });
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package with both programs.";
    };

    settings = settingsOption "/etc/domstrap.conf, see domstrap.conf(5)" {
      caches = [ "https://cache.nixos.org" ];
      jobs = 8;
    };

    domgrub.settings = settingsOption "/etc/domgrub.conf, see domgrub(1)" {
      quiet = true;
      max-ramdisk = "1G";
    };
  };

  config = lib.mkIf cfg.enable {
    # xl looks for a bootloader without a slash in the PATH that it was started with: a person's here,
    environment.systemPackages = [ cfg.package ];
    # and that of the service that starts guests with the host.
    systemd.services = lib.mkIf config.virtualisation.xen.enable { xendomains.path = [ cfg.package ]; };

    environment.etc."domstrap.conf" = file cfg.settings;
    environment.etc."domgrub.conf" = file cfg.domgrub.settings;
  };
}
