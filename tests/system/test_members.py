#!/usr/bin/env python3
"""What members may do, with real processes: settings read again, refused logins in the log, cancel on disconnect.

Goal: the settings beside the accounts hold on a real socket, change at SIGHUP without anybody losing his session, a
file with an error changes nothing and is named, and what becomes of the orders of a lost connection is the same whether
the connection or the gateway died. Method: one exchange with two gateways, the settings rewritten between steps.
"""
import itertools
import json
import os
import signal
import subprocess
import sys
import time

from exchange import GATEWAYS, PASSWORD, Exchange
from ouch_client import Client, account_query, cancel, enter
from tap import eventually, run

RESTRICTED, SYMBOL_RATE, PORT_RATE, DUPLICATE_RATE, NOTIONAL, QUANTITY = 0x22, 0x28, 0x29, 0x2A, 0x30, 0x31
GRACE_MS = 2500

exchange = Exchange(sys.argv[1], stages=("journaler", "sequencer", "matcher", "gateway", "gateway-2"), options={
    "exchange.gateways": GATEWAYS, "gateway.silence_ms": 3000, "gateway.login_failures": 4,
    "gateway.login_pause_ms": 1000})
MEMBERS = os.path.join(exchange.directory, "members")
exchange.options["gateway.members"] = MEMBERS


COPIES = "\n[user USER15]\ncopy_users = USER11 USER12\ncopy_orders = yes\n"  # from the start of a gateway on


def write(text):
    with open(MEMBERS + ".new", "w") as file:
        file.write(text + COPIES)
    os.rename(MEMBERS + ".new", MEMBERS)


def log():
    with open(exchange.log_path("gateway"), errors="replace") as file:
        return file.read()


def reload(text, answer="read again"):
    write(text)
    before = log().count(answer)
    exchange.processes["gateway"].send_signal(signal.SIGHUP)
    exchange.processes["gateway-2"].send_signal(signal.SIGHUP)
    eventually(lambda: log().count(answer) > before, 10, f"the log says {answer}")
    exchange.check_alive()


def rejected_login(user, password, port=None):
    with Client("127.0.0.1", port or exchange.port, 10) as client:
        client.send_login(user, password)
        kind, payload = client.wait_packet("AJ")
        client.wait_closed(5)
        return kind == "J" and payload.decode()


def test_limits_are_answered_and_change_while_sessions_live():
    reload("[user USER01]\nquantity_max = 100\nnotional_max = 1000\n[everyone]\nrestricted = TSLA\n")
    with exchange.login("USER01") as client:
        client.send(enter(1, "B", 101, "AAPL", 10000))
        client.expect("J", 1, reason=QUANTITY)
        client.send(enter(2, "B", 100, "AAPL", 100100))
        client.expect("J", 2, reason=NOTIONAL)
        client.send(enter(3, "B", 1, "TSLA", 10000))
        client.expect("J", 3, reason=RESTRICTED)
        client.send(enter(4, "B", 100, "AAPL", 100000))
        client.expect("A", 4)
        reload("")
        client.send(enter(5, "B", 1000, "TSLA", 100000))
        client.expect("A", 5)
        reload("[user USER01]\nquantity_max = 5\n")
        reload("[user USER01]\nquantity_max = none\n", answer="stay as they were")
        assert f"{MEMBERS}:2" in log(), "file and line are named"
        client.send(enter(6, "B", 6, "AAPL", 10000))
        client.expect("J", 6, reason=QUANTITY)
        client.send_many([cancel(4), cancel(5)])
        client.expect("C", 4)
        client.expect("C", 5)
    with exchange.login("USER01") as again:  # told from the events, whatever the settings are now
        for kind, ref in (("J", 1), ("J", 2), ("J", 3), ("A", 4), ("A", 5), ("J", 6)):
            again.expect(kind, ref)


def test_rates():
    reload("[user USER02]\norders_per_s = 1\norders_burst = 20\n[user USER03]\nsymbol_orders_per_s = 1\n"
           "symbol_orders_burst = 3\nsame_orders_per_s = 1\nsame_orders_burst = 2\n")
    with exchange.login("USER02") as client:
        client.send_many([enter(ref, "B", ref, "AAPL", 10000) for ref in range(1, 41)])
        kinds = [client.wait_for(lambda m: m["type"] in "AJ")["type"] for _ in range(40)]
        assert kinds[:20] == ["A"] * 20 and kinds.count("J") >= 17, kinds
        reasons = {m["reason"] for m in client.messages if m["type"] == "J"}
        assert reasons == {PORT_RATE}, reasons
        time.sleep(2.2)
        client.send(enter(41, "B", 1, "AAPL", 10000))
        client.expect("A", 41)
    with exchange.login("USER03") as client:
        client.send_many([enter(1, "B", 1, "AAPL", 10000), enter(2, "B", 1, "AAPL", 10000),
                          enter(3, "B", 1, "AAPL", 10000), enter(4, "B", 2, "AAPL", 10000),
                          enter(5, "B", 1, "MSFT", 10000)])
        client.expect("A", 1)
        client.expect("A", 2)
        client.expect("J", 3, reason=DUPLICATE_RATE)
        client.expect("J", 4, reason=SYMBOL_RATE)
        client.expect("A", 5)


def test_logins_are_refused_and_logged_without_the_password():
    reload("[user USER04]\naddresses = 10.0.0.0/8\n[user USER05]\nfirms = OTHR\n[user USER06]\nsecond_login = refuse\n")
    assert rejected_login("USER04", PASSWORD) == "A"
    assert rejected_login("USER05", PASSWORD) == "A"
    with exchange.login("USER06") as first:
        assert rejected_login("USER06", PASSWORD, exchange.port + 1) == "S"
        first.send(account_query())
        first.expect("Q")
    secret = "hunter2"
    for _ in range(4):
        assert rejected_login("USER07", secret) == "A"
    assert rejected_login("USER07", PASSWORD) == "A", "held"
    text = log()
    for reason in ("may not come from this address", "firm is none", "wrong password", "refused unseen"):
        assert reason in text, reason
    assert "peer=127.0.0.1" in text and "user=USER07" in text
    assert secret not in text and PASSWORD not in text
    time.sleep(1.3)
    with exchange.login("USER07") as client:
        client.send(account_query())
        client.expect("Q")


def test_a_watch_waits_until_its_session_is_free_again():
    reload("[user USER14]\nsecond_login = refuse\n")
    out, err = (os.path.join(exchange.directory, name) for name in ("watch", "watch.err"))

    def said(text):
        with open(err) as file:
            return file.read().count(text)

    command = [exchange.ringside, "order", "watch", "--all", "--json", "--user", "USER14", "--config",
               exchange.config_path]
    with open(out, "w") as to, open(err, "w") as to_err:
        watch = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=to, stderr=to_err,
                                 env={**os.environ, "RINGSIDE_PASSWORD": PASSWORD})
    exchange.loads.append(watch)  # ended with the exchange, whatever happens
    eventually(lambda: said("watching USER14"), 20, "the watch has begun")
    watch.send_signal(signal.SIGSTOP)
    kill_gateway()
    with exchange.login("USER14") as other:
        watch.send_signal(signal.SIGCONT)
        began_s = time.monotonic()
        eventually(lambda: other.heartbeat() or said("session is not available") >= 2, 30, "the watch asks again")
        assert time.monotonic() - began_s > 2, "it pauses before it asks again"
        other.send(enter(1, "B", 1, "AAPL", 10000))
        other.expect("A", 1)
    eventually(lambda: said("watching USER14 again"), 30, "the watch is back")
    with open(out) as file:
        told = [event for event in map(json.loads, file) if event["type"] != "system_event"]
    assert [(event["type"], event["user_ref"]) for event in told] == [("accepted", 1)], told
    watch.send_signal(signal.SIGINT)
    assert watch.wait(10) == 0


refs = itertools.count(1)


def left_orders(user, port=None):
    """Of a user who has come back: how many of his orders are still there, by canceling them."""
    mark = next(refs)
    with Client("127.0.0.1", port or exchange.port, 10).login(user, PASSWORD, "", 1) as client:
        client.send(enter(mark, "B", 1, "NOSUCH", 10000))
        client.expect("J", mark)  # behind all that is told again
        accepted = {m["user_ref"] for m in client.messages if m["type"] == "A"}
        left = sorted(accepted - {m["user_ref"] for m in client.messages if m["type"] == "C"})
        client.send_many([cancel(ref) for ref in left])
        for ref in left:
            client.expect("C", ref)
        return len(left)


def lose(user, how=None):
    """Two orders, and then no connection any more."""
    with exchange.login(user) as client:
        for ref in (next(refs), next(refs)):
            client.send(enter(ref, "B", 1, "GOOG", 10000))
            client.expect("A", ref)
        if how:
            how()


def kill_gateway():
    exchange.kill("gateway")
    exchange.start("gateway")


def test_cancel_on_disconnect_with_and_without_grace():
    reload(f"[user USER08]\ncancel_on_disconnect = yes\n[user USER09]\ncancel_on_disconnect = yes\n"
           f"grace_ms = {GRACE_MS}\n")
    lose("USER08")
    assert left_orders("USER08") == 0, "no grace"
    lose("USER09")
    assert left_orders("USER09", exchange.port + 1) == 2, "back in time, at another gateway"
    time.sleep(GRACE_MS / 1000 + 0.5)
    lose("USER09")
    time.sleep(GRACE_MS / 1000 + 0.5)
    assert left_orders("USER09") == 0, "back too late"
    lose("USER10")
    assert left_orders("USER10") == 2, "not asked for"


def test_a_killed_gateway_is_the_same_as_a_lost_connection():
    lose("USER08", kill_gateway)
    assert left_orders("USER08") == 0, "no grace"
    lose("USER09", kill_gateway)
    time.sleep(GRACE_MS / 1000 + 0.5)
    assert left_orders("USER09") == 0, "back too late"
    lose("USER09", kill_gateway)
    assert left_orders("USER09") == 2, "back in time"


def test_drop_copies_are_the_same_at_every_gateway_and_after_a_kill():
    def copy_of(port, sequence):
        return Client("127.0.0.1", port, 10).login("USER15", PASSWORD, "", sequence)

    def told(client, count):
        eventually(lambda: client.pump(0.05) or len(client.messages) >= count, 10, f"{count} messages")
        return [(m["seq"], m["raw"]) for m in client.messages]

    with copy_of(exchange.port, 1) as copy, exchange.login("USER11") as maker, exchange.login("USER12") as taker:
        for ref in range(1, 51):
            maker.send(enter(ref, "S", 2, "META", 500000))
            maker.expect("A", ref)
            taker.send(enter(ref, "B", 2, "META", 500000))
            taker.expect("E", ref)
        with exchange.login("USER13") as stranger:
            stranger.send(enter(next(refs), "B", 1, "META", 10000))
            stranger.expect("A")
        live = told(copy, 200)
        users = {m["options"][204].decode().strip() for m in copy.messages}
        assert users == {"USER11", "USER12"}, users
        assert [m["seq"] for m in copy.messages] == list(range(1, 201)), "without a gap, and nobody else's"
        copy.send(enter(1, "B", 1, "META", 10000))
        assert "only watches" in copy.wait_packet("+")[1].decode()
    with copy_of(exchange.port + 1, 1) as copy:
        assert told(copy, 200) == live, "another gateway tells the same"
    kill_gateway()
    with copy_of(exchange.port, 100) as copy:
        assert told(copy, 101) == live[99:], "another life of the gateway tells the same"


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

exchange.write_config()
write("")
with exchange:
    exchange.start()
    run(*TESTS, on_failure=exchange.log_tails)
