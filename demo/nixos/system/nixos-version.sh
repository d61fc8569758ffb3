#!@busybox@/bin/sh
cat /run/current-system/nixos-version
echo
