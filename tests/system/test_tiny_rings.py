#!/usr/bin/env python3
"""Every ring full all the time: 64 slots each, as fast as the client can send.

Goal: back-pressure, not loss, and never a standstill: no stage that reads events waits for room to publish. Method: a
load far larger than all rings together completes, with both stores following.
"""
import sys

from exchange import Exchange
from tap import run

SLOTS = {"rings.inbound_slots": 64, "rings.command_slots": 64, "rings.event_slots": 64}

exchange = Exchange(sys.argv[1], stores=True, options=SLOTS)


def test_load_completes_through_rings_of_64_slots():
    report = exchange.load("--orders", 20000, "--sessions", 8)
    assert report["complete"] is True, report
    held = exchange.stores_agree()
    assert held["postgres_orders"] == held["redis_orders"] == report["orders_accepted"], (held, report)


def test_stage_away_for_a_while_holds_and_loses_nothing():
    load = exchange.load_start("--orders", 10000, "--sessions", 4)
    exchange.stop("matcher")
    exchange.start("matcher", wait=False)
    report = exchange.load_finish(load)
    assert report["complete"] is True, report


with exchange:
    exchange.start()
    run(test_load_completes_through_rings_of_64_slots, test_stage_away_for_a_while_holds_and_loses_nothing,
        on_failure=exchange.log_tails)
