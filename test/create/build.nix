# A store path that the host's shell makes, so the sandbox must be off: its name, the script, and attributes that the
# script has as variables.
name: script: attrs: derivation ({
  inherit name;
  system = builtins.currentSystem;
  builder = "/bin/sh";
  PATH = "/usr/bin:/bin";
  args = [ "-euc" script ];
  preferLocalBuild = true;
} // attrs)
