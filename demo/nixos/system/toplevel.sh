# The top level: links to the parts, and the scripts that must know its own path.
mkdir -p "$out/bin" "$out/specialisation"
fill() { # fill FROM TO: a script with this system's path in it
  sed "s|@systemConfig@|$out|g" "$1" >"$2"
  chmod 755 "$2"
}
fill "$activate" "$out/activate"
if [ -n "$systemdInitrd" ]; then
  # A systemd stage 1 runs prepare-root in the new root, then starts init, which is systemd itself.
  fill "$stage2" "$out/prepare-root"
  cp "$systemd/lib/systemd/systemd" "$out/init"
else
  fill "$stage2" "$out/init"
fi
ln -s "$etc/etc" "$out/etc"
ln -s "$sw" "$out/sw"
ln -s "$systemd" "$out/systemd"
if [ -n "$withKernel" ]; then
  ln -s "$kernel/bzImage" "$out/kernel"
  ln -s "$modulesTree" "$out/kernel-modules"
  ln -s "$initrd/initrd" "$out/initrd"
  printf '#!%s/bin/sh\n# No secrets are configured.\nexit 0\n' "$busybox" >"$out/append-initrd-secrets"
  chmod 755 "$out/append-initrd-secrets"
fi
printf %s "$kernelParams" >"$out/kernel-params"
printf %s "$label" >"$out/nixos-version"
printf %s "$system" >"$out/system"
printf %s "systemd 2" >"$out/init-interface-version"
: >"$out/configuration-name"
: >"$out/extra-dependencies"

# boot.json: a bootspec of its own for each specialisation, inside this one's
document() { sed 's/^{//; s/}$//' "$1/boot.json"; }
{
  printf '{"org.nixos.bootspec.v1":{"init":"%s/init",' "$out"
  [ -z "$withKernel" ] || printf '"initrd":"%s","initrdSecrets":"%s","kernel":"%s",' \
    "$initrd/initrd" "$out/append-initrd-secrets" "$kernel/bzImage"
  printf '"kernelParams":%s,"label":"%s","system":"%s","toplevel":"%s"},' \
    "$kernelParamsJSON" "$bootLabel" "$system" "$out"
  printf '%s,' "$(echo "$extensions" | sed 's/^{//; s/}$//')"
  printf '"org.nixos.specialisation.v1":{'
  comma=
  for s in $specialisations; do
    ln -s "${s#*=}" "$out/specialisation/${s%%=*}"
    printf '%s"%s":{%s}' "$comma" "${s%%=*}" "$(document "${s#*=}")"
    comma=,
  done
  printf '}}\n'
} >"$out/boot.json"

sed "s|@busybox@|$busybox|g; s|@systemConfig@|$out|g; s|@installBootLoader@|$installBootLoader|g" "$switch" \
  >"$out/bin/switch-to-configuration"
chmod 755 "$out/bin/switch-to-configuration"
