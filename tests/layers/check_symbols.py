#!/usr/bin/env python3
"""Shows that a library is pure by what it asks of the linker.

usage: check_symbols.py LIBRARY [--with LIBRARY]... [--allow SYMBOL]...

Every symbol that LIBRARY leaves undefined must be defined in it or in a --with library, or be one of those below or
allowed: then it reads no clock and no file, allocates nothing and calls nobody.
"""
import subprocess
import sys

ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"}
ALLOWED.add("__popcountdi2")  # the compiler's own, where the processor asked for has no such instruction


def symbols(library, *flags):
    out = subprocess.run(["nm", "-P", *flags, library], capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in out.splitlines() if line and len(line.split()) > 1}


def main():
    library, rest = sys.argv[1], sys.argv[2:]
    allowed, defined = set(ALLOWED), symbols(library, "--defined-only")
    for flag, value in zip(rest[::2], rest[1::2]):
        if flag == "--with":
            defined |= symbols(value, "--defined-only")
        else:
            allowed.add(value)
    if not defined:
        sys.exit(f"{library} defines nothing: not the library it is taken for")
    undefined = symbols(library, "-u")
    foreign = sorted(undefined - allowed - defined)
    print(f"{library}: {len(defined)} symbols defined, needs {' '.join(sorted(undefined & allowed)) or 'nothing'}")
    for symbol in foreign:
        print(f"  asks for {symbol}, which a pure library must not")
    return 1 if foreign else 0


sys.exit(main())
