#!/usr/bin/env python3
"""tshark, whose SoupBinTCP dissector is not ours, reads sessions of every message without a malformed packet.

Every message that clients may send is sent, and every one that the exchange tells by itself comes back; what it never
says (Cancel Pending, Cancel Reject) or only after an operator's word (Broken Trade) is in tests/gateway.

The capture is taken from the wire by dumpcap where that is permitted, and is made of the bytes that crossed the
client's sockets where it is not.
"""
import os
import shutil
import struct
import subprocess
import sys
import time

from exchange import PASSWORD, Exchange
from ouch_client import (account_query, cancel, disable, enable, enter, mass_cancel, modify, option, replace,
                         write_pcap)
from tap import Skip, eventually, run

exchange = Exchange(sys.argv[1], stages=("journaler", "sequencer", "matcher", "gateway"),
                    options={"gateway.heartbeat_ms": 200})
counts = {}
MAX_FLOOR, STOP, STOP_PRICE, SELF_MATCH = 5, 200, 201, 203  # option tags
TOLD = set("SAUCDEJTMRXGKQ")


def session():
    """Every kind of packet and message that this gateway speaks, on three connections."""
    clients = []
    refused = exchange.connect()
    refused.send_login("USER01", "WRONG")
    refused.wait_packet("J")
    refused.wait_closed()
    maker, taker = exchange.login("USER01"), exchange.login("USER02")
    clients += [refused, maker, taker]
    for ref in range(1, 31):
        maker.send(enter(ref, "S", 100, "AAPL", 1000000 + 100 * ref, clordid=f"order {ref}"))
        maker.expect("A", ref)
    taker.send(enter(1, "B", 250, "AAPL", 1000500))
    taker.expect("E", 1)
    maker.send(replace(20, 40, 50, 1009900))
    maker.expect("U", 40)
    maker.send(cancel(40))
    maker.expect("C", 40)
    maker.send(enter(41, "S", 1, "NOSUCH", 1000000))
    maker.expect("J", 41)
    maker.send(account_query())
    maker.expect("Q")
    maker.heartbeat()
    maker.send_packet("+", b"a debug packet")
    maker.wait_packet("H")
    maker.send_many([cancel(ref) for ref in range(1, 31)])
    maker.expect("C", 30)
    kinds_of_their_own(maker, taker)
    told = {message["type"] for client in (maker, taker) for message in client.messages}
    assert told == TOLD, f"told {sorted(told)}, not {sorted(TOLD)}"
    for client in (maker, taker):
        client.logout()
        client.wait_closed()
    return clients


def kinds_of_their_own(maker, taker):
    """The messages that take an order of a special kind, or an officer's request, to be told."""
    maker.send(enter(50, "S", 100, "MSFT", 1000000, options=option(MAX_FLOOR, struct.pack(">I", 10))))
    maker.expect("A", 50)
    taker.send(enter(2, "B", 10, "MSFT", 1000000))
    maker.expect("R", 50)
    maker.send(enter(51, "B", 10, "NVDA", 1010000, options=option(STOP, b"S") +
                     option(STOP_PRICE, struct.pack(">Q", 1000500))))
    maker.send(enter(52, "S", 10, "NVDA", 1000500))
    maker.expect("A", 52)
    taker.send(enter(3, "B", 10, "NVDA", 1000500))
    maker.expect("T", 51)
    maker.send(enter(53, "S", 10, "GOOG", 1000000))
    maker.send(enter(54, "B", 10, "GOOG", 1000000, options=option(SELF_MATCH, b"O")))
    maker.expect("D", 53)
    maker.send(enter(55, "S", 10, "META", 1000000))
    maker.send(modify(55, "T", 10))
    maker.expect("M", 55)
    maker.send(mass_cancel(56, "FIRM", "META"))
    maker.expect("X", 56)
    maker.send(disable(57, "FIRM"))
    maker.expect("G", 57)
    maker.send(enable(58, "FIRM"))
    maker.expect("K", 58)


def tshark(path, *arguments):
    done = subprocess.run(["tshark", "-n", "-r", path, "-d", f"tcp.port=={exchange.port},soupbintcp", *arguments],
                          capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    return done.stdout.splitlines()


def check_capture(path, clients):
    malformed = tshark(path, "-Y", "_ws.malformed || _ws.expert.severity == error")
    assert not malformed, "tshark finds fault:\n" + "\n".join(malformed[:10])
    types = {}
    for line in tshark(path, "-Y", "soupbintcp", "-T", "fields", "-e", "soupbintcp.packet_type"):
        for code in filter(None, line.split(",")):  # as 0x53, or as the letter itself
            kind = chr(int(code, 16)) if code.startswith("0x") else code.strip("'")
            types[kind] = types.get(kind, 0) + 1
    counts.update(types)
    sequenced = sum(len(client.messages) for client in clients)
    assert types.get("S") == sequenced, f"tshark counts {types}, the clients have {sequenced} sequenced messages"
    for kind in "LAJSUHRO+":
        assert types.get(kind), f"no packet of type {kind} in the capture: {types}"
    assert set(types) <= set("LAJSUHRO+Z"), types


def test_bytes_of_the_sockets():
    if not shutil.which("tshark"):
        raise Skip("no tshark here; deploy/install-deps test installs it")
    clients = session()
    path = os.path.join(exchange.directory, "sockets.pcap")
    write_pcap(path, clients, exchange.port)
    check_capture(path, clients)


def test_capture_of_the_wire():
    path = os.path.join(exchange.directory, "wire.pcap")
    dumpcap = shutil.which("dumpcap")
    if not dumpcap:
        raise Skip("no dumpcap here")
    capture = subprocess.Popen([dumpcap, "-q", "-i", "lo", "-f", f"tcp port {exchange.port}", "-w", path],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(0.3)
        if capture.poll() is not None:
            raise Skip("capturing is not permitted here: " + capture.stderr.read().strip().splitlines()[-1])
        eventually(lambda: os.path.exists(path), 5, "the capture's file")
        time.sleep(0.5)
        clients = session()
        time.sleep(1)
    finally:
        if capture.poll() is None:
            capture.terminate()
        capture.wait()
        capture.stderr.close()
    check_capture(path, clients)


with exchange:
    exchange.start()
    run(test_bytes_of_the_sockets, test_capture_of_the_wire, on_failure=exchange.log_tails)
