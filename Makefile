# Short names for what Meson, ninja and the scripts do.
#   make            install what is needed, build into build/
#   make demo       a NixOS-like guest on real Xen in QEMU: create, boot by its own menu, update, roll back;
#                   with NIXOS=1 a guest of NixOS itself, with NIXOS=/nix/store/… one of that system in the public cache
#   make test       every test, with both compilers and the sanitizers
#   make test-other the unit, nix and package tests and a Xen boot on a fresh system of the other Debian, 12 or 13
#   make bench      every benchmark (some minutes; as root for the peers that mount)
#   make install    programs, man pages, completions and documentation, below PREFIX (and below DESTDIR);
#                   with XEN_BIN=/usr/lib/xen-4.20/bin (Debian 12: xen-4.17) a link to domgrub there, where xl looks first
#   make uninstall  take away what the last install put there
#   make dist       a release's tarball, in build/meson-dist; unpacks it, builds it and runs its unit tests
#   make deb        Debian packages, in build/deb
PREFIX ?= /usr/local
XEN_BIN ?=
options = -Dprefix=$(PREFIX) -Dxen-bin=$(XEN_BIN)

all: build/build.ninja
	@[ "$$(cat build/options 2>/dev/null)" = "$(options)" ] || \
	  { meson configure build $(options) && echo "$(options)" >build/options; }
	ninja -C build

build/build.ninja:
	scripts/install-deps.sh build
	meson setup build -Dwerror=false $(options)

demo: all
	demo/demo.sh $(if $(filter-out 0,$(NIXOS)),--nixos $(filter /%,$(NIXOS)))

test:
	scripts/test.sh

test-other:
	scripts/test.sh --other

bench: all
	scripts/install-deps.sh build test
	bench/create.sh
	bench/update.sh
	bench/cache.sh
	bench/domgrub.sh

install: all
	DESTDIR="$(DESTDIR)" meson install -C build --no-rebuild

uninstall:
	ninja -C build uninstall

dist: all
	scripts/dist.sh

deb:
	scripts/install-deps.sh build package
	scripts/deb.sh build/deb

clean:
	rm -rf build build-gcc build-clang build-tsan build-fuzz

.PHONY: all demo test test-other bench install uninstall dist deb clean
