#!/usr/bin/env python3
"""All five stages replaced one at a time under load: nothing lost, nothing told twice.

Goal: an upgrade without a pause that clients would call one. Method: a short form of perf/rolling.
"""
import json
import os
import subprocess
import sys

from exchange import ROOT
from tap import run

BUILD = os.path.abspath(sys.argv[1])
STALL_MS_MAX = 5000  # on a machine that does other things beside


def test_stages_are_replaced_under_load():
    done = subprocess.run([f"{ROOT}/perf/rolling", BUILD, "--orders-rate", "5000", "--settle", "0.7", "--json"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    print(f"# {done.stdout.strip()}")
    assert report["complete"] and report["orders"] > 10000, report
    assert set(report["stages"]) == {"persister", "matcher", "sequencer", "journaler", "gateway"}, report
    assert report["stall_ms_longest"] < STALL_MS_MAX, report


run(test_stages_are_replaced_under_load)
