#!/usr/bin/env python3
"""`ringside journal trim` beside a running exchange, and what is left of the journal afterwards.

Goal: what nothing needs goes, its files are used anew, and nobody notices: stories stay whole, a cold start goes on
from a snapshot, clients get what they missed, verify and replay begin with a snapshot too. Method: real processes with
small segments, `ringside snapshot --follow` beside them, and the load generator's own check of every order's story.
"""
import fcntl
import json
import os
import shutil
import struct
import sys

from exchange import Exchange, SYMBOLS
from ouch_client import enter
from tap import eventually, run

SEGMENT_BYTES = 1 << 20
EXIT_REMARKS, EXIT_HELD = 2, 69
HEADER_FLAGS, HEADER_NUMBER = 16, 40  # docs/journal.md

exchange = Exchange(sys.argv[1])
exchange.options["snapshots.every_commands"] = 5000
exchange.options["journal.segment_bytes"] = SEGMENT_BYTES
exchange.options["journal.batch_bytes"] = 65536
exchange.write_config()
journal = exchange.options["journal.directory"]


def tool(*arguments, code=0):
    done = exchange.run_tool("journal", *arguments, "--config", exchange.config_path, "--json", check=False)
    assert done.returncode == code, (arguments, done)
    return json.loads(done.stdout)


def snapshots():
    listed = exchange.run_tool("snapshot", "--list", "--json", "--config", exchange.config_path)
    return json.loads(listed.stdout)["snapshots"]


def follow():
    exchange.spawn("snapshot", exchange.ringside, "snapshot", "--follow", "--config", exchange.config_path)


def segments():
    return sorted(name for name in os.listdir(journal) if name.startswith("journal-"))


def spares():
    return sorted(name for name in os.listdir(journal) if name.startswith("spare-"))


def used_anew():
    """How many segments that have begun are of older ones' files."""
    count = 0
    for name in segments():
        with open(os.path.join(journal, name), "rb") as file:
            header = file.read(64)
        number, = struct.unpack_from("<I", header, HEADER_NUMBER)
        flags, = struct.unpack_from("<I", header, HEADER_FLAGS)
        count += name == f"journal-{number:010d}.seg" and flags & 1
    return count


def oldest_snapshot():
    seqs = [entry["command_seq_next"] for entry in snapshots()]
    return min(seqs) if len(seqs) >= 2 else 0


def fill(seconds=2, rate=30000):
    before = oldest_snapshot()
    assert exchange.load("--seconds", seconds, "--rate", rate)["complete"] is True
    eventually(lambda: oldest_snapshot() > before, 20, "snapshots of what was added")


def test_without_two_snapshots_nothing_goes():
    assert exchange.load("--orders", 4000)["complete"] is True
    before = segments()
    report = tool("trim")
    assert report["segments"] == 0 and "fewer than two good snapshots" in report["why"], report
    assert segments() == before


def test_one_trim_at_a_time():
    """Another one is as good as at work while its lock is held."""
    lock = os.open(journal, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        refused = tool("trim", code=EXIT_HELD)
        assert "another `ringside journal trim` is at work" in refused["what"], refused
        tool("trim", "--dry-run")
    finally:
        os.close(lock)
    tool("trim")


def test_what_nothing_needs_goes():
    follow()
    for _ in range(2):
        fill()
    before = segments()
    report = tool("trim")
    assert report["segments"] > 2 and report["recycled"] == len(spares()) > 0, (report, before, spares())
    assert len(segments()) < len(before)
    events = report["events"]
    assert events["files"] == 0 and events["keeper"] == "the day's sessions" and events["needed_seq"] > 0, events
    assert exchange.run_tool("journal", "stat", "--config", exchange.config_path).returncode == 0


def test_their_files_are_used_anew():
    for _ in range(3):
        fill(1)
        tool("trim")
    assert used_anew() > 1, segments()


def test_a_cold_start_goes_on_from_a_snapshot():
    with exchange.login("USER15") as client:
        client.send(enter(1, "B", 100, SYMBOLS[0], 100000))
        client.expect("A", 1)
        heard = [message["raw"] for message in client.messages]
    exchange.kill(*exchange.processes)
    shutil.rmtree(exchange.rings)
    exchange.start()
    assert "beginning with the snapshot" in open(exchange.log_path("matcher"), errors="replace").read()
    with exchange.login("USER15", sequence=1) as client:
        client.expect("A", 1)
        assert [message["raw"] for message in client.messages][:len(heard)] == heard
    follow()
    fill(1)


def test_verify_and_replay_begin_with_a_snapshot():
    exchange.stop()
    verified = tool("verify")
    oldest = snapshots()[-1]["command_seq_next"]
    assert verified["command_seq_first"] > 1 and verified["replayed"] is True, verified
    assert verified["replay_first_seq"] == oldest and verified["event_log_events"] > 0, (verified, oldest)
    replayed = tool("replay")
    assert replayed["from_seq"] == oldest and replayed["state_hash"] == verified["state_hash"], (replayed, verified)
    assert replayed["event_hash"] == verified["event_hash"]


def test_with_no_snapshot_the_bytes_alone_are_checked():
    os.rename(exchange.options["snapshots.directory"], exchange.options["snapshots.directory"] + ".away")
    verified = tool("verify", code=EXIT_REMARKS)
    assert verified["replayed"] is False and verified["snapshot_missing"] is True, verified
    assert verified["whole"] is True, verified
    refused = exchange.run_tool("journal", "replay", "--config", exchange.config_path, check=False)
    assert refused.returncode != 0 and "no good snapshot to go on from" in refused.stderr, refused
    os.rename(exchange.options["snapshots.directory"] + ".away", exchange.options["snapshots.directory"])
    exchange.start()
    assert exchange.load("--orders", 2000)["complete"] is True


with exchange:
    exchange.start()
    run(test_without_two_snapshots_nothing_goes, test_one_trim_at_a_time, test_what_nothing_needs_goes,
        test_their_files_are_used_anew, test_a_cold_start_goes_on_from_a_snapshot,
        test_verify_and_replay_begin_with_a_snapshot, test_with_no_snapshot_the_bytes_alone_are_checked,
        on_failure=exchange.log_tails)
