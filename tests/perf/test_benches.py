#!/usr/bin/env python3
"""The benches, run small: they check their own answers, so what is left to see is that they say so, and in JSON."""
import json
import os
import subprocess
import sys

from tap import run

RINGSIDE = os.path.join(os.path.abspath(sys.argv[1]), "deploy", "ringside")
EXIT_USAGE = 64


def bench(*arguments):
    return subprocess.run([RINGSIDE, "bench", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=100)


def figures(*arguments):
    answer = bench(*arguments, "--json")
    assert answer.returncode == 0, answer
    report = json.loads(answer.stdout)
    assert report["complete"] is True, report
    return report


def test_engine():
    report = figures("engine", "--shape", "d1k", "--commands", "20000", "--rounds", "1", "--yardstick", "echo 12.5")
    shape = report["d1k"]
    assert shape["yardstick"] == 12.5 and shape["ns_per_command"] > shape["floor_ns_per_command"] > 0, shape
    assert shape["p50_ns"] <= shape["p99_ns"] <= shape["p999_ns"], shape
    assert shape["engine_memory_bytes"] > 0 and shape["events_per_command"] >= 1, shape


def test_matcher_between_rings():
    report = figures("matcher", "--shape", "d1k", "--commands", "20000", "--rounds", "1")
    assert report["shape"] == "d1k" and report["commands_per_s"] > 0 and report["core_to_core_ns"] > 0, report
    assert report["floor_commands_per_s"] > 0 and report["events_per_command"] >= 1, report


def test_ring():
    report = figures("ring", "--records", "200000")
    assert report["records_per_s_batch_64_consumers_1"] > 0 and report["core_to_core_ns"] > 0, report


def test_journal_beside_the_disk():
    report = figures("journal", "--directory", "/tmp", "--seconds", "0.2", "--rounds", "1", "--rates", "2000",
                     "--segment-mib", "16", "--rotation", "20000", "--park")
    assert report["disk_4k_writes_per_s"] > 0 and report["light_commits_per_s"] > 0, report
    assert report["rates"][0]["durable_per_s"] > 0 and report["saturated_commands_per_s"] > 0, report


def test_recovery():
    report = figures("recovery", "--directory", "/tmp", "--shape", "d1k", "--commands", "50000", "--after", "10000")
    assert report["live_orders"] > 0 and report["from_journal_s"] > 0 and report["from_snapshot_s"] > 0, report


def test_refuses_what_it_does_not_know():
    for arguments in (["engine", "--shape", "round"], ["engine", "--rounds", "0"], ["matcher", "--shape", "round"],
                      ["matcher", "--slots", "100"], ["journal", "--rates", "x"], ["recovery", "--after", "9999999999"],
                      ["ring", "--slots", "3"], ["ring", "more"]):
        answer = bench(*arguments)
        assert answer.returncode == EXIT_USAGE and "usage: " in answer.stderr, (arguments, answer)


run(test_engine, test_matcher_between_rings, test_ring, test_journal_beside_the_disk, test_recovery,
    test_refuses_what_it_does_not_know)
