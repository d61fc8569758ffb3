#!/bin/bash
# test-floors.sh: each room has a floor in doc/architecture.md, and includes only headers of rooms on floors below it. So do
# the folders of domstrap, and its files beside them.
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
    { [ "lib/$other" != "$room" ] && [ ! -d "$room/$other" ]; } || continue
    [ "${floor[lib/$other]:-9}" -lt "${floor[$room]}" ] || { bad "$room, floor ${floor[$room]}, includes $other/, floor ${floor[lib/$other]:-none}"; wrong=1; }
  done < <(cat "$room"/*.[ch] | sed -n 's,^#include "\([a-z0-9]*\)/.*,\1,p' | sort -u)
  [ $wrong = 1 ] || ok "$room"
done
for room in "${!floor[@]}"; do [ -d "$room" ] || bad "there is no $room"; done

declare -A folder
while read -r number name; do folder[$name]=$number; done < <(
  awk '/^    folder [0-9] / { number = $2; sub(/^ *folder [0-9] */, ""); on = 1 } !NF { on = 0 } on { print number, $1 }' doc/architecture.md)
for path in bin/domstrap/*/; do
  name=$(basename "$path")
  [ -n "${folder[$name]:-}" ] || { bad "$path is in no line of folders"; continue; }
  wrong=0
  while read -r other; do
    { [ "$other" != "$name" ] && [ -d "bin/domstrap/$other" ]; } || continue
    [ "${folder[$other]:-9}" -lt "${folder[$name]}" ] || { bad "$path, line ${folder[$name]}, includes $other/, line ${folder[$other]:-none}"; wrong=1; }
  done < <(cat "$path"*.[ch] | sed -n 's,^#include "\([a-z0-9]*\)/.*,\1,p' | sort -u)
  ! grep -nE '^#include "[a-z_]+\.h"' "$path"*.[ch] | grep -v '"command.h"' || { bad "$path includes a file of a command"; wrong=1; }
  [ $wrong = 1 ] || ok "$path"
done
for name in "${!folder[@]}"; do [ -d "bin/domstrap/$name" ] || bad "there is no bin/domstrap/$name"; done
finish
