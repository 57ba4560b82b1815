#!/usr/bin/env python3
"""Holds the documents to the code.

usage: check_docs.py SOURCE_ROOT PRINT_FIELDS [--update] [--ringside PROGRAM]

  1. Every table between <!-- fields:NAME --> and <!-- /fields --> in docs/ is what print_fields prints for NAME; every
     table that print_fields prints stands in some document. --update writes them.
  2. Every relative link in README.md and docs/ leads to a file.
  3. Every command in a block or `quotes` of README.md exists: scripts as files that can be run, ringside's subcommands
     by asking the program.
  4. Every test that docs/conformance.md names (`suite/test`, `file.py/test`) is there.
"""
import argparse
import glob
import os
import re
import subprocess
import sys

BLOCK = re.compile(r"<!-- fields:(\w+) -->\n.*?<!-- /fields -->\n", re.S)


def tables(print_fields):
    out = subprocess.run([print_fields], capture_output=True, text=True, check=True).stdout
    return {match[1]: match[0] for match in BLOCK.finditer(out)}


def check_tables(documents, printed, update):
    found = set()
    for path in documents:
        text = open(path).read()
        for match in BLOCK.finditer(text):
            found.add(match[1])
            if match[1] not in printed:
                yield f"{path}: no table {match[1]} in the code"
            elif match[0] != printed[match[1]] and not update:
                yield f"{path}: table {match[1]} is not that of the code; tests/layers/update-docs writes it"
        if update:
            new = BLOCK.sub(lambda match: printed.get(match[1], match[0]), text)
            if new != text:
                open(path, "w").write(new)
                print(f"{path} rewritten")
    for name in sorted(set(printed) - found):
        yield f"no document holds the table {name}"


def check_links(documents):
    for path in documents:
        text = re.sub(r"```.*?```", "", open(path).read(), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target and not os.path.exists(os.path.join(os.path.dirname(path), target)):
                yield f"{path}: the link to {target} leads nowhere"


def check_tests_named(root):
    there = set()
    for path in glob.glob(os.path.join(root, "tests", "**", "*.c"), recursive=True):
        for suite, name in re.findall(r"^(?:Test|ParameterizedTest)\((?:[^,()]*\*[^,]*, )?(\w+), (\w+)",
                                      open(path).read(), re.M):
            there.add(f"{suite}/{name}")
    for path in glob.glob(os.path.join(root, "tests", "**", "test_*.py"), recursive=True):
        for name in re.findall(r"^def (test_\w+)\(", open(path).read(), re.M):
            there.add(f"{os.path.basename(path)}/{name}")
    document = os.path.join(root, "docs", "conformance.md")
    named = re.findall(r"`(\w+(?:\.py)?/\w+)`", "".join(
        line for line in open(document) if line.startswith("|")))
    assert named, f"{document} names no test"
    for name in sorted(set(named) - there):
        yield f"{document}: there is no test {name}"


def commands(text):
    for block in re.findall(r"```(?:sh|console)?\n(.*?)```", text, re.S) + re.findall(r"^    (.*)$", text, re.M):
        yield from (line.strip().removeprefix("$ ") for line in block.splitlines())
    yield from re.findall(r"`([^`\n]+)`", text)


def check_commands(root, ringside):
    text = open(os.path.join(root, "README.md")).read()
    for command in commands(text):
        words = command.split()
        if not words:
            continue
        if re.match(r"(deploy|tests|\.ci)/", words[0]) and not re.search(r"[.*]|/$", words[0][1:]):
            path = os.path.join(root, words[0])
            if not os.path.exists(path):
                yield f"README.md: there is no {words[0]}"
            elif not os.path.isdir(path) and not os.access(path, os.X_OK) and len(words) > 1:
                yield f"README.md: {words[0]} cannot be run"
        if words[0] == "ringside" and len(words) > 1 and ringside:
            answer = subprocess.run([ringside, words[1], "--help"], capture_output=True, stdin=subprocess.DEVNULL)
            if answer.returncode != 0:
                yield f"README.md: `ringside {words[1]} --help` exits with {answer.returncode}"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("root")
    arguments.add_argument("print_fields")
    arguments.add_argument("--update", action="store_true")
    arguments.add_argument("--ringside")
    options = arguments.parse_args()
    documents = sorted(glob.glob(os.path.join(options.root, "docs/**/*.md"), recursive=True))
    documents.append(os.path.join(options.root, "README.md"))
    printed = tables(options.print_fields)
    wrong = list(check_tables(documents, printed, options.update))
    wrong += list(check_links(documents))
    wrong += list(check_commands(options.root, options.ringside))
    wrong += list(check_tests_named(options.root))
    print(f"{len(documents)} documents, {len(printed)} tables, {len(wrong)} differences")
    for line in wrong:
        print("  " + os.path.relpath(line, options.root) if line.startswith("/") else "  " + line)
    return 1 if wrong else 0


sys.exit(main())
