#!/usr/bin/env python3
"""Clients that mean harm, or are broken: each gets what it deserves, and nobody else notices.

Goal: whoever dribbles, floods, sends nonsense, opens connections by the hundred, breaks off, half-closes, guesses
passwords or does not read holds up nobody, is closed with a reason where a limit says so, and leaves nothing behind in
the gateway. Method: while each of them is at it, `ringside load` trades beside it over sessions of its own, and its
report has to be complete, with a 99th percentile far below any time-out.
"""
import contextlib
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import time

from exchange import PASSWORD, Exchange
from ouch_client import Closed, enter, text
from tap import eventually, run

LOGIN_TIMEOUT_S, UNREAD_S, LOGIN_PAUSE_S = 1.5, 2.0, 0.5
STRANGERS, MISTAKES, FAILURES = 100, 50, 10
STORM = 2000
P99_BOUND_NS = 400_000_000  # on a machine of two busy cores, with sanitizers; alone it is a hundredth of that
SEED = int(os.environ.get("RINGSIDE_SEED", "1"))

exchange = Exchange(sys.argv[1], stages=("journaler", "sequencer", "matcher", "gateway"), options={
    "gateway.connections_max": STORM + 600, "gateway.strangers_max": STRANGERS, "gateway.mistakes_max": MISTAKES,
    "gateway.login_timeout_ms": int(LOGIN_TIMEOUT_S * 1000), "gateway.unread_ms": int(UNREAD_S * 1000),
    "gateway.login_failures": FAILURES, "gateway.login_pause_ms": int(LOGIN_PAUSE_S * 1000),
    "gateway.output_bytes": 65536, "engine.sessions_max": 2 * STORM})
CROWD = os.path.join(exchange.build, "perf", "crowd", "ringside-crowd")


# ---- what is seen from outside ----

@contextlib.contextmanager
def traders_beside(seconds):
    """A load that lasts at least as long as what is done beside it, and notices nothing of it."""
    load = exchange.load_start("--seconds", seconds, "--rate", 2000, "--sessions", 2)
    time.sleep(0.3)
    yield
    report = exchange.load_finish(load, timeout_s=seconds + 60)
    assert report["complete"] is True and report["reconnects"] == 0, report
    assert report["p99_ns"] < P99_BOUND_NS, f"the traders' p99 was {report['p99_ns'] / 1e6:.1f} ms: {report}"


def descriptors():
    return len(os.listdir(f"/proc/{exchange.processes['gateway'].pid}/fd"))


def log_text():
    with open(exchange.log_path("gateway"), errors="replace") as log:
        return log.read()


def raw(source="127.0.0.1"):
    connection = socket.create_connection(("127.0.0.1", exchange.port), timeout=10, source_address=(source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def raise_limit_of_files():
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def login_packet(user, password=PASSWORD):
    payload = text(user, 6) + text(password, 10) + b" " * 10 + b"1".rjust(20)
    return struct.pack(">H", len(payload) + 1) + b"L" + payload


def until_closed(connection, timeout_s):
    """Everything that came before the end, and how long that took."""
    began, data = time.monotonic(), b""
    connection.settimeout(timeout_s)
    with contextlib.suppress(ConnectionResetError):
        while True:
            part = connection.recv(65536)
            if not part:
                break
            data += part
    return data, time.monotonic() - began


def answer_to_login(user, password, source):
    with raw(source) as connection:
        connection.sendall(login_packet(user, password))
        head = connection.recv(4)
        return head[2:4].decode(errors="replace")


# ---- each its own way ----

def test_slow_loris():
    """A byte now and then does not put the login's time-out off."""
    with traders_beside(5), contextlib.ExitStack() as stack:
        slow = [stack.enter_context(raw()) for _ in range(STRANGERS // 2)]
        packet = login_packet("USER03")
        began = time.monotonic()
        gone = set()
        for byte in packet:
            for number, connection in enumerate(slow):
                if number in gone:
                    continue
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    gone.add(number)
            if len(gone) == len(slow):
                break
            time.sleep(0.1)
        took = time.monotonic() - began
        assert len(gone) == len(slow), f"{len(slow) - len(gone)} dribbled a login through"
        assert took < LOGIN_TIMEOUT_S + 2, f"the last of them was there for {took:.1f} s"


def test_connections_without_a_login():
    """Half a thousand more than may wait: the oldest go, and who wants to log in meanwhile does."""
    with traders_beside(4), contextlib.ExitStack() as stack:
        opened = []
        for number in range(5 * STRANGERS):
            opened.append(stack.enter_context(raw()))
            if number % 100 == 99:
                with exchange.login("USER03") as client:
                    client.logout()
        eventually(lambda: exchange_connections() <= STRANGERS + 8, 5, "only so many are kept")
        said, _ = until_closed(opened[0], 2)
        assert b"too many connections have not asked to log in" in said, said
    assert "gateway.strangers_max" in log_text()


def exchange_connections():
    """Sockets of the gateway that are connections: all its sockets but the listener."""
    folder = f"/proc/{exchange.processes['gateway'].pid}/fd"
    count = 0
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(os.path.join(folder, name)).startswith("socket:")
    return count - 1


def test_connecting_and_closing_in_a_loop():
    before = descriptors()
    with traders_beside(3):
        until = time.monotonic() + 2
        count = 0
        while time.monotonic() < until:
            raw().close()
            count += 1
    assert count > 500, count
    eventually(lambda: descriptors() <= before + 2, 10, "all descriptors are back")


def test_garbage():
    """Bytes that mean nothing, before a login and in the place of one."""
    chance = random.Random(SEED)
    with traders_beside(4):
        for _ in range(200):
            with raw() as connection:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(chance.randbytes(chance.choice((1, 3, 50, 500, 5000))))
                    connection.shutdown(socket.SHUT_WR)
                until_closed(connection, LOGIN_TIMEOUT_S + 3)


def test_nonsense_after_the_login():
    """Each message that cannot be understood is answered, up to a number; then that is the end."""
    chance = random.Random(SEED)
    with traders_beside(3), exchange.login("USER03") as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(3 * MISTAKES):
                client.send_packet("U", b"?" + chance.randbytes(chance.randrange(200)))
        with contextlib.suppress(Closed):
            client.pump(5)
        debugs = [payload for kind, payload in client.packets if kind == "+"]
        assert MISTAKES <= len(debugs) <= MISTAKES + 1, len(debugs)
        assert b"too many messages" in debugs[-1], debugs[-1]


def test_oversize():
    for head in (b"\xff\xffU", b"\x00\x00", b"\x04\x01U"):
        with exchange.login("USER03") as client:
            client.send_bytes(head + b"x" * 2000)
            client.wait_closed(5)


def test_flood_of_requests():
    """As many orders as the socket takes, nothing read: held by its own socket, then served to the last answer."""
    sent = 0
    with traders_beside(6), exchange.login("USER03", sequence=0) as client:
        client.socket.setblocking(False)
        burst, until = b"", time.monotonic() + 1.0
        while time.monotonic() < until:
            if not burst:
                orders = [enter(client_ref + 1, "B", 1, "AAPL", 900000, tif="3")
                          for client_ref in range(sent, sent + 200)]
                burst = b"".join(struct.pack(">H", len(order) + 1) + b"U" + order for order in orders)
                sent += 200
            if select.select([], [client.socket], [], 0.05)[1]:
                with contextlib.suppress(BlockingIOError):
                    burst = burst[client.socket.send(burst):]
        client.socket.setblocking(True)
        client.send_bytes(burst)
        told = {"A": [], "C": []}
        deadline = time.monotonic() + 60
        while len(told["A"]) + len(told["C"]) < 2 * sent and time.monotonic() < deadline:
            client.pump(0.2)
            for message in client.messages:
                if message["type"] in told:
                    told[message["type"]].append(message["user_ref"])
            client.messages.clear()
        assert told["A"] == list(range(1, sent + 1)), f"{len(told['A'])} of {sent} accepted"
        assert told["C"] == told["A"], f"{len(told['C'])} of {sent} cancelled"


def test_one_that_does_not_read():
    """Its heartbeats come, so it is there; nothing that it is told is read, so it is closed, and can come back."""
    count = 80000  # more than the buffers of both sockets take
    with traders_beside(8):
        client = exchange.login("USER04", sequence=0)
        client.send_many([enter(1 + n, "B", 1, "MSFT", 900000) for n in range(count)])
        began = time.monotonic()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - began < 15:
                client.heartbeat()
                time.sleep(0.2)
        took = time.monotonic() - began
        assert UNREAD_S * 0.8 < took < UNREAD_S + 6, f"closed after {took:.1f} s"
        client.close()
    assert "gateway.unread_ms" in log_text()
    with exchange.login("USER04", sequence=1) as client:
        client.expect("A", count, timeout_s=30)
        refs = [message["user_ref"] for message in client.messages if message["type"] == "A"]
        assert refs == list(range(1, count + 1)), f"{len(refs)} of {count}"


def test_half_closing():
    """The end of its stream is the end: what it asked before is done, and told at the next login."""
    with traders_beside(2):
        client = exchange.login("USER05", sequence=0)
        client.send(enter(1, "B", 7, "NVDA", 900000))
        client.socket.shutdown(socket.SHUT_WR)
        client.wait_closed(5)
        client.close()
        with exchange.login("USER05", sequence=1) as client:
            client.expect("A", 1, quantity=7)


def test_breaking_off_in_the_middle():
    """A reset after half a frame, again and again: the half is forgotten, the whole ones before it count."""
    before = descriptors()
    with traders_beside(3):
        for number in range(50):
            client = exchange.login("USER06", sequence=0)
            client.send(enter(number + 1, "B", 1, "AMZN", 900000))
            client.expect("A", number + 1)
            client.send_bytes(b"\x00\x30UO\x00\x00")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    eventually(lambda: descriptors() <= before + 2, 10, "all descriptors are back")


def test_everything_in_one_segment():
    """Data before the login is answered is out of turn; a login cut at every byte is a login."""
    order = enter(1, "B", 1, "GOOG", 900000)
    with raw() as connection:
        connection.sendall(login_packet("USER07") + struct.pack(">H", len(order) + 1) + b"U" + order)
        said, _ = until_closed(connection, 5)
        assert b"+" in said, said
    packet = login_packet("USER07")
    with raw() as connection:
        for byte in packet:
            connection.sendall(bytes([byte]))
        assert connection.recv(3)[2:] == b"A"


def test_two_logins_of_one_user_race():
    """One of them is in at the end, and the exchange agrees with itself which."""
    with traders_beside(3):
        for _ in range(20):
            pair = [raw(), raw()]
            for connection in pair:
                connection.sendall(login_packet("USER08"))
            said = [connection.recv(65536) for connection in pair]
            assert all(b"A" == part[2:3] for part in said), said
            time.sleep(0.05)
            for connection in pair:
                connection.close()
        with exchange.login("USER08", sequence=0) as client:
            client.send(enter(1, "B", 1, "META", 900000))
            client.expect("A", 1)


def test_wrong_passwords():
    """Beyond a number they are refused unseen, the right one too, until time has passed; others log in as ever."""
    hostile = "127.0.0.9"
    with traders_beside(4):
        for _ in range(2 * FAILURES):
            assert answer_to_login("USER09", "GUESS", hostile) == "JA"
        assert answer_to_login("USER09", PASSWORD, hostile) == "JA", "the address is held, whatever it says"
        with exchange.login("USER10"):
            pass
        eventually(lambda: answer_to_login("USER09", PASSWORD, "127.0.0.1") == "A ", 20, "the user comes in again",
                   every_s=LOGIN_PAUSE_S)
    assert "refused unseen" in log_text()
    assert "GUESS" not in log_text() and PASSWORD not in log_text(), "a password is in the log"


def storm():
    """As many as there are, at once. The seconds until the last one is in."""
    began = time.monotonic()
    crowd = subprocess.Popen([CROWD, "127.0.0.1", str(exchange.port), "S", str(STORM), PASSWORD, "--at-once"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = crowd.stdout.readline()
    took = time.monotonic() - began
    assert line == "ready\n", line
    return crowd, took


def storm_ends(crowd):
    report = json.loads(crowd.communicate(timeout=60)[0])
    assert report["logged_in"] == STORM and report["dropped"] == 0, report


def test_reconnect_storm():
    """2,000 log in at once, are gone at once, come again at once; the gateway dies, and they come once more."""
    with traders_beside(10):
        crowd, first = storm()
        storm_ends(crowd)
        crowd, again = storm()
    exchange.kill("gateway")
    crowd.kill()
    crowd.communicate()
    exchange.start("gateway")
    crowd, after = storm()
    storm_ends(crowd)
    print(f"# {STORM} logins at once: {first:.2f} s, {again:.2f} s, {after:.2f} s after the gateway was killed")
    assert max(first, again, after) < 15, (first, again, after)


def test_nothing_is_left_behind():
    """Closed connections are closed: what the gateway holds at the end is what it held at the beginning."""
    eventually(lambda: exchange_connections() == 0, 10, "no connection is left")
    exchange.check_alive()
    exchange.stop("gateway")
    assert "closed:" in log_text().splitlines()[-1] or "closed:" in log_text(), exchange.log_tail("gateway")


raise_limit_of_files()
with exchange:
    exchange.run_tool("account", "add", exchange.accounts_path, "S", "FIRM", "--password", PASSWORD, "--count", 10000)
    exchange.start()
    run(test_slow_loris, test_connections_without_a_login, test_connecting_and_closing_in_a_loop, test_garbage,
        test_nonsense_after_the_login, test_oversize, test_flood_of_requests, test_one_that_does_not_read,
        test_half_closing, test_breaking_off_in_the_middle, test_everything_in_one_segment,
        test_two_logins_of_one_user_race, test_wrong_passwords, test_reconnect_storm, test_nothing_is_left_behind,
        on_failure=exchange.log_tails)
