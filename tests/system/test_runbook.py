#!/usr/bin/env python3
"""What docs/runbook says to do, where no other test does it already: a corrupt segment.

Goal: the procedure of CorruptSegment.md, command by command, makes an exchange start that trades and verifies. Method:
an exchange with small segments, snapshots and a backup; bytes are changed in segments that are no longer written.
"""
import json
import os
import shutil
import sys

from exchange import Exchange
from tap import run

EXIT_DATA = 65
exchange = Exchange(sys.argv[1], options={"journal.segment_bytes": "1M", "journal.batch_bytes": "64K",
                                          "snapshots.every_commands": 20000})
journal = exchange.options["journal.directory"]
backup = os.path.join(exchange.directory, "backup")
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
    run(test_there_is_an_exchange_with_a_backup, test_a_corrupt_segment_is_replaced_from_a_backup,
        test_a_corrupt_segment_before_a_snapshot_is_left_out, on_failure=exchange.log_tails)
