"""menus.py FORM TREE BOOT: the boot menu that a release of NixOS, with the settings named by FORM, would write for the
generations in TREE/nix; BOOT is "" or "/boot", where GRUB finds kernels/. In this test's own words but for what the form asks."""
import os, re, sys, time

form, tree, boot = sys.argv[1:]
profiles = tree + "/nix/var/nix/profiles/"
settings = {
    # header: extraConfig and the like; head: what begins each entry; extra: extraEntries
    "grub": dict(header='function savedefault {\n  true\n}\nset timeout=-1\nset root=(hd0)\nset superusers="joe"\npassword joe x\n', head="  savedefault\n\n  set a=b\n",
                 extra='menuentry "Memtest" {\n  linux16 /memtest.bin\n}\n# the other one\nmenuentry \'Rescue\' { linux /kernels/rescue; }\n'),
    "grub-old": dict(header="set timeout=3\n", head="\n", extra='menuentry "Memtest" {\n  linux16 /memtest.bin\n}\n'),
    "extlinux": dict(header="DEFAULT nixos-default\n\nMENU TITLE A title\nTIMEOUT 0\n",
                     extra="\nLABEL memtest\n  KERNEL ../memtest\n"),
}[form]


def inside(path):
    """Where a path of the store ends, links followed, as the guest sees it."""
    while os.path.islink(tree + path):
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(tree + path)))
    head, tail = os.path.split(path)
    return path if head == "/" else inside_dir(head) + "/" + tail


def inside_dir(path):
    return path if os.path.dirname(path) == "/" else inside(path)


def text(path):
    with open(tree + path) as f:
        return f.read().strip()


def links():
    """Numbers, days and systems, newest first."""
    found = []
    for name in os.listdir(profiles):
        m = re.fullmatch(r"system-(\d+)-link", name)
        if m:
            path = profiles + name
            found.append((int(m[1]), int(os.lstat(path).st_mtime), os.readlink(path)))
    return sorted(found, reverse=True)


def copy(path, sub):
    name = path[len("/nix/store/"):].replace("/", "-")
    return name if sub is None else sub + name


def grub():
    old = form == "grub-old"
    out = ["# a menu for a test\n" + settings["header"] + 'if [ "${next_entry}" ]; then\n  set default="${next_entry}"\nelse\n  set default=0\nfi\n\n']

    def entry(title, options, top):
        dir = boot + "/kernels/"
        initrd = copy(inside(top + "/initrd"), dir)
        secrets = dir + os.path.basename(top) + "-secrets"
        where = tree + "/boot/kernels/" + os.path.basename(top) + "-secrets"
        if os.path.exists(where):
            initrd += " " + secrets
        out.append(f'menuentry "{title}" {options} {{\n{settings["head"]}  linux {copy(inside(top + "/kernel"), dir)} '
                   + (f"systemConfig={top} " if old else "") + f'init={top}/init {text(top + "/kernel-params")}\n  initrd {initrd}\n}}\n\n')

    def specials(top):
        try:
            return sorted(os.listdir(tree + top + "/specialisation"))
        except FileNotFoundError:
            return []

    def special(title, top):
        for name in specials(top):
            path = inside(top + "/specialisation/" + name)
            entry(f'{title} - ({name} - 1970-01-01 - {text(path + "/nixos-version")})', "", path)

    current = os.readlink(profiles + os.readlink(profiles + "system"))
    entry("NixOS - Default" if old or specials(current) else "NixOS", "--unrestricted", current)
    if not old:
        special("NixOS", current)
    out.append(settings["extra"])
    if old:
        special("NixOS", current)
    out.append('submenu "NixOS - All configurations" ' + ("" if old else "--class submenu ") + "{\n")
    for number, when, top in links():
        name, day = f"NixOS - Configuration {number}", time.strftime("%F", time.gmtime(when))
        suffix = f' ({day} - {text(top + "/nixos-version")})'
        if specials(top) and not old:
            out.append(f'submenu "> {name}{suffix}" --class submenu {{\n')
            entry(name + " - Default" + suffix, "--class x", top)
            special(name, top)
            out.append("}\n")
        else:
            entry(name + suffix, "" if old else "--class x", top)
    out.append("}\n")
    return "".join(out)


def extlinux():
    out = ["# a menu for a test\n" + settings["header"]]

    def entry(tag, title, top):
        out.append(f"\nLABEL nixos-{tag}\n  MENU LABEL NixOS - {title}\n  LINUX {copy(inside(top + '/kernel'), '../nixos/')}\n"
                   f"  INITRD {copy(inside(top + '/initrd'), '../nixos/')}\n  APPEND init={top}/init {text(top + '/kernel-params')}\n")

    current = os.readlink(profiles + os.readlink(profiles + "system"))
    entry("default", "Default", current)
    for number, when, top in links():
        entry(number, f"Configuration {number} ({time.strftime('%F %H:%M', time.gmtime(when))} - {text(top + '/nixos-version')})", top)
    return "".join(out) + settings["extra"]


sys.stdout.write(extlinux() if form == "extlinux" else grub())
