#!/usr/bin/env python3
"""The engine gives the same events and states whoever compiled it, and however.

usage: test_compilers.py SOURCE_ROOT PRINT_HASHES

Builds the engine, the generator of streams and print_hashes.c straight from their sources with gcc and clang, with and
without optimization, and with sanitizers, and compares what the programs say of the same streams with what this build's
own PRINT_HASHES says: the hash of all events and of the state of each, with and without an image made and restored at
every tenth command. All must give the hash that test_determinism.c has written down. A compiler that is not installed
is skipped.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

ROOT = sys.argv[1]
ENGINE = os.path.join(ROOT, "matcher", "engine")
TESTS = os.path.join(ROOT, "tests", "engine")
SEEDS = 40  # as many as test_determinism.c has
SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=undefined"
VARIANTS = (
    ("gcc", "-O0"),
    ("gcc", "-O3"),
    ("gcc", "-O3 -march=native -flto=auto -DNDEBUG"),
    ("clang", "-O0"),
    ("clang", "-O3"),
    ("gcc", "-O1 " + SANITIZERS),
)


def sources():
    engine = [path for path in glob.glob(os.path.join(ENGINE, "*.c")) if os.path.basename(path) != "example.c"]
    record = glob.glob(os.path.join(ROOT, "common", "record", "*.c"))
    generator = glob.glob(os.path.join(TESTS, "generate*.c"))
    return sorted(engine + record + generator) + [os.path.join(TESTS, "print_hashes.c")]


def expected():
    text = open(os.path.join(TESTS, "test_determinism.c"), encoding="utf-8").read()
    seeds = re.search(r"#define SEEDS +(\d+)", text)
    assert int(seeds[1]) == SEEDS, "test_determinism.c has another number of streams"
    return int(re.search(r"#define EXPECTED_HASH UINT64_C\((0x[0-9a-f]+)\)", text)[1], 16)


def printed_by(program):
    """{what: its hashes, as text}"""
    out = subprocess.run([program, str(SEEDS)], check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(line.split(" 0x", 1) for line in out.splitlines())


def built_by(compiler, flags):
    """What the program prints that this compiler makes."""
    if not shutil.which(compiler):
        raise tap.Skip(f"{compiler} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "print_hashes")
        include = [f"-I{path}" for path in (os.path.join(ROOT, "common"), ENGINE, TESTS)]
        subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-w", *flags.split(), *include, "-o", program,
                        *sources()], check=True, cwd=folder)
        return printed_by(program)


def check(printed, own):
    for what, hashes in own.items():
        assert printed.get(what) == hashes, f"{what}: 0x{printed.get(what)}, not 0x{hashes} as of this build"
    for what in ("all plain", "all restored"):
        assert int(printed[what], 16) == expected(), f"{what}: 0x{printed[what]}, not as test_determinism.c has it"


def test_of(compiler, flags, own):
    def test():
        check(built_by(compiler, flags), own)

    test.__name__ = f"{compiler} {flags}"
    return test


def main():
    own = printed_by(sys.argv[2])

    def test_this_build():
        assert len(own) == 2 * SEEDS + 2, f"{len(own)} lines"
        check(own, own)

    tap.run(test_this_build, *[test_of(compiler, flags, own) for compiler, flags in VARIANTS])


if __name__ == "__main__":
    main()
