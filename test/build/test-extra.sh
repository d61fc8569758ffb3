#!/bin/bash
# create with the user's files and keys: owners, modes and times, the same image from the same files, nothing in the
# store, and what is refused.
. "$(dirname "$0")/lib.sh"
command -v ssh-keygen >/dev/null || skip "no ssh-keygen"

nix-store --generate-binary-cache-key test-1 secret public
system=$(build small)
img=$out/g1.img
ok=(g1 --system "$system" --from / -o "$out" --size 200M)

# is FILE "TYPE MODE UID:GID": check a file in the image; its time must be that of all files there
is() {
  local got
  got=$(about "${image:-$img}" "$1")
  [ "$got" = "$2 0000000${time:-1}" ] || fail "$1 is '$got', not '$2'"
}

# ---- files ----

mkdir -p extra/etc/app/deep extra/home/me/bin extra/root extra/tmp extra/var/empty
echo secret >extra/etc/app/secret
chmod 600 extra/etc/app/secret
printf '%5000000s' x >extra/etc/app/large
: >extra/etc/app/empty
ln -s ../secret extra/etc/app/deep/link
ln -s /etc/shadow extra/etc/app/elsewhere
echo run >extra/home/me/bin/run
chmod 4755 extra/home/me/bin/run
mkdir extra/shared
chmod 1777 extra/shared
echo mine >extra/etc/NIXOS
printf 'blank, "quotes" and \377' >"extra/home/me/ $(printf 'odd\377') name"
chmod 700 extra/etc extra/tmp extra/var
mkdir more
mkdir -p more/etc/app
echo second >more/etc/app/empty
echo "a: b" >"more/a:b"
extras=(--extra-files extra --extra-files "$work/more" --chown /home/me:1000:100 --chown /home/me/bin:0:0
  --chmod /etc/app:0750 --chown /a:b:7:8 --chmod /a:b:0604)
create "${ok[@]}" "${extras[@]}" -q
clean "$img"
inside "$img" /etc/app/secret | cmp - extra/etc/app/secret || fail "secret is another"
inside "$img" /etc/app/large | cmp - extra/etc/app/large || fail "large is another"
[ "$(inside "$img" /etc/app/empty)" = second ] || fail "the later directory does not win"
[ "$(inside "$img" /etc/NIXOS)" = mine ] || fail "a file that NixOS has is not replaced"
is /etc/app/secret 'regular 600 0:0'
is /etc/app 'directory 750 0:0'
is /etc/app/deep 'directory 755 0:0'
is /etc/app/deep/link 'symlink 777 0:0'
is /home/me 'directory 755 1000:100'
is /home/me/bin 'directory 755 0:0'
is /home/me/bin/run 'regular 755 0:0'
is /shared 'directory 1777 0:0'
is /a:b 'regular 604 7:8'
is /var/empty 'directory 755 0:0'
# Directories of a NixOS root keep their modes.
is /etc 'directory 755 0:0'
is /tmp 'directory 1777 0:0'
is /root 'directory 700 0:0'
list "$img" "$start" /etc/app/elsewhere | grep -q '/etc/shadow' || fail "a link was followed"
[ "$(stat -c %a "$img")" = 600 ] || fail "others can read the image"
[ "$(stat -c %a "$out/g1.cfg")" = 644 ] || fail "the config has another mode"
cp "$img" first.img
# The same inputs in another place, later, made in another order, copied by another number of threads.
mkdir copy
tar -C extra --sort=name -cf - . | tar -C copy -xpf -
find copy -exec touch -hd '2001-02-03' {} +
create "${ok[@]}" "${extras[@]/%extra/copy}" -q -f -j 1
cmp "$img" first.img || fail "the same files, another image"
# Without them, the image is the same as before.
create g2 --system "$system" --from / -o "$out" --size 200M -q
[ "$(stat -c %a "$out/g2.img")" = 644 ] || fail "an image without secrets has another mode"
SOURCE_DATE_EPOCH=5 create "${ok[@]}" "${extras[@]}" -q -f
time=5 is /etc/app/secret 'regular 600 0:0'
# The guest's store is the same for Nix.
nix-store -qR "$system" | sort >want
debugfs -R 'ls -p /nix/store' "$img?offset=$start" 2>/dev/null | awk -F/ 'NF > 5 && $6 !~ /^[.]/ {print "/nix/store/" $6}' | sort >got
same want got "the store has other paths"
# split, and from a cache
create g3 --system "$system" --from / -o "$out" --layout split --extra-files extra -q
start_of=0 image=$out/g3-root.img is /etc/app/secret 'regular 600 0:0'
clean "$out/g3-root.img" 0
[[ "$(stat -c %a "$out/g3-root.img")" = 600 && "$(stat -c %a "$out/g3-boot.img")" = 600 ]] || fail "others can read split disks"
nix copy --to "file://$work/cache?secret-key=$work/secret" "$system" 2>copy.log
create "${ok[@]}" "${extras[@]}" -q -f --no-sigs
cp "$img" first.img
create g1 --system "$system" -o "$out" --size 200M "${extras[@]}" -q -f --from "file://$work/cache" \
  --trusted-key "$(cat public)" --cache-dir none --no-sigs
cmp "$img" first.img || fail "from a cache it is another image"
rm "$out"/*
echo "files are there"

# ---- keys ----

mkdir keys
for type in ed25519 rsa ecdsa; do ssh-keygen -q -t $type -N '' -C "$type here" -f keys/$type; done
rm keys/rsa.pub
create "${ok[@]}" --ssh-host-key keys/ed25519 --ssh-host-key keys/rsa --ssh-host-key keys/ecdsa \
  --authorized-key keys/ed25519.pub --authorized-key "$(cat keys/ecdsa.pub)" -q
clean "$img"
for type in ed25519 rsa ecdsa; do
  inside "$img" /etc/ssh/ssh_host_${type}_key | cmp - keys/$type || fail "$type: another key"
  is /etc/ssh/ssh_host_${type}_key 'regular 600 0:0'
  is /etc/ssh/ssh_host_${type}_key.pub 'regular 644 0:0'
  [ "$(inside "$img" /etc/ssh/ssh_host_${type}_key.pub | cut -d' ' -f1,2)" = "$(ssh-keygen -y -f keys/$type | cut -d' ' -f1,2)" ] ||
    fail "$type: another public key"
done
inside "$img" /etc/ssh/ssh_host_ed25519_key.pub | cmp - keys/ed25519.pub || fail "its own .pub is not kept"
cat keys/ed25519.pub keys/ecdsa.pub | cmp - <(inside "$img" /root/.ssh/authorized_keys) || fail "authorized_keys"
is /root/.ssh/authorized_keys 'regular 600 0:0'
is /root/.ssh 'directory 700 0:0'
[ "$(stat -c %a "$img")" = 600 ] || fail "others can read the image"
! grep -rqF "$(sed -n 2p keys/ed25519)" /nix/store || fail "the key is in the store"
rm "$out"/*
mkdir -p extra/root/.ssh
create "${ok[@]}" --extra-files extra --authorized-key keys/ed25519.pub -q
is /root/.ssh 'directory 700 0:0'
rm "$out"/*
echo "keys are there"

# ---- what is refused ----

refused 1 'nowhere: No such file' "${ok[@]}" --extra-files nowhere
refused 2 'secret: not a directory' "${ok[@]}" --extra-files extra/etc/app/secret
bad() { # bad STATUS WORDS COMMAND: a directory "bad" that the command fills
  rm -rf bad
  mkdir bad
  (cd bad && eval "$3")
  refused "$1" "$2" "${ok[@]}" --extra-files bad
}
bad 1 'bad: /nix.*below /nix are not allowed' 'mkdir -p nix/store; echo x >nix/store/x'
bad 1 '/nix: .*not allowed' 'ln -s /tmp nix'
bad 1 'bad/pipe: ' 'mkfifo pipe'
bad 1 'bad/socket: ' 'python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")"'
[ -n "$no_loop" ] || bad 1 'bad/device: ' 'mknod device c 1 3'
bad 1 '/etc/mtab: is a link in the guest, but this is a file' 'mkdir etc; echo x >etc/mtab'
bad 1 '/root/.nix-defexpr/channels: is a link in the guest, but this is a directory' 'mkdir -p root/.nix-defexpr/channels; echo x >root/.nix-defexpr/channels/x'
bad 1 '/etc: is a directory in the guest, but this is a file' 'echo x >etc'
bad 1 '/etc: is a directory in the guest, but this is a link' 'ln -s /nix etc'
bad 1 '/etc/NIXOS: is a file in the guest, but this is a directory' 'mkdir -p etc/NIXOS'
# shellcheck disable=SC2016 # for eval, there
bad 1 'nested deeper than 64' 'mkdir -p "$(printf "d/%.0s" {1..70})"'
rm -rf bad
mkdir -p bad/boot
refused 1 '/boot: /boot is on a disk of its own' g1 --system "$system" --from / -o "$out" --layout split --extra-files bad
truncate -s 300M bad/boot/large
refused 1 'too small' "${ok[@]}" --extra-files bad
for text in home 0:0 /home:0 /home:me:users /home:-1:0 /home:4294967295:0 home:0:0; do
  refused 2 "--chown '$text': .*PATH:UID:GID" "${ok[@]}" --chown "$text"
done
refused 2 "--chown '/nowhere:0:0': no such file" "${ok[@]}" --chown /nowhere:0:0
refused 1 '--chown: /nix/store: .*not allowed' "${ok[@]}" --chown /nix/store:1:1
refused 2 "--chown: '/etc/../nix'" "${ok[@]}" --chown /etc/../nix:1:1
for text in /etc 0600 /etc:rw /etc:0999 /etc:10000; do
  refused 2 "--chmod '$text': .*PATH:MODE" "${ok[@]}" --chmod "$text"
done
refused 2 "--chmod '/nowhere:0600': no such file" "${ok[@]}" --chmod /nowhere:0600

ssh-keygen -q -t ed25519 -N passphrase -f keys/locked
ssh-keygen -q -t rsa -m PEM -N '' -f keys/pem
head -c 200 keys/ed25519 >keys/short
sed 's/^b3Bl/b3Bm/' keys/ed25519 >keys/damaged
cp keys/ed25519 keys/other
cp keys/ecdsa.pub keys/other.pub
refused 1 'nowhere: No such file' "${ok[@]}" --ssh-host-key nowhere
refused 1 'keys: .*[Ii]s a directory|keys: not a regular file' "${ok[@]}" --ssh-host-key keys
refused 1 'this is a public key' "${ok[@]}" --ssh-host-key keys/ed25519.pub
refused 1 'passphrase' "${ok[@]}" --ssh-host-key keys/locked
refused 1 'ssh-keygen -p' "${ok[@]}" --ssh-host-key keys/pem
refused 1 'malformed or truncated' "${ok[@]}" --ssh-host-key keys/short
refused 1 'damaged' "${ok[@]}" --ssh-host-key keys/damaged
refused 1 'not a private SSH key' "${ok[@]}" --ssh-host-key extra/etc/app/secret
refused 1 'larger|limit' "${ok[@]}" --ssh-host-key extra/etc/app/large
refused 1 'other.pub: not the public key of keys/other' "${ok[@]}" --ssh-host-key keys/other
refused 2 'another key of type ed25519' "${ok[@]}" --ssh-host-key keys/ed25519 --ssh-host-key keys/ed25519
refused 1 'nowhere: No such file' "${ok[@]}" --authorized-key nowhere
refused 2 'this is a private key' "${ok[@]}" --authorized-key keys/ed25519
refused 2 'not a public SSH key' "${ok[@]}" --authorized-key extra/etc/app/secret
echo '# none' >keys/none
refused 2 'keys/none: contains no key' "${ok[@]}" --authorized-key keys/none
refused 1 'regular' "${ok[@]}" --authorized-key /dev/null
mkdir -p bad/root/.ssh bad/etc
rm bad/boot/large
echo x >bad/root/.ssh/authorized_keys
refused 1 'authorized_keys is also in --extra-files' "${ok[@]}" --extra-files bad --authorized-key keys/ed25519.pub
rm bad/root/.ssh/authorized_keys
rmdir bad/root/.ssh
ln -s /tmp bad/root/.ssh
refused 1 '/root/.ssh in --extra-files is not a directory' "${ok[@]}" --extra-files bad --authorized-key keys/ed25519.pub
ln -s /tmp bad/etc/ssh
refused 1 '/etc/ssh in --extra-files is not a directory' "${ok[@]}" --extra-files bad --ssh-host-key keys/ed25519
# A dry run reports the size, and writes nothing.
truncate -s 50M bad/boot/large
rm bad/etc/ssh
small=$(create g1 --system "$system" --from / -o "$out" -n --json 2>/dev/null | jq '.disks[0].size')
large=$(create g1 --system "$system" --from / -o "$out" -n --json --extra-files bad 2>/dev/null | jq '.disks[0].size')
((large >= small + (50 << 20))) || fail "--extra-files are not counted: $small, $large"
[ -z "$(ls -A "$out")" ] || fail "--dry-run wrote files"
echo "what is wrong is refused"
