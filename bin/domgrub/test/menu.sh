#!/bin/sh
# SPDX-License-Identifier: MIT
# The menu on a terminal: tmux is the terminal, send-keys types, capture-pane reads
# the screen. usage: menu.sh DOMGRUB
. "$(dirname "$0")/common.sh"

command -v tmux >/dev/null || {
	echo "tmux is not installed: skipped"
	exit 77
}
n=0
t=true
trap '$t kill-server 2>/dev/null; rm -rf "$work"' EXIT

mkdir -p root/boot/grub root/kernels
for k in one two three; do echo "kernel $k" >root/kernels/$k; done
cfg() { cat >root/boot/grub/grub.cfg; ext img 8M root; }

# show [OPTION...]: start it in a terminal of 80 by 24
show() {
	rm -f answer status out/*
	: >answer
	$t kill-server 2>/dev/null || true
	n=$((n + 1)) # a server that ends may still hold its socket
	t="tmux -L domgrub-test-$$-$n"
	$t -f /dev/null new-session -d -x "${cols-80}" -y "${rows-24}" \
		"TERM=vt100 '$domgrub' --config=none.conf --output=answer --output-format=simple \
		--output-directory=out $* img 2>err; echo \$? >status; sleep 60"
}

screen() { $t capture-pane -p; }

# sees NAME TEXT: wait until the screen shows TEXT
sees() {
	for _ in $(seq 100); do
		if screen | grep -qF -- "$2"; then
			ok "$1"
			return
		fi
		sleep 0.1
	done
	fail "$1" "no \"$2\" on the screen:"
	screen
}

keys() {
	for k in "$@"; do
		$t send-keys "$k"
		sleep 0.15
	done
}

# ends NAME STATUS [TEXT]: it ends with STATUS, and TEXT is in its answer
ends() {
	for _ in $(seq 100); do
		[ -s status ] && break
		sleep 0.1
	done
	if [ "$(cat status 2>/dev/null)" != "$2" ]; then
		fail "$1" "status $(cat status 2>/dev/null), not $2: $(cat err)"
		screen
	elif [ -n "${3-}" ] && ! grep -qxF -- "$3" answer; then
		fail "$1" "no \"$3\" in: $(cat answer)"
	else
		ok "$1"
	fi
}

cfg <<'END'
set timeout=-1
menuentry "First" { linux /kernels/one first }
submenu "Older ones" {
  menuentry "Second" { linux /kernels/two second }
  submenu "Oldest" {
    menuentry "Third" { linux /kernels/three third }
  }
}
menuentry "Broken" { linux /kernels/none }
menuentry "Last" { linux /kernels/three last }
END

show
sees "titles" ">  0  First"
sees "submenus are marked" "   1  Older ones  -->"
keys Enter
ends "Enter boots" 0 "args first"

show
sees "menu" "First"
keys j Enter
sees "a submenu opens" ">  0  Second"
keys Down Enter
sees "one in it" ">  0  Third"
keys Escape
sees "Esc goes back" ">  1  Oldest  -->"
keys Escape
sees "and back" ">  1  Older ones"
keys Escape j Enter
sees "an entry that cannot boot says why" "/kernels/none"
keys Home End
sees "End" ">  3  Last"
keys Home
sees "Home" ">  0  First"
keys k
sees "k at the top stays" ">  0  First"
keys 3
sees "a digit" ">  3  Last"
keys 1 Enter Down Enter Enter
ends "into the depth" 0 "args third"

show --args=more
sees "menu" "First"
keys a
sees "arguments, the caller's too" "first more"
keys " " x = 1 BSpace 2 Enter
ends "edited arguments" 0 "args first more x=2"

show
sees "menu" "First"
keys a Escape Down Down Down a
sees "arguments of another" "last"
keys C-u n e w Enter
ends "a new line of arguments" 0 "args new"

# Pasting a long text: the screen is drawn once, not for every byte.
head -c 20000 /dev/zero | tr '\0' x >paste
show
sees "menu" "First"
keys a
sees "arguments to paste behind" "first"
$t load-buffer paste
$t paste-buffer
sleep 1
keys C-u s h o r t Enter
ends "a long paste" 0 "args short"

show
sees "menu" "First"
keys e
sees "the lines of an entry" "linux /kernels/one first"
keys End Space e d i t e d
sees "typed" "linux /kernels/one first edited"
keys C-x
ends "edited lines boot" 0 "args first edited"

show
sees "menu" "First"
keys c
sees "command line" "grub>"
keys e c h o Space h e l l o Enter
sees "it answers" "hello"
keys l i n u x Space / k e r n e l s / t w o Space s h e l l Enter b o o t Enter
ends "boot from the command line" 0 "args shell"

show
sees "menu" "First"
keys q
ends "q gives up" 1
[ ! -s answer ] && ok "without an answer" || fail "q" "answered"
grep -q "the user quit" err && ok "says so" || fail "q" "$(cat err)"
[ -z "$(ls out)" ] && ok "q leaves nothing" || fail "q" "left $(ls out)"

# Five rows: the last shows only the reason.
rows=5
cols=40
show
sees "a low terminal" ">  0  First"
keys 2 Enter
sees "says why in its last row" "Broken: (hd0)/kernels/none"
screen | grep -q "q: quit" && fail "a low terminal" "$(screen)" || ok "and nothing else"
keys 0 Enter
ends "a low terminal boots" 0 "args first"
unset rows cols

show
sees "menu" "First"
$t resize-window -x 40 -y 10
sleep 0.3
keys Down
sees "after a resize" ">  1  Older ones"
$t kill-server
sleep 0.5
[ -z "$(ls out)" ] && ok "the terminal goes away: nothing stays" ||
	fail "hangup" "left $(ls out)"

# Many entries on a terminal with few rows: the selected one is always visible.
{
	echo "set timeout=-1"
	for i in $(seq 0 120); do echo "menuentry 'Entry $i' { linux /kernels/one n$i }"; done
} | cfg
rows=10
show
sees "a long menu" ">  0  Entry 0"
keys End
sees "its end" ">120  Entry 120"
keys 1 0 7 Enter
ends "three digits" 0 "args n107"
unset rows

cfg <<'END'
set timeout=1
set default=Two
menuentry One { linux /kernels/one one }
menuentry Two { linux /kernels/two two }
END
show
sees "countdown" "any key stops"
ends "it boots by itself" 0 "args two"
show
sees "countdown" "any key stops"
keys k
sleep 2
[ -s status ] && fail "a key stops it" "it went on" || ok "a key stops it"
keys Enter
ends "and chooses" 0 "args one"

sed -i 's/timeout=1/timeout=0/' root/boot/grub/grub.cfg
ext img 8M root
show
ends "timeout 0 boots at once" 0 "args two"
sed -i 's/timeout=0/timeout=-1/' root/boot/grub/grub.cfg
ext img 8M root
show -q
ends "-q shows no menu" 0 "args two"

for style in hidden countdown; do
	cfg <<END
set timeout=30
set timeout_style=$style
menuentry "First" { linux /kernels/one first }
menuentry "Last" { linux /kernels/three last }
END
	show
	if [ $style = countdown ]; then sees "countdown: the time left" "any key shows the menu"; else sleep 1; fi
	if screen | grep -q First; then fail "$style" "the menu is there before a key"; else ok "$style: no menu"; fi
	keys Enter
	sees "$style: the first key shows the menu" "Last"
	keys Down Enter
	ends "$style: then it is a menu" 0 "args last"
done

printf 'set timeout=-1\nmenuentry "\033[31mred\033[0m \303\251 \033]0;x\007" { linux /kernels/one }\n' | cfg
show
sees "escapes in a title" '\x1b[31mred\x1b[0m \xc3\xa9 \x1b]0;x\x07'
finish
