/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "grub/command.h"

/* In byte order of name. */
static const struct command commands[] = {
        {".", cmd_source},
        {"[", cmd_test},
        {"background_color", cmd_nothing},
        {"background_image", cmd_nothing},
        {"badram", cmd_nothing},
        {"blscfg", cmd_blscfg},
        {"boot", cmd_boot},
        {"break", cmd_break},
        {"cat", cmd_cat},
        {"chainloader", cmd_refused},
        {"clear", cmd_nothing},
        {"configfile", cmd_configfile},
        {"continue", cmd_continue},
        {"cpuid", cmd_cpuid},
        {"cryptomount", cmd_unsupported},
        {"cutmem", cmd_nothing},
        {"decrement", cmd_decrement},
        {"devicetree", cmd_nothing},
        {"echo", cmd_echo},
        {"eval", cmd_eval},
        {"exit", cmd_exit},
        {"export", cmd_export},
        {"extract_entries_configfile", cmd_configfile},
        {"extract_entries_source", cmd_source},
        {"false", cmd_false},
        {"freedos", cmd_refused},
        {"gettext", cmd_gettext},
        {"halt", cmd_exit},
        {"increment", cmd_increment},
        {"initrd", cmd_initrd},
        {"initrd16", cmd_initrd},
        {"initrdefi", cmd_initrd},
        {"insmod", cmd_nothing},
        {"keymap", cmd_nothing},
        {"kfreebsd", cmd_refused},
        {"knetbsd", cmd_refused},
        {"kopenbsd", cmd_refused},
        {"legacy_configfile", cmd_configfile},
        {"linux", cmd_linux},
        {"linux16", cmd_linux},
        {"linuxefi", cmd_linux},
        {"list_env", cmd_list_env},
        {"load_env", cmd_load_env},
        {"loadfont", cmd_nothing},
        {"loopback", cmd_unsupported},
        {"ls", cmd_ls},
        {"menuentry", cmd_menuentry},
        {"module", cmd_refused},
        {"module2", cmd_refused},
        {"multiboot", cmd_refused},
        {"multiboot2", cmd_refused},
        {"nativedisk", cmd_nothing},
        {"normal", cmd_configfile},
        {"normal_exit", cmd_nothing},
        {"ntldr", cmd_refused},
        {"password", cmd_nothing},
        {"password_pbkdf2", cmd_nothing},
        {"play", cmd_nothing},
        {"poweroff", cmd_exit},
        {"probe", cmd_probe},
        {"read", cmd_unsupported},
        {"reboot", cmd_exit},
        {"regexp", cmd_regexp},
        {"return", cmd_return},
        {"rmmod", cmd_nothing},
        {"save_env", cmd_save_env},
        {"search", cmd_search},
        {"search.file", cmd_search_short},
        {"search.fs_label", cmd_search_short},
        {"search.fs_uuid", cmd_search_short},
        {"serial", cmd_nothing},
        {"set", cmd_set},
        {"setparams", cmd_setparams},
        {"shift", cmd_shift},
        {"sleep", cmd_nothing},
        {"source", cmd_source},
        {"submenu", cmd_menuentry},
        {"syslinux_configfile", cmd_configfile},
        {"terminal", cmd_nothing},
        {"terminal_input", cmd_nothing},
        {"terminal_output", cmd_nothing},
        {"terminfo", cmd_nothing},
        {"test", cmd_test},
        {"true", cmd_nothing},
        {"unset", cmd_unset},
        {"vbeinfo", cmd_nothing},
        {"verify_detached", cmd_unsupported},
        {"videoinfo", cmd_nothing},
        {"videotest", cmd_nothing},
        {"xen_hypervisor", cmd_refused},
        {"xen_module", cmd_refused},
};

const struct command *command_table(size_t *n)
{
	*n = ARRAY_LEN(commands);
	return commands;
}

static struct str name_of(const void *command)
{
	return str_from(((const struct command *)command)->name);
}

const struct command *command_find(struct str name)
{
	bool found;
	size_t i =
	        str_place(commands, ARRAY_LEN(commands), sizeof *commands, name_of, name, &found);

	return found ? &commands[i] : NULL;
}
