/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/show.h"
#include "nixos/guestconf.h"

#include <ctype.h>
#include <string.h>

/* What nixpkgs's own profile for guests of Xen names. */
static const char modules[] = "\"xen-blkfront\" \"xen-tpmfront\" \"xen-kbdfront\" \"xen-fbfront\"\n"
                              "    \"xen-netfront\" \"xen-pcifront\" \"xen-scsifront\"";

#define SSHD_SETTINGS "23.05" /* the release that made sshd's options "settings" */
#define USER_MAX 31u          /* users.users.<name>.name aborts over it */

/* share/domstrap/guest.nix. */
static const char guest_module[] = {
#include "guest_nix.h"
};

/* A string of the Nix language. */
static void quoted(struct buf *out, const char *s)
{
	buf_puts(out, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || (s[0] == '$' && s[1] == '{'))
			buf_puts(out, "\\");
		buf_put(out, s, 1);
	}
	buf_puts(out, "\"");
}

static void setting(struct buf *out, const char *name, const char *value)
{
	buf_putf(out, "  %s = ", name);
	quoted(out, value);
	buf_puts(out, ";\n");
}

static void quoted_list(struct buf *out, const char *const *items, size_t n, const char *indent)
{
	buf_puts(out, "[");
	for (size_t i = 0; i < n; i++) {
		buf_putf(out, "\n%s  ", indent);
		quoted(out, items[i]);
	}
	buf_putf(out, n ? "\n%s]" : "%s]", n ? indent : " ");
}

/* The rest of the command that makes a guest of a shared system. */
static const char of_its_own[] = " \\\n#     --hostname NAME --ip ADDRESS/BITS --gateway ADDRESS";

static void put_head(const struct guestconf *c, struct buf *out)
{
	buf_putf(out,
	         "# A NixOS guest on Xen. On a machine with Nix:\n"
	         "#   domstrap create %s --config configuration.nix --nixpkgs "
	         "channel:nixos-%s%s%s%s\n"
	         "#   xl create -c %s.cfg\n"
	         "{ config, lib, pkgs, ... }:\n"
	         "{\n",
	         c->hostname, c->release, c->split ? " --layout split" : "",
	         c->pygrub ? " --boot pygrub" : "", c->shared ? of_its_own : "", c->hostname);
}

static void put_boot(const struct guestconf *c, struct buf *out)
{
	buf_putf(
	        out,
	        "  # Xen's front-end drivers: disks, network and others.\n"
	        "  boot.initrd.availableKernelModules = [\n    %s\n  ];\n"
	        "\n"
	        "  # Kernel messages go to \"xl console\". After a kernel panic the guest\n"
	        "  # restarts in 30 s.\n"
	        "  boot.kernelParams = [ \"console=hvc0\" \"panic=30\" ];\n"
	        "\n"
	        "  # The host's boot helper reads the boot menu, /boot/grub/grub.cfg. GRUB itself\n"
	        "  # is not installed on the disk.\n"
	        "  boot.loader.grub = {\n"
	        "    enable = true;\n"
	        "    device = \"nodev\";\n"
	        "    configurationLimit = %d;\n",
	        modules, c->split ? 10 : 50);
	if (c->pygrub || c->split)
		buf_puts(out, "    # Without \"search\" in the menu, which pygrub cannot parse.\n"
		              "    fsIdentifier = \"provided\";\n");
	if (c->pygrub)
		buf_putf(out, "    extraConfig = \"set root=(hd0%s)\";\n", c->split ? "" : ",1");
	buf_puts(out, "  };\n\n");
}

static void put_disks(const struct guestconf *c, struct buf *out)
{
	if (c->split) {
		buf_puts(out, "  # Two disks without partition tables. The root file system grows "
		              "with its "
		              "disk.\n"
		              "  fileSystems.\"/\" = { device = \"/dev/xvdb\"; fsType = \"ext4\"; "
		              "autoResize = true; };\n"
		              "  fileSystems.\"/boot\" = { device = \"/dev/xvda\"; fsType = "
		              "\"ext4\"; };\n"
		              "\n");
		return;
	}
	buf_puts(out,
	         "  # One disk with one partition. Partition and file system grow with the disk\n"
	         "  # at boot.\n"
	         "  fileSystems.\"/\" = { device = \"/dev/xvda1\"; fsType = \"ext4\"; autoResize = "
	         "true; };\n"
	         "  boot.growPartition = true;\n"
	         "\n");
}

static void put_network(const struct guestconf *c, struct buf *out)
{
	if (c->shared)
		buf_puts(out,
		         "  # Options of \"domstrap create\" give each guest its own name, and\n"
		         "  # addresses in place of DHCP.\n");
	setting(out, "networking.hostName", c->shared ? "" : c->hostname);
	buf_puts(out,
	         "  networking.useDHCP = false;\n"
	         "  networking.useNetworkd = true;\n"
	         "  # Matched by driver, because the name (eth0 or enX0) depends on the kernel.\n"
	         "  systemd.network.networks.\"10-xen\" = {\n"
	         "    matchConfig.Driver = \"vif\";\n");
	if (!c->address) {
		buf_puts(out, "    networkConfig.DHCP = \"yes\";\n");
	} else {
		buf_puts(out, "    address = ");
		quoted_list(out, &c->address, 1, "    ");
		buf_puts(out, ";\n");
		if (c->gateway) {
			/* "routes" is written in two ways, as the release has it; this is not. */
			buf_puts(out, "    gateway = ");
			quoted_list(out, &c->gateway, 1, "    ");
			buf_puts(out, ";\n");
		}
		buf_puts(out, "    dns = ");
		quoted_list(out, c->dns, c->n_dns, "    ");
		buf_puts(out, ";\n");
	}
	buf_puts(out, "  };\n\n");
}

static void put_user(const struct guestconf *c, struct buf *out)
{
	setting(out, "time.timeZone", c->time_zone);
	buf_puts(out, "\n  users.users.");
	quoted(out, c->user);
	buf_puts(out, " = {\n"
	              "    isNormalUser = true;\n"
	              "    extraGroups = [ \"wheel\" ];\n");
	if (c->password_hash) {
		buf_puts(out, "    hashedPassword = ");
		quoted(out, c->password_hash);
		buf_puts(out, ";\n");
	}
	buf_puts(out, "    openssh.authorizedKeys.keys = ");
	quoted_list(out, c->ssh_keys, c->n_ssh_keys, "    ");
	buf_puts(out, ";\n  };\n");
	if (!c->password_hash)
		buf_puts(out, "  # The user has no password, so sudo must not ask for one.\n"
		              "  security.sudo.wheelNeedsPassword = false;\n");
	buf_putf(out,
	         "\n  services.openssh = {\n"
	         "    enable = true;\n"
	         "    %s = false;\n"
	         "  };\n\n",
	         strcmp(c->release, SSHD_SETTINGS) < 0 ? "passwordAuthentication"
	                                               : "settings.PasswordAuthentication");
}

/* In the file itself: the guest's /etc/nixos gets no other. */
static void put_module(struct buf *out)
{
	struct str rest = str_from(guest_module);

	buf_puts(
	        out,
	        "  # \"domstrap update --try\" puts a new system on trial. If nothing confirms it\n"
	        "  # in its first start, the next one boots the old system again.\n"
	        "  # domstrap.confirm.requires = [ \"sshd.service\" ];\n"
	        "  imports = [\n"
	        "    (\n");
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');

		buf_putf(out, "%s%.*s\n", line.n ? "      " : "", STR_ARG(line));
	}
	buf_puts(out, "    )\n  ];\n\n");
}

void guestconf_format(const struct guestconf *c, struct buf *out)
{
	put_head(c, out);
	put_boot(c, out);
	put_disks(c, out);
	put_network(c, out);
	put_user(c, out);
	if (c->try)
		put_module(out);
	buf_puts(
	        out,
	        "  environment.systemPackages = [ pkgs.vim ];\n"
	        "\n"
	        "  # The NixOS release of the first installation. Do not change it when you update "
	        "NixOS.\n");
	setting(out, "system.stateVersion", c->release);
	buf_puts(out, "}\n");
}

void guestconf_flake(const struct guestconf *c, struct buf *out)
{
	buf_putf(out,
	         "# domstrap create %s --flake .%s%s\n"
	         "{\n"
	         "  inputs.nixpkgs.url = \"nixpkgs/nixos-%s\";\n"
	         "\n"
	         "  outputs = { self, nixpkgs }: {\n"
	         "    nixosConfigurations.%s = nixpkgs.lib.nixosSystem {\n"
	         "      system = \"x86_64-linux\";\n"
	         "      modules = [ ./configuration.nix ];\n"
	         "    };\n"
	         "  };\n"
	         "}\n",
	         c->hostname, c->split ? " --layout split" : "", c->pygrub ? " --boot pygrub" : "",
	         c->release, c->hostname);
}

int guestconf_hostname_check(const char *name, struct err *err)
{
	size_t n = strlen(name);
	bool ok = n >= 1 && n <= 63 && name[0] != '-' && name[n - 1] != '-';
	char shown[SHOW_SIZE];

	for (size_t i = 0; i < n; i++)
		ok = ok && (unsigned char)name[i] < 0x80 &&
		     (isalnum((unsigned char)name[i]) || name[i] == '-');
	if (ok)
		return 0;
	return err_set(err, ERR_USAGE,
	               "host name '%s': expected 1 to 63 letters, digits and inner hyphens",
	               show_str(str_from(name), shown));
}

int guestconf_release_check(const char *release, struct err *err)
{
	struct str rest = str_from(release), year = str_cut(&rest, '.');
	char shown[SHOW_SIZE];
	uint64_t v;

	if (year.n == 2 && str_u64(year, 10, 99, &v) && (str_is(rest, "05") || str_is(rest, "11")))
		return 0;
	return err_set(err, ERR_USAGE,
	               "release '%s': expected a NixOS release such as 25.11 or 26.05",
	               show_str(str_from(release), shown));
}

/* Users that every NixOS has; it refuses a normal user of such a name. */
static bool is_system_user(struct str user)
{
	return str_is(user, "root") || str_is(user, "nobody") || str_is(user, "messagebus") ||
	       str_is(user, "sshd") || str_starts(user, "nixbld") || str_starts(user, "systemd-");
}

int guestconf_user_check(const char *user, struct err *err)
{
	bool ok = (*user >= 'a' && *user <= 'z') || *user == '_';
	size_t n = strlen(user);
	char shown[SHOW_SIZE];

	for (const char *p = user; *p; p++)
		ok = ok && ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_' ||
		            *p == '-');
	show_str(str_from(user), shown);
	if (!ok)
		return err_set(err, ERR_USAGE,
		               "user \"%s\": only a-z, 0-9, \"_\" and \"-\" are allowed, a "
		               "letter or \"_\" first",
		               shown);
	if (n > USER_MAX)
		return err_set(err, ERR_USAGE,
		               "user \"%s\": %zu characters; NixOS allows at most %u", shown, n,
		               USER_MAX);
	if (is_system_user(str_from(user)))
		return err_set(err, ERR_USAGE,
		               "user \"%s\": this is a system user of NixOS and cannot be a normal "
		               "user (isNormalUser); choose another name",
		               shown);
	return 0;
}

static bool base64(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '+' && s.p[i] != '/' &&
		    s.p[i] != '=')
			return false;
	return s.n >= 32;
}

int guestconf_ssh_key_check(struct str line, struct err *err)
{
	static const char *const types[] = {
	        "ssh-ed25519",
	        "ssh-rsa",
	        "ecdsa-sha2-nistp256",
	        "ecdsa-sha2-nistp384",
	        "ecdsa-sha2-nistp521",
	        "sk-ssh-ed25519@openssh.com",
	        "sk-ecdsa-sha2-nistp256@openssh.com",
	};
	struct str rest = line, type = str_cut(&rest, ' ');
	char shown[SHOW_SIZE];

	if (line.n && memmem(line.p, line.n, "PRIVATE KEY", 11))
		return err_set(err, ERR_USAGE,
		               "this is a private key; the public key is in the file with .pub");
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_is(type, types[i]) && base64(str_cut(&rest, ' ')))
			return 0;
	return err_set(err, ERR_USAGE, "'%s' is not a public SSH key", show_str(line, shown));
}
