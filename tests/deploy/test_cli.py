#!/usr/bin/env python3
"""The `ringside` program: what it says of itself, of a configuration, and of a run.

Goal: every subcommand answers or refuses with the right exit code; `status` tells the truth without disturbing a run.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile

from exchange import ROOT, Exchange
from tap import eventually, run

BUILD = os.path.abspath(sys.argv[1])
RINGSIDE = os.path.join(BUILD, "deploy", "ringside")
EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG = 1, 64, 78


def ringside(*arguments, environment=None):
    return subprocess.run([RINGSIDE, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20,
                          env={**os.environ, **(environment or {})})


def test_lists_its_subcommands():
    nothing, helped = ringside(), ringside("help")
    assert nothing.returncode == EXIT_USAGE and helped.returncode == 0
    assert nothing.stderr == helped.stdout and nothing.stdout == ""
    listed = [line.split()[0] for line in helped.stdout.splitlines() if line.startswith("  ")]
    expected = {"run", "status", "metrics", "admin", "snapshot", "backup", "drain", "trades", "journal", "order",
                "load", "top", "probe", "bench", "account", "config", "tune", "version", "help", "persister"}
    assert set(listed) == expected, listed
    for name in listed:
        answer = ringside(name, "--help")
        assert answer.returncode == 0 and len(answer.stdout) > 10, (name, answer)


def test_refuses_what_it_does_not_know():
    answer = ringside("nonsense")
    assert answer.returncode == EXIT_USAGE and "ringside-nonsense" in answer.stderr, answer
    assert ringside("status", "--fast").returncode == EXIT_USAGE
    assert ringside("bench", "nonsense").returncode == EXIT_USAGE


def test_executes_the_programs_beside_it():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "ringside-hello")
        with open(path, "w") as file:
            file.write("#!/bin/sh\necho hello $1; exit 3\n")
        os.chmod(path, 0o755)
        answer = ringside("hello", "world", environment={"PATH": f"{directory}:{os.environ['PATH']}"})
        assert (answer.returncode, answer.stdout) == (3, "hello world\n"), answer


def test_prints_and_checks_the_configuration():
    with open(f"{ROOT}/deploy/ringside.conf") as file:
        assert ringside("config").stdout == file.read()
    assert ringside("config", "--check", f"{ROOT}/deploy/ringside.conf").returncode == 0
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("[exchange]\n\nwait = sleep\n")
        file.flush()
        answer = ringside("config", "--check", file.name)
        assert answer.returncode == EXIT_CONFIG and f"{file.name}:3: " in answer.stderr, answer


def test_says_that_there_is_no_run():
    with tempfile.TemporaryDirectory() as directory:
        setting = f"exchange.rings_directory={directory}/none"
        answer = ringside("status", "--json", "--set", setting)
        report = json.loads(answer.stdout)
        assert answer.returncode == EXIT_FAILED
        assert report["complete"] is False and report["run_present"] is False and report["alive_count"] == 0, report
        assert not os.path.exists(f"{directory}/none"), "status makes nothing"


def test_tells_of_a_run_and_its_processes():
    with Exchange(BUILD) as exchange:
        exchange.start()
        answer = exchange.run_tool("status", "--json", "--config", exchange.config_path)
        report = json.loads(answer.stdout)
        assert report["complete"] is True and report["alive_count"] == 5, report
        pids = {process["name"]: process["pid"] for process in report["processes"]}
        assert pids["matcher"] == exchange.processes["matcher"].pid, pids
        rings = {ring["name"]: ring for ring in report["rings"]}
        assert set(rings) == {"inbound-1", "command", "event"}, rings
        assert [line["name"] for line in rings["command"]["consumers"]] == ["journaler", "matcher"], rings
        assert rings["command"]["next_seq"] > 1 and rings["event"]["next_seq"] > 1, rings
        table = exchange.run_tool("status", "--config", exchange.config_path).stdout
        assert "event-log" in table and "gone" not in table, table

        status_of_one(exchange)
        exchange.kill("matcher")

        def matcher_gone():
            answer = exchange.run_tool("status", "--json", "--config", exchange.config_path, check=False)
            gone = [p["name"] for p in json.loads(answer.stdout)["processes"] if not p["alive"]]
            return answer.returncode == EXIT_FAILED and gone == ["matcher"]

        eventually(matcher_gone, 5, "status shows that the matcher is gone")


def status_of_one(exchange):
    """--alive tells a process at work from one that is stopped, one that is gone, and one that there is not."""
    def alive(name, *before):
        return subprocess.run([*before, exchange.ringside, "status", "--alive", name, "--config", exchange.config_path],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)

    well = alive("matcher")
    assert (well.returncode, well.stdout, well.stderr) == (0, "", ""), well
    exchange.processes["matcher"].send_signal(signal.SIGSTOP)
    eventually(lambda: alive("matcher").returncode == EXIT_FAILED, 10, "the matcher is silent")
    assert "no sign of life" in alive("matcher").stderr and alive("sequencer").returncode == 0
    exchange.processes["matcher"].send_signal(signal.SIGCONT)
    eventually(lambda: alive("matcher").returncode == 0, 10, "the matcher is back")
    assert alive("gateway-2").returncode == EXIT_FAILED, "of one gateway"
    apart = ("unshare", "--pid", "--fork", "--mount-proc")  # as in another container: /proc/locks does not tell
    if os.geteuid() == 0 and subprocess.run([*apart, "true"], capture_output=True).returncode == 0:
        assert alive("matcher", *apart).returncode == 0, "seen from another PID namespace"
        exchange.kill("matcher")
        assert alive("matcher", *apart).returncode == EXIT_FAILED, "gone, seen from another PID namespace"
        exchange.start("matcher")


run(test_lists_its_subcommands, test_refuses_what_it_does_not_know, test_executes_the_programs_beside_it,
    test_prints_and_checks_the_configuration, test_says_that_there_is_no_run, test_tells_of_a_run_and_its_processes)
