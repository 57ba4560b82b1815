#!/usr/bin/env python3
"""The whole way: orders in over TCP, matched, durable, in PostgreSQL and Redis; and all of it there again after a
restart.

Goal: load, journal, event ring and both stores tell one story; a warm restart (rings kept) and a cold one (rings
gone, as after a power cut) bring back book, sessions and numbers. Method: one exchange with stores; what was resting
before each restart is cancelled after it, and a client's replayed messages are compared byte by byte.
"""
import os
import shutil
import sys

from exchange import STAGES, Exchange
from ouch_client import account_query, cancel, enter
from tap import run

exchange = Exchange(sys.argv[1], stores=True)
resting = {}  # what the sessions of this test have seen


def sequence_numbers(client):
    return [message["seq"] for message in client.messages]


def test_load_completes_and_both_stores_agree():
    report = exchange.load("--orders", 20000, "--sessions", 4)
    assert report["complete"] is True, report
    held = exchange.stores_agree()
    for what in ("orders", "executions"):
        assert held[f"postgres_{what}"] == held[f"redis_{what}"], held
    assert held["postgres_orders"] == report["orders_accepted"], (held, report)
    assert held["postgres_executions"] == 2 * report["trades"], (held, report)


def test_orders_rest_in_the_book():
    with exchange.login("USER10") as client:
        for ref in range(1, 11):
            client.send(enter(ref, "B", 10 * ref, "INTC", 10000 + 100 * ref, clordid=f"rests {ref}"))
            client.expect("A", ref)
        resting["session"], resting["messages"] = client.session, [m["raw"] for m in client.messages]


def check_all_is_back(cancelled):
    with exchange.login("USER10", session=resting["session"], sequence=1) as client:
        client.wait_for(lambda m: m["seq"] == len(resting["messages"]), what="the replay's end")
        assert [m["raw"] for m in client.messages][:len(resting["messages"])] == resting["messages"]
        client.send(account_query())
        client.expect("Q", next_user_ref=11)
        client.send(enter(10, "B", 1, "INTC", 10000))  # resent: harmless after the restart too
        client.send(cancel(cancelled))
        client.expect("C", cancelled, quantity=10 * cancelled)
        assert sequence_numbers(client) == list(range(1, len(client.messages) + 1))
        resting["messages"] = [m["raw"] for m in client.messages]


def test_each_stage_restarted_alone_goes_on():
    for stage in reversed(STAGES):
        codes = exchange.stop(stage)
        assert codes[stage] == 0, f"{stage} exits with {codes[stage]} on SIGTERM"
        exchange.start(stage)
    check_all_is_back(1)


def test_warm_restart_of_all():
    assert set(exchange.stop().values()) == {0}
    exchange.start(*reversed(STAGES))
    check_all_is_back(2)


def test_cold_restart_of_all():
    exchange.stop()
    shutil.rmtree(exchange.rings)
    os.mkdir(exchange.rings)
    exchange.start()
    check_all_is_back(3)


def test_cold_restart_after_kill_of_all():
    exchange.kill()
    shutil.rmtree(exchange.rings)
    os.mkdir(exchange.rings)
    exchange.start()
    check_all_is_back(4)


def test_load_after_restarts_and_stores_still_agree():
    before = exchange.stores_agree()
    report = exchange.load("--orders", 5000)
    held = exchange.stores_agree()
    assert report["complete"] is True, report
    assert held["postgres_orders"] - before["postgres_orders"] == report["orders_accepted"], (before, held, report)
    assert held["postgres_executions"] == held["redis_executions"], held


with exchange:
    exchange.start()
    run(*[value for name, value in list(globals().items()) if name.startswith("test_")],
        on_failure=exchange.log_tails)
