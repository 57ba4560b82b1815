#!/usr/bin/env python3
"""The commands of perf/ that run whole exchanges, run small: every figure is there, and they agree with themselves."""
import json
import os
import subprocess
import sys

from exchange import ROOT
from tap import run

BUILD = os.path.abspath(sys.argv[1])


def figures(command, *arguments, may_fail=False):
    done = subprocess.run([os.path.join(ROOT, "perf", command), BUILD, "--json", *arguments], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=100)
    assert done.returncode == 0 or may_fail and done.returncode == 1, done.stderr
    return json.loads(done.stdout)


def test_memory_with_live_orders():
    live = figures("questions", "--only", "live")["live"]
    assert live["live_orders"] == 100_000, live
    assert all(memory["resident"] > 1 for memory in live["memory_mb"].values()), live


def test_hops_from_socket_to_socket():
    report = figures("questions", "--only", "hops", "--seconds", "1")["hops"]
    for rate, way in report.items():
        hops = way["hops_ns"]
        assert abs(sum(hops.values()) - way["p50_ns"]) < 1 and hops["journal_and_matcher"] > 0, (rate, way)


def test_orders_in_flight():
    report = figures("questions", "--only", "burst", "--only", "in-flight", "--seconds", "1")
    assert report["burst"]["orders"] == 100_000 and report["burst"]["complete"] is True, report
    assert report["in-flight"]["orders_per_s"] > 1000, report


def test_pipeline_at_full_speed_and_at_a_steady_one():
    report = figures("pipeline", "--part", "busy", "--part", "sustained", "--seconds", "1", "--rounds", "1",
                     "--sustained", "2")
    assert report["sustained_orders_per_s"] > 1000 and report["busy_8_p50_to_yardstick"] > 0, report


def test_inside_and_outside():
    report = figures("agree", "--seconds", "1", "--rounds", "1", "--rate", "2000", may_fail=True)  # it is short
    assert 0 < report["inside_p50_ns"] < report["outside_p99_ns"], report
    assert 0 < report["round_trip_p50_ns"] <= report["round_trip_p99_ns"], report


def test_what_being_watched_costs():
    report = figures("metrics-cost", "--pairs", "4", "--turn", "0.3", "--at-least", "0.01")  # it is short
    ratio = report["events_per_s_ratio"]
    assert ratio["at_least"] <= ratio["median"] <= ratio["at_most"], report
    assert report["events_per_s_with"] > 1000 and report["watchers_share"] > 0, report


run(test_memory_with_live_orders, test_hops_from_socket_to_socket, test_orders_in_flight,
    test_pipeline_at_full_speed_and_at_a_steady_one, test_inside_and_outside,
    test_what_being_watched_costs)
