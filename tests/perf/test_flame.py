#!/usr/bin/env python3
"""perf/flame: stacks folded from what `perf script` prints, and the picture made of them.

usage: test_flame.py
"""
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from tap import run

FLAME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "perf", "flame")
SCRIPT = """ringside-matche  4321 12345.678901:    1001001 cpu-clock:pppH:
\t    55d0c0 engine_apply_batch+0x40 (/usr/bin/ringside-matcher)
\t    55d0a0 pump_work+0x20 (/usr/bin/ringside-matcher)
\t    55d010 main+0x10 (/usr/bin/ringside-matcher)

ringside-matche  4321/4321 [001] 12345.679901:    1001001 cpu-clock:
\t    55d0c4 engine_apply_batch+0x44 (/usr/bin/ringside-matcher)
\t    55d0a0 pump_work+0x20 (/usr/bin/ringside-matcher)
\t    55d010 main+0x10 (/usr/bin/ringside-matcher)

a process with spaces  99 12345.680901:    1001001 cpu-clock:
\tffffffff8100 [unknown] ([kernel.kallsyms])
\t    55d010 operator<(int)+0x10 (/usr/bin/other)

"""


def flame(*arguments):
    return subprocess.run([sys.executable, FLAME, *arguments], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)


def test_folds_and_draws():
    with tempfile.TemporaryDirectory() as directory:
        source, folded, picture = (os.path.join(directory, name) for name in ("in", "folded", "out.svg"))
        with open(source, "w") as file:
            file.write(SCRIPT)
        done = flame("--from", source, "--folded", folded, picture)
        assert done.returncode == 0 and "3 samples, 2 stacks" in done.stdout, done
        with open(folded) as file:
            assert file.read().splitlines() == [
                "a process with spaces;operator<(int);[unknown] 1",
                "ringside-matche;main;pump_work;engine_apply_batch 2"]
        root = ElementTree.parse(picture).getroot()
        space = "{http://www.w3.org/2000/svg}"
        titles = [title.text for title in root.iter(space + "title")]
        assert "engine_apply_batch: 2 samples, 66.67 %" in titles, titles
        assert "operator<(int): 1 samples, 33.33 %" in titles, titles
        widths = {group.find(space + "title").text.split(":")[0]: float(group.find(space + "rect").get("width"))
                  for group in root.iter(space + "g")}
        assert abs(widths["main"] - 2 * widths["operator<(int)"]) < 0.5, widths


def test_says_what_is_wrong():
    with tempfile.TemporaryDirectory() as directory:
        empty = os.path.join(directory, "empty")
        open(empty, "w").close()
        done = flame("--from", empty, os.path.join(directory, "out.svg"))
        assert done.returncode == 1 and "no samples" in done.stderr, done


run(test_folds_and_draws, test_says_what_is_wrong)
