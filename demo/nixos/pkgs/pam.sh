# Of Debian's PAM the helper that compares a password with /etc/shadow: it knows each hash that libcrypt knows.
mkdir -p t "$out/bin" "$out/lib" "$out/libexec"
ar p "$deb" data.tar.xz | tar xJ -C t
cp t/sbin/unix_chkpwd "$out/libexec/" 2>/dev/null || cp t/usr/sbin/unix_chkpwd "$out/libexec/"
chmod 755 "$out/libexec/unix_chkpwd"
# shellcheck source=demo/nixos/pkgs/foreign.sh
. "$foreign"
link_libraries "$out/libexec/unix_chkpwd"
cat >"$out/bin/unix_chkpwd" <<X
#!$busybox/bin/sh
exec $ld --argv0 unix_chkpwd --library-path $out/lib $out/libexec/unix_chkpwd "\$@"
X
chmod 755 "$out/bin/unix_chkpwd"
