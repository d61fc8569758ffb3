# As in NixOS these are examples: a system selects units, udev's rules and tmpfiles by name.
example=$out/example
mkdir -p "$example/systemd" "$example/udev"
mv "$out/lib/systemd/system" "$out/lib/systemd/network" "$example/systemd/"
mv "$out/lib/udev/rules.d" "$example/udev/"
mv "$out/lib/systemd/system-generators" "$example/systemd/"
check=$out/lib/systemd/systemd-sysroot-fstab-check # one of them under another name; before 254 its unit names itself
ln -sf ../../example/systemd/system-generators/systemd-fstab-generator "$check"
for dir in tmpfiles.d sysusers.d sysctl.d; do mv "$out/lib/$dir" "$example/"; done
# A guest needs neither the hardware database (10 MB) nor the programs that install kernels.
rm -rf "$out/lib/udev/hwdb.d" "$out/lib/kernel" "$out/lib/systemd/user" "$out/bin/systemd-hwdb" "$out/bin/kernel-install" \
  "$out/lib/systemd/boot"
ln -sf ../../bin/udevadm "$out/lib/systemd/systemd-udevd"
for f in poweroff reboot halt; do ln -sf systemctl "$out/bin/$f"; done
