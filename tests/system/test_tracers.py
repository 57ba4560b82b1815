#!/usr/bin/env python3
"""The places for tracers: those that docs/observing.md lists are in the programs, and no others; the bpftrace scripts
of deploy/examples see a running exchange through them.

usage: test_tracers.py BUILD_DIR
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from exchange import ROOT, STAGES, Exchange
from tap import Skip, run

BUILD = os.path.abspath(sys.argv[1])
SCRIPTS = os.path.join(ROOT, "deploy", "examples", "bpftrace")
SEEN = {
    "hop_latencies": ("1_received_to_sequenced", "2_sequenced_to_durable", "3_received_to_matched",
                      "4_matched_to_gateway", "5_received_to_gateway"),
    "batch_sizes": ("@sequencer_commands", "@journaler_commands", "@matcher_events", "@gateway_events"),
    "who_stalls": ("@stalls[", "command", "journaler", "@waited_us["),
}
ATTACHING_S = 15  # bpftrace compiles and attaches for seconds on a busy machine
COMMAND_SLOTS = 64  # so few that the sequencer waits for a journaler that stands still for a moment


def program(stage):
    return os.path.join(BUILD, stage, f"ringside-{stage}")


def places(path):
    """Names of the notes of provider ringside in a program."""
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"Provider: ringside\s+Name: (\w+)", notes))


def test_the_documented_places_are_there():
    with open(os.path.join(ROOT, "docs", "observing.md")) as file:
        section = file.read().split("## Tracers")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| (\w+_\w+) \|", section, re.M))
    found = set().union(*(places(program(stage)) for stage in STAGES))
    if not found:
        raise Skip("built without sys/sdt.h")
    assert found == documented, (found ^ documented)
    for script in SEEN:
        with open(os.path.join(SCRIPTS, f"{script}.bt")) as file:
            for stage, place in re.findall(r"usdt:/usr/bin/ringside-(\w+):ringside:(\w+)", file.read()):
                assert place in places(program(stage)), (script, stage, place)


def watch(exchange, script):
    with open(os.path.join(SCRIPTS, f"{script}.bt")) as file:
        text = re.sub(r"/usr/bin/ringside-(\w+)", lambda match: program(match[1]), file.read())
    path = os.path.join(exchange.directory, f"{script}.bt")
    with open(path, "w") as file:
        file.write(text)
    done = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; "
                           f"exec timeout -s INT {ATTACHING_S} bpftrace {path}"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    return done.stdout + done.stderr


def hold_the_journaler(exchange, is_over):
    """Lets it stand still for a fifth of a second, each second: at 2,000 requests a second the ring fills up."""
    while not is_over.wait(1.0):
        exchange.processes["journaler"].send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        exchange.processes["journaler"].send_signal(signal.SIGCONT)


def test_the_scripts_see_a_running_exchange():
    if not places(program("matcher")):
        raise Skip("built without sys/sdt.h")
    if os.getuid() != 0 or not shutil.which("bpftrace"):
        raise Skip("needs root and bpftrace")
    with Exchange(BUILD, options={"rings.command_slots": COMMAND_SLOTS}) as exchange:
        exchange.start()
        load = exchange.load_start("--seconds", len(SEEN) * (ATTACHING_S + 2), "--rate", 2000)
        is_over = threading.Event()
        holder = threading.Thread(target=hold_the_journaler, args=(exchange, is_over))
        holder.start()
        try:
            outs = {script: watch(exchange, script) for script in SEEN}
        finally:
            is_over.set()
            holder.join()
        for script, words in SEEN.items():
            out = outs[script]
            if "@" not in out and ("not permitted" in out or "not supported" in out):
                raise Skip(f"bpftrace cannot attach here: {out[:200]!r}")
            missing = [word for word in words if word not in out]
            assert not missing, (script, missing, out[-3000:])
        load.kill()
        load.communicate()


run(test_the_documented_places_are_there, test_the_scripts_see_a_running_exchange)
