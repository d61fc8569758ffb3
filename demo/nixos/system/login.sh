#!@busybox@/bin/sh
# login [--] USER: ask for USER's password and start a session. busybox's own login starts it but cannot ask: it
# knows no yescrypt, with which passwords are hashed now.
export PATH=@busybox@/bin
[ "$1" != -- ] || shift
user=$1
stty -echo
printf 'Password: '
# shellcheck disable=SC3045 # busybox's read has -t
IFS= read -r -t 60 password || exit 1
stty echo
echo
if printf '%s\0' "$password" | @pam@/bin/unix_chkpwd "$user" nonull; then
  exec login -f "$user"
fi
sleep 2
echo "Login incorrect"
exit 1
