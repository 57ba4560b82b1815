"""A running exchange for the system tests: five processes (or one), a generated configuration, private stores.

    with Exchange(build) as exchange:
        exchange.start()
        report = exchange.load("--orders", 1000)
        client = exchange.login("USER1")

  1. Everything lives in one temporary folder (rings in one of their own in /dev/shm) and goes with the test; with
     RINGSIDE_TEST_KEEP set it stays, and its place is printed.
  2. Processes are ended by the handles of those started here, never by name.
  3. Ports are free ones of the moment; several exchanges may run beside each other.
  4. A stage that ends by itself is an error at the next check, with the end of its log.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

from ouch_client import Client
from redis_client import Redis, unpack
from tap import eventually

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STAGES = ("journaler", "sequencer", "matcher", "persister", "gateway")
SYMBOLS = ("AAPL", "MSFT", "NVDA", "AMZN", "GOOG", "META", "TSLA", "INTC")
GATEWAYS = 2  # at most
USERS = 16  # USER01 ... with password SECRET
PASSWORD = "SECRET"
STREAM_KEY = "ringside:events"
RING_PRODUCER_CURSOR = 128  # docs/rings.md
ACCEPTED, REPLACED, EXECUTED, REJECTED = 1, 2, 5, 7  # docs/records.md


def free_ports(count):
    """The first of so many neighbouring ports that nobody listens on. The kernel gives none of them to a connection,
    so they are as free when a stage, started again, listens on them; where it may give any port, this takes any."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first_given = int(file.read().split()[0])
    end = first_given if first_given > 20000 else 60000
    while True:
        first = random.randrange(10000, end - count)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


class SqlError(Exception):
    """PostgreSQL is not there, or refuses the statement."""


class Exchange:
    def __init__(self, build, stores=False, configure_stores=None, symbols=SYMBOLS, stages=STAGES, options=None):
        self.build = os.path.abspath(build)
        self.directory = tempfile.mkdtemp(prefix="ringside-test.", dir="/tmp")
        os.chmod(self.directory, 0o711)  # user postgres passes through when the tests run as root
        self.rings = tempfile.mkdtemp(prefix="ringside-test.", dir="/dev/shm")
        self.stores_directory = os.path.join(self.directory, "stores")
        self.has_stores = stores
        self.stages = stages
        self.port = free_ports(GATEWAYS)
        self.processes = {}  # name: Popen
        self.loads = []
        self.stand_ins = {}  # stage: the command to run instead of its program
        self.config_path = os.path.join(self.directory, "ringside.conf")
        self.accounts_path = os.path.join(self.directory, "accounts")
        self.options = {
            "exchange.rings_directory": self.rings,
            "journal.directory": os.path.join(self.directory, "journal"),
            "journal.segment_bytes": "64M",
            "events.directory": os.path.join(self.directory, "events"),
            "snapshots.directory": os.path.join(self.directory, "snapshots"),
            "gateway.port": self.port,
            "gateway.accounts": self.accounts_path,
        }
        self.symbols = symbols
        self.options.update(options or {})
        try:
            self.run_tool("account", "add", self.accounts_path, "USER", "FIRM", "--password", PASSWORD, "--count",
                          USERS)
            if stores:
                self.stores("start")
                if configure_stores is not False:
                    self.configure_stores()
            self.write_config()
        except BaseException:
            self.close()
            raise

    # ---- configuration ----

    def write_config(self):
        sections = {}
        for option, value in self.options.items():
            section, name = option.split(".", 1)
            sections.setdefault(section, []).append(f"{name} = {value}")
        sections["instruments"] = [f"{symbol} = tick 0.01 lot 1 reference 100.00" for symbol in self.symbols]
        with open(self.config_path, "w") as file:
            for section, lines in sections.items():
                file.write(f"[{section}]\n" + "\n".join(lines) + "\n\n")

    def configure_stores(self):
        self.options["postgres.connection"] = self.postgres_connection
        self.options["redis.address"] = self.redis_path

    @property
    def postgres_connection(self):
        return f"host={self.stores_directory}/postgres-socket user=ringside dbname=ringside"

    @property
    def redis_path(self):
        return f"{self.stores_directory}/redis/redis.sock"

    # ---- stores ----

    def stores(self, verb, *which):
        os.makedirs(self.stores_directory, exist_ok=True)
        os.chmod(self.stores_directory, 0o711)
        subprocess.run([f"{ROOT}/deploy/stores", verb, self.stores_directory, *which], check=True,
                       stdin=subprocess.DEVNULL)

    def sql(self, statement):
        """Rows of strings."""
        out = subprocess.run(["psql", "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d",
                              self.postgres_connection, "-c", statement], capture_output=True, text=True, check=False,
                             stdin=subprocess.DEVNULL)
        if out.returncode != 0:
            raise SqlError(f"{statement}: {out.stderr}")
        return [line.split("\t") for line in out.stdout.splitlines()]

    def sql_number(self, statement):
        return int(self.sql(statement)[0][0] or 0)

    def redis(self):
        return Redis(self.redis_path)

    # ---- processes ----

    def program(self, stage):
        return os.path.join(self.build, stage, f"ringside-{stage}")

    @property
    def ringside(self):
        return os.path.join(self.build, "deploy", "ringside")

    def log_path(self, name):
        return os.path.join(self.directory, f"{name}.log")

    def spawn(self, name, *arguments):
        running = self.processes.get(name)
        assert running is None or running.poll() is not None, f"{name} is already running"
        with open(self.log_path(name), "ab") as log:
            self.processes[name] = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                    cwd=self.directory)

    def start(self, *stages, wait=True):
        """Starts the stages named, or all, and waits until a client could log in."""
        for stage in stages or self.stages:  # "gateway", "gateway-2" and so on
            name, _, number = stage.partition("-")
            self.spawn(stage, *self.stand_ins.get(name, [self.program(name)]), "--config", self.config_path,
                       *(["--gateway", number] if number else []))
        if wait:
            self.wait_ready()

    def start_in_one(self):
        self.spawn("run", self.ringside, "run", "--config", self.config_path)
        self.wait_ready()

    def check_alive(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise AssertionError(f"{name} has ended with {process.returncode}; its log:\n{self.log_tail(name)}")

    def wait_ready(self, timeout_s=60):
        """All that were started are up, and a login is accepted: the whole pipeline answers."""

        def answers():
            self.check_alive()
            try:
                with Client("127.0.0.1", self.port, timeout_s=10) as client:
                    client.login(f"USER{USERS:02d}", PASSWORD)
                    client.logout()
                    client.wait_closed()
                    return True
            except (OSError, TimeoutError, EOFError):
                return False

        eventually(answers, timeout_s, "the exchange takes logins")

    def stop(self, *names, how=signal.SIGTERM, timeout_s=30):
        """Ends those named, or all in order from the gateway back; returns their exit codes."""
        codes = {}
        for name in names or [n for n in reversed(list(self.processes))]:
            process = self.processes.pop(name)
            if process.poll() is None:
                process.send_signal(how)
            try:
                codes[name] = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                tail = self.log_tail(name)
                raise AssertionError(f"{name} did not end within {timeout_s} s of {how!r}:\n{tail}") from None
        return codes

    def kill(self, *names):
        return self.stop(*names, how=signal.SIGKILL)

    def log_tail(self, name, lines=15):
        try:
            with open(self.log_path(name), errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except FileNotFoundError:
            return ""

    def log_tails(self):
        """The ends of all logs, for the diagnosis of a failure."""
        return "\n".join(f"--- {name}\n{self.log_tail(name)}" for name in self.processes)

    # ---- clients ----

    def login(self, user="USER01", session="", sequence=1, timeout_s=10.0):
        return Client("127.0.0.1", self.port, timeout_s).login(user, PASSWORD, session, sequence)

    def connect(self, timeout_s=10.0):
        return Client("127.0.0.1", self.port, timeout_s)

    def run_tool(self, *arguments, check=True, timeout_s=120):
        done = subprocess.run([self.ringside, *map(str, arguments)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout_s)
        if check and done.returncode != 0:
            raise AssertionError(f"ringside {' '.join(map(str, arguments))} exits with {done.returncode}:\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def load_arguments(self, *arguments):
        return [self.ringside, "load", "--config", self.config_path, "--user", "USER", "--password", PASSWORD,
                "--json", *map(str, arguments)]

    def load_start(self, *arguments):
        process = subprocess.Popen(self.load_arguments(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, cwd=self.directory)
        self.loads.append(process)
        return process

    def load_finish(self, process, timeout_s=120):
        """The report of a load that must hold what it checks."""
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"the load did not end within {timeout_s} s:\n{out}{err}") from None
        assert process.returncode == 0, f"ringside load exits with {process.returncode}:\n{out}{err}"
        return json.loads(out)

    def load(self, *arguments, timeout_s=120):
        return self.load_finish(self.load_start(*arguments), timeout_s)

    # ---- what the stores hold ----

    def event_seq_last(self):
        """Number of the last event published: the producer's cursor in the event ring, read from its public layout."""
        with open(os.path.join(self.rings, "event.ring"), "rb") as ring:
            ring.seek(RING_PRODUCER_CURSOR)
            return struct.unpack("<Q", ring.read(8))[0] - 1

    def postgres_seq(self):
        try:
            return self.sql_number("select min(event_seq) from ringside.high_water")
        except SqlError:
            return None  # the tables are not there yet

    def redis_seq(self, redis):
        try:
            info = redis.command("XINFO", "STREAM", STREAM_KEY)
        except RuntimeError:
            return None
        return int(dict(zip(info[::2], info[1::2]))[b"last-generated-id"].split(b"-")[0])

    def stores_catch_up(self, timeout_s=60):
        """Waits until both stores have every event there is; returns the last one's number."""
        with contextlib.closing(self.redis()) as redis:

            def caught_up():
                self.check_alive()
                seqs = (self.event_seq_last(), self.postgres_seq(), self.redis_seq(redis))
                caught_up.seen = seqs
                return seqs if len(set(seqs)) == 1 else None

            try:
                return eventually(caught_up, timeout_s, "both stores have every event", every_s=0.2)[0]
            except AssertionError as late:
                raise AssertionError(f"{late}; event ring, PostgreSQL, Redis are at {caught_up.seen}") from None

    def stores_agree(self, timeout_s=60):
        """Waits until the stores have caught up; checks each against itself; returns what they hold."""
        last = self.stores_catch_up(timeout_s)
        with contextlib.closing(self.redis()) as redis:
            held = self.redis_counts(redis, last)
        held.update(self.postgres_counts())
        held["event_seq"] = last
        for what in ("orders", "executions"):
            assert held[f"redis_{what}"] == held[f"postgres_{what}"], held
        return held

    def redis_counts(self, redis, last):
        """Goes through the whole stream: entries join without a gap from event 1 to the last, each kind is counted."""
        kinds, next_seq, start = {}, 1, "-"
        while True:
            entries = redis.command("XRANGE", STREAM_KEY, start, "+", "COUNT", 500)
            for entry_id, fields in entries:
                payload = dict(zip(fields[::2], fields[1::2]))[b"p"]
                (version, first, events), = unpack(payload)
                assert (version, first) == (1, next_seq), f"entry {entry_id} begins at {first}, not at {next_seq}"
                next_seq += len(events)
                assert int(entry_id.split(b"-")[0]) == next_seq - 1, f"entry {entry_id} ends at {next_seq - 1}"
                for event in events:
                    kinds[event[0]] = kinds.get(event[0], 0) + 1
            if not entries:
                break
            start = "(" + entries[-1][0].decode()
        assert next_seq == last + 1, f"the stream ends at {next_seq - 1}, the ring at {last}"
        return {"redis_orders": kinds.get(ACCEPTED, 0) + kinds.get(REPLACED, 0),
                "redis_executions": 2 * kinds.get(EXECUTED, 0), "redis_rejections": kinds.get(REJECTED, 0)}

    def postgres_counts(self):
        """Counts of rows, after checking that orders and executions say the same of every order."""
        wrong = self.sql("""select order_ref, o.quantity, executed, canceled, leaves, state, done from ringside.orders o
            left join (select order_ref, sum(quantity) done from ringside.executions group by 1) e using (order_ref)
            where executed <> coalesce(done, 0) or (state <> 'replaced' and o.quantity <> executed + canceled + leaves)
            or (state = 'live') <> (leaves > 0 and state <> 'replaced') limit 5""")
        assert not wrong, f"orders whose row does not add up: {wrong}"
        unpaired = self.sql("""select match_number from ringside.executions group by 1
            having count(*) <> 2 or count(distinct quantity) <> 1 or count(distinct price) <> 1 limit 5""")
        assert not unpaired, f"trades that do not have two equal sides: {unpaired}"
        return {f"postgres_{table}": self.sql_number(f"select count(*) from ringside.{table}")
                for table in ("orders", "executions", "rejections")}

    # ---- the end ----

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in self.loads + list(self.processes.values()):
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        if self.has_stores:
            self.stores("kill")
        if os.environ.get("RINGSIDE_TEST_KEEP"):
            print(f"# kept: {self.directory} {self.rings}")
            return
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.rings, ignore_errors=True)
