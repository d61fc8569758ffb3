# The initrd: stage 1 with everything it refers to, under their store paths, and /init.
mkdir -p t/nix/store "$out"
# The graph file lists a path, its deriver, a count and as many references, one a line; so its store paths
# are those of the closure, derivers aside.
for p in $(grep '^/nix/store/' closure | grep -v '\.drv$' | sort -u); do cp -R "$p" t/nix/store/; done
ln -s "$stage1" t/init
cd t || exit
find . | sort >../names
# Times, inode numbers and owners would differ from one build to the next.
touch -h -d @1 $(cat ../names)
cpio -o -H newc -R 0:0 --renumber-inodes --ignore-devno <../names 2>/dev/null | gzip -9 >"$out/initrd"
