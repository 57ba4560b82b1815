#!/usr/bin/env python3
"""Versions that meet: journals of older ones, and rings of another layout.

Goal: every journal that a version ever wrote is read by all later ones and gives what it gave then; rings of another
layout are refused with a clear word and a code that is not restarted. Method: journals kept in tests/golden; the
layout's number of a ring, changed in its header.
"""
import glob
import json
import os
import struct
import sys
import tarfile

from exchange import ROOT, Exchange
from tap import eventually, run

BUILD = os.path.abspath(sys.argv[1])
LAYOUT_VERSION_AT = 8  # docs/rings.md
EXIT_DATA = 65


def read_one(golden):
    with open(golden) as file:
        kept = json.load(file)
    with Exchange(BUILD, options=kept["options"]) as exchange:
        journal = exchange.options["journal.directory"]
        os.makedirs(journal)
        with tarfile.open(golden.replace(".json", ".tar.xz")) as tar:
            tar.extractall(journal)
        said = json.loads(exchange.run_tool("journal", "verify", "--config", exchange.config_path, "--json").stdout)
        assert said["whole"] and {what: said[what] for what in kept["verified"]} == kept["verified"], (said, kept)
        exchange.start()
        assert exchange.load("--orders", 200, "--sessions", 2, "--user", "USER", "--seed", 5)["complete"] is True
        exchange.stop()
        said = json.loads(exchange.run_tool("journal", "verify", "--config", exchange.config_path, "--json").stdout)
        assert said["whole"] and said["commands"] > kept["verified"]["commands"], said


def test_journals_of_older_versions_are_read_and_gone_on_with():
    kept = glob.glob(f"{ROOT}/tests/golden/*.json")
    assert kept
    for golden in kept:
        read_one(golden)


def set_layout_version(path, change):
    with open(path, "r+b") as ring:
        ring.seek(LAYOUT_VERSION_AT)
        version, = struct.unpack("<I", ring.read(4))
        ring.seek(LAYOUT_VERSION_AT)
        ring.write(struct.pack("<I", version + change))


def test_a_ring_of_another_layout_is_refused():
    with Exchange(BUILD) as exchange:
        exchange.start()
        exchange.stop("matcher")
        ring = os.path.join(exchange.rings, "command.ring")
        set_layout_version(ring, 1)
        exchange.start("matcher", wait=False)
        code = eventually(lambda: exchange.processes["matcher"].poll(), 20, "the matcher ends")
        said = exchange.log_tail("matcher")
        assert code == EXIT_DATA, (code, said)
        assert "ring layout version 2, this program has 1" in said and "command.ring" in said, said
        set_layout_version(ring, -1)
        exchange.processes.pop("matcher")
        exchange.start("matcher")
        assert exchange.load("--orders", 500)["complete"] is True


run(test_journals_of_older_versions_are_read_and_gone_on_with, test_a_ring_of_another_layout_is_refused)
