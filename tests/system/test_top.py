#!/usr/bin/env python3
"""ringside top at a running exchange: what --once says, screens of several sizes in a terminal (tmux), keys, a stage
that is stopped, one that is killed, and that a stopped dashboard changes nothing.

usage: test_top.py BUILD_DIR
"""
import json
import os
import signal
import subprocess
import sys
import time

from exchange import Exchange
from tap import Skip, eventually, run

exchange = Exchange(sys.argv[1])
SOCKET = f"ringside-test-{os.getpid()}"
UTF8 = dict(os.environ, LC_ALL="C.UTF-8")
NAMED_WITHIN_S = 3.0


def top(*arguments, check=True):
    done = subprocess.run([exchange.ringside, "top", "--config", exchange.config_path, *map(str, arguments)],
                          capture_output=True, text=True, env=UTF8, stdin=subprocess.DEVNULL, timeout=60)
    assert not check or done.returncode == 0, done
    return done


def once():
    return json.loads(top("--once", "--json", "--every", 0.5).stdout)


def tmux(*arguments):
    return subprocess.run(["tmux", "-L", SOCKET, *map(str, arguments)], capture_output=True, text=True, env=UTF8,
                          stdin=subprocess.DEVNULL, check=True).stdout


def screen():
    return tmux("capture-pane", "-p", "-t", "top")


def shows(*words, timeout_s=15):
    def all_there():
        shows.last = screen()
        return all(word in shows.last for word in words)

    try:
        return eventually(all_there, timeout_s, f"{words} on the screen", every_s=0.1)
    except AssertionError as missing:
        raise AssertionError(f"{missing}\n{shows.last}") from None


def open_terminal(width, height):
    if not any(os.access(os.path.join(path, "tmux"), os.X_OK) for path in os.environ["PATH"].split(":")):
        raise Skip("tmux is not installed")
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "top", "-x", width, "-y", height, exchange.ringside, "top",
         "--config", exchange.config_path)


def test_without_an_exchange():
    done = top("--once", "--every", 0.25, check=False)
    assert done.returncode == 1 and "no exchange runs in" in done.stdout, done
    for wrong in (["--json"], ["--every", "0"], ["--size", "80"], []):
        done = top(*wrong, check=False)
        assert done.returncode == 64 and "ringside top: " in done.stderr, (wrong, done)


def test_once_tells_what_goes_on():
    exchange.start()
    load = exchange.load_start("--seconds", 5, "--rate", 4000)
    time.sleep(1.5)
    seen = once()
    text = top("--once", "--every", 0.5).stdout
    exchange.load_finish(load)
    stages = {stage["name"]: stage for stage in seen["stages"]}
    assert list(stages) == ["gateway-1", "sequencer", "journaler", "matcher", "persister"], stages
    for name in ("gateway-1", "sequencer", "journaler", "matcher"):
        assert stages[name]["records_per_s"] > 1000 and stages[name]["state"] == "up", stages[name]
        assert stages[name]["pid"] == exchange.processes[name.split("-")[0]].pid, stages[name]
    assert 1000 < seen["commands_per_s"] < 10000 and seen["trades_per_s"] > 0, seen
    assert stages["sequencer"]["hop"]["p50_ns"] > 0 and stages["matcher"]["hop"]["p50_ns"] > 0, stages
    assert seen["way"]["p50_ns"] > 0 and seen["alarms"] == [], seen
    busiest = seen["instruments"][0]
    assert busiest["symbol"] and 0 < busiest["bid_ticks"] < busiest["ask_ticks"] and busiest["last_ticks"] > 0, busiest
    assert {s["user"] for s in seen["sessions"]} >= {f"USER0{i}" for i in range(1, 9)}, seen["sessions"]
    lines = text.splitlines()
    assert len(lines) == 24 and max(map(len, lines)) <= 80, text
    for word in ("5 of 5 up", "durability sync", "matcher", busiest["symbol"], "USER0", "none now"):
        assert word in text, text


def test_screens_of_several_sizes():
    open_terminal(80, 24)
    load = exchange.load_start("--seconds", 8, "--rate", 4000)
    shows("5 of 5 up", "gateway-1", "persister", "AAPL", "USER0", "alarms", "q quit")
    shows("100.", "9")  # prices
    tmux("resize-window", "-t", "top", "-x", 140, "-y", 40)
    shows("instruments (8, by trades)", "sessions", "gateway-1")
    tmux("resize-window", "-t", "top", "-x", 60, "-y", 12)
    shows("matcher", "persister")
    tmux("resize-window", "-t", "top", "-x", 80, "-y", 24)
    shows("instruments", "USER0", "q quit")
    exchange.load_finish(load)


def test_keys():
    tmux("send-keys", "-t", "top", "s")
    shows("by events")
    tmux("send-keys", "-t", "top", "Down")
    shows("since the start:")
    tmux("send-keys", "-t", "top", "Tab", "Down")
    shows("since the start:", "messages")
    tmux("send-keys", "-t", "top", "p")
    shows("PAUSED")
    still = screen()
    time.sleep(2)
    assert screen() == still, "it does not stand still"
    tmux("send-keys", "-t", "top", "p")
    tmux("send-keys", "-t", "top", "h")
    shows("the next part")
    tmux("send-keys", "-t", "top", "h")
    shows("sessions")


def test_names_a_stopped_stage_in_time():
    for stage in ("journaler", "matcher", "persister"):
        process = exchange.processes[stage]
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        shows(f"{stage} (pid {process.pid}) is stopped", "STOPPED", "1 now", timeout_s=NAMED_WITHIN_S)
        took = time.monotonic() - began
        seen = top("--once", "--json", "--every", 0.5, check=False)
        process.send_signal(signal.SIGCONT)
        alarms = json.loads(seen.stdout)["alarms"]
        assert seen.returncode == 1 and [a["name"] for a in alarms] == [stage], alarms
        shows("none now", "over after")
        print(f"# {stage} named after {took:.1f} s")


def test_names_one_that_was_killed():
    exchange.kill("persister")
    shows("persister is gone", "4 of 5 up")
    exchange.start("persister", wait=False)
    shows("5 of 5 up", "none now")


def test_a_stopped_dashboard_changes_nothing():
    pid = int(tmux("list-panes", "-t", "top", "-F", "#{pane_pid}"))
    os.kill(pid, signal.SIGSTOP)
    report = exchange.load("--orders", 100000)
    assert report["complete"], report
    os.kill(pid, signal.SIGCONT)
    shows("5 of 5 up", "none now")


def test_quits():
    tmux("send-keys", "-t", "top", "q")

    def gone():
        return subprocess.run(["tmux", "-L", SOCKET, "has-session", "-t", "top"], capture_output=True,
                              check=False).returncode != 0

    eventually(gone, 10, "it quits")
    exchange.stop()


def test_the_end():
    subprocess.run(["tmux", "-L", SOCKET, "kill-server"], capture_output=True, check=False)
    exchange.close()


run(test_without_an_exchange, test_once_tells_what_goes_on, test_screens_of_several_sizes, test_keys,
    test_names_a_stopped_stage_in_time, test_names_one_that_was_killed, test_a_stopped_dashboard_changes_nothing,
    test_quits, test_the_end, on_failure=exchange.log_tails)
