#!/usr/bin/env python3
# embed.py FILE: print FILE's lines as strings of C, for an initializer.
import sys

print('/* Made by embed.py. */')
for line in open(sys.argv[1], encoding='ascii'):
    print('"%s\\n"' % line.rstrip('\n').replace('\\', '\\\\').replace('"', '\\"').replace('?', '\\?'))
