#!/bin/bash
# test-floors.sh: each room has a floor in doc/architecture.md, and includes only headers of rooms on floors below it.
. "$(dirname "$0")/lib.sh"
cd "$repo"
declare -A floor
while read -r number room; do floor[$room]=$number; done < <(
  awk '/^    floor [0-9] / { number = $2; sub(/^ *floor [0-9] */, "") } number != "" && $1 ~ "^(lib|bin)/" { print number, $1 }' doc/architecture.md)

for room in lib/*/ bin/*/; do
  room=${room%/}
  [ -n "${floor[$room]:-}" ] || { bad "$room is on no floor"; continue; }
  wrong=0
  while read -r other; do
    [ "lib/$other" != "$room" ] || continue
    [ "${floor[lib/$other]:-9}" -lt "${floor[$room]}" ] || { bad "$room, floor ${floor[$room]}, includes $other/, floor ${floor[lib/$other]:-none}"; wrong=1; }
  done < <(cat "$room"/*.[ch] | sed -n 's,^#include "\([a-z0-9]*\)/.*,\1,p' | sort -u)
  [ $wrong = 1 ] || ok "$room"
done
for room in "${!floor[@]}"; do [ -d "$room" ] || bad "there is no $room"; done
finish
