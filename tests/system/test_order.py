#!/usr/bin/env python3
"""`ringside order` and the client library's example, against four real processes.

Goal: a person gets told what happened to an order, in words, as JSON and as an exit code, whatever the exchange says
and wherever it has gone; a watch leaves nothing out when its connection goes. Method: the commands as they are typed;
what they did is checked over a connection of the Python client's own.
"""
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading

from exchange import PASSWORD, Exchange
from ouch_client import account_query
from tap import eventually, run

ACCEPTED, REJECTED, USAGE, UNREACHABLE, UNKNOWN, LOGIN = 0, 2, 64, 69, 75, 77
exchange = Exchange(sys.argv[1], stages=("journaler", "sequencer", "matcher", "gateway"))
EXAMPLE = os.path.join(exchange.build, "common", "client", "client_example")


def environment(user, password=PASSWORD):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGSIDE_")}
    given = {"RINGSIDE_USER": user, "RINGSIDE_PASSWORD": password}
    return {**kept, **{name: value for name, value in given.items() if value}}


def order(words, user="USER01", password=PASSWORD, expect=ACCEPTED):
    """Runs a command given as one line; its standard output, or its standard error where it must fail."""
    done = subprocess.run([exchange.ringside, "order", *words.split(), "--config", exchange.config_path], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=40, env=environment(user, password))
    assert done.returncode == expect, (words, done)
    return done.stdout if done.returncode in (ACCEPTED, REJECTED) and done.stdout else done.stderr


def json_object(pairs):
    assert len(dict(pairs)) == len(pairs), f"a key is there twice: {pairs}"
    return dict(pairs)


def json_lines(text):
    return [json.loads(line, object_pairs_hook=json_object) for line in text.splitlines()]


def lines(words, **more):
    return json_lines(order(words + " --json", **more))


def open_orders(user="USER01"):
    return {entry["user_ref"]: entry for entry in lines("list", user=user)}


class Watch:
    def __init__(self, words, user):
        self.out = os.path.join(exchange.directory, f"watch-{user}")
        arguments = [exchange.ringside, "order", "watch", *words.split(), "--json", "--config", exchange.config_path]
        with open(self.out, "w") as out, open(self.out + ".err", "w") as err:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=environment(user))
        exchange.loads.append(self.process)  # ended with the exchange, whatever happens
        eventually(lambda: "watching" in self.said(), 20, "the watch has begun")

    def said(self):
        with open(self.out + ".err") as file:
            return file.read()

    def events(self):
        with open(self.out) as file:
            events = json_lines(file.read())
        return [event for event in events if event["type"] != "system_event"]  # the day has begun

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


def test_buys_and_tells_its_number():
    exchange.start()
    said = order("buy 100 AAPL @ 585.33")
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{6}  order 1 +accepted +buy 100 AAPL @ 585\.33 day\n", said), said
    assert "ringside order cancel 1" in said, said
    event, = lines("buy 50 AAPL @ 580 --hidden --id mine")
    assert (event["type"], event["user_ref"], event["price"], event["display"], event["client_order_id"]) == (
        "accepted", 2, 580, "N", "mine"), event
    listed = open_orders()
    assert [(o["open"], o["executed"], o["price"]) for o in listed.values()] == [(100, 0, 585.33), (50, 0, 580)], listed
    assert order("list").endswith("2 open\n")


def test_trades_at_once_or_not_at_all():
    events = lines("sell 120 AAPL @ market --tif ioc", user="USER02")
    assert [(e["type"], e.get("quantity"), e.get("price")) for e in events] == [
        ("accepted", 120, "market"), ("executed", 100, 585.33), ("executed", 20, 580)], events
    events = lines("sell 31 AAPL @ 580 --tif fok", user="USER02")
    assert [e["type"] for e in events] == ["accepted", "canceled"], events
    assert events[1]["reason_text"] == "immediate or cancel", events
    assert [(o["open"], o["executed"]) for o in open_orders().values()] == [(30, 20)]


def test_replaces_and_keeps_what_is_not_said():
    event, = lines("replace 2 60 @ 581")
    assert (event["type"], event["orig_user_ref"], event["user_ref"], event["quantity"], event["display"]) == (
        "replaced", 2, 3, 40, "N"), event
    assert "no open order 2" in order("replace 2 60 @ 581", expect=REJECTED)
    assert "stands in the place of 3" in order("replace 3 70 @ 581.50")
    event, = open_orders().values()
    assert (event["user_ref"], event["open"], event["executed"], event["price"]) == (4, 50, 20, 581.5), event


def test_replaces_what_has_traded_in_part_by_fill_or_kill():
    lines("sell 30 AAPL @ 590", user="USER02")
    ref = lines("buy 100 AAPL @ 590")[0]["user_ref"]
    lines("sell 80 AAPL @ 591", user="USER02")
    assert "leaves none" in order(f"replace {ref} 30 @ 591 --tif fok", expect=REJECTED)
    events = lines(f"replace {ref} 100 @ 591 --tif fok")
    assert [(e["type"], e["quantity"]) for e in events] == [("replaced", 70), ("executed", 70)], events
    for left in open_orders("USER02"):
        order(f"cancel {left}", user="USER02")


def test_cancels_in_part_and_whole():
    event, = lines("cancel 4 30")
    assert (event["type"], event["quantity"], event["reason_text"]) == ("canceled", 40, "asked for by the user"), event
    assert "canceled     10" in order("cancel 4")
    for nothing in ("cancel 4", "cancel 4000", "cancel 1"):
        assert "list --user USER01" in order(nothing, expect=REJECTED)
    assert order("list") == "0 open\n"


def test_every_option_reaches_the_exchange():
    for words, echoed in (("--stop 590", {"trigger": "S", "trigger_price": 590}),
                          ("--trail 1.5", {"trigger": "T", "trail_offset": 1.5}),
                          ("--post-only", {"post_only": "P"}), ("--display 5", {"max_floor": 5}),
                          ("--min 5 --hidden", {"min_quantity": 5, "display": "N"}),
                          ("--peg market --offset -0.05", {"price_type": "P", "peg_offset": -0.05}),
                          ("--expire 600", {"time_in_force": "6", "expire_s": 600}),
                          ("--self-match newest", {"self_match": "W"}), ("--firm FIRM", {"firm": "FIRM"}),
                          ("--capacity agency", {"capacity": "A"}), ("--tif gtx", {"time_in_force": "5"})):
        event = lines(f"buy 10 MSFT @ 100 {words}", user="USER03")[0]
        assert event["type"] == "accepted" and {name: event.get(name) for name in echoed} == echoed, (words, event)
    event = lines("short 10 MSFT @ 300 --exempt", user="USER03")[0]
    assert event["side"] == "E", event


def test_says_why_an_order_is_rejected():
    assert "rejected     invalid symbol (0017)" in order("buy 1 NOSUCH @ 1", expect=REJECTED)
    assert "invalid price" in order("buy 1 AAPL @ 1.2345", expect=REJECTED), "four decimals, but the tick is 0.01"
    event, = lines("buy 1 AAPL @ 1 --display 1 --min 1", expect=REJECTED)
    assert (event["type"], event["reason_text"]) == ("rejected", "invalid min quantity"), event


def test_says_what_is_wrong_with_the_words():
    for words, where in (("buy 100 AAPL @ 1.23456", "PRICE"), ("buy AAPL 100 @ 1", "QUANTITY"), ("buy", "the order"),
                         ("buy 1 AAPL @ 1 --tif later", "--tif"), ("buy 1 AAPL @ 1 --exempt", "--exempt"),
                         ("cancel", "REF"), ("replace x 1 @ 1", "REF"), ("list --timeout x", "--timeout"),
                         ("buy 1 AAPL @ 1 --password secret", "cannot be read"), ("nonsense", "no part"),
                         ("list more", "unexpected")):
        assert where in order(words, expect=USAGE), words
    assert "--user" in order("list", user=None, expect=USAGE)
    assert "--password-file" in order("list", password=None, expect=USAGE)


def type_password(keys):
    """The exit code and what the terminal showed when the question for the password is answered so."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(exchange.ringside, ["ringside", "order", "list", "--config", exchange.config_path],
                  environment("USER01", None))
    shown = b""
    try:
        while True:
            readable, _, _ = select.select([terminal], [], [], 20)
            assert readable, f"nothing more is said after {shown!r}"
            shown += os.read(terminal, 1000)
            if keys and b"password of USER01: " in shown:
                os.write(terminal, keys)
                keys = None
    except OSError:  # the end of a terminal
        pass
    finally:
        if keys:
            os.kill(pid, signal.SIGKILL)
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def test_password_comes_from_a_file_or_the_terminal():
    path = os.path.join(exchange.directory, "password")
    with open(path, "w") as file:
        file.write(PASSWORD + "\n")
    assert "0 open" in order(f"list --password-file {path}", password=None)
    code, shown = type_password(PASSWORD.encode() + b"\n")
    assert code == 0 and b"0 open" in shown and PASSWORD.encode() not in shown, (code, shown)
    code, shown = type_password(b"\x03")
    assert code == USAGE and b"was not given" in shown, (code, shown)


def test_refusals_and_absences_have_their_codes():
    said = order("list", password="WRONG", expect=LOGIN)
    assert "password wrong" in said and "ringside account add" in said, said
    order("buy 1 AAPL @ 1", user="NOBODY", expect=LOGIN)
    assert "--connect" in order("list --connect 127.0.0.1:1", expect=UNREACHABLE)
    assert "host:port" in order("list --connect nowhere", expect=UNREACHABLE)
    order(f"list --connect 127.0.0.1:1,127.0.0.1:{exchange.port}")


class LosingExchange(threading.Thread):
    """Takes one login, its question and one order, hangs up without an answer, and refuses each login after that."""

    def __init__(self, reason):
        super().__init__(daemon=True)
        self.reason = reason
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        with self.listener.accept()[0] as client, client.makefile("rb") as sent:
            self.wait(sent, "L")
            self.send(client, "A", b"20261123".rjust(10) + b"1".rjust(20))
            self.wait(sent, "U")
            self.send(client, "S", struct.pack(">cQI", b"Q", 0, 1))
            self.wait(sent, "U")
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:  # closed: the test is over
                return
            with client, client.makefile("rb") as sent:
                self.wait(sent, "L")
                self.send(client, "J", self.reason.encode())

    @staticmethod
    def wait(sent, wanted):
        kind = None
        while kind != wanted:  # heartbeats come too
            size, = struct.unpack(">H", sent.read(2))
            kind = chr(sent.read(size)[0])

    @staticmethod
    def send(client, kind, payload):
        client.sendall(struct.pack(">H", len(payload) + 1) + kind.encode() + payload)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # ends accept, too
        self.listener.close()


def test_an_order_that_was_sent_is_in_doubt_when_the_next_login_is_refused():
    for reason, text in (("A", "password wrong"), ("S", "session is not available")):
        losing = LosingExchange(reason)
        said = order(f"buy 1 AAPL @ 1 --timeout 2 --connect 127.0.0.1:{losing.port}", expect=UNKNOWN)
        losing.close()
        assert "login refused" in said and text in said and "taken or not" in said, said


def test_watch_comes_back_and_leaves_nothing_out():
    watch = Watch("--all", "USER04")
    lines("buy 10 GOOG @ 99", user="USER04")  # takes the session over
    eventually(lambda: "watching USER04 again" in watch.said(), 20, "the watch is back")
    assert "taken" in watch.said(), watch.said()
    lines("sell 4 GOOG @ 99", user="USER05")
    eventually(lambda: len(watch.events()) == 2, 10, "the watch tells of the trade")
    exchange.kill("gateway")
    eventually(lambda: watch.said().count("again in") >= 2, 10, "the watch says that the gateway is gone")
    exchange.start("gateway")
    lines("sell 6 GOOG @ 99", user="USER05")
    eventually(lambda: len(watch.events()) == 3, 20, "the watch tells what came meanwhile")
    assert [(e["type"], e["quantity"]) for e in watch.events()] == [
        ("accepted", 10), ("executed", 4), ("executed", 6)], watch.events()
    sequences = [e["sequence"] for e in watch.events()]
    assert sequences == sorted(set(sequences)), sequences
    assert watch.stop() == 0


def test_watch_gives_way_to_a_program_that_insists():
    watch = Watch("", "USER06")
    for times in range(1, 4):
        eventually(lambda: watch.process.poll() is not None or watch.said().count("watching") >= times, 20,
                   "the watch is back")
        if watch.process.poll() is None:
            order("list", user="USER06")
    assert watch.process.wait(20) == UNKNOWN and "user of its own" in watch.said(), watch.said()


def test_example_trades():
    exchange.run_tool("order", "--help")
    order("sell 30 NVDA @ 90.50", user="USER07")
    done = subprocess.run([EXAMPLE, f"127.0.0.1:1,127.0.0.1:{exchange.port}", "USER08", PASSWORD, "NVDA", "90.50"],
                          text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=40)
    assert done.returncode == 0, done
    assert done.stdout.splitlines() == ["ready; my next number is 1", "order 1 is accepted: 100 at 90.5000",
                                        "order 1 trades: 30 at 90.5000", "order 1 is canceled: 70", "30 traded"], done
    with exchange.login("USER08", sequence=0) as client:
        client.send(account_query())
        client.expect("Q", next_user_ref=2)
    with open(f"{os.path.dirname(__file__)}/../../common/client/example.c") as file:
        assert len(file.readlines()) < 100


try:
    run(test_buys_and_tells_its_number, test_trades_at_once_or_not_at_all, test_replaces_and_keeps_what_is_not_said,
        test_replaces_what_has_traded_in_part_by_fill_or_kill, test_cancels_in_part_and_whole,
        test_every_option_reaches_the_exchange, test_says_why_an_order_is_rejected,
        test_says_what_is_wrong_with_the_words, test_password_comes_from_a_file_or_the_terminal,
        test_refusals_and_absences_have_their_codes,
        test_an_order_that_was_sent_is_in_doubt_when_the_next_login_is_refused,
        test_watch_comes_back_and_leaves_nothing_out,
        test_watch_gives_way_to_a_program_that_insists, test_example_trades, on_failure=exchange.log_tails)
finally:
    exchange.close()
