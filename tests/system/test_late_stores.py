#!/usr/bin/env python3
"""Stores are optional: the pipeline runs without any, and what they missed is filled in later from the event log.

Goal and method: a load with no store configured; then both are configured and the persister alone is restarted; they
must hold every order from the first on. The ring is smaller than the load, so the log is really needed.
"""
import sys

from exchange import Exchange
from tap import run

exchange = Exchange(sys.argv[1], stores=True, configure_stores=False, options={"rings.event_slots": 1024})
reports = []


def test_load_without_stores():
    reports.append(exchange.load("--orders", 10000, "--sessions", 2))
    assert reports[0]["complete"] is True, reports


def test_stores_are_filled_in_later():
    exchange.stop("persister")
    exchange.configure_stores()
    exchange.write_config()
    exchange.start("persister", wait=False)
    held = exchange.stores_agree()
    assert held["postgres_orders"] == held["redis_orders"] == reports[0]["orders_accepted"], (held, reports)


def test_and_go_on_live():
    reports.append(exchange.load("--orders", 2000))
    held = exchange.stores_agree()
    accepted = sum(report["orders_accepted"] for report in reports)
    assert held["postgres_orders"] == held["redis_orders"] == accepted, (held, reports)


with exchange:
    exchange.start()
    run(test_load_without_stores, test_stores_are_filled_in_later, test_and_go_on_live, on_failure=exchange.log_tails)
