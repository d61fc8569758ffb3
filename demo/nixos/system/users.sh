# users.sh USERS GROUPS: write /etc/passwd, group and shadow from two tables of the configuration (see
# default.nix). A user that is there keeps number and password, one that is new gets the configuration's,
# one that the configuration does not know stays.
set -eu
users=$1 groups=$2
touch /etc/passwd /etc/shadow /etc/group
chmod 600 /etc/shadow
new=$(mktemp -d /etc/.users.XXXXXX)

# Passwords are hashed here and not while building: the store is readable for all, and a salt is random.
while IFS=: read -r name _ _ _ _ _ _ kind password; do
  if [ "$kind" = plain ] && ! grep -q "^$name:" /etc/shadow; then
    echo "$name:$(mkpasswd -m sha512 "$password")"
  fi
done <"$users" >"$new/hashes"

# One awk for all: each process costs in a guest that is emulated.
awk -F: -v OFS=: -v new="$new" -v users="$users" -v groups="$groups" '
  FILENAME == new "/hashes" { hash[$1] = $2; next }
  FILENAME == "/etc/passwd" { uid[$1] = $3; line[$1] = $0; taken[$3] = 1; order[++n] = $1; next }
  FILENAME == "/etc/shadow" { shadow[$1] = $0; next }
  FILENAME == groups        { gid[$1] = $2; gorder[++g] = $1; next }
  FILENAME == users {
    number = $2 != "" ? $2 : uid[$1]
    if (number == "") { number = 1000; while (taken[number]) number++ }
    taken[number] = 1
    if (line[$1] == "") order[++n] = $1
    line[$1] = $1 ":x:" number ":" $3 "::" $4 ":" $5
    if (shadow[$1] == "") shadow[$1] = $1 ":" ($8 == "plain" ? hash[$1] : $9) ":1::::::"
    m = split($7, extra, ",")
    for (i = 1; i <= m; i++) members[extra[i]] = members[extra[i]] (members[extra[i]] == "" ? "" : ",") $1
  }
  END {
    for (i = 1; i <= n; i++) {
      print line[order[i]] > (new "/passwd")
      if (shadow[order[i]] != "") print shadow[order[i]] > (new "/shadow")
    }
    for (i = 1; i <= g; i++) print gorder[i], "x", gid[gorder[i]], members[gorder[i]] > (new "/group")
  }' "$new/hashes" /etc/passwd /etc/shadow "$groups" "$users"
chmod 600 "$new/shadow"
mv "$new/passwd" "$new/shadow" "$new/group" /etc/
rm -rf "$new"

while IFS=: read -r name _ _ home _ normal _; do
  [ -z "$normal" ] || [ -d "$home" ] || { mkdir -m 0700 -p "$home" && chown "$name:users" "$home"; }
done <"$users"
