#!/usr/bin/env python3
"""The table of payload fields in docs/stores.md is the one that the code prints.

usage: check_stores_doc.py STORES_MD PRINT_PAYLOAD [--update]
"""
import re
import subprocess
import sys

BLOCK = re.compile(r"(<!-- payload -->\n)(.*?)(<!-- /payload -->)", re.S)
path, program = sys.argv[1:3]
text = open(path).read()
printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
found = BLOCK.search(text)
if not found:
    sys.exit(f"{path}: no payload table")
if found[2] != printed and "--update" in sys.argv:
    open(path, "w").write(text[:found.start(2)] + printed + text[found.end(2):])
elif found[2] != printed:
    sys.exit(f"{path}: the payload table is not the code's; run {sys.argv[0]} with --update")
