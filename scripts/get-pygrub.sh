#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetch Debian's pygrub into a directory of its own, without installing it,
# and make DIR/pygrub, which runs it. usage: get-pygrub.sh DIR
set -eu

dir=$1
version=4.17
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
[ -x "$dir/pygrub" ] && exit 0
cd "$dir"
for p in xen-utils-$version libxenmisc$version libxentoolcore1 libxenstore4 libxencall1 \
	libxentoollog1 libxenevtchn1 libxenforeignmemory1; do
	apt-get download "$p" >/dev/null
done
for d in *.deb; do
	dpkg-deb -x "$d" root
done
rm -- *.deb
libs=$dir/root/usr/lib
here=$libs/xen-$version/lib
multi=$(basename "$(find "$here" -maxdepth 1 -name '*-linux-gnu' | head -1)")
cat >pygrub.new <<END
#!/bin/sh
export LD_LIBRARY_PATH=$here/$multi:$libs/$multi
export PYTHONPATH=$here/python PYTHONDONTWRITEBYTECODE=1
export XEN_FSIMAGE_FSDIR=$here/$multi/xenfsimage
exec python3 $libs/xen-$version/bin/pygrub "\$@"
END
chmod +x pygrub.new
mv pygrub.new pygrub
