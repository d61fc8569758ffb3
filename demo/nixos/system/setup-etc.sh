# setup-etc.sh ETC: make /etc of ETC's files, by NixOS's rules. /etc/static is the configuration's; each of its links has
# a link of the same name in /etc. A name with NAME.mode beside it is copied, with that mode, owner and group, or, where
# the mode is direct-symlink, is a link to the store. Copies are remembered in /etc/.clean. Links of an older
# configuration go, and copies; what else is in /etc stays.
etc=$1
link() { # link TARGET NAME: atomically, also where NAME exists
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then ln -s "$1" "$2"; else ln -sfn "$1" "$2.tmp" && mv -Tf "$2.tmp" "$2"; fi
}
# Is all below DIR links into /etc/static?
is_static() {
  local f
  for f in "$1"/* "$1"/.[!.]*; do
    if [ -L "$f" ]; then
      case $(readlink "$f") in /etc/static*) ;; *) return 1 ;; esac
    elif [ -d "$f" ]; then
      is_static "$f" || return 1
    elif [ -e "$f" ]; then
      return 1
    fi
  done
}
link "$etc" /etc/static

find /etc -path /etc/nixos -prune -o -type l -print | while read -r f; do
  [ "$f" != /etc/static ] || continue
  [ ! -e "$f" ] || continue # what is there is not obsolete
  case $(readlink "$f") in
    /etc/static/*)
      [ -L "/etc/static/${f#/etc/}" ] || { echo "removing obsolete symlink '$f'..." >&2; rm -f "$f"; }
      ;;
  esac
done

new=/etc/.clean.tmp
: >"$new"
cd -P "$etc" || exit
find . -mindepth 1 -type d | while read -r d; do
  d=/etc/${d#./}
  [ -d "$d" ] || mkdir -p "$d"
done
find . -type l | while read -r f; do
  f=${f#./}
  if [ -e "$f.mode" ]; then
    read -r mode <"$f.mode"
    if [ "$mode" = direct-symlink ]; then
      link "$(readlink "$f")" "/etc/$f"
    else
      read -r uid <"$f.uid"
      read -r gid <"$f.gid"
      cp -L "$f" "/etc/$f.tmp" && chown "${uid#+}:${gid#+}" "/etc/$f.tmp" && chmod "$mode" "/etc/$f.tmp" &&
        mv -Tf "/etc/$f.tmp" "/etc/$f" || echo "could not create '/etc/$f'" >&2
    fi
    echo "$f" >>"$new"
  elif [ -L "/etc/$f" ] && [ "/etc/$f" -ef "/etc/static/$f" ]; then
    : # as it should be
  else
    if [ -d "/etc/$f" ] && [ ! -L "/etc/$f" ]; then
      if is_static "/etc/$f"; then rm -rf "/etc/${f:?}"; else
        echo "warning: /etc/$f is a directory with files of its own; it is not replaced" >&2
        continue
      fi
    fi
    link "/etc/static/$f" "/etc/$f"
  fi
done

[ ! -e /etc/.clean ] || while read -r f; do
  [ -e "$f" ] || [ -L "$f" ] || { echo "removing obsolete file '/etc/$f'..." >&2; rm -f "/etc/$f"; }
done </etc/.clean
mv -f "$new" /etc/.clean
: >>/etc/NIXOS
