#!/bin/zsh -f
# complete.zsh DIR: read command lines, one per line, and print zsh's completions at the end of each, with the completion
# functions in DIR, as "LINE<tab>WORD". A second zsh on its own terminal does the completion; its compadd, which is called
# for every match, records them.
zmodload zsh/zpty || exit
dir=$1
tmp=$(mktemp -d)
trap 'rm -rf $tmp' EXIT
cat >$tmp/inner <<'E2'
PS1= PS2= LISTMAX=100000
stty -echo
setopt no_always_last_prompt
autoload -Uz compinit
compinit -u -D
compadd() {
	# With these options it only fills arrays for its caller.
	if [[ " $* " == *" -"[OAD]" "* ]]; then
		builtin compadd "$@"
		return
	fi
	local -a hits
	builtin compadd -O hits "$@"
	(( ! $#hits )) || print -rl -- "$asked	"$^hits >>$out
	builtin compadd "$@"
}
ask() {
	asked=$BUFFER
	zle list-choices
	BUFFER=
	print -r -- "end $asked" >>$out
}
zle -N ask
bindkey '^I' ask
print ready >>$out
E2

# wait_for MARK: wait until the inner shell has written it. Its other output is discarded, so that it does not block.
wait_for() {
	repeat 500; do
		while zpty -rt inner drawn; do done
		grep -qxF -- "$1" $tmp/out 2>/dev/null && return
		sleep 0.02
	done
	print -ru2 "complete.zsh: zsh did not come to: $1"
	exit 1
}
zpty -b inner "env out=$tmp/out zsh -f -i"
zpty -w inner "fpath=($dir \$fpath); source $tmp/inner"
wait_for ready
while IFS= read -r line; do
	zpty -w -n inner "$line"$'\t'
	wait_for "end $line"
done
grep $'\t' $tmp/out | sort -u
