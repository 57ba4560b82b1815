#!/usr/bin/env python3
"""ringside load against an exchange that can lie.

Goal: a good exchange passes, whatever connections break; each lie is found, and named. Method: fake_exchange.py.
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

from fake_exchange import FakeExchange
from tap import run

PROGRAM = sys.argv[1]


def load(exchange, *arguments, timeout_s=30):
    done = subprocess.run([PROGRAM, "--address", f"127.0.0.1:{exchange.port}", "--json", *map(str, arguments)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=timeout_s)
    assert done.returncode in (0, 1), f"exit {done.returncode}: {done.stderr}"
    report = json.loads(done.stdout)
    assert report["complete"] == (done.returncode == 0), done
    return report


def check_good(report, orders):
    assert report["complete"] is True, report
    assert report["orders"] == orders == report["orders_accepted"], report
    assert report["fills"] == 2 * report["trades"] > 0, report
    assert report["live_orders"] == 0, report
    assert report["p50_ns"] > 0 and report["p50_ns"] <= report["p99_ns"] <= report["max_ns"], report


def test_good_exchange_at_max():
    with FakeExchange() as exchange:
        report = load(exchange, "--orders", 3000, "--sessions", 4, "--window", 200)
        check_good(report, 3000)
        assert 0.3 < report["cancels"] / report["orders_accepted"] < 1, report


def test_good_exchange_at_a_rate():
    with FakeExchange() as exchange:
        report = load(exchange, "--rate", 2000, "--seconds", 1, "--sessions", 3)
        check_good(report, report["orders"])
        assert 1900 < report["requests_per_s"] < 2100 and 1950 <= report["requests"] <= 2000, report


def test_what_warms_up_is_not_timed():
    with FakeExchange() as exchange:
        report = load(exchange, "--rate", 1000, "--seconds", "0.5", "--warm-up", 1)
        assert report["complete"] is True and report["requests"] > 400 and report["max_ns"] == 0, report


def test_a_round_trip_beside_the_requests():
    with FakeExchange() as exchange, tempfile.TemporaryDirectory() as directory:
        report = load(exchange, "--rate", 1000, "--seconds", "0.5", "--yardstick", directory)
        assert 0 < report["round_trip_p50_ns"] <= report["round_trip_p99_ns"], report
        assert 0 < report["sent_p50_ns"] <= report["p50_ns"] and report["p50_to_yardstick"] > 0, report
        report = load(exchange, "--orders", 500, "--seed", 2, "--yardstick", directory)
        assert "round_trip_p50_ns" not in report and report["yardstick_round_trip_p50_ns"] > 0, report


def test_second_run_goes_on_with_the_numbers():
    with FakeExchange() as exchange:
        check_good(load(exchange, "--orders", 500), 500)
        check_good(load(exchange, "--orders", 500, "--seed", 2), 500)


def test_orders_left_live_are_counted_and_the_next_run_knows_them():
    with FakeExchange() as exchange:
        report = load(exchange, "--orders", 500, "--keep-rest")
        assert report["complete"] and report["live_orders"] > 0, report
        assert load(exchange, "--orders", 500, "--seed", 2)["complete"] is True


def test_broken_connections_lose_nothing():
    with FakeExchange(break_every=700) as exchange:
        report = load(exchange, "--orders", 4000, "--sessions", 3, "--window", 300)
        check_good(report, 4000)
        assert exchange.breaks > 3 and report["reconnects"] >= exchange.breaks, (exchange.breaks, report)
        assert report["requests_resent"] > 0, report


def test_broken_connection_ends_a_run_that_may_not_resume():
    with FakeExchange(break_every=700) as exchange:
        report = load(exchange, "--orders", 4000, "--no-resume")
        assert report["complete"] is False, report


def test_rejects_are_answers():
    with FakeExchange() as exchange:
        report = load(exchange, "--orders", 100, "--symbols", "NOSUCH")
        assert report["complete"] and report["rejects"] == 100 and report["orders_accepted"] == 0, report


def test_wrong_password_is_said():
    with FakeExchange() as exchange:
        report = load(exchange, "--orders", 10, "--password", "wrong")
        assert "login refused" in report["why"], report


def test_nobody_there_is_said():
    with FakeExchange() as exchange:
        pass
    report = load(exchange, "--orders", 10, "--patience", "0.5")
    assert "no progress" in report["why"] and "refused" in report["why"], report


# ---- lies ----


class Lie:
    """Bends the n-th message of a kind by a function of its bytes."""

    def __init__(self, kind, bend, at=40):
        self.kind, self.bend, self.left = kind, bend, at

    def __call__(self, session, kind, fields, encoded):
        if kind != self.kind:
            return [encoded]
        self.left -= 1
        return self.bend(encoded) if self.left == 0 else [encoded]


def patched(encoded, offset, layout, change):
    data = bytearray(encoded)
    (value,) = struct.unpack_from(">" + layout, data, offset)
    struct.pack_into(">" + layout, data, offset, change(value))
    return [bytes(data)]


def check_lie(lie, *words):
    with FakeExchange(fault=lie) as exchange:
        report = load(exchange, "--orders", 1500, "--sessions", 2, "--window", 100, "--patience", 1)
        assert lie.left <= 0, "the lie was not told"
        assert report["complete"] is False and any(word in report["why"] for word in words), report


def test_second_accept_is_found():
    check_lie(Lie("A", lambda m: [m, m]), "second answer")


def test_missing_accept_is_found():
    check_lie(Lie("A", lambda m: []), "none to the order before it")


def test_last_answer_missing_is_found():
    check_lie(Lie("A", lambda m: [], at=1500), "no progress", "not live")  # the latter where it is executed at once


def test_other_quantity_is_found():
    check_lie(Lie("A", lambda m: patched(m, 14, "I", lambda q: q + 1)), "other terms")


def test_other_price_is_found():
    check_lie(Lie("A", lambda m: patched(m, 26, "Q", lambda p: p + 100)), "other terms")


def test_execution_told_twice_is_found():
    check_lie(Lie("E", lambda m: [m, m]), "")


def test_missing_execution_is_found():
    check_lie(Lie("E", lambda m: []), "")


def test_sides_of_a_trade_that_differ_are_found():
    check_lie(Lie("E", lambda m: patched(m, 13, "I", lambda q: q - 1)), "sides of a trade differ")


def test_wrong_match_number_is_found():
    check_lie(Lie("E", lambda m: patched(m, 26, "Q", lambda n: n + 100000)), "one side only")


def test_reused_match_number_is_found():
    check_lie(Lie("E", lambda m: patched(m, 26, "Q", lambda n: n - 10)), "")


def test_price_beyond_the_limit_is_found():
    check_lie(Lie("E", lambda m: patched(m, 17, "Q", lambda p: p + 100000) if m[25:26] == b"R" else [m], at=41), "")


def test_more_executed_than_there_was_is_found():
    check_lie(Lie("E", lambda m: patched(m, 13, "I", lambda q: q + 1000)), "more is executed")


def test_cancel_nobody_asked_for_is_found():
    def bend(message):
        return [message, b"C" + message[1:9] + message[9:13] + message[14:18] + b"U"]
    check_lie(Lie("A", bend), "nobody asked for")


def test_cancel_told_twice_is_found():
    check_lie(Lie("C", lambda m: [m, m]), "not live")


def test_cancel_of_fewer_shares_is_found():
    check_lie(Lie("C", lambda m: patched(m, 13, "I", lambda q: q - 1)), "leaves something")


def test_unknown_order_is_found():
    check_lie(Lie("C", lambda m: patched(m, 9, "I", lambda r: r + 1000000)), "never sent")


def test_message_cut_short_is_found():
    check_lie(Lie("E", lambda m: [m[:-1]]), "at least 36 bytes")


def test_unknown_message_is_found():
    check_lie(Lie("A", lambda m: [m, b"?"]), "answers nothing")


def test_other_count_of_the_exchange_is_found():
    check_lie(Lie("Q", lambda m: patched(m, 9, "I", lambda n: n + 1), at=3), "next UserRefNum")


# ---- LOBSTER files ----


class MarketTape:
    """A random market with every order known, and the two files of LOBSTER that its best levels make."""

    SHOWN = 4

    def __init__(self, seed, events):
        self.random = random.Random(seed)
        self.orders = {}  # id: [side, price, shares], oldest first
        self.id_next, self.messages, self.rows = 100, [], []
        for step in range(60):
            self.new_order()
        self.messages, self.rows = [], []
        while len(self.messages) < events:
            before, count = self.row(), len(self.messages)
            steps = (self.new_order, self.new_order, self.cut, self.delete, self.execute, self.noise)
            self.random.choice(steps)()
            if before == self.row() and len(self.messages) > count and self.messages[-1][1] < 5:
                self.messages.pop()  # beyond the levels shown: no line in a LOBSTER file
                self.rows.pop()

    def levels(self, side):
        levels = {}
        for order_side, price, shares in self.orders.values():
            if order_side == side:
                levels[price] = levels.get(price, 0) + shares
        return sorted(levels.items(), reverse=side == 1)

    def row(self):
        cells = []
        for ask, bid in zip(*(([*self.levels(side), *[(0, 0)] * self.SHOWN][:self.SHOWN]) for side in (-1, 1))):
            cells += [*(ask if ask[1] else (9999999999, 0)), *(bid if bid[1] else (-9999999999, 0))]
        return cells

    def record(self, kind, order_id, shares, price, side):
        self.messages.append((34200.5, kind, order_id, shares, price, side))
        self.rows.append(self.row())

    def new_order(self):
        side = self.random.choice((1, -1))
        price = 1000000 - side * 100 * self.random.randrange(1, 12)
        shares = 10 * self.random.randrange(1, 20)
        self.id_next += 1
        self.orders[self.id_next] = [side, price, shares]
        self.record(1, self.id_next, shares, price, side)

    def cut(self):
        order_id, order = self.random.choice(list(self.orders.items()))
        if order[2] > 10:
            order[2] -= 10
            self.record(2, order_id, 10, order[1], order[0])

    def delete(self):
        if len(self.orders) > 20:
            order_id = self.random.choice(list(self.orders))
            side, price, shares = self.orders.pop(order_id)
            self.record(3, order_id, shares, price, side)

    def execute(self):
        side = self.random.choice((1, -1))
        best = self.levels(side)[0][0]
        order_id, order = next((i, o) for i, o in self.orders.items() if o[:2] == [side, best])
        shares = min(order[2], 10 * self.random.randrange(1, 20))
        order[2] -= shares
        if not order[2]:
            del self.orders[order_id]
        self.record(4, order_id, shares, best, side)

    def noise(self):
        self.record(*self.random.choice(((5, 0, 7, 1000000, 1), (7, 0, 0, -1, -1))))

    def write(self, directory):
        paths = [os.path.join(directory, f"TEST_{kind}_4.csv") for kind in ("message", "orderbook")]
        for path, lines in zip(paths, (self.messages, self.rows)):
            with open(path, "w") as file:
                file.writelines(",".join(map(str, line)) + "\n" for line in lines)
        return paths[0]


def lobster(tape, **faults):
    with tempfile.TemporaryDirectory(prefix="ringside-test.") as directory, FakeExchange(**faults) as exchange:
        return load(exchange, "--lobster", tape.write(directory), "--symbols", "TEST", "--patience", 2)


def test_lobster_file_is_followed():
    for seed in range(6):
        tape = MarketTape(seed, 400)
        report = lobster(tape)
        assert report["complete"] and report["events"] == 400, report
        executions = sum(message[1] == 4 for message in tape.messages)
        assert report["executions"] == executions >= report["executions_checked"] > executions / 4, report
        assert report["levels_compared"] > 400 * 5 and report["levels_adopted"] < 400 / 4, report


def test_wrong_answer_is_found():
    for cell in (1, 3, 0, 13):
        tape = MarketTape(7, 50)
        tape.rows[40][cell] += 100
        report = lobster(tape)
        assert not report["complete"] and report["book_differences"] == 1 and report["events"] == 41, (cell, report)


def test_level_too_few_in_the_answer_is_found():
    tape = MarketTape(7, 50)
    tape.rows[40] = tape.rows[40][4:] + [9999999999, 0, -9999999999, 0]
    report = lobster(tape)
    assert not report["complete"] and report["book_differences"] == 1, report


def test_exchange_that_serves_the_last_first_is_found():
    report = lobster(MarketTape(1, 400), first_come=False)
    assert not report["complete"] and report["executions_wrong"] == 1, report


def test_exchange_that_forgets_a_cancel_is_found():
    report = lobster(MarketTape(1, 400), fault=Lie("C", lambda m: [], at=30))
    assert not report["complete"], report


# ---- usage ----


def check_usage(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=10)
    assert done.returncode == 2 and done.stderr and not done.stdout, done


def test_usage():
    for arguments in (["--nonsense"], ["--orders", "0"], ["--orders", "many"], ["--rate", "-1"], ["--sessions", "0"],
                      ["--user", "TOOLONG"], ["--user", "FIVES", "--sessions", "10"], ["--symbols", ",A"], ["extra"],
                      ["--config", "/nonexistent"], ["--symbols", "NINECHARS"], ["--seconds", "nan"]):
        check_usage(*arguments)
    done = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=10)
    assert done.returncode == 0 and "usage: ringside load" in done.stdout, done


run(*[value for name, value in list(globals().items()) if name.startswith("test_")])
