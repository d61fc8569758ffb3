#!/usr/bin/perl
# svg.pl TITLE: convert terminal text with bold, dim and inverse type (SGR 1, 2, 7 of ECMA-48) on standard input to an SVG
# of a terminal window on standard output.
use strict;
use warnings;

my ($w, $h, $pad, $bar, $columns) = (8.4, 18, 14, 30, 116);
my $title = shift // '';
my @lines = map { chomp; $_ } <STDIN>;
pop @lines while @lines && $lines[-1] !~ /\S/;

sub escape {
	my ($t) = @_;
	$t =~ s/&/&amp;/g;
	$t =~ s/</&lt;/g;
	$t =~ s/>/&gt;/g;
	return $t;
}

# A row is a list of runs, each with one style: [style, column, text].
my @rows;
my $style = ''; # continues across lines
for my $line (@lines) {
	my ($col, @runs) = (0);
	for my $part (split /(\e\[[0-9;]*m)/, $line) {
		if ($part =~ /^\e\[([0-9;]*)m$/) {
			$style = { '1' => 'b', '2' => 'd', '7' => 'i' }->{$1} // '';
			next;
		}
		while ($part ne '') {
			my $fits = substr $part, 0, $columns - $col, '';
			push @runs, [$style, $col, $fits] if $fits ne '';
			$col += length $fits;
			if ($part ne '') { push @rows, [@runs]; @runs = (); $col = 0; }
		}
	}
	push @rows, [@runs];
}

my ($width, $height) = ($columns * $w + 2 * $pad, @rows * $h + $bar + 2 * $pad);
my $middle = $width / 2;
$title = escape($title);
print <<SVG;
<svg xmlns="http://www.w3.org/2000/svg" width="$width" height="$height" viewBox="0 0 $width $height" role="img" aria-label="$title">
<style>
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d8dee9; white-space: pre }
.b { font-weight: bold; fill: #ffffff } .d { fill: #8b93a5 } .i { fill: #1c2028 }
</style>
<rect width="$width" height="$height" rx="8" fill="#1c2028"/>
<text x="$middle" y="20" text-anchor="middle" class="d">$title</text>
SVG
my $y = $bar + $pad;
for my $row (@rows) {
	for my $run (@$row) {
		my ($style, $col, $text) = @$run;
		next if $text !~ /\S/ && $style ne 'i';
		my ($x, $long) = ($pad + $col * $w, length($text) * $w);
		printf qq{<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="#d8dee9"/>\n}, $x, $y - 14, $long, $h if $style eq 'i';
		# Each run has the width of its columns in any font.
		printf qq{<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve"%s>%s</text>\n},
			$x, $y, $long, $style ? qq{ class="$style"} : '', escape($text);
	}
	$y += $h;
}
print "</svg>\n";
