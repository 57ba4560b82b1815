#!/usr/bin/env python3
"""What the metrics files say of a running exchange, held against what others know of the same.

Goal: counts are those of the load generator, the stores and the stages among each other; latencies are there for every
hop and fit each other; a process that begins anew, is killed or ends says so; without metrics there are none. Method:
one exchange with stores, read by `ringside metrics --json`, which knows the files by their own description.
"""
import json
import os
import sys
import time

from exchange import STAGES, Exchange
from metrics import Metrics
from ouch_client import enter
from tap import eventually, run

exchange = Exchange(sys.argv[1], stores=True)
HOPS = {"gateway-1": ("socket-inbound", "event-socket"), "sequencer": ("inbound-command",),
        "journaler": ("command-durable",), "matcher": ("durable-event",)}
seen = {}


def metrics(check=True):
    """{process: {(name, label value, ...): value}}; a histogram is a dictionary."""
    done = exchange.run_tool("metrics", "--config", exchange.config_path, "--json", check=check)
    found = {}
    for process in json.loads(done.stdout)["processes"]:
        values = {}
        for value in process["values"]:
            key = (value["name"], *value["labels"].values())
            assert key not in values, f"{key} is there twice"
            values[key] = value["value"] if "value" in value else value
        values["process"] = {key: process[key] for key in ("state", "pid", "age_s", "layout_hash")}
        found[process["name"]] = values
    return found


def value(process, name, *labels):
    return metrics()[process][(f"ringside_{name}", *labels)]


def settled():
    """Values once nothing moves: all has been told, and the last 100 ms are in."""
    exchange.stores_catch_up()
    time.sleep(0.3)
    return metrics()


def test_every_process_has_a_file():
    exchange.start()
    found = eventually(lambda: all(p["process"]["state"] == "ready" for p in metrics().values()) and metrics(),
                       what="all are ready")
    time.sleep(1.2)  # the kernel is asked once a second
    found = metrics()
    assert set(found) == {name if name != "gateway" else "gateway-1" for name in STAGES}, set(found)
    for name, values in found.items():
        pid = exchange.processes[name.partition("-")[0]].pid
        assert values["process"]["pid"] == pid and values["process"]["age_s"] < 2.0, values["process"]
        with open(f"/proc/{pid}/statm") as statm:
            resident = int(statm.read().split()[1]) * 4096
        told = values[("ringside_process_resident_bytes",)]
        assert 0.5 * resident < told < 2 * resident + (64 << 20), (name, resident, told)
        assert values[("ringside_process_open_files",)] > 3 and values[("ringside_process_threads",)] >= 1, name
        assert sum(values[("ringside_process_polls_total", found)] for found in ("work", "nothing")) > 0, name


def test_counts_are_those_of_the_load():
    before = settled()
    report = exchange.load("--orders", 20000, "--sessions", 4, "--rate", 20000)
    seen["report"], after = report, settled()

    def grew(process, name, *labels):
        key = (f"ringside_{name}", *labels)
        return after[process][key] - before[process][key]

    kinds = {kind: grew("matcher", "events_total", kind) for kind in ("accepted", "executed", "canceled", "rejected")}
    assert kinds == {"accepted": report["orders_accepted"], "executed": report["trades"],
                     "canceled": report["cancels"], "rejected": report["rejects"]}, (kinds, report)
    told = sum(grew("gateway-1", "gateway_messages_total", when) for when in ("live", "later"))
    assert told == report["messages_received"], (told, report)
    assert grew("gateway-1", "gateway_logins_total", "accepted") == 4
    assert after["gateway-1"][("ringside_gateway_sessions",)] == 0
    assert grew("gateway-1", "gateway_bytes_total", "in") > 20000 * 40
    commands = grew("gateway-1", "gateway_commands_total")
    queries = grew("matcher", "events_total", "account_answer")
    logins, logouts = (grew("matcher", "events_total", kind) for kind in ("login_accepted", "session_closed"))
    assert (logins, logouts) == (4, 4), (logins, logouts)
    assert commands == report["requests"] + report["cancels_of_rest"] + queries + logins + logouts, (commands, report)
    ticks = grew("sequencer", "sequencer_ticks_total")
    assert grew("sequencer", "sequencer_commands_total") == commands + ticks
    assert grew("journaler", "journal_commands_total") == commands + ticks
    assert grew("matcher", "matcher_commands_total") == commands + ticks


def test_the_stages_agree_on_where_they_are():
    now = settled()
    last = exchange.event_seq_last()
    command = now["sequencer"][("ringside_sequencer_command_next",)]
    assert now["journaler"][("ringside_journal_command_next",)] == command
    assert now["matcher"][("ringside_matcher_command_next",)] == command
    assert now["matcher"][("ringside_matcher_event_next",)] == last + 1
    assert now["journaler"][("ringside_eventlog_event_next",)] == last + 1
    assert now["journaler"][("ringside_eventlog_lag_records",)] == 0
    assert now["matcher"][("ringside_live_orders",)] == 0
    for store in ("postgres", "postgres orders", "redis"):
        held = {name: now["persister"][(f"ringside_store_{name}", store)]
                for name in ("configured", "up", "refused", "lag_records", "event", "lag_seconds")}
        assert held == {"configured": 1, "up": 1, "refused": 0, "lag_records": 0, "event": last,
                        "lag_seconds": 0}, (store, held)
        assert now["persister"][("ringside_store_batch_seconds", store)]["count"] > 0, store


def test_every_hop_is_measured():
    now = metrics()
    way = now["gateway-1"][("ringside_way_seconds",)]
    asked = seen["report"]["requests"]
    for process, hops in HOPS.items():
        for hop in hops:
            times = now[process][("ringside_hop_seconds", hop)]
            assert asked * 0.5 < times["count"] < asked * 4, (hop, times["count"], asked)
            assert times["p50"] <= way["max"] and times["max"] < 4.0, (hop, times, way)
    # what the gateway sees of a request's way is a part of what its client waits for
    assert 0 < way["p50"] * 1e9 <= seen["report"]["p50_ns"] * 1.25, (way, seen["report"])
    sync = now["journaler"][("ringside_journal_sync_seconds",)]
    assert 0 < sync["p50"] <= now["journaler"][("ringside_hop_seconds", "command-durable")]["max"], sync


def test_a_stranger_reads_the_same():
    exchange.stores_catch_up()
    for name, values in metrics().items():
        stranger = Metrics(os.path.join(exchange.rings, f"{name}.metrics"))
        assert stranger.state == "ready" and stranger.pid == values["process"]["pid"], name
        with open(os.path.join(exchange.rings, "run"), "rb") as run_file:
            assert stranger.run_id == run_file.read()[16:32], name
        for (key, labels), number in stranger.values.items():
            told = values[(key, *(value for _, value in sorted(labels, key=lambda pair: pair[0] != "ring")))]
            steady = not key.startswith(("ringside_process", "ringside_clock", "ringside_space"))
            assert not steady or abs(told - number) < 1e-6, (name, key, labels, told, number)
        for (key, labels), times in stranger.histograms.items():
            told = values[(key, *(value for _, value in labels))]
            if key.startswith(("ringside_hop", "ringside_way")):
                assert told["count"] == times.count and told["p99"] <= times.quantile(0.99) <= told["p99"] * 1.02 + 1e-9


def test_a_refusal_is_counted_by_its_reason():
    before = value("matcher", "rejects_total", "invalid symbol")
    with exchange.login("USER09") as client:
        assert eventually(lambda: value("gateway-1", "gateway_sessions") == 1, what="the session is counted")
        client.send(enter(1, "B", 100, "NOSUCH", 10000))
        client.expect("J", 1)
    eventually(lambda: value("matcher", "rejects_total", "invalid symbol") == before + 1, what="it is counted")
    eventually(lambda: value("gateway-1", "gateway_sessions") == 0, what="the session has ended")


def test_a_process_that_begins_anew_counts_anew():
    pid = metrics()["matcher"]["process"]["pid"]
    assert value("matcher", "matcher_commands_total") > 20000
    exchange.kill("matcher")
    time.sleep(1.5)
    gone = metrics()["matcher"]
    assert gone["process"]["pid"] == pid and gone["process"]["age_s"] > 1.0, gone["process"]
    assert gone[("ringside_matcher_commands_total",)] > 20000, "the last words of the dead can be read"
    exchange.start("matcher")
    again = eventually(lambda: metrics()["matcher"]["process"]["state"] == "ready" and metrics()["matcher"])
    assert again["process"]["pid"] == exchange.processes["matcher"].pid
    assert again[("ringside_matcher_commands_total",)] < 1000
    assert again[("ringside_recovery_records",)] > 20000 and again[("ringside_recovery_seconds",)] > 0
    before = value("matcher", "hop_seconds", "durable-event")["count"]
    exchange.load("--orders", 2000, "--rate", 4000)
    assert value("matcher", "hop_seconds", "durable-event")["count"] > before


def test_one_that_ends_says_so():
    assert exchange.stop("persister")["persister"] == 0
    ended = metrics()["persister"]["process"]
    assert ended["state"] == "ended", ended
    exchange.start("persister")


def test_a_person_gets_a_table():
    shown = exchange.run_tool("metrics", "--config", exchange.config_path, "gateway-1").stdout
    assert shown.startswith("gateway-1: ready, pid ") and "ringside_way_seconds" in shown and "p99 " in shown, shown
    assert "ringside_matcher" not in shown
    assert exchange.run_tool("metrics", "--config", exchange.config_path, "nobody", check=False).returncode == 1


def test_without_metrics_there_are_none():
    exchange.stop()
    exchange.options["metrics.enabled"] = "no"
    exchange.write_config()
    exchange.start()
    assert exchange.load("--orders", 2000)["complete"] is True
    done = exchange.run_tool("metrics", "--config", exchange.config_path, check=False)
    assert done.returncode == 1 and "no metrics" in done.stderr, done


with exchange:
    run(test_every_process_has_a_file, test_counts_are_those_of_the_load, test_the_stages_agree_on_where_they_are,
        test_every_hop_is_measured, test_a_stranger_reads_the_same, test_a_refusal_is_counted_by_its_reason,
        test_a_process_that_begins_anew_counts_anew, test_one_that_ends_says_so, test_a_person_gets_a_table,
        test_without_metrics_there_are_none, on_failure=exchange.log_tails)
