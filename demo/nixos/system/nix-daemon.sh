#!@busybox@/bin/sh
# For users other than root. Not at once: the login prompt comes first where processors are slow.
@busybox@/bin/sleep 10
exec @nix@/bin/nix-daemon
