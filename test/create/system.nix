# Small systems with NixOS's top level, for tests. The host's shell builds them, so the sandbox must be off.
#
#   kind    "small"    a few paths
#           "medium"   files of many sizes and names that any file system can store
#           "strange"  everything that a store may contain and a copy may get wrong
#           "bare"     no kernel, no initrd
#   arch    the architecture in its file "system"
#   extra   lines of shell run in the top level, to break it
{ kind, arch ? "x86_64-linux", extra ? "", version ? "25.11.20251201.ccccccc" }:
let
  build = import ./build.nix;

  kernel = build "linux-6.12.40" ''
    mkdir -p $out/lib
    head -c 700000 /dev/zero | tr '\0' k >$out/bzImage
    echo module >$out/lib/module.ko
  '' { };
  initrd = build "initrd-linux-6.12.40" ''
    mkdir $out
    head -c 300000 /dev/zero | tr '\0' i >$out/initrd
    ln -s initrd $out/latest
  '' { };

  # ---- the strange ones ----

  # Links of up to 59 bytes are stored in the inode (fast), those from 60 bytes on in a block (slow).
  links = build "links" ''
    mkdir $out; cd $out
    for n in 1 2 58 59 60 61 100 255 1000 4094 4095; do
      ln -s "$(printf "%0''${n}d" 0 | tr 0 t)" to-$n
    done
    ln -s /nowhere absolute
    ln -s "$out/to-1" self
    ln -s "$(printf 'a\377b\nc d')" bytes
  '' { };

  sizes = build "sizes" ''
    mkdir $out; cd $out
    for n in 0 1 2 4095 4096 4097 8191 8192 65536 4194303 4194304 4194305 9000001; do
      head -c $n /dev/zero | tr '\0' x >file-$n
    done
    head -c 9000001 /dev/zero >zeros
    head -c 4096 /dev/zero >zero-block
    cp file-1 program; chmod +x program
    cp file-0 empty-program; chmod +x empty-program
    cp file-65536 twin-1; cp file-65536 twin-2
  '' { };

  names = build "names" ''
    mkdir $out; cd $out
    long=$(printf %0254d 0 | tr 0 n)
    echo a >"$long"a
    echo b >"$long"b
    mkdir "$long"d; echo c >"$long"d/"$long"c
    ln -s x "$long"l
    for name in "$(printf 'latin-\351')" "$(printf '\377\376')" "$(printf 'new\nline')" "$(printf '\001')" \
      ' blank' '-dash' '*' '\' '"' ... .hidden 'ünï' "$(printf 'decomposed-u\314\210')" A a; do
      echo "$name" >"$name"
    done
  '' { };

  # A plain block has space for 253 of these entries, less two; 254 need a hash tree.
  directories = build "directories" ''
    mkdir $out; cd $out
    mkdir -p empty deep/empty
    for n in 1 2 251 252 253 254 255 256 500; do
      mkdir dir-$n
      (cd dir-$n; seq -f 'file%04g' $n | xargs touch)
    done
    d=deep
    for i in $(seq 58); do d=$d/$i; done
    mkdir -p $d; echo deep >$d/file
    mkdir many; cd many
    echo many >entry
    perl -e 'link "entry", sprintf("entry-%05d-of-many", $_) or die for 1 .. 50000'
    mkdir zz-directory; ln -s target zz-link
    # From 7,606 on, names of this length need an index of two levels.
    mkdir ../index; cd ../index
    echo index >entry
    perl -e 'link "entry", sprintf("%0255d", $_) or die for 1 .. 8000'
  '' { };

  file = build "just-a-file" "echo plain >$out" { };
  program = build "just-a-program" "echo plain >$out; chmod +x $out" { };
  link = build "just-a-link" "ln -s ${file} $out" { };
  empty = build "empty-directory" "mkdir $out" { };
  flat = build "fixed-flat" "echo fixed >$out" {
    outputHash = "sha256:${builtins.hashString "sha256" "fixed\n"}";
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
  };
  recursive = build "fixed-recursive" "mkdir $out; echo fixed >$out/file" {
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
    outputHash = "sha256-PLw1gKJbvRtVut7C3SPXEv3HW1FkEndghG4zSBSKt7s=";
  };
  text = builtins.toFile "text" "made by the evaluator, refers to ${text2}\n";
  text2 = builtins.toFile "text-2" "text\n";
  cycle = build "self-reference" ''
    mkdir $out; echo $out/file >$out/file; ln -s $out/file $out/link
  '' { };
  outputs = build "two-outputs" "echo one >$out; echo $out >$dev" { outputs = [ "out" "dev" ]; };
  # A derivation in the closure: its outputs are rows of their own in the database.
  with-drv = build "refers-to-a-derivation" "echo $drv >$out" { drv = file.drvPath; };

  strange = [
    links sizes names directories file program link empty flat recursive text cycle outputs.dev with-drv
  ];

  refers = if kind == "strange" then strange else if kind == "medium" then [ sizes names link ] else [ file link ];
in
build "nixos-system-${kind}-25.11" ''
  mkdir -p $out/etc $out/bin; cd $out
  printf '#!/bin/sh\n# %s\n' "$refers" >init; chmod +x init
  printf '#!/bin/sh\n' >activate; chmod +x activate
  printf '%s' "$version" >nixos-version
  printf '%s' "$arch" >system
  printf 'loglevel=4 console=hvc0' >kernel-params
  printf 1 >init-interface-version
  printf '/dev/disk/by-label/NIXOS / ext4 x-initrd.mount 0 1\n' >etc/fstab
  [ -z "$kernel" ] || { ln -s $kernel/bzImage kernel; ln -s $initrd/initrd initrd; ln -s $kernel kernel-modules; }
  eval "$extra"
'' {
  inherit refers arch extra version;
  kernel = if kind == "bare" then "" else kernel;
  initrd = if kind == "bare" then "" else initrd;
}
