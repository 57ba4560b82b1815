#!/usr/bin/env python3
"""Writes a file's bytes as a C array: embed.py NAME INPUT OUTPUT. Of a script in Lua, lines of comment are left out:
what is sent along each time should be short."""
import sys

name, source, target = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read()
if source.endswith(".lua"):
    data = b"".join(line for line in data.splitlines(keepends=True) if not line.lstrip().startswith(b"--"))
data += b"\0"
lines = [", ".join(str((byte + 128) % 256 - 128) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
with open(target, "w") as file:
    file.write(f"/* Made from {source.rsplit('/', 1)[-1]}. */\nstatic const char {name}[] = {{\n    ")
    file.write(",\n    ".join(lines) + "};\n")
