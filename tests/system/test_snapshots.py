#!/usr/bin/env python3
"""`ringside snapshot`, and matchers that start from what it wrote.

Goal: a snapshot never changes what clients are told: the matcher killed or the whole exchange started cold goes on from
the newest good one; a damaged one is passed over, one that knows more than the journal refuses the start. Method: the
real processes, with the load generator's own check of every order's story before and after.
"""
import json
import os
import resource
import shutil
import struct
import sys
import time

from exchange import Exchange
from tap import eventually, run

EXIT_DATA = 65
HEADER_BYTES = 4096
BATCH_HEADER = struct.Struct("<IIIIQIIIIQQQQQQQQQQQ")  # docs/journal.md
BATCH_MAGIC = 0x5441424A
CHECKPOINT_COMMAND, CHECKPOINT_EVENT_HASH, CHECKPOINT_STATE_HASH = 16, 17, 18

exchange = Exchange(sys.argv[1])
exchange.options["snapshots.every_commands"] = 5000
exchange.write_config()
directory = exchange.options["snapshots.directory"]


def snapshot(*arguments, check=True):
    return exchange.run_tool("snapshot", "--config", exchange.config_path, *arguments, check=check)


def listed():
    return json.loads(snapshot("--list", "--json").stdout)["snapshots"]


def path_of(seq):
    return os.path.join(directory, f"snapshot-{seq:020d}.image")


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def matcher_says(text, since):
    with open(exchange.log_path("matcher"), errors="replace") as file:
        file.seek(since)
        return text in file.read()


def matcher_log_bytes():
    return os.path.getsize(exchange.log_path("matcher"))


def restart_matcher():
    since = matcher_log_bytes()
    exchange.kill("matcher")
    exchange.start("matcher")
    return since


def all_is_well():
    assert exchange.load("--orders", 2000)["complete"] is True
    exchange.check_alive()


def test_one_snapshot_of_what_there_is():
    assert listed() == []
    assert exchange.load("--orders", 20000)["complete"] is True
    written = json.loads(snapshot("--json").stdout)
    assert written["written"] is True and written["command_seq_next"] > 20000, written
    assert [(s["good"], s["command_seq_next"]) for s in listed()] == [(True, written["command_seq_next"])]
    table = snapshot("--list").stdout
    assert str(written["command_seq_next"]) in table, table
    assert os.path.getsize(written["path"]) == written["bytes"]


def test_matcher_goes_on_from_it():
    newest = listed()[0]["command_seq_next"]
    since = restart_matcher()
    assert matcher_says(f"beginning with the snapshot of the books before command {newest}", since)
    all_is_well()


def test_follower_keeps_two_and_may_be_killed():
    exchange.spawn("snapshot", exchange.ringside, "snapshot", "--follow", "--config", exchange.config_path)
    for _ in range(4):
        before = listed()[0]["command_seq_next"]
        load = exchange.load_start("--orders", 20000)
        eventually(lambda before=before: listed()[0]["command_seq_next"] > before, 30, "a newer snapshot")
        exchange.kill("snapshot")
        exchange.spawn("snapshot", exchange.ringside, "snapshot", "--follow", "--config", exchange.config_path)
        assert exchange.load_finish(load)["complete"] is True
    found = listed()
    assert len(found) == 2 and all(s["good"] for s in found), found
    second = snapshot(check=False)
    assert second.returncode == 69 and "at work" in second.stderr, second


def follow_and_outlive_limits():
    """The signal that comes with a file that grows too large is not to end it."""
    exchange.kill("snapshot")
    exchange.spawn("snapshot", "sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", exchange.ringside, "snapshot", "--follow",
                   "--config", exchange.config_path)


def follower_says(text):
    with open(exchange.log_path("snapshot"), errors="replace") as file:
        return file.read().count(text)


def test_follower_outlives_a_full_disk():
    """The disk is as good as full for who may not make a file larger than this."""
    follow_and_outlive_limits()
    follower = exchange.processes["snapshot"].pid
    unlimited = resource.prlimit(follower, resource.RLIMIT_FSIZE)
    resource.prlimit(follower, resource.RLIMIT_FSIZE, (16384, unlimited[1]))
    before = listed()[0]["command_seq_next"]
    for _ in range(2):
        assert exchange.load("--orders", 20000)["complete"] is True
        eventually(lambda: follower_says("no space for a snapshot") == 1, 20, "it says so")
    exchange.check_alive()
    assert listed()[0]["command_seq_next"] == before
    resource.prlimit(follower, resource.RLIMIT_FSIZE, unlimited)
    assert exchange.load("--orders", 20000)["complete"] is True
    eventually(lambda: listed()[0]["command_seq_next"] > before, 30, "a newer snapshot")
    assert follower_says("no space for a snapshot") == 1, "once"
    assert follower_says("there is space for snapshots again") == 1


def test_killed_matchers_under_load():
    load = exchange.load_start("--seconds", 6, "--rate", 5000, "--sessions", 4)
    for _ in range(4):
        time.sleep(1)
        since = restart_matcher()
        assert matcher_says("beginning with the snapshot", since)
    assert exchange.load_finish(load)["complete"] is True
    exchange.check_alive()


def test_cold_start():
    exchange.stop()
    shutil.rmtree(exchange.rings)
    since = matcher_log_bytes()
    exchange.start()
    assert matcher_says("beginning with the snapshot", since)
    all_is_well()


def test_damage_falls_back():
    while len(listed()) < 2:
        all_is_well()
        snapshot()
    newest, older = (s["command_seq_next"] for s in listed())
    flip(path_of(newest), HEADER_BYTES + 20000)
    since = restart_matcher()
    assert matcher_says("checksum of the image is wrong", since)
    assert matcher_says(f"beginning with the snapshot of the books before command {older}", since)
    all_is_well()
    flip(path_of(older), 100)
    since = restart_matcher()
    assert matcher_says("checksum of the header is wrong", since)
    assert not matcher_says("beginning with the snapshot", since)
    all_is_well()
    assert [s["good"] for s in listed()] == [True, False], "a header's damage is seen in the list"
    again = json.loads(snapshot("--json").stdout)
    assert again["written"] is True
    all_is_well()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


def change_checkpoints(field):
    """Makes every batch header that names a checkpoint name another hash; all its own checks stay right."""
    changed = 0
    for name in sorted(os.listdir(exchange.options["journal.directory"])):
        with open(os.path.join(exchange.options["journal.directory"], name), "r+b") as file:
            offset = HEADER_BYTES
            while True:
                file.seek(offset)
                block = file.read(BATCH_HEADER.size)
                if len(block) < BATCH_HEADER.size or struct.unpack_from("<I", block)[0] != BATCH_MAGIC:
                    break
                fields = list(BATCH_HEADER.unpack(block))
                if fields[CHECKPOINT_COMMAND] > 0:
                    fields[field] ^= 1
                    fields[1] = 0
                    fields[1] = crc32c(BATCH_HEADER.pack(*fields))
                    file.seek(offset)
                    file.write(BATCH_HEADER.pack(*fields))
                    changed += 1
                offset += (BATCH_HEADER.size + fields[3] + HEADER_BYTES - 1) // HEADER_BYTES * HEADER_BYTES
    return changed


def test_replay_must_give_what_was_live():
    exchange.stop()
    shutil.rmtree(exchange.rings)
    for field, which in ((CHECKPOINT_EVENT_HASH, "event"), (CHECKPOINT_STATE_HASH, "state")):
        assert change_checkpoints(field) > 0
        for snapshot_there in (False, True):  # a snapshot leaves nothing to compare, so there must be none
            if not snapshot_there:
                os.rename(directory, directory + ".away")
            since = matcher_log_bytes()
            exchange.start("journaler", "sequencer", "matcher", wait=False)
            if snapshot_there:
                eventually(lambda since=since: matcher_says("ready", since), 20, "the matcher starts")
            else:
                code = exchange.processes.pop("matcher").wait(20)
                tail = exchange.log_tail("matcher")
                assert code == EXIT_DATA and "parts from what was live between commands" in tail, (code, tail)
                assert f"{which} hash" in tail, tail
                told = exchange.run_tool("metrics", "matcher", "--config", exchange.config_path).stdout
                assert "ringside_replay_hash_differs" in told, told  # its last words stay in its file
                os.rename(directory + ".away", directory)
            exchange.stop()
            shutil.rmtree(exchange.rings)
        change_checkpoints(field)
    exchange.start()
    all_is_well()


def set_durability(durability):
    exchange.stop()
    shutil.rmtree(exchange.rings)
    exchange.options["journal.durability"] = durability
    exchange.write_config()
    exchange.start()


def test_with_durability_off_it_waits_for_what_is_told_before_it_is_written():
    set_durability("off")
    before = listed()[0]["command_seq_next"]
    exchange.spawn("snapshot", exchange.ringside, "snapshot", "--follow", "--config", exchange.config_path)
    assert exchange.load("--seconds", 3, "--rate", 30000, "--sessions", 4)["complete"] is True
    eventually(lambda: listed()[0]["command_seq_next"] > before, 30, "a newer snapshot")
    exchange.check_alive()
    exchange.kill("snapshot")
    assert exchange.load("--orders", 2000)["complete"] is True
    before = listed()[0]["command_seq_next"]
    assert json.loads(snapshot("--json").stdout)["command_seq_next"] > before, "once, of what was told"
    set_durability("sync")
    all_is_well()


def test_of_another_journal():
    exchange.stop()
    shutil.rmtree(exchange.rings)
    for option in ("journal.directory", "events.directory"):
        os.rename(exchange.options[option], exchange.options[option] + ".old")
    since = matcher_log_bytes()
    exchange.start()
    assert matcher_says("it is of another journal", since)
    all_is_well()
    exchange.stop()
    shutil.rmtree(exchange.rings)
    for option in ("journal.directory", "events.directory"):
        shutil.rmtree(exchange.options[option])
        os.rename(exchange.options[option] + ".old", exchange.options[option])
    exchange.start()
    all_is_well()


def test_that_knows_more_than_the_journal():
    exchange.stop()
    shutil.rmtree(exchange.rings)
    for option in ("journal.directory", "events.directory"):
        shutil.copytree(exchange.options[option], exchange.options[option] + ".old")
    exchange.start()
    all_is_well()
    exchange.stop()
    snapshot()
    shutil.rmtree(exchange.rings)
    for option in ("journal.directory", "events.directory"):
        shutil.rmtree(exchange.options[option])
        os.rename(exchange.options[option] + ".old", exchange.options[option])
    exchange.start("journaler", "sequencer", "matcher", wait=False)
    code = exchange.processes.pop("matcher").wait(20)
    tail = exchange.log_tail("matcher")
    assert code == EXIT_DATA and "commands that were durable are gone" in tail, (code, tail)


with exchange:
    exchange.start()
    run(test_one_snapshot_of_what_there_is, test_matcher_goes_on_from_it, test_follower_keeps_two_and_may_be_killed,
        test_follower_outlives_a_full_disk, test_killed_matchers_under_load, test_cold_start, test_damage_falls_back,
        test_replay_must_give_what_was_live,
        test_with_durability_off_it_waits_for_what_is_told_before_it_is_written, test_of_another_journal,
        test_that_knows_more_than_the_journal, on_failure=exchange.log_tails)
