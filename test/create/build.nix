# A store path made by the host's shell, so the sandbox must be off: its name, the script, and attributes, which are
# variables of the script.
name: script: attrs: derivation ({
  inherit name;
  system = builtins.currentSystem;
  builder = "/bin/sh";
  PATH = "/usr/bin:/bin";
  args = [ "-euc" script ];
  preferLocalBuild = true;
} // attrs)
