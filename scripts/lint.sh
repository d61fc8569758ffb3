#!/bin/bash
# lint.sh: shellcheck over the scripts; says so and does nothing where there is no shellcheck.
set -euo pipefail
. "$(dirname "$0")/common.sh"
command -v shellcheck >/dev/null || { say "no shellcheck here (scripts/install-deps.sh lint), scripts not checked"; exit 0; }
cd "$repo"
mapfile -t ours < <(git grep -lE '^#!/bin/bash' -- '*.sh')
# "A && ok || bad" is how tests speak (SC2015), single quotes keep Nix, sed and other shells' text (SC2016), and the
# names that tests list are their own (SC2012, SC2013).
shellcheck -x -P SCRIPTDIR -e SC2015,SC2016,SC2012,SC2013 "${ours[@]}"

# What busybox's shell runs in dom0, in the guest and as Nix's builders: variables come from outside (SC2154,
# SC2034), files are elsewhere (SC1091), @x@ stands for a path or list that Nix fills in (SC2239, SC2043,
# SC2157), words are split on purpose (SC2013, SC2046, SC2012), and the parents of mkdir -m exist (SC2174).
mapfile -t small < <(git ls-files 'demo/nixos/system/*.sh' 'demo/nixos/pkgs/*.sh' 'test/xen/dom0/*' 'test/xen/jobs/*/job')
shellcheck -s dash -e SC2154,SC2034,SC1091,SC2239,SC2043,SC2157,SC2013,SC2046,SC2012,SC2174 "${small[@]}"
