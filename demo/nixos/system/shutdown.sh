#!@busybox@/bin/sh
# Run by init last: leave the root file system clean.
export PATH=@busybox@/bin
sync
umount -a -r 2>/dev/null
mount -o remount,ro / 2>/dev/null
