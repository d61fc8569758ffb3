#!@busybox@/bin/sh
# bin/switch-to-configuration ACTION: as NixOS's: write the boot menu, activate, and stop, start or restart the services
# whose units are not what they were.
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
    [ "$1" = switch ] || exit 0
    ;;
esac

old=$(readlink -f /run/current-system)/etc/systemd/system new=@systemConfig@/etc/systemd/system
systemctl=@systemConfig@/sw/bin/systemctl stop='' restart=''
if [ -d "$new" ] && [ -d "$old" ]; then
  for u in "$old"/*.service; do
    u=${u##*/}
    case $u in *@.service) continue ;; esac
    if [ ! -e "$new/$u" ]; then stop="$stop $u"; elif ! cmp -s "$old/$u" "$new/$u"; then restart="$restart $u"; fi
  done
  active=
  for u in $restart; do ! $systemctl -q is-active "$u" || active="$active $u"; done
  restart=$active
fi
if [ "$1" = dry-activate ]; then
  echo "would stop:$stop; would restart:$restart; would run @systemConfig@/activate"
  exit 0
fi
# shellcheck disable=SC2086 # words
[ -z "$stop" ] || { echo "stopping the following units:$stop"; $systemctl stop $stop; }
echo "activating the configuration..."
@systemConfig@/activate || exit
[ -d "$new" ] || exit 0
$systemctl daemon-reload
@systemConfig@/sw/bin/systemd-tmpfiles --create --remove --exclude-prefix=/dev || true
# shellcheck disable=SC2086 # words
[ -z "$restart" ] || { echo "restarting the following units:$restart"; $systemctl restart $restart; }
$systemctl start default.target
