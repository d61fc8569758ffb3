# The part of nixpkgs's lib that configurations use, and the merging of modules. Unlike there, options are not
# declared by modules but all in options.nix; an option that is not there is accepted with a warning.
let
  inherit (builtins) all any attrNames concatLists concatMap concatStringsSep elem filter foldl' functionArgs
    hasAttr head isAttrs isFunction isList isPath isString length listToAttrs map mapAttrs removeAttrs sort toString;

  tagged = tag: v: isAttrs v && v._type or null == tag;
  override = priority: content: { _type = "override"; inherit priority content; };
  # Options of our own in options.nix: a leaf, a set with free names, a set with fixed ones (plain attributes).
  option = merge: default: { _type = "option"; inherit merge default; };

  unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
  plainSet = v: isAttrs v && !(v ? type && v.type == "derivation") && !(v ? _type);

  # ---- one definition: take conditions and priorities off, at a leaf, or hand them down, above one
  discharge = v:
    if tagged "if" v then (if v.condition then discharge v.content else [ ])
    else if tagged "merge" v then concatMap discharge v.contents
    else if tagged "override" v then map (d: d // { priority = v.priority; }) (discharge v.content)
    else if tagged "order" v then map (d: d // { order = v.order; }) (discharge v.content)
    else [{ priority = 100; order = 1000; value = v; }];

  pushDown = v:
    if tagged "if" v then map (mapAttrs (_: content: v // { inherit content; })) (pushDown v.content)
    else if tagged "merge" v then concatMap pushDown v.contents
    else if tagged "override" v then map (mapAttrs (_: override v.priority)) (pushDown v.content)
    else [ v ];

  bare = v:
    if tagged "merge" v then concatMap bare v.contents
    else if v ? _type && v ? content then bare v.content
    else [ v ];

  # ---- all definitions of one leaf
  mergeLeaf = option: path: defs:
    let
      found = concatMap discharge defs;
      best = foldl' (p: d: if d.priority < p then d.priority else p) 9999 found;
      values = map (d: d.value) (sort (a: b: a.order < b.order) (filter (d: d.priority == best) found));
      same = all (v: v == head values) values;
      name = concatStringsSep "." path;
    in
    if values == [ ] then option.default
    else if option.merge == "list" then
      concatMap (v: if isList v then v else throw "option '${name}' is a list, not ${builtins.typeOf v}") values
    else if option.merge == "lines" then concatStringsSep "\n" values
    else if option.merge == "attrs" then foldl' (a: b: a // b) { } values
    else if same then head values
    else throw "option '${name}' has conflicting definitions: ${concatStringsSep " and " (map builtins.toJSON values)}";

  unknown = option "scalar" null // { unknown = true; };

  # What the option table says of NAME below LEVEL; null where it says nothing.
  below = level: name:
    if level == null then null
    else if tagged "attrsOf" level then level.element name
    else level.${name} or null;

  isLeaf = level: defs:
    tagged "option" level || (level == null && !(any plainSet (concatMap bare defs)));

  merge = level: path: defs:
    if isLeaf level defs then mergeLeaf (if level == null then unknown else level) path defs
    else
      let
        sets = concatMap pushDown defs;
        fixed = if level == null || level ? _type then [ ] else attrNames level;
        names = unique (concatMap attrNames sets ++ fixed);
        at = name: merge (below level name) (path ++ [ name ])
          (map (s: s.${name}) (filter (hasAttr name) sets));
      in
      listToAttrs (map (name: { inherit name; value = at name; }) names);

  # The paths that are defined and not in the table.
  unknowns = level: path: defs:
    if isLeaf level defs then (if level == null then [ (concatStringsSep "." path) ] else [ ])
    else
      let sets = concatMap pushDown defs; in
      concatMap
        (name: unknowns (below level name) (path ++ [ name ]) (map (s: s.${name}) (filter (hasAttr name) sets)))
        (unique (concatMap attrNames sets));

  # ---- modules: paths, functions or sets; imports; the short form and the one with config =
  load = args: module:
    let
      value = if isPath module || isString module then import module else module;
      named = functionArgs value;
      set =
        if !isFunction value then value
        else value (if named == { } then args else builtins.intersectAttrs named args);
      body = if set ? config || set ? options then set.config or { } else removeAttrs set [ "imports" "_file" "key" ];
    in
    concatMap (load args) (set.imports or [ ]) ++ [ body ];
in
rec {
  inherit option merge unknowns load unique;
  attrsOf = element: { _type = "attrsOf"; inherit element; };
  scalar = option "scalar";
  list = option "list" [ ];
  lines = option "lines" "";

  mkOverride = override;
  mkForce = override 50;
  mkDefault = override 1000;
  mkOptionDefault = override 1500;
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkOrder = order: content: { _type = "order"; inherit order content; };
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;

  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: xs: if condition then xs else [ ];
  optionalString = condition: s: if condition then s else "";
  optionalAttrs = condition: s: if condition then s else { };
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  filterAttrs = keep: set: listToAttrs (map (name: { inherit name; value = set.${name}; })
    (filter (name: keep name set.${name}) (attrNames set)));
  concatMapStrings = f: xs: concatStringsSep "" (map f xs);
  hasPrefix = prefix: s: builtins.substring 0 (builtins.stringLength prefix) s == prefix;
  warn = text: builtins.trace "warning: ${text}";
  types = { };
  inherit (builtins) attrNames attrValues concatLists concatMap concatStringsSep elem filter foldl' hasAttr head
    isString length listToAttrs map mapAttrs toString;
}
