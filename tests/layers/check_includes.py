#!/usr/bin/env python3
"""Compares who includes whom with tests/layers/allowed.

usage: check_includes.py SOURCE_ROOT BUILD_DIR

Two readings of the same rule: what the compiler really opened for each object (`ninja -t deps`), which sees every path
however it is written, and each file's own #include lines, which see headers that only other headers include.
"""
import fnmatch
import os
import re
import subprocess
import sys

NOBODY_INCLUDES = ("*/main.c", "deploy/cli", "perf", "tests")  # but tests include what they test


def read_allowed(path):
    groups = []  # (name, pattern, set of allowed patterns)
    for number, line in enumerate(open(path), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"(\S+)\s+(\S+)\s*:\s*(.*)", line)
        if not match:
            sys.exit(f"{path}:{number}: not a line of this table: {line}")
        groups.append((match[1], match[2], match[3].split()))
    return groups


def group_of(path, groups):
    for name, pattern, _ in groups:
        if fnmatch.fnmatchcase(path, pattern):
            return name
    return None


def is_allowed(source, target, groups):
    if source == target:
        return True
    allowed = next(a for name, _, a in groups if name == source)
    if target in NOBODY_INCLUDES:
        return source == "tests"
    return "everything" in allowed or any(fnmatch.fnmatchcase(target, pattern) for pattern in allowed)


def edges_of_compiler(root, build):
    """(source file, header) of every object, as paths from the root."""
    out = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    for block in out.split("\n\n"):
        lines = block.splitlines()
        if not lines or "#deps" not in lines[0] or "(VALID)" not in lines[0]:
            continue
        paths = []
        for line in lines[1:]:
            path = os.path.relpath(os.path.realpath(os.path.join(build, line.strip())), root)
            in_build = path.startswith(os.path.relpath(build, root) + os.sep)
            if not path.startswith("..") and not in_build:
                paths.append(path)
        sources = [path for path in paths if path.endswith(".c")]
        if not sources:
            continue
        for header in paths:
            if header != sources[0]:
                yield sources[0], header


def tracked(root):
    folders = ("common", "sequencer", "matcher", "journaler", "gateway", "persister", "perf", "deploy", "tests")
    for folder in folders:
        for at, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(at, name), root)


def edges_of_text(root):
    """The same from the #include "..." lines, found as the compiler would: beside the file, in common, in its stage."""
    for path in tracked(root):
        folder = os.path.dirname(path)
        places = [folder, "common", path.split(os.sep)[0], "."]
        for line in open(os.path.join(root, path), errors="replace"):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            for place in places:
                target = os.path.normpath(os.path.join(place, match[1]))
                if os.path.exists(os.path.join(root, target)):
                    yield path, target
                    break


def main():
    root, build = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
    groups = read_allowed(os.path.join(root, "tests/layers/allowed"))
    edges = set(edges_of_compiler(root, build))
    if len(edges) < 50:
        sys.exit(f"only {len(edges)} includes known to ninja in {build}: build first")
    seen = len(edges)
    edges |= set(edges_of_text(root))
    wrong = []
    for source, header in sorted(edges):
        source_group, header_group = group_of(source, groups), group_of(header, groups)
        if source_group is None or header_group is None:
            wrong.append(f"{source if source_group is None else header} belongs to no group of tests/layers/allowed")
        elif not is_allowed(source_group, header_group, groups):
            wrong.append(f"{source} ({source_group}) may not include {header} ({header_group})")
    print(f"{seen} includes by the compiler's word, {len(edges)} in all, {len(wrong)} not allowed")
    for line in dict.fromkeys(wrong):
        print("  " + line)
    return 1 if wrong else 0


sys.exit(main())
