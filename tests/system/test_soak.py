#!/usr/bin/env python3
"""tests/soak in its short form, and what it makes of samples.

Goal: it refuses what there is no space for, it notices what grows and lets pass what does not, and a real exchange
holds for half a minute in which three days pass. Method: its own functions on made-up samples, where the answer is
known; then the command itself.
"""
import importlib.machinery
import importlib.util
import json
import os
import random
import subprocess
import sys
from types import SimpleNamespace

from tap import run

SOAK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "soak")
OPTIONS = SimpleNamespace(rate=5000, quick=False)


def module():
    loader = importlib.machinery.SourceFileLoader("soak", SOAK)
    spec = importlib.util.spec_from_loader("soak", loader)
    loaded = importlib.util.module_from_spec(spec)
    loader.exec_module(loaded)
    return loaded


soak = module()


def judge(name, values):
    (trend,) = soak.trends([{name: value} for value in values], OPTIONS)
    return trend["held"]


def noisy(count, level, noise, gain=0.0, seed=1):
    dice = random.Random(seed)
    return [level + gain * number + dice.uniform(-noise, noise) for number in range(count)]


def test_what_stands_still_passes():
    mib = 1 << 20
    assert judge("matcher resident_bytes", noisy(360, 300 * mib, 5 * mib))
    assert judge("gateway-1 open_files", noisy(360, 40, 1))
    assert judge("hop durable-event p50", noisy(360, 0.0001, 0.00008))
    assert judge("lag redis", [random.Random(3).choice((0, 0, 0, 9000)) for _ in range(360)])


def test_what_grows_is_noticed():
    mib = 1 << 20
    assert not judge("matcher resident_bytes", noisy(360, 300 * mib, 5 * mib, gain=0.1 * mib))
    assert not judge("gateway-1 open_files", noisy(360, 40, 1, gain=0.02))
    assert not judge("hop durable-event p50", noisy(360, 0.001, 0.0002, gain=0.000005))
    assert not judge("lag postgres", noisy(360, 5000, 5000, gain=100))


def test_a_warm_up_and_a_moment_are_no_trend():
    mib = 1 << 20
    warm = [min(300, 10 + 5 * number) * mib for number in range(360)]
    assert judge("matcher resident_bytes", warm)
    moment = noisy(360, 0.0005, 0.0001)
    moment[100] = moment[350] = 4.0
    assert judge("way p50", moment)


def test_it_refuses_what_there_is_no_space_for():
    done = subprocess.run([SOAK, "--minutes", "10000000", "--rate", "50000"], capture_output=True, text=True)
    assert done.returncode == soak.NO_SPACE and "MiB are needed" in done.stderr, done


def test_days_that_go_need_less_space():
    options = SimpleNamespace(minutes=60, rate=50000, days=1, stores="both", trim=True)
    at_once = soak.space_needed(options)
    options.days = 15
    assert soak.space_needed(options) < at_once / 4


def test_half_a_minute_of_three_days_holds():
    done = subprocess.run([SOAK, "--minutes", "0.5", "--days", "3", "--rate", "2000", "--trim", "--quick", "--json",
                           "--build", sys.argv[1]], capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["held"] and result["samples"] >= 30 and result["report"]["complete"] is True, result
    watched = {trend["what"] for trend in result["trends"]}
    assert {"matcher resident_bytes", "gateway-1 open_files", "hop command-durable p50", "lag postgres orders",
            "lag redis", "lag event log"} <= watched, watched
    report = result["report"]
    assert report["orders"] > 2000 * 30 * 0.5 and report["days"] == 3 and report["days_dropped"] >= 1, report


run(test_what_stands_still_passes, test_what_grows_is_noticed, test_a_warm_up_and_a_moment_are_no_trend,
    test_it_refuses_what_there_is_no_space_for, test_days_that_go_need_less_space,
    test_half_a_minute_of_three_days_holds)
