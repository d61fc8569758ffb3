#!/usr/bin/env python3
"""generate.py bash|zsh|fish PROGRAM: print PROGRAM's completion script for that shell.

The one source is what PROGRAM says itself: its list of commands in --help, each command's options in
COMMAND --help, and the names that stand for values there: single|split is a closed set, FILE a file, DIR a
directory. So a command or an option that is added is completed without any further work.
"""
import os
import re
import shlex
import subprocess
import sys

FILES = {"CFG", "CONFIG", "DEVICE", "DISK", "FILE", "GUEST", "IMAGE", "ISO", "LINK", "PATH", "STORE"}
DIRS = {"DIR", "DIRECTORY", "NIXPKGS", "ROOT"}

COMMAND = re.compile(r"^  ([a-z]+)  +(\S.*)$")
OPTION = re.compile(r"^ +(?:(-[a-zA-Z]), )?(--[a-z][-a-z0-9]*)(?:[ =]([^\s-]\S*(?: [A-Z]\S*)*))?(?:  +(.*))?$")
WORD = re.compile(r"[A-Z][-A-Z]*")


class Value:
    """What may stand for a name such as FILE or pv|pvh."""

    def __init__(self, name):
        words = WORD.findall(name)
        self.name = name
        self.choices = name.split("|") if re.fullmatch(r"[a-z0-9-]+(\|[a-z0-9-]+)+", name) else []
        self.files = any(w in FILES for w in words)
        self.dirs = not self.files and any(w in DIRS for w in words)


class Option:
    def __init__(self, short, long, value, text):
        self.short, self.long, self.text = short, long, text or ""
        self.value = Value(value) if value else None
        self.repeats = "may repeat" in self.text
        self.names = [n for n in (short, long) if n]


class Command:
    def __init__(self, name, summary, text):
        self.name, self.summary = name, summary
        usage = re.sub(r"\[?--?[a-z][-a-z]*(?:[ =][A-Z]\S*)?", " ", text.split("\n\n")[0].split("\n")[0])
        self.operand = Value(usage.split(":", 1)[-1])
        self.options = [Option(*m.groups()) for m in map(OPTION.match, text.split("\n")) if m]


def run(program, *words):
    text = subprocess.run([program, *words], check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.sub(r"\n {16,}(?=\S)", "  ", text)  # what an option does may stand below it


def read_commands(program):
    """The program itself, under the name "", and its commands."""
    text = run(program, "--help")
    commands = [Command("", "", text)]
    for match in filter(None, map(COMMAND.match, text.split("\n"))):
        commands.append(Command(match[1], match[2], run(program, match[1], "--help")))
    if len(commands) > 1:
        commands[0].options = [Option(None, o, None, None) for o in ("--help", "--version")]
    return commands


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


# ---- bash ---------------------------------------------------------------

BASH = r"""# bash completion for @name@
_@name@() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' words='' kind=''
@which@	if [ "$cur" = = ]; then
		cur=''
	elif [ "$prev" = = ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case "$command $prev" in
@values@
	esac
	if [ -z "$kind" ]; then
		case $command in
@commands@
		*) kind=words ;;
		esac
		case $cur in -*) kind=words ;; esac
	fi
	COMPREPLY=()
	case $kind in
	words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
	files | dirs)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -"${kind:0:1}" -- "$cur")
		;;
	esac
}
complete -F _@name@ @name@
"""


def kind_of(value):
    return "files" if value.files else "dirs" if value.dirs else "words" if value.choices else "none"


def bash(name, commands):
    values, cases = [], []
    for c in commands:
        for o in c.options:
            if o.value:
                pattern = " | ".join(shlex.quote(f"{c.name} {n}") for n in o.names)
                words = f" words={quote(' '.join(o.value.choices))}" if o.value.choices else ""
                values.append(f"\t{pattern}) kind={kind_of(o.value)}{words} ;;")
        words = [n for o in c.options for n in o.names]
        if not c.name:
            words = [d.name for d in commands[1:]] + words
        kind = kind_of(c.operand)
        cases.append(f"\t\t{c.name or quote('')})\n\t\t\tkind={'words' if kind == 'none' else kind}\n"
                     f"\t\t\twords={quote(' '.join(words))}\n\t\t\t;;")
    which = '\t[ "$COMP_CWORD" -le 1 ] || command=${COMP_WORDS[1]}\n' if len(commands) > 1 else ""
    text = BASH.replace("@which@", which).replace("@values@", "\n".join(values))
    return text.replace("@commands@", "\n".join(cases))


# ---- zsh ----------------------------------------------------------------

ZSH_TWO = r"""#compdef @name@
_@name@() {
	local curcontext=$curcontext state line
	local -a commands
	local -A opt_args
	commands=(
@list@
	)
	if (( CURRENT == 2 )); then
		if [[ $words[2] == -* ]]; then
			compadd -- @own@
		else
			_describe -t commands command commands
		fi
		return
	fi
	shift words
	(( CURRENT-- ))
	case $words[1] in
@cases@
	esac
}
_@name@ "$@"
"""

ZSH_ONE = """#compdef @name@
_arguments -s -S :@specs@
"""


def zsh_text(text):
    return re.sub(r"([][\\:])", r"\\\1", text)


def zsh_action(value):
    if value.choices:
        return "(" + " ".join(value.choices) + ")"
    return {"files": "_files", "dirs": "_files -/"}.get(kind_of(value), " ")


def zsh_specs(command, indent):
    specs = []
    for o in command.options:
        excluded = "*" if o.repeats else f"({' '.join(o.names)})" if o.short else ""
        for n in o.names:
            spec = f"{excluded}{n}{'' if not o.value else '=' if n == o.long else '+'}[{zsh_text(o.text)}]"
            for value in o.value.name.split(" ") if o.value else []:
                spec += f":{zsh_text(value)}:{zsh_action(Value(value))}"
            specs.append(quote(spec))
    specs.append(quote("*:operand:" + zsh_action(command.operand)))
    return "".join(f" \\\n{indent}{s}" for s in specs)


def zsh(name, commands):
    if len(commands) == 1:
        return ZSH_ONE.replace("@specs@", zsh_specs(commands[0], "\t"))
    cases = [f"\t{c.name})\n\t\t_arguments -s -S :{zsh_specs(c, chr(9) * 3)}\n\t\t;;" for c in commands[1:]]
    listed = [f"\t\t{quote(c.name + ':' + zsh_text(c.summary))}" for c in commands[1:]]
    own = " ".join(n for o in commands[0].options for n in o.names)
    return ZSH_TWO.replace("@list@", "\n".join(listed)).replace("@cases@", "\n".join(cases)).replace("@own@", own)


# ---- fish ---------------------------------------------------------------

FISH_ON = """function __@name@_on
	set -l words (commandline -opc)
	test (count $words) -ge 2; and test "$words[2]" = $argv[1]
end
function __@name@_bare
	test (count (commandline -opc)) -eq 1
end
"""


def fish_quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_value(value):
    if value.choices:
        return " -x -a " + fish_quote(" ".join(value.choices))
    return {"files": " -r -F", "dirs": " -x -a '(__fish_complete_directories)'"}.get(kind_of(value), " -x")


def fish(name, commands):
    head = f"complete -c {name}"
    lines = [f"# fish completion for {name}"]
    if len(commands) > 1:
        lines += [FISH_ON.rstrip()]
    lines.append(head + " -f")
    for c in commands:
        when = f" -n '__@name@_on {c.name}'" if c.name else " -n __@name@_bare" if len(commands) > 1 else ""
        if c.name:
            lines.append(f"{head} -n __@name@_bare -a {c.name} -d {fish_quote(c.summary)}")
        if kind_of(c.operand) != "none":
            lines.append(head + when + {"files": " -F"}.get(kind_of(c.operand), fish_value(c.operand)[3:]))
        for o in c.options:
            short = f" -s {o.short[1:]}" if o.short else ""
            what = f" -d {fish_quote(o.text)}" if o.text else ""
            lines.append(f"{head}{when}{short} -l {o.long[2:]}{fish_value(o.value) if o.value else ''}{what}")
    return "\n".join(lines) + "\n"


def main():
    shells = {"bash": bash, "zsh": zsh, "fish": fish}
    if len(sys.argv) != 3 or sys.argv[1] not in shells:
        sys.exit(__doc__.split("\n")[0])
    name = os.path.basename(sys.argv[2])
    text = shells[sys.argv[1]](name, read_commands(sys.argv[2]))
    sys.stdout.write(text.replace("@name@", name))


if __name__ == "__main__":
    main()
