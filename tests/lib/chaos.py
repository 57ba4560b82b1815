"""What tests/chaos, tests/faults and their short forms in the suites are made of: users with ledgers beside a running
exchange, kills at random moments, and the comparison of everything at the end.

  1. Users run in ringside-audit-clients (tests/audit): each request and each message is in a ledger.
  2. A stage that ends by itself, users that are told nothing for too long, and any breach that a user notices end it.
  3. settle() brings everything to rest and compare() holds ledgers, journal, event log and stores against each other.
"""

import collections
import contextlib
import glob
import json
import mmap
import os
import random
import shutil
import signal
import struct
import subprocess
import time

from exchange import GATEWAYS, STAGES, Exchange
from tap import eventually

COUNTS = ("told", "asked", "orders", "answered", "executions", "reconnects", "resent", "told_again", "unsettled",
          "open", "phase", "slowest_ns", "debug_count")  # struct client_counts of tests/audit/client.h
USERS = 12
STALL_S = 60
ALL_STAGES = STAGES + tuple(f"gateway-{number}" for number in range(2, GATEWAYS + 1))  # a user comes back on any


def exchange_of(build, options=None, **more):
    """An exchange with stores and all its gateways."""
    return Exchange(build, stores=True, stages=ALL_STAGES,
                    options={"exchange.gateways": GATEWAYS, "redis.stream_entries_max": 1000000000} |
                    (options or {}), **more)


class Ledgers:
    """The users' program, and the directory with what they asked and were told."""

    def __init__(self, exchange, rate, seed, users=USERS, calm=False):
        self.exchange = exchange
        self.directory = os.path.join(exchange.directory, "ledgers")
        os.makedirs(self.directory)
        self.log_path = os.path.join(exchange.directory, "clients.log")
        program = os.path.join(exchange.build, "tests", "audit", "ringside-audit-clients")
        gateways = sum(stage.startswith("gateway") for stage in exchange.stages)
        arguments = [program, self.directory, *map(str, (exchange.port, gateways, users, rate, seed))]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments + (["calm"] if calm else []), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        exchange.loads.append(self.process)
        path = os.path.join(self.directory, "progress")
        eventually(lambda: os.path.exists(path) and os.path.getsize(path) == 8 * len(COUNTS), 10, "the users begin")
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def counts(self):
        return dict(zip(COUNTS, struct.unpack(f"<{len(COUNTS)}Q", self.map[:])))

    def told(self):
        return struct.unpack_from("<Q", self.map, 0)[0]

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the users have ended with {self.process.returncode}:\n{self.log()}")

    def wait_told(self, more, timeout_s=STALL_S):
        """Waits until the users have been told so many more messages."""
        goal = self.told() + more

        def is_told():
            self.check()
            self.exchange.check_alive()
            return self.told() >= goal

        eventually(is_told, timeout_s, f"{more} more messages", every_s=0.01)

    def finish(self, stall_s=STALL_S):
        """Nothing new is asked; everything gets its answer and is told once more. Returns the users' counts."""
        self.process.send_signal(signal.SIGTERM)
        seen, seen_at = None, time.monotonic()
        while self.process.poll() is None:
            self.exchange.check_alive()
            counts = self.counts()
            now = {name: counts[name] for name in ("told", "told_again", "phase", "resent")}
            if now != seen:
                seen, seen_at = now, time.monotonic()
            if time.monotonic() - seen_at > stall_s:
                raise AssertionError(f"the users get no further: {self.counts()}\n{self.log()}")
            time.sleep(0.02)
        self.check_end()
        return json.loads(self.process.stdout.read())

    def check_end(self):
        assert self.process.returncode == 0, f"the users end with {self.process.returncode}:\n{self.log()}"


def stores_catch_up(exchange):
    """Both stores have every event; as long as one of them gets on, it may take its time."""
    seen, seen_at = None, time.monotonic()
    with contextlib.closing(exchange.redis()) as redis:
        while True:
            exchange.check_alive()
            seqs = exchange.event_seq_last(), exchange.postgres_seq(), exchange.redis_seq(redis)
            if len(set(seqs)) == 1:
                return
            if seqs != seen:
                seen, seen_at = seqs, time.monotonic()
            if time.monotonic() - seen_at > STALL_S:
                raise AssertionError(f"event ring, PostgreSQL, Redis stay at {seqs}:\n{exchange.log_tails()}")
            time.sleep(0.2)


def settle(exchange):
    """Everything comes to rest, both stores have every event, and each process ends as asked, with code 0."""
    codes = {}
    if exchange.has_stores:
        stores_catch_up(exchange)
    codes |= exchange.stop(*[name for name in exchange.processes if name.startswith("gateway")])
    if exchange.has_stores:
        last = None
        while last != exchange.event_seq_last():
            last = exchange.event_seq_last()
            time.sleep(0.2)
        stores_catch_up(exchange)
    codes |= exchange.stop()
    assert set(codes.values()) == {0}, f"not every process ended with 0: {codes}"


def compare(exchange, ledgers=None):
    """All that was kept, held against each other; what was compared. The exchange is at rest."""
    arguments = [os.path.join(exchange.build, "tests", "audit", "ringside-audit"), "--config", exchange.config_path]
    if ledgers:
        arguments += ["--ledgers", ledgers.directory]
    if not exchange.has_stores:
        arguments.append("--without-stores")
    done = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"what was kept does not agree ({done.returncode}):\n{done.stderr}{done.stdout}"
    return json.loads(done.stdout)


class Keeper:
    """`ringside snapshot --follow` beside the exchange, killed now and then as well, and trims.

    What is trimmed is archived on another file system, so that it is copied and its file used anew; before the
    comparison, which begins with the first command, it is brought back.
    """

    TRIM_EVERY_S = 0.5

    def __init__(self, exchange):
        self.exchange = exchange
        self.journal = exchange.options["journal.directory"]
        self.archive = exchange.rings + ".archive"
        self.trim_at = time.monotonic()
        self.kills = self.trimmed = self.recycled = 0
        self.follow()

    def follow(self):
        self.exchange.spawn("snapshot", self.exchange.ringside, "snapshot", "--follow", "--config",
                            self.exchange.config_path)

    def kill(self):
        self.exchange.kill("snapshot")
        self.kills += 1
        self.follow()

    def trim_arguments(self):
        return "journal", "trim", "--archive", self.archive, "--config", self.exchange.config_path, "--json"

    def trim_start(self):
        """For who does not wait for its end."""
        return subprocess.Popen([self.exchange.ringside, *self.trim_arguments()], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def turn(self):
        if time.monotonic() < self.trim_at:
            return
        done = self.exchange.run_tool(*self.trim_arguments())
        report = json.loads(done.stdout)
        self.trimmed += report["segments"]
        self.recycled += report["recycled"]
        self.trim_at = time.monotonic() + self.TRIM_EVERY_S

    def used_anew(self):
        """How many segments are of older ones' files, by their headers (docs/journal.md)."""
        count = 0
        for path in glob.glob(os.path.join(self.journal, "journal-*.seg")):
            with open(path, "rb") as file:
                header = file.read(44)
            begun = int(os.path.basename(path)[8:18]) == struct.unpack_from("<I", header, 40)[0]
            count += begun and struct.unpack_from("<I", header, 16)[0] & 1
        return count

    def bring_back(self):
        """The exchange is at rest. What there was to see of snapshots and trims."""
        for path in glob.glob(os.path.join(self.archive, "*.seg")):
            if not os.path.exists(os.path.join(self.journal, os.path.basename(path))):
                shutil.move(path, self.journal)
        shutil.rmtree(self.archive, ignore_errors=True)
        with open(self.exchange.log_path("matcher"), errors="replace") as log:
            from_snapshot = log.read().count("beginning with the snapshot")
        return {"snapshotter_kills": self.kills, "begun_with_a_snapshot": from_snapshot,
                "segments_trimmed": self.trimmed, "segments_used_anew": self.used_anew()}


class Killer:
    """kill -9 at random moments, of single stages, pairs and all, each back after a random time."""

    def __init__(self, exchange, ledgers, seed, say=lambda line: None, keeper=None):
        self.exchange, self.ledgers, self.say, self.keeper = exchange, ledgers, say, keeper
        self.random = random.Random(seed)
        self.back = []  # (when, stage)
        self.deck = []
        self.done = collections.Counter()  # by stages
        self.began = time.monotonic()

    def draw(self):
        """Every stage alone, every pair and all at once come up, in random order, before any does again."""
        if not self.deck:
            stages = self.exchange.stages
            pairs = [(a, b) for i, a in enumerate(stages) for b in stages[i + 1:]]
            self.deck = [(stage,) for stage in stages] + pairs + [stages]
            self.random.shuffle(self.deck)
        return self.deck.pop()

    def restart_due(self, all_now=False):
        now = time.monotonic()
        for when, stage in sorted(self.back):
            if when <= now or all_now:
                self.back.remove((when, stage))
                self.exchange.start(stage, wait=False)

    def pause(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            time.sleep(0.005)

    def check(self):
        self.restart_due()
        self.ledgers.check()
        self.exchange.check_alive()
        if self.keeper:
            self.keeper.turn()

    def wait_progress(self):
        """The exchange is whole again and somebody is told something."""
        deadline = time.monotonic() + STALL_S
        while self.back:
            self.pause(0.005)
        told = self.ledgers.told()
        while self.ledgers.told() == told:
            self.pause(0.005)
            if time.monotonic() > deadline:
                raise AssertionError(f"nobody is told anything for {STALL_S} s: {self.ledgers.counts()}\n"
                                     f"{self.exchange.log_tails()}")

    def kill(self, number):
        stages = self.draw()
        while not any(stage in self.exchange.processes for stage in stages):
            self.pause(0.005)
        victims = [stage for stage in stages if stage in self.exchange.processes]
        told = self.ledgers.told()
        for stage in victims:
            self.exchange.processes[stage].kill()
        self.exchange.kill(*victims)
        if self.keeper and self.random.random() < 0.2:
            self.keeper.kill()
        aways = []
        for stage in victims:
            aways.append(self.random.uniform(0, 0.03 if self.random.random() < 0.4 else 0.8))
            self.back.append((time.monotonic() + aways[-1], stage))
        self.done[" + ".join(victims)] += 1
        self.say(f"kill {number:4}  {time.monotonic() - self.began:7.2f} s  {' + '.join(victims):23} "
                 f"away {', '.join(f'{away:.2f}' for away in aways)} s, {told} messages told")

    def run(self, kills):
        """Three times of four, the next comes when all is well again; else in the middle of the recovery."""
        for number in range(1, kills + 1):
            if self.random.random() < 0.75:
                self.wait_progress()
            self.pause(self.random.uniform(0, 1.2))
            self.kill(number)
        self.wait_progress()
        return sum(len(stages.split(" + ")) * count for stages, count in self.done.items())


def full_speed(build):
    """Requests a second, as fast as answers come, until both stores have everything."""
    with Exchange(build, stores=True) as exchange:
        exchange.start()
        ledgers = Ledgers(exchange, 0, 1, calm=True)
        began = time.monotonic()
        time.sleep(3)
        ledgers.process.send_signal(signal.SIGSTOP)
        asked = ledgers.counts()["asked"]
        exchange.stores_catch_up(timeout_s=120)
        return asked / (time.monotonic() - began)
