#!/usr/bin/env python3
"""kill -9 in the middle of a load: of the matcher, then of the sequencer, then of the journaler, each restarted by
hand.

Goal: the load ends with every order's story told exactly once, and both stores hold the same as it. Method: an
open-loop load of some seconds; a stage is killed while orders are in flight, stays away for a moment, and comes back.
"""
import re
import sys
import time

from exchange import Exchange
from tap import run

KILLED = ("matcher", "sequencer", "journaler")
RATE, SECONDS = 5000, 8
NOTE_EVENTS = 4096

exchange = Exchange(sys.argv[1], stores=True, options={"gateway.note_events": NOTE_EVENTS})


def test_load_survives_kills():
    load = exchange.load_start("--seconds", SECONDS, "--rate", RATE, "--sessions", 4)
    time.sleep(1.5)
    for stage in KILLED:
        assert load.poll() is None, "the load has ended before the kills"
        exchange.kill(stage)
        time.sleep(0.3)
        exchange.start(stage, wait=False)
        time.sleep(1.5)
    report = exchange.load_finish(load)
    assert report["complete"] is True, report
    exchange.check_alive()
    exchange.report = report


def test_stores_hold_the_same():
    held = exchange.stores_agree()
    assert held["postgres_orders"] == exchange.report["orders_accepted"] == held["redis_orders"], held
    assert held["postgres_executions"] == 2 * exchange.report["trades"] == held["redis_executions"], held


def test_next_load_finds_nothing_amiss():
    assert exchange.load("--orders", 2000)["complete"] is True


def test_a_killed_gateway_begins_near_the_end():
    """However many events the day has had, it reads the last few alone; and tells whoever asks from the first on."""
    last = exchange.event_seq_last()
    assert last > 10 * NOTE_EVENTS, f"{last} events are too few to tell"
    exchange.kill("gateway")
    exchange.start("gateway")
    known = re.findall(r"the streams are known up to event (\d+)", exchange.log_tail("gateway", 1000))
    assert known and last - 4 * NOTE_EVENTS < int(known[-1]) <= last, f"it began at {known}, of {last}"
    assert exchange.load("--orders", 2000)["complete"] is True


with exchange:
    exchange.start()
    run(test_load_survives_kills, test_stores_hold_the_same, test_next_load_finds_nothing_amiss,
        test_a_killed_gateway_begins_near_the_end, on_failure=exchange.log_tails)
