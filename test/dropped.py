#!/usr/bin/env python3
# dropped.py: check that no error is ignored. In lib/ and bin/, a call of a function that reports errors in a struct err
# must not be a statement by itself, and a function must use each of its struct err variables. Exceptions are listed in
# dropped.txt, with the reason: a line "FILE FUNCTION: reason", where FILE and FUNCTION may be patterns.
import os
import re
import sys
from fnmatch import fnmatch
from glob import glob

os.chdir(os.path.dirname(os.path.abspath(sys.argv[0])) + '/..')
SETTERS = {'err_set', 'err_sys', 'err_prefix'}
HEAD = re.compile(r'^[a-z][^;{}()=]*?\b(\w+)\(([^;{}]*?)\)\s*(?:__attribute__\(\(.*?\)\)\s*)?([;{])', re.M | re.S)


def sources():
    for pattern in ('lib/*/*.[ch]', 'bin/*/*.[ch]', 'bin/*/[!t]*/*.[ch]'):
        for path in sorted(glob(pattern)):
            # Remove comments and strings.
            text = re.sub(r'/\*.*?\*/', lambda m: re.sub(r'[^\n]', ' ', m[0]), open(path).read(), flags=re.S)
            yield path, re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def functions(text):
    """Each function's name, and its text from head to end."""
    for m in HEAD.finditer(text):
        if m[3] == '{':
            end = text.find('\n}', m.end())
            yield m[1], text[m.start():end]


def fails(head):
    return head[1] not in SETTERS and re.search(r'(?<!const )struct err \*\w+\s*$', head[2]) and re.match(
        r'(?:static |inline )*int\b', head[0])


def calls(names, body):
    """Calls that are whole statements, or come after "(void)"."""
    any_of = '(' + '|'.join(sorted(names)) + r')\('
    return [m[1] for form in (r'(?:^|[;{}:]|\belse)\s*\n\s*(?:\(void\)\s*)?' + any_of, r'\(void\)\s*' + any_of)
            for m in re.finditer(form, body, re.M)]


files = dict(sources())
heads = {path: list(HEAD.finditer(text)) for path, text in files.items()}
# A static function is known in its own file only, where it hides others of that name.
static = {path: {m[1]: m for m in h if m[0].startswith('static')} for path, h in heads.items()}
public = {m[1] for h in heads.values() for m in h if not m[0].startswith('static') and fails(m)}
tellers = {m[1] for h in heads.values() for m in h if 'const struct err *' in m[2]} | {'command_failed', 'fail_say'}
own = re.compile(r'^\s+struct err (\w+)(?: = ERR_INIT)?;', re.M)

found = {}
for path, text in files.items():
    fallible = {n for n in public if n not in static[path]} | {n for n, m in static[path].items() if fails(m)}
    for name, body in functions(text):
        for called in calls(fallible, body):
            found.setdefault((path, name), 'the result of %s() is dropped' % called)
        for m in own.finditer(body):
            v, rest = m[1], body[m.end():]
            told = re.search(r'\b%s\.(text|code|sys_errno)\b|= %s;|\b(%s)\([^;]*&%s\b' % (
                v, v, '|'.join(sorted(tellers)), v), rest)
            if not told:
                found.setdefault((path, name), 'nobody looks at its "struct err %s"' % v)

allowed = {}
for line in open('test/dropped.txt'):
    if line.strip() and not line.startswith('#'):
        where, why = line.split(': ', 1)
        allowed[tuple(where.split())] = why.strip()
wrong = 0
for (path, name), why in sorted(found.items()):
    if not any(fnmatch(path, p) and fnmatch(name, n) for p, n in allowed):
        print('not ok %s: %s(): %s' % (path, name, why))
        wrong += 1
for p, n in allowed:
    if not any(fnmatch(path, p) and fnmatch(name, n) for path, name in found):
        print('not ok test/dropped.txt: %s %s drops no error any more' % (p, n))
        wrong += 1
if len(public) < 300 or len(tellers) < 3:
    print('not ok only %d functions that fail were found' % len(public))
    wrong += 1
print('%d functions that fail, %d places that may drop an error, %d that must not' % (
    len(public), len(allowed), wrong))
sys.exit(1 if wrong else 0)
