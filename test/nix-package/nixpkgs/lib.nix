# Only those functions of nixpkgs' lib that package.nix, nixos-module.nix and flake.nix use: others are an error, like a
# misspelled name. Types check values; one level of modules is supported, with lib.mkIf.
let
  inherit (builtins)
    all attrNames concatStringsSep elem foldl' isAttrs isBool isInt isList isString listToAttrs map mapAttrs stringLength
    substring;

  type = name: check: { inherit name check; };
  isPackage = value: isAttrs value && value.type or "" == "derivation";
in
rec {
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  genAttrs = names: f: listToAttrs (map (name: { inherit name; value = f name; }) names);
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  concatStrings = concatStringsSep "";
  concatMapStringsSep = separator: f: list: concatStringsSep separator (map f list);
  makeBinPath = packages: concatMapStringsSep ":" (p: "${p}/bin") packages;
  licenses.mit.spdxId = "MIT";

  mkOption = option: option // { _type = "option"; };
  mkEnableOption = what: mkOption { type = types.bool; default = false; description = "Whether to enable ${what}."; };
  literalExpression = text: { _type = "literalExpression"; inherit text; };
  mkIf = condition: content: { _type = "if"; inherit condition content; };

  types = rec {
    bool = type "boolean" isBool;
    int = type "integer" isInt;
    str = type "string" isString;
    package = type "package" isPackage;
    listOf = t: type "list of ${t.name}" (v: isList v && all t.check v);
    attrsOf = t: type "attribute set of ${t.name}" (v: isAttrs v && all (n: t.check v.${n}) (attrNames v));
    either = a: b: oneOf [ a b ];
    oneOf = ts: type (concatMapStringsSep " or " (t: t.name) ts) (v: foldl' (found: t: found || t.check v) false ts);
  };

  # evalModule MODULE PKGS SETTINGS: the configuration that a module makes from SETTINGS
  evalModule = module: pkgs: settings:
    let
      lib = import ./lib.nix;
      m = module { inherit config lib pkgs; };
      config = fill [ ] m.options settings // settings';
      # Options of other modules, which this module only reads.
      settings' = removeAttrs settings (attrNames m.options);
      fill = path: options: values:
        let
          unknown = builtins.filter (name: !(options ? ${name})) (attrNames values);
        in
        if path != [ ] && unknown != [ ] then throw "there is no option ${concatStringsSep "." (path ++ unknown)}"
        else mapAttrs (name: option: value (path ++ [ name ]) option values name) options;
      value = path: option: values: name:
        if option._type or "" != "option" then fill path option (values.${name} or { })
        else
          let v = values.${name} or option.default; in
          if !(isString option.description) then throw "${concatStringsSep "." path}: no description"
          else if option.type.check v then v
          else throw "${concatStringsSep "." path} is not a ${option.type.name}";
      given = v:
        if isPackage v || !(isAttrs v) then v
        else if v._type or "" == "if" then (if v.condition then given v.content else { })
        else mapAttrs (name: given) v;
    in
    given m.config;
}
