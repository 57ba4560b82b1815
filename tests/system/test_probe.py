#!/usr/bin/env python3
"""ringside probe at a running exchange: what it reports, follows and writes; that it agrees with the load generator;
that one which is stopped, killed or cannot keep up changes nothing.

usage: test_probe.py BUILD_DIR
"""
import json
import os
import signal
import struct
import subprocess
import sys
import time

from exchange import Exchange
from tap import eventually, run

exchange = Exchange(sys.argv[1])
RECORD_BYTES = 128  # docs/records.md
HOPS = ("received_to_sequenced", "sequenced_to_matched", "received_to_matched")


def probe(*arguments, check=True):
    return exchange.run_tool("probe", "--config", exchange.config_path, *arguments, check=check)


def probe_start(*arguments):
    return subprocess.Popen([exchange.ringside, "probe", "--config", exchange.config_path, *map(str, arguments)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def at_work(process):
    """It has all rings mapped, so it watches."""

    def mapped():
        assert process.poll() is None, process.communicate()
        with open(f"/proc/{process.pid}/maps") as maps:
            return ".ring" in maps.read()

    eventually(mapped, 20, "the probe has attached")
    time.sleep(0.1)


def test_says_what_is_missing_without_an_exchange():
    done = probe("--seconds", 1, check=False)
    assert done.returncode == 1 and "is the exchange running" in done.stderr, done
    for wrong in (["events"], ["--kind", "executed,nonsense"], ["--from", "x"], ["--seconds", "-1"],
                  ["--raw", "/tmp/x"], ["inbound-2"]):
        done = probe(*wrong, check=False)
        assert done.returncode == 64 and "ringside probe: " in done.stderr, (wrong, done)


def test_starts():
    exchange.start()


def test_reports_every_record_of_a_small_load():
    watching = probe_start("--json", "--all")
    at_work(watching)
    report = exchange.load("--orders", 5000, "--rate", 10000)
    time.sleep(0.3)
    watching.send_signal(signal.SIGINT)
    seen = json.loads(watching.communicate(timeout=10)[0])
    rings = {ring["name"]: ring for ring in seen["rings"]}
    assert set(rings) == {"inbound-1", "command", "event"}, rings
    for ring in rings.values():
        assert ring["read"] == ring["records"] and ring["missed"] == ring["gaps"] == ring["left_out"] == 0, ring
    # Requests, cancels of the rest, an account query before and after, a login and a logout for each of 8 sessions.
    asked = report["requests"] + report["cancels_of_rest"] + 4 * report["sessions"]
    assert rings["inbound-1"]["records"] == asked, (asked, rings["inbound-1"])
    assert rings["command"]["records"] >= asked and rings["event"]["records"] > asked, rings
    hops = {hop["name"]: hop for hop in seen["hops"]}
    assert tuple(hops)[:3] == HOPS, hops  # and the gateways' own, where they keep metrics
    assert hops["received_to_sequenced"]["count"] == asked, hops
    for hop in (hops[name] for name in HOPS):
        assert 0 < hop["p50_ns"] <= hop["p90_ns"] <= hop["p99_ns"] <= hop["p999_ns"] <= hop["max_ns"], hop
    whole, second = hops["received_to_matched"], hops["sequenced_to_matched"]
    assert whole["count"] == second["count"] and whole["p50_ns"] > second["p50_ns"] * 0.99, hops


def test_prints_a_table():
    load = exchange.load_start("--seconds", 2, "--rate", 2000)
    table = probe("--seconds", 1).stdout
    exchange.load_finish(load)
    assert "durability sync" in table.splitlines()[0], table
    for word in ("inbound-1", "command", "event", "p99.99", "received -> sequenced", "sequenced -> matched"):
        assert word in table, table


def test_follows_what_a_filter_lets_through():
    load = exchange.load_start("--seconds", 4, "--rate", 4000)
    time.sleep(0.5)
    trades = [json.loads(line) for line in probe("event", "--follow", "--json", "--kind", "executed", "--symbol",
                                                  "MSFT", "--count", 20).stdout.splitlines()]
    assert len(trades) == 20 and {t["kind"] for t in trades} == {"EXECUTED"}, trades
    assert {t["symbol"] for t in trades} == {"MSFT"} and all(t["quantity"] > 0 for t in trades), trades
    orders = [json.loads(line) for line in probe("command", "--follow", "--json", "--kind", "enter,cancel",
                                                  "--session", "USER03", "--count", 10).stdout.splitlines()]
    assert len(orders) == 10 and {o["user"] for o in orders} == {"USER03"}, orders
    assert {o["kind"] for o in orders} <= {"ENTER", "CANCEL"}, orders
    text = probe("event", "--follow", "--count", 3).stdout.splitlines()
    assert len(text) == 3 and all("T" in line.split()[1] and line.split()[2].isupper() for line in text), text
    exchange.load_finish(load)


def test_gives_a_range_of_records_again():
    last = exchange.event_seq_last()
    seqs = [json.loads(line)["event_seq"] for line in
            probe("event", "--follow", "--json", "--from", last - 9, "--to", last).stdout.splitlines()]
    assert seqs == list(range(last - 9, last + 1)), (last, seqs)


def test_writes_records_to_a_file():
    last = exchange.event_seq_last()
    path = os.path.join(exchange.directory, "events.raw")
    probe("event", "--raw", path, "--from", last - 99, "--to", last)
    with open(path, "rb") as file:
        data = file.read()
    assert len(data) == 100 * RECORD_BYTES, len(data)
    for i in range(100):
        word, = struct.unpack_from("<Q", data, i * RECORD_BYTES)
        event_seq, = struct.unpack_from("<Q", data, i * RECORD_BYTES + 16)
        assert (word, event_seq) == (last - 99 + i + 1, last - 99 + i), (i, word, event_seq)


def test_ends_with_the_pipe_that_it_prints_to():
    load = exchange.load_start("--seconds", 2, "--rate", 4000)
    following = probe_start("event", "--follow")
    following.stdout.readline()
    following.stdout.close()
    eventually(lambda: following.poll() is not None, 10, "the probe ends")
    following.stderr.close()
    exchange.load_finish(load)


def test_a_stopped_probe_changes_nothing():
    stopped = [probe_start("--json", "--all"), probe_start("command", "--follow")]
    for process in stopped:
        at_work(process)
        process.send_signal(signal.SIGSTOP)
    ring_slots = json.loads(exchange.run_tool("status", "--config", exchange.config_path, "--json").stdout)
    slots = max(ring["capacity_slots"] for ring in ring_slots["rings"])
    report = exchange.load("--orders", 3 * slots)  # round all rings, as fast as it goes
    assert report["complete"], report
    stopped[1].kill()
    stopped[1].communicate()
    stopped[0].send_signal(signal.SIGCONT)
    stopped[0].send_signal(signal.SIGINT)
    seen = json.loads(stopped[0].communicate(timeout=20)[0])
    missed = {ring["name"]: ring["missed"] for ring in seen["rings"]}
    for ring in seen["rings"]:
        assert ring["read"] + ring["missed"] == ring["records"] and ring["gaps"] == 0, ring
        assert ring["missed"] > 0, missed
    exchange.check_alive()


def test_the_end():
    exchange.stop()
    exchange.close()


run(test_says_what_is_missing_without_an_exchange, test_starts, test_reports_every_record_of_a_small_load,
    test_prints_a_table, test_follows_what_a_filter_lets_through, test_gives_a_range_of_records_again,
    test_writes_records_to_a_file, test_ends_with_the_pipe_that_it_prints_to, test_a_stopped_probe_changes_nothing,
    test_the_end, on_failure=exchange.log_tails)
