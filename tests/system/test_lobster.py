#!/usr/bin/env python3
"""Real market data through the TCP gateway of five processes: the book must be the answer file's after every event.

The data is not the project's to publish: the test skips unless RINGSIDE_SHARED names a folder that has it.
"""
import glob
import json
import os
import sys

from exchange import Exchange
from tap import Skip, run

exchange = Exchange(sys.argv[1], symbols=("AAPL",), stages=("journaler", "sequencer", "matcher", "gateway"))


def files():
    folder = os.path.join(os.environ.get("RINGSIDE_SHARED", ""), "data/lobster-aapl-level10")
    messages = glob.glob(os.path.join(folder, "*_message_*.csv"))
    books = glob.glob(os.path.join(folder, "*_orderbook_*.csv"))
    if not os.environ.get("RINGSIDE_SHARED") or not messages or not books:
        raise Skip("no LOBSTER files; RINGSIDE_SHARED names the folder that has data/lobster-aapl-level10")
    return messages[0], books[0]


def test_lobster_book_equals_the_answer_after_every_event():
    messages, book = files()
    done = exchange.run_tool(*exchange.load_arguments("--lobster", messages, book)[1:])
    report = json.loads(done.stdout)
    with open(messages) as file:
        lines = len(file.read().splitlines())
    assert report["complete"] is True, report
    assert report["events"] == lines, report
    assert report["book_differences"] == 0, report


with exchange:
    exchange.start()
    run(test_lobster_book_equals_the_answer_after_every_event, on_failure=exchange.log_tails)
