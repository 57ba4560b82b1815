#!/usr/bin/env python3
"""The protocol as a stranger speaks it: five real processes and the client of tests/lib/ouch_client.py.

Goal: every rule of SoupBinTCP and OUCH 5.0 that this gateway has to keep is kept on a real socket, good requests and
bad ones, and what one client does wrong nobody else notices. Method: one exchange with short time-outs, one rule a
test.
"""
import struct
import sys
import time

from exchange import PASSWORD, Exchange
from ouch_client import MARKET_PRICE, Closed, account_query, cancel, enter, replace
from tap import run

HEARTBEAT_MS, SILENCE_MS, LOGIN_TIMEOUT_MS, FRAME_BYTES_MAX = 200, 2000, 1200, 256

REASON_INVALID_QUANTITY, REASON_INVALID_SYMBOL, REASON_INVALID_PRICE = 0x0013, 0x0017, 0x001D
REASON_INVALID_SIDE, REASON_INVALID_DISPLAY = 0x0009, 0x0003
USER_REF_INDEX = 28  # option tag

exchange = Exchange(sys.argv[1], stages=("journaler", "sequencer", "matcher", "gateway"), options={
    "gateway.heartbeat_ms": HEARTBEAT_MS, "gateway.silence_ms": SILENCE_MS, "gateway.frame_bytes_max": FRAME_BYTES_MAX,
    "gateway.login_timeout_ms": LOGIN_TIMEOUT_MS})


def user(number):
    return f"USER{number:02d}"


def test_login_is_accepted_with_session_and_sequence():
    with exchange.connect() as client:
        client.send_login(user(1), PASSWORD)
        kind, payload = client.wait_packet("AJ")
        assert kind == "A" and len(payload) == 30, (kind, payload)
        assert payload[:10].strip(), "the session has a name"
        assert int(payload[10:30]) == 1, "the first packet wanted is the first one sent"


def test_wrong_login_is_rejected_and_closed():
    for name, password in ((user(1), "WRONG"), ("NOBODY", PASSWORD), ("", ""), (user(1), "")):
        with exchange.connect() as client:
            client.send_login(name, password)
            kind, payload = client.wait_packet("AJ")
            assert (kind, payload) == ("J", b"A"), (name, kind, payload)
            client.wait_closed(2)


def test_session_that_is_not_there_is_rejected():
    with exchange.connect() as client:
        client.send_login(user(1), PASSWORD, session="NOTTODAY")
        assert client.wait_packet("AJ") == ("J", b"S")
        client.wait_closed(2)


def test_longer_login_of_version_4_is_accepted():
    with exchange.connect() as client:
        client.login(user(2), PASSWORD, heartbeat_ms=1000)


def test_connection_without_login_is_closed():
    with exchange.connect() as client:
        seconds = client.wait_closed(LOGIN_TIMEOUT_MS / 1000 + 3)
        assert seconds > LOGIN_TIMEOUT_MS / 1000 * 0.8, f"closed after {seconds:.2f} s already"


def test_first_packet_must_be_a_login():
    with exchange.connect() as client:
        client.send(enter(1, "B", 100, "AAPL", 1000000))
        client.wait_closed(2)


def test_enter_is_accepted_word_for_word():
    with exchange.login(user(3)) as client:
        client.send(enter(1, "B", 100, "AAPL", 995000, clordid="first order"))
        client.expect("A", 1, side="B", quantity=100, symbol="AAPL", price=995000, tif="0", display="Y", capacity="A",
                      iso="N", cross="N", state="L", clordid="first order", appendage_bytes=0)
        client.send(cancel(1))
        client.expect("C", 1, quantity=100, reason="U")


def test_messages_cut_into_bytes_and_glued_together():
    with exchange.login(user(3)) as client:
        packet = enter(10, "S", 5, "MSFT", 2000000)
        framed = struct.pack(">H", len(packet) + 1) + b"U" + packet
        for byte in framed:
            client.send_bytes(bytes([byte]))
            time.sleep(0.001)
        client.expect("A", 10)
        client.send_many([enter(ref, "S", 1, "MSFT", 2000000 + 100 * ref) for ref in range(11, 61)])
        for ref in range(11, 61):
            client.expect("A", ref)
        client.send_many([cancel(ref) for ref in range(10, 61)])
        for ref in range(10, 61):
            client.expect("C", ref)


def test_two_sessions_trade_at_the_makers_price():
    with exchange.login(user(4)) as maker, exchange.login(user(5)) as taker:
        maker.send(enter(1, "S", 300, "NVDA", 1000000))
        maker.expect("A", 1)
        taker.send(enter(1, "B", 200, "NVDA", 1010000))
        taker.expect("A", 1, state="L")
        fill = taker.expect("E", 1, quantity=200, price=1000000, liquidity="R")
        maker.expect("E", 1, quantity=200, price=1000000, liquidity="A", match=fill["match"])
        taker.send(enter(2, "B", 200, "NVDA", MARKET_PRICE, tif="3"))
        taker.expect("A", 2)
        taker.expect("E", 2, quantity=100, price=1000000)
        taker.expect("C", 2, quantity=100, reason="I")
        maker.expect("E", 1, quantity=100)
        maker.send(cancel(1))
        maker.expect_silence(0.2)  # nothing is left: a superfluous cancel is ignored


def test_rejects_say_why():
    with exchange.login(user(6)) as client:
        client.send(enter(1, "B", 100, "NOSUCH", 1000000, clordid="x"))
        client.expect("J", 1, reason=REASON_INVALID_SYMBOL, clordid="x")
        client.send(enter(2, "B", 100, "AAPL", 0))
        client.expect("J", 2, reason=REASON_INVALID_PRICE)
        client.send(enter(3, "B", 0, "AAPL", 1000000))
        client.expect("J", 3, reason=REASON_INVALID_QUANTITY)
        client.send(enter(4, "B", 1000000, "AAPL", 1000000))
        client.expect("J", 4, reason=REASON_INVALID_QUANTITY)
        client.send(enter(5, "B", 100, "AAPL", 2000000001))
        client.expect("J", 5, reason=REASON_INVALID_PRICE)
        client.send(enter(6, "Q", 100, "AAPL", 1000000))
        client.expect("J", 6, reason=REASON_INVALID_SIDE)
        client.send(enter(7, "B", 100, "AAPL", 1000001))  # not a multiple of the tick
        client.expect("J", 7, reason=REASON_INVALID_PRICE)
        client.send(enter(8, "B", 100, "AAPL", 1000000, display="?"))
        client.expect("J", 8, reason=REASON_INVALID_DISPLAY)
        client.send(enter(9, "B", 1, "AAPL", 100))
        client.expect("A", 9)
        client.send(cancel(9))
        client.expect("C", 9)


def test_duplicate_user_ref_num_is_ignored():
    with exchange.login(user(7)) as client:
        client.send(enter(5, "B", 1, "GOOG", 100000))
        client.expect("A", 5)
        client.send(enter(5, "B", 2, "GOOG", 100000))
        client.send(enter(4, "B", 3, "GOOG", 100000))
        client.expect_silence(0.2)
        client.send(enter(0, "B", 3, "GOOG", 100000))
        client.expect_silence(0.2)
        client.send(enter(7, "B", 4, "GOOG", 100000))  # gaps are allowed
        client.expect("A", 7, quantity=4)
        client.send(enter(8, "B", 4, "NOSUCH", 100000))
        client.expect("J", 8)
        client.send(enter(8, "B", 4, "GOOG", 100000))  # a rejected number cannot be used again
        client.expect_silence(0.2)
        client.send(account_query())
        client.expect("Q", next_user_ref=9)


def channel(number):
    return bytes([2, USER_REF_INDEX, number])


def with_appendage(message, options):
    return message + struct.pack(">H", len(options)) + options


def test_each_channel_has_numbers_of_its_own():
    with exchange.login(user(16), sequence=0) as client:
        for number in 1, 2:
            client.send(enter(1, "B", 10 * number, "INTC", 100000, options=channel(number)))
            accepted = client.expect("A", 1)
            assert (accepted["quantity"], accepted["options"].get(USER_REF_INDEX)) == (10 * number, bytes([number]))
        client.send(enter(1, "B", 5, "INTC", 100000))
        assert USER_REF_INDEX not in client.expect("A", 1, quantity=5)["options"]
        client.send(enter(1, "B", 7, "INTC", 100000, options=channel(2)))
        client.expect_silence(0.3)
        client.send(with_appendage(cancel(1), channel(2)))
        canceled = client.expect("C", 1, quantity=20)
        assert canceled["options"] == {USER_REF_INDEX: bytes([2])}, canceled
        for number, following in ((1, 2), (2, 2), (3, 1)):
            client.send(with_appendage(account_query(), channel(number)))
            answer = client.expect("Q", next_user_ref=following)
            assert answer["options"] == {USER_REF_INDEX: bytes([number])}, answer
        client.send(account_query())
        client.expect("Q", next_user_ref=2)
        client.send(cancel(1))
        client.send(with_appendage(cancel(1), channel(1)))
    with exchange.login(user(16), sequence=1) as client:
        client.expect("C", 1, quantity=20)
        refs = [message["options"].get(USER_REF_INDEX) for message in client.messages if message["type"] == "A"]
        assert refs == [b"\x01", b"\x02", None], refs


def test_replace_and_its_outcomes():
    with exchange.login(user(8)) as client:
        client.send(enter(1, "B", 100, "META", 500000, clordid="old"))
        first = client.expect("A", 1)
        client.send(replace(1, 2, 150, 500100, clordid="new"))
        second = client.expect("U", 2, orig_user_ref=1, quantity=150, price=500100, symbol="META", side="B", state="L",
                               clordid="new")
        assert second["order_ref"] != first["order_ref"]
        client.send(replace(1, 3, 10, 500000))  # 1 lives no more: ignored, and 3 is not consumed
        client.send(replace(99, 3, 10, 500000))
        client.expect_silence(0.2)
        client.send(account_query())
        client.expect("Q", next_user_ref=3)
        client.send(replace(2, 3, 0, 500100))  # invalid details: the original goes, 3 is not consumed
        client.expect("C", 2, quantity=150)
        client.send(account_query())
        client.expect("Q", next_user_ref=3)


def test_replace_counts_the_chain():
    with exchange.login(user(9)) as maker, exchange.login(user(10)) as taker:
        maker.send(enter(1, "S", 100, "META", 700000))
        maker.expect("A", 1)
        taker.send(enter(1, "B", 30, "META", 700000))
        maker.expect("E", 1, quantity=30)
        maker.send(replace(1, 2, 80, 700100))  # 80 in all, 30 of them done
        maker.expect("U", 2, quantity=50)
        maker.send(cancel(2))
        maker.expect("C", 2, quantity=50)


def test_cancel_to_a_size_keeps_the_place():
    with exchange.login(user(9)) as first, exchange.login(user(10)) as second, exchange.login(user(11)) as taker:
        first.send(enter(10, "S", 100, "TSLA", 800000))
        first.expect("A", 10)
        second.send(enter(10, "S", 100, "TSLA", 800000))
        second.expect("A", 10)
        first.send(cancel(10, 40))
        first.expect("C", 10, quantity=60, reason="U")
        first.send(cancel(10, 70))  # larger than what there is: ignored
        taker.send(enter(10, "B", 50, "TSLA", 800000))
        first.expect("E", 10, quantity=40)
        second.expect("E", 10, quantity=10)
        second.send(cancel(10))
        second.expect("C", 10, quantity=90)


def test_replay_gives_the_same_bytes():
    with exchange.login(user(12)) as client:
        for ref in range(1, 21):
            client.send(enter(ref, "B", ref, "INTC", 300000 - 100 * ref))
            client.expect("A", ref)
        session, live = client.session, list(client.messages)
        assert [m["seq"] for m in live] == list(range(1, len(live) + 1))
    with exchange.login(user(12), session=session, sequence=1) as again:
        again.wait_for(lambda m: m["seq"] == len(live), what="the last message again")
        assert [m["raw"] for m in again.messages] == [m["raw"] for m in live]
        again.send(enter(21, "B", 1, "INTC", 100))
        assert again.expect("A", 21)["seq"] == len(live) + 1, "live messages follow the replay without a gap"
    with exchange.login(user(12), sequence=len(live) - 4) as again:
        message = again.wait_for(lambda m: True, what="the first of the replay")
        assert message["seq"] == len(live) - 4 and message["raw"] == live[-5]["raw"]
        again.expect("A", 21)
        # sequence 0: start with the most recent message
    with exchange.login(user(12), sequence=0) as again:
        again.send_many([cancel(ref) for ref in range(1, 22)])
        for ref in range(1, 22):
            again.expect("C", ref)


def test_heartbeats_come_when_there_is_nothing_else():
    with exchange.login(user(13)) as client:
        client.messages.clear()
        client.packets.clear()
        started = time.monotonic()
        for _ in range(4):
            client.wait_packet("H", 2)
        seconds = time.monotonic() - started
        assert 0.4 < seconds < 3, f"four heartbeats in {seconds:.2f} s at {HEARTBEAT_MS} ms each"


def test_silent_client_is_closed_and_a_beating_one_is_not():
    with exchange.login(user(13)) as silent, exchange.login(user(14)) as beating:
        started = time.monotonic()
        while time.monotonic() - started < SILENCE_MS / 1000 * 1.5:
            beating.heartbeat()
            beating.pump(0.2)
        assert silent.wait_closed(2) < 2
        beating.send(account_query())
        beating.expect("Q")


def test_half_a_frame_and_then_silence_is_closed():
    with exchange.login(user(13)) as client:
        packet = enter(1, "B", 1, "AAPL", 100000)
        client.send_bytes((struct.pack(">H", len(packet) + 1) + b"U" + packet)[:20])
        client.wait_closed(SILENCE_MS / 1000 + 3)
    with exchange.login(user(13)) as client:  # and the half of it was nobody's order
        client.send(account_query())
        client.expect("Q", next_user_ref=1)


def test_frame_too_long_is_closed():
    with exchange.login(user(13)) as client, exchange.login(user(14)) as other:
        client.send_bytes(struct.pack(">H", FRAME_BYTES_MAX + 1) + b"U" + b"x" * 64)
        client.wait_closed(2)
        other.send(account_query())
        other.expect("Q")


def test_empty_frame_is_closed():
    with exchange.login(user(13)) as client:
        client.send_bytes(b"\0\0")
        client.wait_closed(2)


def test_unknown_packet_type_is_answered_by_a_debug_packet():
    with exchange.login(user(13)) as client:
        for kind in "?AZ":
            client.send_packet(kind, b"?")
            client.wait_packet("+", 2)
        client.send(account_query())
        client.expect("Q")


def test_unknown_message_leaves_the_session_alive():
    with exchange.login(user(14)) as client:
        before = len(client.messages)
        for message in (b"?what is this", b"", b"O", enter(1, "B", 1, "AAPL", 100000)[:-3], b"X\0"):
            client.send(message)
            client.wait_packet("+", 2)
        client.send(account_query())
        client.expect("Q", next_user_ref=1)
        assert all(m["type"] in "QS" for m in client.messages[before:]), client.messages[before:]


def test_debug_packets_are_tolerated():
    with exchange.login(user(14)) as client:
        client.send_packet("+", b"a word from the client")
        client.send(account_query())
        client.expect("Q")


def test_second_login_of_a_user_leaves_one_connection():
    with exchange.login(user(15)) as first:
        first.send(enter(1, "B", 1, "AAPL", 100000))
        first.expect("A", 1)
        with exchange.connect() as second:
            second.send_login(user(15), PASSWORD)
            kind, payload = second.wait_packet("AJ")
            winner, loser = (second, first) if kind == "A" else (first, second)
            loser.wait_closed(3)
            winner.send(cancel(1))
            winner.expect("C", 1)


def test_logout_closes():
    with exchange.login(user(14)) as client:
        client.logout()
        assert client.wait_closed(2) < 2


def test_garbage_hurts_nobody():
    with exchange.login(user(14)) as bystander:
        for seed in range(20):
            with exchange.connect() as client:
                noise = bytes((seed * 131 + i * i * 37 + (i >> 3)) & 0xFF for i in range(500))
                try:
                    client.send_bytes(noise)
                    client.wait_closed(LOGIN_TIMEOUT_MS / 1000 + 2)
                except (Closed, OSError, ValueError):
                    pass
            bystander.heartbeat()
        bystander.send(account_query())
        bystander.expect("Q")
        exchange.check_alive()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

with exchange:
    exchange.start()
    run(*TESTS, on_failure=exchange.log_tails)
