# Short names for what Meson, ninja and the scripts do.
#   make          install what is needed, build into build/
#   make demo     a NixOS-like guest, from source to its login prompt on real Xen in QEMU
#   make test     every test, with both compilers and the sanitizers
#   make bench    every benchmark (some minutes; as root for the peers that mount)
PREFIX ?= /usr/local

all: build/build.ninja
	ninja -C build

build/build.ninja:
	scripts/install-deps.sh build
	meson setup build --prefix=$(PREFIX) -Dwerror=false

demo: all
	demo/demo.sh

test:
	scripts/test.sh

bench: all
	bench/create.sh
	bench/update.sh
	bench/cache.sh
	bench/domgrub.sh

install: all
	DESTDIR="$(DESTDIR)" meson install -C build --no-rebuild

clean:
	rm -rf build build-gcc build-clang build-fuzz

.PHONY: all demo test bench install clean
