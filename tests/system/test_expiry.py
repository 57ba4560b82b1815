#!/usr/bin/env python3
"""Orders that end by the clock, through real processes.

Goal: a good-till-time order ends when its time is over and not before, also if the matcher was killed meanwhile; and
time stops passing for an engine that waits for none. Method: time in force 6 with one second to live, ticks of 50 ms.
"""
import struct
import sys
import time

from exchange import PASSWORD, Exchange
from ouch_client import account_query, cancel, enter
from tap import run

EXPIRE_TIME_TAG, LIVES_S, REASON_TIME = 15, 1, "T"

exchange = Exchange(sys.argv[1], stages=("journaler", "sequencer", "matcher", "gateway"),
                    options={"exchange.tick_ms": 50})


def good_for(seconds):
    return struct.pack(">BBI", 5, EXPIRE_TIME_TAG, seconds)


def test_order_ends_when_its_time_is_over():
    with exchange.connect() as client:
        client.login("USER01", PASSWORD)
        start = time.monotonic()
        client.send(enter(1, "B", 100, "AAPL", 1000000, tif="6", options=good_for(LIVES_S)))
        client.expect("A", user_ref=1)
        canceled = client.expect("C", user_ref=1, timeout_s=5)
        lived_s = time.monotonic() - start
        assert canceled["reason"] == REASON_TIME and canceled["quantity"] == 100, canceled
        assert LIVES_S <= lived_s < LIVES_S + 0.6, f"lived {lived_s:.2f} s"


def test_time_goes_on_behind_a_killed_matcher():
    with exchange.connect() as client:
        client.login("USER02", PASSWORD)
        client.send(enter(1, "B", 100, "AAPL", 1000000, tif="6", options=good_for(LIVES_S)))
        client.expect("A", user_ref=1)
        exchange.kill("matcher")
        time.sleep(LIVES_S)
        exchange.start("matcher", wait=False)
        assert client.expect("C", user_ref=1, timeout_s=5)["reason"] == REASON_TIME


def test_order_canceled_before_its_time_is_told_nothing_more():
    with exchange.connect() as client:
        client.login("USER03", PASSWORD)
        client.send(enter(1, "B", 100, "AAPL", 1000000, tif="6", options=good_for(LIVES_S)))
        client.expect("A", user_ref=1)
        client.send(cancel(1))
        assert client.expect("C", user_ref=1)["reason"] == "U"
        client.pump(LIVES_S + 0.5)
        client.send(account_query())
        client.expect("Q")
        told = [message["type"] for message in client.messages if message["type"] == "C"]
        assert len(told) == 1, told


def test_time_to_live_of_none_is_rejected():
    with exchange.connect() as client:
        client.login("USER04", PASSWORD)
        client.send(enter(1, "B", 100, "AAPL", 1000000, tif="6"))
        assert client.expect("J", user_ref=1)["reason"] == 0x000F


with exchange:
    exchange.start()
    run(test_order_ends_when_its_time_is_over, test_time_goes_on_behind_a_killed_matcher,
        test_order_canceled_before_its_time_is_told_nothing_more, test_time_to_live_of_none_is_rejected,
        on_failure=exchange.log_tails)
