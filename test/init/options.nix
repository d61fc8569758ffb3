# options.nix: check a configuration against the NixOS options that `domstrap init` uses, their types and assertions.
#   nix-instantiate --eval --strict --json options.nix --arg configuration FILE --argstr release 26.05
# gives { errors = [ TEXT... ]; config = the values set; }. Nothing is built; an unlisted option is an error, as in NixOS.
# RELEASE: some options exist in some releases only.
{ configuration, release ? "26.05" }:
let
  inherit (builtins) all any attrNames attrValues compareVersions concatLists concatMap elem filter hasAttr head isAttrs
    isBool isInt isList isString length listToAttrs map mapAttrs match removeAttrs stringLength toString;
  since = r: compareVersions release r >= 0;

  # ---- types
  type = name: check: { _type = "option"; inherit name check; };
  str = type "string" isString;
  line = type "string of one line" (v: isString v && match "[^\n\r]*\n?" v != null);
  nonEmpty = type "string that is not empty" (v: isString v && match "[ \t\n]*" v == null);
  bool = type "boolean" isBool;
  int = type "integer" isInt;
  like = regexp: type "string like ${regexp}" (v: isString v && match regexp v != null);
  listOf = t: type "list of ${t.name}" (v: isList v && all t.check v);
  oneOf = ts: type "one of ${toString (map (t: t.name) ts)}" (v: any (t: t.check v) ts);
  enum = values: type "one of ${toString (map toString values)}" (v: elem v values);
  nullOr = t: oneOf [ (type "null" (v: v == null)) t ];
  package = type "package" (v: isAttrs v && v.type or null == "derivation");
  attrsOf = element: { _type = "attrsOf"; inherit element; };
  # A section of a unit file: only fields that networkd knows.
  section = fields: type "section with ${toString (attrNames fields)}"
    (v: isAttrs v && all (n: hasAttr n fields && fields.${n}.check v.${n}) (attrNames v));
  address = like "[0-9a-f:.]+/[0-9]{1,3}";
  ip = like "[0-9a-f:.]+";
  unit = like "[a-zA-Z0-9@:_.-]+\\.(service|target|socket|mount)";
  param = like "[^ \n\r\"]*(\"[^\n\r\"]*\"[^ \n\r\"]*)*"; # a kernel parameter has no unquoted blanks

  # ---- the options
  options = {
    boot.growPartition = bool;
    boot.kernelModules = listOf str;
    boot.kernelParams = listOf param;
    boot.initrd.availableKernelModules = listOf str;
    boot.loader.grub = {
      enable = bool;
      device = str;
      devices = listOf str;
      configurationLimit = int;
      fsIdentifier = enum [ "uuid" "label" "provided" ];
      extraConfig = str;
    };
    fileSystems = attrsOf {
      device = nullOr nonEmpty;
      fsType = nonEmpty;
      options = listOf nonEmpty;
      autoResize = bool;
    };
    networking = {
      hostName = like "([[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?)?";
      useDHCP = nullOr bool;
      useNetworkd = bool;
    };
    systemd.network.networks = attrsOf ({
      matchConfig = section { Name = line; Driver = line; MACAddress = line; Type = line; };
      networkConfig = section { DHCP = enum [ "yes" "no" "ipv4" "ipv6" true false ]; DNS = oneOf [ line (listOf line) ]; };
      address = listOf address;
      gateway = listOf ip;
      dns = listOf ip;
      # Before 24.05, each route was a routeConfig; since then it is a section.
      routes = listOf (if since "24.05" then section { Gateway = ip; Destination = line; }
      else type "{ routeConfig = …; }" (v: isAttrs v && attrNames v == [ "routeConfig" ]));
    });
    time.timeZone = nullOr (like "[^ ]+");
    users.users = attrsOf {
      isNormalUser = bool;
      isSystemUser = bool;
      uid = nullOr int;
      group = str;
      extraGroups = listOf str;
      hashedPassword = nullOr (like "[^:\n]*");
      initialPassword = nullOr str;
      openssh.authorizedKeys.keys = listOf line;
    };
    systemd.services = attrsOf {
      description = line;
      wantedBy = listOf unit;
      after = listOf unit;
      requires = listOf unit;
      path = listOf package;
      environment = type "set of strings" (v: isAttrs v && all isString (attrValues v));
      restartIfChanged = bool;
      serviceConfig = section { Type = enum [ "simple" "oneshot" "exec" ]; StandardOutput = enum [ "inherit" "null" "tty" "journal" "kmsg" "journal+console" "kmsg+console" "socket" ]; };
      script = str;
    };
    security.sudo.wheelNeedsPassword = bool;
    services.openssh = { enable = bool; } // (if since "23.05"
    then { settings = section { PasswordAuthentication = bool; PermitRootLogin = line; }; }
    else { passwordAuthentication = bool; });
    environment.systemPackages = listOf package;
    environment.etc = attrsOf { text = str; };
    system.stateVersion = like "[0-9]{2}\\.(03|05|09|11)";
  };

  # ---- reading the configuration: a module, and those that it imports
  pkgs = listToAttrs (map (name: { inherit name; value = { type = "derivation"; inherit name; outPath = "/${name}"; }; })
    [ "vim" "git" "less" "bash" "coreutils" "gnused" "grub2" ]) // { writeText = builtins.toFile; };
  lib = {
    mkOption = option: option // { _type = "declared"; };
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    types = { inherit bool str listOf; ints.positive = type "positive integer" (v: isInt v && v > 0); lines = str; };
    escapeShellArg = text: "'${text}'";
  };
  # What a module may read of the configuration.
  seen = { domstrap = over (defaults declared).domstrap or { } settings.domstrap or { }; nix.package = { type = "derivation"; name = "nix"; outPath = "/nix"; }; };
  call = m: if !isAttrs m && !builtins.isFunction m then call (import m) else if builtins.isFunction m then m { inherit pkgs lib; config = seen; modulesPath = "/modules"; options = { }; } else m;
  modules = m: let it = call m; in [ it ] ++ concatMap modules (it.imports or [ ]);
  read = modules (import configuration);
  content = m: if m ? config || m ? options then m.config or { } else removeAttrs m [ "imports" ];
  isConditional = m: m._type or null == "if";
  merge = a: b: a // mapAttrs (n: v: if isAttrs v && isAttrs (a.${n} or null) then merge a.${n} v else if hasAttr n a then throw "two values of ${n}" else v) b;
  over = a: b: a // mapAttrs (n: v: if isAttrs v && isAttrs (a.${n} or null) then over a.${n} v else v) b;
  all' = builtins.foldl' merge { };
  # The options that modules declare: their defaults and types.
  declared = all' (map (m: m.options or { }) read);
  defaults = mapAttrs (_: o: if o._type or null == "declared" then o.default else defaults o);
  types = mapAttrs (_: o: if o._type or null == "declared" then o.type else types o);
  # Conditions may depend on what has none.
  contents = concatMap parts (map content read);
  parts = c: if c._type or null == "merge" then concatMap parts c.contents else [ c ];
  settings = all' (filter (m: !isConditional m) contents);
  config = all' ([ settings ] ++ map (m: if m.condition then m.content else { }) (filter isConditional contents));

  problems = path: level: value:
    if level._type or null == "option" then
      (if level.check value then [ ] else [ "${path}: ${builtins.toJSON value} is no ${level.name}" ])
    else if !isAttrs value then [ "${path} is a set" ]
    else
      concatMap
        (name:
          let next = if level._type or null == "attrsOf" then level.element else level.${name} or null; in
          if next == null then [ "The option `${path}${name}' does not exist" ]
          else problems (if next._type or null == "option" then path + name else "${path}${name}.") next value.${name})
        (attrNames value);

  # ---- assertions of NixOS
  grub = config.boot.loader.grub or { };
  users = config.users.users or { };
  reserved = { root = 0; nobody = 65534; messagebus = 4; sshd = null; systemd-network = 152; systemd-resolve = 153; };
  userProblems = name: u:
    let
      uid = if u.uid or null != null then u.uid else reserved.${name} or null;
      system = u.isSystemUser or (hasAttr name reserved || (uid != null && uid < 1000));
    in
    (if system == u.isNormalUser or false then [ "Exactly one of users.users.${name}.isSystemUser and users.users.${name}.isNormalUser must be set" ] else [ ])
    ++ (if stringLength name > 31 then [ "Username '${name}' is longer than 31 characters" ] else [ ])
    ++ (if match "[a-zA-Z0-9_.][a-zA-Z0-9_.-]*" name == null then [ "users.users.${name}: no name of a user" ] else [ ]);
  asserted = concatLists [
    (if config.fileSystems or { } ? "/" then [ ] else [ "The 'fileSystems' option does not specify your root file system" ])
    (concatMap (name: let f = config.fileSystems.${name}; in
      if f.autoResize or false && !elem (f.fsType or "auto") [ "ext3" "ext4" "btrfs" "xfs" ] then [ "Mountpoint '${name}': 'autoResize = true' is not supported" ] else [ ])
      (attrNames (config.fileSystems or { })))
    (if grub.enable or true && grub.device or "" == "" && grub.devices or [ ] == [ ]
    then [ "You must set the option 'boot.loader.grub.devices' to make the system bootable" ] else [ ])
    (if !since "22.05" && config.networking.useNetworkd or false && config.networking.useDHCP or true == true
    then [ "networking.useDHCP is not supported by networkd" ] else [ ])
    (concatLists (attrValues (mapAttrs userProblems users)))
    (if any (u: u.isNormalUser or false && elem "wheel" (u.extraGroups or [ ])
      && (u.hashedPassword or null != null || u.openssh.authorizedKeys.keys or [ ] != [ ])) (attrValues users) || users == { }
    then [ ] else [ "nobody could log in" ])
  ];
in
{
  errors = problems "" (over (types declared) options) config ++ asserted;
  # Packages of a unit by their names.
  # Packages cannot be converted to JSON: those of a unit are its names.
  config = config // {
    environment.etc = config.environment.etc or { };
    systemd = config.systemd or { } // {
      services = mapAttrs (_: s: s // { path = map (p: p.name) (s.path or [ ]); }) (config.systemd.services or { });
    };
  };
}
