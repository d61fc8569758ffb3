#!/bin/bash
# test-xlcfg.sh DUMP [SEED [COUNT]]: xl's library, libxlutil of Debian's libxenmisc, and domstrap's reader (DUMP) parse
# configs with the same result: each kind below, and COUNT random ones (generate.py). The library is unpacked, not installed.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
dump=${1:?DUMP} seed=${2:-1} count=${3:-800}
here=$(cd "$(dirname "$0")" && pwd)
scratch
lib=$work/xlutil
mkdir -p "$lib"
only_one "$lib/lock"

apt_ready
misc=$(apt-cache depends libxen-dev | sed -n 's/^ *Depends: \(libxenmisc[0-9.]*\)$/\1/p' | head -1)
[ -n "$misc" ] || die "apt does not know libxen-dev: run apt-get update first"
# shellcheck disable=SC2046 # names of packages
debs=$("$repo/scripts/fetch-debs.sh" "$lib" libxen-dev $(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
  --no-breaks --no-replaces --no-enhances "$misc" | grep -E '^lib(xen|yajl)' | grep -v xen-dev | sort -u))
if [ "$(cat "$lib/stamp" 2>/dev/null)" != "$debs" ]; then
  rm -rf "$lib/root"
  while read -r deb; do dpkg-deb -x "$deb" "$lib/root"; done <<<"$debs"
  echo "$debs" >"$lib/stamp"
fi
so=$(dirname "$(find "$lib/root" -name 'libxlutil.so.*' | head -1)")
${CC:-cc} -O1 -I "$lib/root/usr/include" -I "$here" "$here/oracle.c" "$so"/libxlutil.so.* "$so"/libxenlight.so.* \
  -Wl,--allow-shlib-undefined,-rpath="$so" -o "$dir/oracle"

# Where libxlutil exits ("flex scanner jammed"), domstrap reports bad syntax.
compare() { # compare WHAT FILE...
  local what=$1
  shift
  LD_LIBRARY_PATH=$so "$dir/oracle" "$@" 2>/dev/null | sed 's/^killed$/refused disk bad disk syntax/' >"$dir/xl"
  "$dump" "$@" >"$dir/ours"
  check "$what: $(grep -c '^file' "$dir/xl") configs, $(grep -c '^refused' "$dir/xl") of them refused" diff -U5 "$dir/xl" "$dir/ours"
}

# ---- one of each kind, separated by lines of dashes ----------------------------------------------
mkdir "$dir/kinds" "$dir/random"
awk -v dir="$dir/kinds" 'BEGIN { n = 10 } /^----/ { n++; next } { printf "%s\n", $0 > (dir "/" n ".cfg") }' <<'X'
disk = [ '/srv/web.img,raw,xvda,w' ]
----
disk = [ '/srv/web.img , raw , xvda , w' ]
----
disk = [ '/srv/x.iso,,hdc,cdrom', '/srv/web.img,,xvda' ]
----
disk = [ 'format=raw,vdev=xvda,access=w,discard,target=/srv/web.img' ]
----
disk = [ 'backendtype=qdisk,format=raw,vdev=xvda,access=w,no-discard,direct-io-safe,target=/srv/a,b.img' ]
----
disk = [ 'drbd:r0,xvda,w' ]
----
disk = [ 'backend=storage,vdev=xvda,format=raw,target=/srv/web.img' ]
----
disk = [ 'backenddomain=storage,vdev=xvda,format=raw,target=/srv/web.img' ]
----
extra = "b=\"q\" c\t\\"
disk = [ "/srv/web \"1\".img,,xvda,w" ]
----
disk = [ 'file:/srv/web.img,raw,xvda,w' ]
----
disk = [ 'tap2:tapdisk:aio:/srv/web.img,xvda,w', 'tap:qcow2:/srv/a,xvdb,w', 'vhd:/srv/b,hdc', 'phy:/dev/vg/c,xvdd1' ]
----
vnuma = [
  [ "pnode=0", "size=1024", "vcpus=0", "vdistances=10" ], # one
  []
]
disk = [ '/srv/web.img,,xvda,w', ]
----
disk = [ '/srv/old.img,,xvda,w' ]
# moved
disk = [ '/srv/web.img,,xvda,w' ]
disk += [ '/srv/swap.img,,xvdb' ]
disk += []
----
disk = '/srv/web.img,,xvda'
----
disk = [ '/srv/web.img,,xvda', [ '/srv/b.img,,xvdb' ], '/srv/c.img,,xvdc' ]
----
name = 'a'; name += "b"; memory = 0x200; vcpus = 010
----
name += [ 1 ]
name += 'x'
----
a = [ 1, 2
  , [ 3 ; ] ]
----
b.c = 1.5
----
extra = 'one line
and another'
----
uuid = "\x41"
----
uuid = "a\101b\7"
----
type = 'pvh
----
disk = [ 'rbd:pool/web,raw,xvda', 'nbd:/x,xvdb', 'script=block-x,vdev=xvdc,target=y', ',hdd:cdrom' ]
----
disk = [ 'vdev=xvda,colo,colo-host=h,colo-port=1,colo-export=e,active-disk=a,hidden-disk=b,target=/x', '/y,,xvdb,w,no-colo' ]
----
disk = [ 'specification=virtio,vdev=xvda,target=/x', 'foo=bar,vdev=xvda,target=/x' ]
X
printf 'name = "web"\r\ndisk = [ "/srv/web.img,,xvda" ]\r\n' >"$dir/kinds/crlf.cfg"
printf 'name = "web" # no end' >"$dir/kinds/comment.cfg"
printf 'name = "web"\n#' >"$dir/kinds/last.cfg"
printf '%s' 'name = "web"' >"$dir/kinds/no-newline.cfg"
: >"$dir/kinds/empty.cfg"
compare "of each kind" "$dir"/kinds/*.cfg
check "some are refused, some are not" awk '/^refused/ { r++ } /^disk/ { d++ } END { exit !(r > 8 && d > 20) }' "$dir/ours"

python3 "$here/generate.py" "$seed" "$count" "$dir/random"
compare "random, seed $seed" "$dir"/random/*.cfg
finish
