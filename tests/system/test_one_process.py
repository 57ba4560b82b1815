#!/usr/bin/env python3
"""`ringside run`: all five stages in one process and one thread.

Goal: the same load, the same stores, the same answers as five processes; what one leaves behind the other goes on
with.
"""
import sys

from exchange import Exchange
from ouch_client import cancel, enter
from tap import run

exchange = Exchange(sys.argv[1], stores=True)


def test_load_completes_and_stores_agree():
    report = exchange.load("--orders", 10000, "--sessions", 2)
    assert report["complete"] is True, report
    held = exchange.stores_agree()
    assert held["postgres_orders"] == held["redis_orders"] == report["orders_accepted"], (held, report)
    with exchange.login("USER09") as client:
        client.send(enter(1, "B", 7, "AAPL", 10000))
        client.expect("A", 1)


def test_stops_when_told_to():
    assert exchange.stop("run") == {"run": 0}


def test_five_processes_go_on_from_there():
    exchange.start()
    with exchange.login("USER09", sequence=0) as client:
        client.send(cancel(1))
        client.expect("C", 1, quantity=7)
    exchange.stop()


def test_and_one_process_again():
    exchange.start_in_one()
    with exchange.login("USER09", sequence=0) as client:
        client.send(enter(2, "B", 1, "AAPL", 10000))
        client.expect("A", 2)


with exchange:
    exchange.start_in_one()
    run(test_load_completes_and_stores_agree, test_stops_when_told_to, test_five_processes_go_on_from_there,
        test_and_one_process_again, on_failure=exchange.log_tails)
