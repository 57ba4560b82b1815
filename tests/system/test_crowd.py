#!/usr/bin/env python3
"""Many sessions at once, and some that read nothing.

Goal: those who only send heartbeats and those who read nothing cost the traders no order, and none of them is dropped.
Method: perf/sessions, as for the figures, with a few hundred sessions instead of ten thousand.
"""
import json
import os
import subprocess
import sys

from tap import run

BUILD = sys.argv[1]
SESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "perf", "sessions")


def sessions(*arguments):
    done = subprocess.run([SESSIONS, BUILD, "--json", "--rounds", "1", "--seconds", "1", "--rate", "20000", *arguments],
                          capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_crowd_beside_traders():
    report = sessions("--sessions", "600", "--traders", "40")
    assert report["beside_requests_per_s"] > 0 and report["gateway_mb"] < 256, report


def test_some_that_read_nothing():
    report = sessions("--sessions", "60", "--traders", "20", "--mute", "50")
    assert report["muted_requests_per_s"] > 0, report


run(test_a_crowd_beside_traders, test_some_that_read_nothing)
