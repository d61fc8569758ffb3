# Directories of systemd units, as /etc/systemd/system is one: systemd's own, picked by name, and the system's.
{ lib, pkgs }:
let
  inherit (lib) concatMapStrings concatStringsSep mapAttrsToList optionalAttrs;
  value = v: if v == true then "yes" else if v == false then "no" else toString v;
  line = name: v: concatMapStrings (one: "${name}=${value one}\n") (if builtins.isList v then v else [ v ]);
  section = name: set: if set == { } then "" else "[${name}]\n" + concatStringsSep "" (mapAttrsToList line set) + "\n";
  words = concatStringsSep " ";
in
rec {
  # For system.conf: an emulated processor takes longer than systemd's limits of 90 s allow for.
  patience = "DefaultTimeoutStartSec=600\nDefaultDeviceTimeoutSec=600\n";

  # Drop-ins for both stages. udev is asked about the devices of a guest only, for each costs an emulated processor some 50 ms;
  # NixOS asks about all, a hundred more, most of them terminals and processors.
  dropIns = {
    "systemd-udev-trigger.service" = ''
      [Service]
      ExecStart=
      ExecStart=-udevadm trigger --action=add --subsystem-match=xen --subsystem-match=block --subsystem-match=net
      ExecStart=-udevadm trigger --action=add --subsystem-match=tty --sysname-match=hvc*
    '';
    "systemd-modules-load.service" = "[Service]\nTimeoutSec=600\n";
  };

  # A script as a store path of its own, as NixOS has one for each unit that is a script.
  script = name: path: text: pkgs.writeScript "unit-script-${name}" ''
    #!${pkgs.busybox}/bin/sh
    set -e
    export PATH=${concatStringsSep ":" (map (p: "${p}/bin") (path ++ [ pkgs.busybox ]))}
    ${text}
  '';

  # The text of a unit. OTHER: sections by name, beside what all have.
  unit = { description, after ? [ ], before ? [ ], wants ? [ ], requires ? [ ], wantedBy ? [ ], requiredBy ? [ ]
         , conflicts ? [ ], unitConfig ? { }, ... }@args: other: {
    inherit wantedBy requiredBy;
    text = section "Unit"
      ({ Description = description; }
        // optionalAttrs (after != [ ]) { After = words after; }
        // optionalAttrs (before != [ ]) { Before = words before; }
        // optionalAttrs (wants != [ ]) { Wants = words wants; }
        // optionalAttrs (requires != [ ]) { Requires = words requires; }
        // optionalAttrs (conflicts != [ ]) { Conflicts = words conflicts; }
        // unitConfig)
      + concatStringsSep "" (mapAttrsToList section other);
  };
  service = args: config: unit args { Service = config; };

  # directory NAME { upstream = names of systemd's units; units = { "x.service" = unit …; }; links = { ALIAS = UNIT; };
  # dropIns = { UNIT = text; }; tools = where the programs are that systemd's units look for in /bin and /sbin; }
  directory = name: { upstream, units, links ? { }, dropIns ? { }, tools }: pkgs.runCommand name
    {
      inherit upstream tools;
      inherit (pkgs) systemd;
      texts = concatStringsSep "" (mapAttrsToList (n: u: "==== ${n}\n${u.text}") units
        ++ mapAttrsToList (n: text: "==== ${n}.d/overrides.conf\n${text}") dropIns);
      links = concatStringsSep "" (mapAttrsToList (alias: target: "${alias} ${target}\n") links
        ++ mapAttrsToList
        (n: u: concatMapStrings (by: "${by}.wants/${n} ../${n}\n") u.wantedBy
          + concatMapStrings (by: "${by}.requires/${n} ../${n}\n") u.requiredBy)
        units);
      passAsFile = [ "texts" "links" ];
    } ./units.sh;
}
