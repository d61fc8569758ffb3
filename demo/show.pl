#!/usr/bin/perl
# show.pl [--color]: read run.sh's output of test/xen/jobs/demo and print it for a person: a line for each step and for
# the time it took, the commands and their output, the guest's console, and its screens (the boot menu, as a terminal
# would show it) in frames. --color adds bold, dim and inverse type.
# Exit status: 0 if the last step succeeded, else 1.
use strict;
use warnings;

my $color = @ARGV && $ARGV[0] eq '--color';
my ($step, $began, $booting, $ended, $user) = (0, 0, 0, 0, 'guest');
$| = 1;

sub sgr { my ($code, $text) = @_; return $color ? "\e[${code}m$text\e[m" : $text; }

# An 80 by 24 terminal's screen after these bytes: a list of rows, each a list of [character, inverse?].
sub screen {
	my ($bytes) = @_;
	my @rows = map { [] } 1 .. 24;
	my ($row, $col, $inverse) = (0, 0, 0);
	while ($bytes =~ /\G(?:\e\[([?0-9;]*)([A-Za-z])|(.))/gs) {
		my ($n, $code, $char) = ($1, $2, $3);
		if (!defined $code) {
			if ($char eq "\r") { $col = 0; }
			elsif ($char eq "\n") {
				if ($row < 23) { $row++; } else { shift @rows; push @rows, []; }
			}
			elsif ($char eq "\b") { $col-- if $col; }
			elsif ($char ge ' ') {
				$rows[$row][$col] = [$char, $inverse] if $col < 80;
				$col++;
			}
		}
		elsif ($code eq 'H') {
			my ($r, $c) = ($n || '1;1') =~ /^(\d*);?(\d*)$/;
			($row, $col) = (($r || 1) - 1, ($c || 1) - 1);
			$row = 23 if $row > 23;
		}
		elsif ($code eq 'J') { @rows = map { [] } 1 .. 24; }
		elsif ($code eq 'K') { $#{$rows[$row]} = $col - 1; }
		elsif ($code eq 'm') { $inverse = ($n || '0') =~ /(?:^|;)7$/ ? 1 : 0; }
	}
	return @rows;
}

# A screen in a frame, without the empty rows at its end and between what is drawn at its top and at its bottom.
sub frame {
	my @rows = screen(pack 'H*', $_[0]);
	my @lines;
	for my $row (@rows) {
		pop @$row while @$row && ($row->[-1] // [' ', 0])->[0] eq ' ' && !($row->[-1] // [' ', 0])->[1];
		my ($text, $line, $on) = ('', '', 0);
		for my $cell (@$row) {
			my ($char, $inverse) = @{$cell // [' ', 0]};
			$line .= $inverse ? "\e[7m" : "\e[m" if $color && $inverse != $on;
			$on = $inverse;
			$line .= $char;
			$text .= $char;
		}
		$line .= "\e[m" if $color && $on;
		next if $text !~ /\S/ && (!@lines || $lines[-1][1] eq '');
		push @lines, [$line, $text];
	}
	pop @lines while @lines && $lines[-1][1] eq '';
	my $width = 76;
	print sgr(2, '  +' . '-' x $width . '+'), "\n";
	for my $l (@lines) {
		print sgr(2, '  |'), ' ', $l->[0], ' ' x ($width - 1 - length($l->[1]) > 0 ? $width - 1 - length $l->[1] : 0), sgr(2, '|'), "\n";
	}
	print sgr(2, '  +' . '-' x $width . '+'), "\n";
}

sub took {
	my ($time) = @_;
	print sgr(2, sprintf '  (%.1f s)', $time - $began), "\n\n" if $began;
	$began = $time;
}

while (my $line = <STDIN>) {
	my ($time, $text) = $line =~ /^ *([0-9.]+) (.*)/ or next;
	if ($text =~ /^STEP(?: (.*))?$/) {
		took($time);
		if (!defined $1) { $ended = 1; next; }
		$step++;
		print sgr(1, "$step. $1"), "\n";
	}
	elsif ($text =~ /^RUN (.*)/) {
		my $command = $1;
		$command =~ s/ (--.*)/ \\\n    $1/ if length $command > 100;
		print "root\@xen# ", sgr(1, $command), "\n";
	}
	elsif ($text =~ /^SAID (.*)/) { print "$1\n"; }
	elsif ($text =~ /^SCREEN ([0-9a-f]*)/) { frame($1); }
	elsif ($text eq 'BOOTING') { $booting = 1; }
	elsif ($text =~ /^PROMPT (.*)/) { print "$1\n"; $booting = 0; }
	elsif ($text =~ /^\w+\| (?:GUEST )(?:([\$#] )(.*)|(.*))/) {
		print defined $1 ? "[$user]$1" . sgr(1, $2) : $3, "\n";
	}
	elsif ($booting && $text =~ s/^\w+\| //) {
		$text =~ s/.*\e\[[0-9;]*H//; # the menu, which has no end of line
		$text =~ s/\e\[[?0-9;]*[A-Za-z]//g;
		print "$text\n";
	}
	elsif ($text =~ /^RIG \S+ (FAIL .*)/) { print "$1\n"; }
}
exit !$ended;
