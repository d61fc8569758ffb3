# The initrd: systemd (NixOS's default since 26.05), or the script that did this before.
{ lib, pkgs, config, fsLine, initrdFileSystems, os-release }:
let
  inherit (pkgs) busybox runCommand writeText systemd;
  kernel = config.boot.kernelPackages.kernel;
  overlay = config.system.etc.overlay;
  units = import ./units.nix { inherit lib pkgs; };

  modules = runCommand "linux-${kernel.version}-modules-shrunk"
    {
      inherit kernel;
      inherit (pkgs) fhs;
      names = lib.unique (config.boot.initrd.availableKernelModules ++ config.boot.initrd.kernelModules
        ++ lib.optionals config.boot.initrd.systemd.enable [ "autofs4" ]
        ++ lib.optionals overlay.enable [ "loop" "erofs" "overlay" ]);
    } ./shrink-modules.sh;
  name = "initrd-linux-${kernel.version}";

  # ---- systemd
  upstream = [
    "basic.target" "ctrl-alt-del.target" "emergency.service" "emergency.target" "final.target" "halt.target"
    "initrd-cleanup.service" "initrd-fs.target" "initrd-parse-etc.service" "initrd-root-device.target"
    "initrd-root-fs.target" "initrd-switch-root.service" "initrd-switch-root.target" "initrd-udevadm-cleanup-db.service"
    "initrd-usr-fs.target" "initrd.target" "local-fs-pre.target" "local-fs.target" "modprobe@.service"
    "multi-user.target" "paths.target" "poweroff.target" "reboot.target" "rescue.service" "rescue.target"
    "shutdown.target" "sigpwr.target" "slices.target" "sockets.target" "swap.target" "sysinit.target"
    "systemd-fsck@.service" "systemd-fsck-root.service" "systemd-growfs@.service" "systemd-growfs-root.service"
    "systemd-halt.service" "systemd-journald-dev-log.socket" "systemd-journald.service" "systemd-journald.socket"
    "systemd-modules-load.service" "systemd-poweroff.service" "systemd-reboot.service" "systemd-sysctl.service"
    "systemd-udev-trigger.service" "systemd-udevd-control.socket" "systemd-udevd-kernel.socket" "systemd-udevd.service"
    "timers.target" "umount.target"
  ];

  # The system is the directory that init= is in once symbolic links are followed inside the new root. Without
  # prepare-root in it that is no NixOS, and init= is started as it is.
  findClosure = units.script "initrd-find-nixos-closure" [ ] ''
    # resolve PATH: what PATH is in the new root
    resolve() {
      rest=$1 path= links=0
      while [ -n "$rest" ]; do
        name=''${rest%%/*}
        case $rest in */*) rest=''${rest#*/} ;; *) rest= ;; esac
        case $name in
          "" | .) continue ;;
          ..) path=''${path%/*}; continue ;;
        esac
        [ -L "/sysroot$path/$name" ] || { path=$path/$name; continue; }
        links=$((links + 1))
        [ $links -lt 40 ] || { echo "init=$init: too many symbolic links"; exit 1; }
        target=$(readlink "/sysroot$path/$name")
        case $target in /*) path= ;; esac
        rest=$target/$rest
      done
    }
    init=
    for o in $(cat /proc/cmdline); do
      case $o in init=*) init=''${o#init=} ;; esac
    done
    [ -n "$init" ] || { echo "no init= on the kernel's command line"; exit 1; }
    resolve "$init"
    closure=''${path%/*}
    ln -s "$closure" /nixos-closure
    if [ -x "/sysroot$closure/prepare-root" ]; then
      echo NEW_INIT= >/etc/switch-root.conf
    else
      echo "$closure has no prepare-root: not a NixOS system, so it is not activated"
      echo "NEW_INIT=$init" >/etc/switch-root.conf
    fi
  '';
  activation = units.script "initrd-nixos-activation" [ ] ''
    closure=$(readlink /nixos-closure)
    [ -x "/sysroot$closure/prepare-root" ] || exit 0
    export IN_NIXOS_SYSTEMD_STAGE1=true
    exec chroot /sysroot "$closure/prepare-root"
  '';
  # /etc as an overlay: the new system names its parts in boot.json.
  findEtc = units.script "initrd-find-etc" [ ] ''
    closure=$(readlink /nixos-closure)
    basedir=$(sed -n 's/.*"etc_basedir":"\([^"]*\)".*/\1/p' "/sysroot$closure/boot.json")
    [ -n "$basedir" ] || exit 0
    ln -s "/sysroot$basedir" /etc-basedir
    mkdir -p /sysroot/etc
  '';
  own = {
    "initrd-find-nixos-closure.service" = units.service
      {
        description = "Find NixOS closure";
        before = [ "initrd.target" "shutdown.target" ];
        conflicts = [ "shutdown.target" ];
        requiredBy = [ "initrd.target" ];
        unitConfig = { RequiresMountsFor = "/sysroot/nix/store"; DefaultDependencies = false; };
      }
      { Type = "oneshot"; RemainAfterExit = true; ExecStart = findClosure; };
    "initrd-nixos-activation.service" = units.service
      {
        description = "NixOS Activation";
        after = [ "initrd-switch-root.target" ];
        before = [ "initrd-switch-root.service" ];
        requiredBy = [ "initrd-switch-root.service" ];
        unitConfig = { AssertPathExists = "/etc/initrd-release"; RequiresMountsFor = "/sysroot/run"; DefaultDependencies = false; };
      }
      { Type = "oneshot"; ExecStart = activation; StandardOutput = "journal+console"; StandardError = "journal+console"; };
    "sysroot-run.mount" = units.unit
      {
        description = "/run of the new root";
        before = [ "initrd-fs.target" ];
        requiredBy = [ "initrd-fs.target" ];
        unitConfig.DefaultDependencies = false;
      }
      { Mount = { What = "/run"; Where = "/sysroot/run"; Options = "bind"; }; };
    "panic-on-fail.service" = units.service
      {
        description = "Panic on failure";
        wantedBy = [ "emergency.target" ];
        unitConfig = { DefaultDependencies = false; ConditionKernelCommandLine = [ "|boot.panic_on_fail" "|stage1panic" ]; };
      }
      { Type = "oneshot"; ExecStart = "/bin/echo c"; StandardOutput = "file:/proc/sysrq-trigger"; };
  } // lib.optionalAttrs overlay.enable {
    "initrd-find-etc.service" = units.service
      {
        description = "Find what /etc is made of";
        after = [ "initrd-find-nixos-closure.service" ];
        requires = [ "initrd-find-nixos-closure.service" ];
        before = [ "shutdown.target" ];
        conflicts = [ "shutdown.target" ];
        requiredBy = [ "initrd.target" ];
        unitConfig = { RequiresMountsFor = "/sysroot/nix/store"; DefaultDependencies = false; };
      }
      { Type = "oneshot"; RemainAfterExit = true; ExecStart = findEtc; };
    "sysroot-etc.mount" = units.unit
      {
        description = "/etc of the new root";
        after = [ "initrd-find-etc.service" ] ++ lib.optionals overlay.mutable [ "rw-etc.service" ];
        requires = [ "initrd-find-etc.service" ] ++ lib.optionals overlay.mutable [ "rw-etc.service" ];
        before = [ "initrd-fs.target" ];
        requiredBy = [ "initrd-fs.target" ];
        unitConfig = { RequiresMountsFor = "/sysroot/nix/store"; DefaultDependencies = false; ConditionPathExists = "/etc-basedir"; };
      }
      {
        Mount = {
          What = "overlay";
          Where = "/sysroot/etc";
          Type = "overlay";
          Options = "nodev,nosuid,relatime,lowerdir=/etc-basedir," + (if overlay.mutable
          then "rw,upperdir=/sysroot/.rw-etc/upper,workdir=/sysroot/.rw-etc/work" else "ro");
        };
      };
  } // lib.optionalAttrs (overlay.enable && overlay.mutable) {
    # By its name domstrap knows that /etc is mutable.
    "rw-etc.service" = units.service
      {
        description = "Directories of the overlay on /etc";
        unitConfig = { RequiresMountsFor = "/sysroot"; DefaultDependencies = false; };
      }
      { Type = "oneshot"; ExecStart = "/bin/mkdir -p -m 0755 /sysroot/.rw-etc/upper /sysroot/.rw-etc/work"; };
  };
  fstab = writeText "initrd-fstab" (lib.concatStringsSep "" (map fsLine initrdFileSystems));
  stage1Units = units.directory "initrd-units" {
    inherit upstream;
    units = own;
    links."default.target" = "initrd.target";
    dropIns = units.dropIns // {
      "initrd-switch-root.service" = ''
        [Service]
        EnvironmentFile=-/etc/switch-root.conf
        ExecStart=
        ExecStart=systemctl --no-block switch-root /sysroot "''${NEW_INIT}"
      '';
      "initrd-parse-etc.service" = ''
        [Service]
        Environment=SYSTEMD_SYSROOT_FSTAB=${fstab}
      '';
    };
    tools = "/bin";
  };
  systemdInitrd = runCommand name
    {
      inherit modules fstab stage1Units busybox systemd;
      inherit (pkgs) fhs e2fsprogs kmod zstd;
      utilLinux = pkgs.util-linux;
      systemdLibraries = pkgs.libraryOf.libsystemd-shared;
      scripts = [ findClosure activation ] ++ lib.optionals overlay.enable [ findEtc ];
      hostName = config.networking.hostName;
      moduleNames = lib.concatMapStrings (m: "${m}\n") config.boot.initrd.kernelModules;
      osRelease = os-release;
      inherit (units) patience;
    } ./initrd-systemd.sh;

  # ---- scripted
  stage1 = pkgs.substitute "stage-1-init.sh" ./stage-1-init.sh {
    inherit busybox;
    modulesClosure = modules;
    kernelModules = config.boot.initrd.kernelModules;
    fsInfo = writeText "initrd-fsinfo" (fsLine (lib.head initrdFileSystems));
  };
  scriptedInitrd = runCommand name
    {
      inherit stage1;
      exportReferencesGraph = [ "closure" stage1 ];
    } ./initrd.sh;
in
if config.boot.initrd.systemd.enable && config.standIn.init == "systemd" then systemdInitrd else scriptedInitrd
