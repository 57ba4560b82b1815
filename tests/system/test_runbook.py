#!/usr/bin/env python3
"""What docs/runbook says to do, where no other test does it already: damage in the event log, and in a segment.

Goal: the procedures of RingsideHistoryDamaged.md and CorruptSegment.md, command by command, make an exchange that
trades and verifies. Method: an exchange with small segments, snapshots and a backup; bytes are changed in an event that
only one member asks for, and in segments that are no longer written.
"""
import json
import os
import shutil
import struct
import sys
import time

from exchange import SYMBOLS, Exchange
from ouch_client import enter
from tap import eventually, run

EXIT_DATA = 65
ORDERS = 60
exchange = Exchange(sys.argv[1], options={"journal.segment_bytes": "1M", "journal.batch_bytes": "64K",
                                          "snapshots.every_commands": 20000})
journal = exchange.options["journal.directory"]
backup = os.path.join(exchange.directory, "backup")
events = exchange.options["events.directory"]
evidence = os.path.join(exchange.directory, "evidence")


def tool(*arguments, code=0):
    done = exchange.run_tool(*arguments, "--config", exchange.config_path, "--json", check=False)
    assert done.returncode == code, (arguments, done)
    return json.loads(done.stdout) if done.stdout else {}


def segment(number):
    return os.path.join(journal, f"journal-{number:010d}.seg")


def damage(number):
    with open(segment(number), "r+b") as file:
        file.seek(9000)
        byte = file.read(1)
        file.seek(9000)
        file.write(bytes([byte[0] ^ 4]))


def snapshots():
    return [entry["command_seq_next"] for entry in tool("snapshot", "--list")["snapshots"]]


def all_is_well():
    """It starts, trades, and verifies."""
    exchange.start()
    assert exchange.load("--orders", 3000)["complete"] is True
    assert set(exchange.stop().values()) == {0}
    shutil.rmtree(exchange.rings)
    tool("journal", "verify")


def history(sequence=1):
    """What a member is told again, up to its last order; None where it is told that it cannot be."""
    with exchange.login("USER15", sequence=sequence) as client:
        while not client.messages or client.messages[-1].get("user_ref") != ORDERS:
            kind, text = client.wait_packet("+", 0.05) if client.packets else (None, b"")
            if kind == "+":
                assert b"damaged" in text, text
                client.wait_closed()
                return None
            client.pump(0.05)
        return [message["raw"] for message in client.messages]


def damage_event(order_ref):
    """One bit of the event that accepted this order."""
    path = os.path.join(events, "events-0000000000.log")
    with open(path, "r+b") as file:
        data = file.read()
        at = data.index(struct.pack("<Q", order_ref))
        file.seek(at)
        file.write(bytes([data[at] ^ 1]))


def test_damage_in_the_event_log_is_one_members_and_is_made_good_from_the_journal():
    exchange.start()
    with exchange.login("USER15") as client:
        client.send_many(enter(ref, "B", 100, SYMBOLS[0], 10000) for ref in range(1, ORDERS + 1))
        refs = [client.expect("A", ref)["order_ref"] for ref in range(1, ORDERS + 1)]
    told = history()
    assert exchange.load("--orders", 150000, "--sessions", 4)["complete"] is True  # the ring has it no more
    assert history() == told
    time.sleep(1.2)  # events are synced each second, and the next batch says so
    assert exchange.load("--orders", 3000)["complete"] is True
    damage_event(refs[30])
    assert history() is None
    assert history(40) == told[39:]
    assert exchange.load("--orders", 3000)["complete"] is True
    assert set(exchange.stop().values()) == {0}
    tool("journal", "verify", code=EXIT_DATA)
    shutil.rmtree(exchange.rings)
    exchange.start(wait=False)  # a gateway without notes has to read it
    gateway = exchange.processes["gateway"]
    assert eventually(lambda: gateway.poll() is not None and gateway.returncode, 20, "the gateway ends") == EXIT_DATA
    exchange.stop()
    shutil.rmtree(exchange.rings)
    shutil.move(events, evidence)
    exchange.start()
    assert history() == told
    exchange.stop()
    shutil.rmtree(exchange.rings)
    tool("journal", "verify")
    shutil.rmtree(evidence)


def test_there_is_an_exchange_with_a_backup():
    exchange.start()
    exchange.spawn("snapshot", exchange.ringside, "snapshot", "--follow", "--config", exchange.config_path)
    while len(snapshots()) < 2 or min(snapshots()) < 60000:  # segments 1 to 3 are before both
        assert exchange.load("--orders", 20000, "--sessions", 4)["complete"] is True
    tool("backup", backup, "--rate", "0")
    exchange.stop()
    shutil.rmtree(exchange.rings)
    assert os.path.exists(segment(5)), sorted(os.listdir(journal))


def test_a_corrupt_segment_is_replaced_from_a_backup():
    damage(3)
    said = tool("journal", "verify", code=EXIT_DATA)
    assert segment(3) in json.dumps(said), said
    tool("backup", "verify", backup)
    shutil.copy(os.path.join(backup, "journal", os.path.basename(segment(3))), segment(3))
    tool("journal", "verify")
    all_is_well()


def test_a_corrupt_segment_before_a_snapshot_is_left_out():
    damage(2)
    tool("journal", "verify", code=EXIT_DATA)
    os.mkdir(evidence)
    for number in (1, 2):  # the oldest first, so that there is no gap at any time
        shutil.move(segment(number), evidence)
    verified = tool("journal", "verify")
    assert verified["command_seq_first"] > 1, verified
    all_is_well()


with exchange:
    run(test_damage_in_the_event_log_is_one_members_and_is_made_good_from_the_journal,
        test_there_is_an_exchange_with_a_backup, test_a_corrupt_segment_is_replaced_from_a_backup,
        test_a_corrupt_segment_before_a_snapshot_is_left_out, on_failure=exchange.log_tails)
