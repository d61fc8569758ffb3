#!@busybox@/bin/sh
# bin/switch-to-configuration ACTION: as NixOS's, less its units: there is no systemd here to restart any.
export PATH=@busybox@/bin
case ${1:-} in
  switch | boot | test | dry-activate) ;;
  *) echo "usage: $0 switch|boot|test|dry-activate" >&2; exit 1 ;;
esac
[ -e /etc/NIXOS ] || { echo "$0: there is no /etc/NIXOS, so this is not a NixOS" >&2; exit 1; }
case $1 in
  switch | boot)
    if [ -n "@installBootLoader@" ]; then
      @installBootLoader@ @systemConfig@ || exit 1
    else
      echo "$0: no boot loader is enabled, so the host's kernel= line goes on to boot what it booted" >&2
    fi
    ;;
esac
case $1 in
  switch | test) exec @systemConfig@/activate ;;
  dry-activate) echo "would run @systemConfig@/activate" ;;
esac
