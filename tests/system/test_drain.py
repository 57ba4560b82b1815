#!/usr/bin/env python3
"""ringside drain, with real processes: under load nothing is left in a ring, and nothing that was answered is lost.

Goal: every stage ends by itself with 0, in an order that leaves the rings empty; what was told is in the journal, and
the exchange starts again. Method: a load that goes on while it is drained, separate processes and all in one.
"""
import subprocess
import sys

from exchange import Exchange
from tap import eventually, run

BUILD = sys.argv[1]
STAGES = ("journaler", "sequencer", "matcher", "persister", "gateway", "admin")
exchange = Exchange(BUILD, stages=STAGES)


def status():
    done = exchange.run_tool("status", "--config", exchange.config_path, "--json", check=False)
    return done.stdout


def test_drained_under_load():
    exchange.start()
    load = exchange.load_start("--orders", 2000000, "--rate", 5000)
    eventually(lambda: exchange.event_seq_last() > 5000, 60, "orders come in")
    done = exchange.run_tool("drain", "--config", exchange.config_path)
    assert done.stdout.splitlines()[-1].startswith("nothing is left in the rings"), done.stdout
    for name, process in exchange.processes.items():
        assert process.wait(10) == 0, f"{name} ended with {process.returncode}: {exchange.log_tail(name)}"
    ended = [line.split()[0] for line in done.stdout.splitlines() if "has ended" in line]
    assert ended == ["gateway", "admin", "sequencer", "matcher", "persister", "journaler"], done.stdout
    load.kill()
    load.communicate()
    exchange.run_tool("journal", "verify", "--config", exchange.config_path)


def test_it_starts_again():
    exchange.processes.clear()
    exchange.start()
    exchange.login("USER01").close()
    exchange.run_tool("drain", "--config", exchange.config_path)  # its goodbye may be on its way to the matcher
    assert [process.wait(10) for process in exchange.processes.values()] == [0] * len(STAGES)


def test_of_nothing_nothing_is_left():
    done = exchange.run_tool("drain", "--config", exchange.config_path)
    assert "has ended" not in done.stdout, done.stdout


def test_all_in_one_process():
    for _ in range(4):  # a client that goes at the last moment leaves a command on its way
        exchange.processes.clear()
        exchange.start_in_one()
        exchange.login("USER01").close()
        exchange.run_tool("drain", "--config", exchange.config_path)
        assert exchange.processes["run"].wait(10) == 0


def test_a_stage_that_is_missing_is_named():
    exchange.processes.clear()
    exchange.start()
    exchange.kill("matcher")
    client = exchange.connect()
    client.send_login("USER01", "SECRET")
    eventually(lambda: '"fill' in status(), 5, "a look at the rings")
    done = subprocess.run([exchange.ringside, "drain", "--config", exchange.config_path, "--timeout", "2"],
                          capture_output=True, text=True)
    client.close()
    assert done.returncode == 1 and "records are left in command" in done.stderr, (done.stdout, done.stderr)


try:
    run(test_drained_under_load, test_it_starts_again, test_of_nothing_nothing_is_left, test_all_in_one_process,
        test_a_stage_that_is_missing_is_named, on_failure=exchange.log_tails)
finally:
    exchange.close()
