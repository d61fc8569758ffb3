#!/bin/bash
# test-options.sh DOMSTRAP: an invalid option is named, long or short, alone or after others, by every command; status 2,
# and nothing on stdout.
. "$(dirname "$0")/lib.sh"
domstrap=$(realpath "$1")
scratch
cd "$dir"

# names WORDS ARGUMENT...: the arguments are refused, with WORDS in the message
names() {
  local words=$1 status=0
  shift
  "$domstrap" "$@" >stdout 2>stderr </dev/null || status=$?
  if [ "$status" = 2 ] && [ ! -s stdout ] && grep -qF -- "$words" stderr; then
    ok "$*: $words"
  else
    bad "$*: status $status, $(cat stderr)"
  fi
}

for command in init build create installer generations update restart confirm rollback gc check inspect list verify cache; do
  names 'unknown option "--nonsense"' "$command" --nonsense
  names 'unknown option "--nonsense"' "$command" x --nonsense=y z
  names 'unknown option "-x"' "$command" -x
  names "see \"domstrap $command --help\"" "$command" -x
  names 'option "--help" takes no value' "$command" --help=x
done
names 'unknown option "-x"' create -qxv
names 'unknown option "-x"' create --json -qx
names 'unknown option "-Z"' init -fqZ
names 'option "-o" needs a value' build -qo
names 'option "-s" needs a value' create web1 -qns
names 'option "-j" needs a value' verify web1 -qj
names 'option "--size" needs a value' create --siz
names 'option "--keep" needs a value' gc -q --keep
names 'option "--cache-dir" needs a value' cache --cache-dir
names 'option "--force" takes no value' create --forc=3
names 'ambiguous option "--no-"' create --no-
names 'unknown command "creat"' creat
[ "$(find . -type f | sort | tr '\n' ' ')" = "./stderr ./stdout " ] && ok "nothing is written" || bad "files are left: $(ls)"
finish
