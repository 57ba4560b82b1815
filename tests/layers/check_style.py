#!/usr/bin/env python3
"""The rules of docs/developing.md that a program can read.

usage: check_style.py SOURCE_ROOT

  1. No function is longer than 70 lines, from its opening to its closing brace.
  2. No tab, no space at the end of a line, a newline at the end; no script has a line over 120 columns (C is held to
     that by clang-format).
  3. A file begins with a comment that says what lives there; a .c whose .h says it need not say it again.
"""
import os
import sys

FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 120
FOLDERS = ("common", "sequencer", "matcher", "journaler", "gateway", "persister", "perf", "deploy", "tests", ".ci")
SCRIPT_FIRST = ("#!/bin/bash", "#!/usr/bin/env python3")


def files(root):
    for folder in FOLDERS:
        for at, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in sorted(names):
                yield os.path.join(at, name)


def functions(lines):
    """(first line, length) of every block that opens with a brace in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            yield start, number - start + 1
            start = None


def check_c(path, text, lines):
    for start, length in functions(lines):
        if length > FUNCTION_LINES_MAX:
            yield f"{start}: a function of {length} lines; at most {FUNCTION_LINES_MAX}"
    has_header = path.endswith(".c") and os.path.exists(path[:-2] + ".h")
    if not text.startswith("/*") and not has_header:
        yield "1: no comment at the head says what lives here"


def check_text(text, lines):
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield f"{number}: a tab"
        if line != line.rstrip():
            yield f"{number}: a space at the end"
    if text and not text.endswith("\n"):
        yield f"{len(lines)}: no newline at the end of the file"


def check_script(lines):
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield f"{number}: {len(line)} columns; at most {COLUMNS_MAX}"


def main():
    root = sys.argv[1]
    wrong, count = [], 0
    for path in files(root):
        try:
            text = open(path, encoding="utf-8").read()
        except UnicodeDecodeError:
            continue  # a capture or another binary file
        name = os.path.relpath(path, root)
        is_c, is_script = path.endswith((".c", ".h")), text.startswith(SCRIPT_FIRST) or path.endswith(".py")
        if not is_c and not is_script:
            continue
        count += 1
        lines = text.splitlines()
        problems = list(check_text(text, lines))
        problems += check_c(path, text, lines) if is_c else check_script(lines)
        wrong += [f"{name}:{problem}" for problem in problems]
    print(f"{count} files, {len(wrong)} breaches of style")
    for line in wrong:
        print("  " + line)
    return 1 if wrong or count < 20 else 0


sys.exit(main())
