#!/usr/bin/env python3
"""The second port: the same protocol by TLS, for clients that have none of our code in them.

Goal: what a client is told by TLS is byte for byte what it is told without; certificates, versions and clients' own
certificates are what the configuration says, and a renewed one is taken up without a break; whoever abuses handshakes
is held by the limits, and those on the first port do not notice. Method: Python's ssl and `openssl s_client` as
clients, certificates made for the test, `ringside load` trading beside whatever is hostile.
"""
import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
import warnings

from exchange import GATEWAYS, PASSWORD, Exchange, free_ports
from metrics import Metrics
from ouch_client import Client, enter, text
from tap import eventually, run

LOGIN_TIMEOUT_S, HANDSHAKES_PER_S = 1.5, 40
P99_BOUND_NS = 400_000_000  # on a machine of two busy cores, with sanitizers

exchange = Exchange(sys.argv[1], stages=("journaler", "sequencer", "matcher", "gateway"))
HERE = exchange.directory
PORT = free_ports(GATEWAYS)  # the first gateway's


def path(name):
    return os.path.join(HERE, name)


# ---- certificates ----

def openssl(*arguments, data=b"", check=True):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=30)
    assert not check or done.returncode == 0, f"openssl {arguments}: {done.stderr.decode()}"
    return done


def make_authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", f"/CN={name}", "-keyout", path(f"{name}.key"), "-out", path(f"{name}.pem"))


def make_certificate(name, authority, *, days=30, key=("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")):
    openssl("req", "-newkey", *key, "-nodes", "-subj", f"/CN={name}", "-keyout", path(f"{name}.key"),
            "-out", path(f"{name}.csr"))
    with open(path("names"), "w") as names:
        names.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", path(f"{name}.csr"), "-CA", path(f"{authority}.pem"), "-CAkey",
            path(f"{authority}.key"), "-CAcreateserial", "-days", str(days), "-extfile", path("names"),
            "-out", path(f"{name}.pem"))


def install(name):
    """Becomes the gateway's at its next look."""
    for kind in ("pem", "key"):
        shutil.copy(path(f"{name}.{kind}"), path(f"server.{kind}"))


def trusting(authority="root", **versions):
    context = ssl.create_default_context(cafile=path(f"{authority}.pem"))
    with warnings.catch_warnings():  # of versions that ought not to be used
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, value in versions.items():
            setattr(context, name, value)
    return context


def by_tls(user=None, context=None, sequence=1, gateway=1):
    client = Client("127.0.0.1", PORT + gateway - 1, tls=context or trusting())
    return client.login(user, PASSWORD, sequence=sequence) if user else client


def certificate_shown():
    with by_tls() as client:
        return dict(part[0] for part in client.socket.getpeercert()["subject"])["commonName"]


def refused(context):
    """Why a client with this context gets no session, or None. By TLS 1.3 it learns with its first bytes."""
    try:
        with by_tls("USER09", context):
            return None
    except (ssl.SSLError, OSError, EOFError) as error:
        return str(error) or "closed"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def log_text():
    with open(exchange.log_path("gateway"), errors="replace") as log:
        return log.read()


@contextlib.contextmanager
def traders_beside(seconds):
    """Others, on the first port, who are to notice nothing."""
    load = exchange.load_start("--seconds", seconds, "--rate", 2000, "--sessions", 2)
    time.sleep(0.3)
    yield
    report = exchange.load_finish(load, timeout_s=seconds + 60)
    assert report["complete"] is True and report["reconnects"] == 0, report
    assert report["p99_ns"] < P99_BOUND_NS, f"the traders' p99 was {report['p99_ns'] / 1e6:.1f} ms: {report}"
    print(f"# the traders' p99 was {report['p99_ns'] / 1e6:.2f} ms")


# ---- the protocol ----

def test_a_session_by_either_version():
    for number, version in enumerate((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)):
        user = f"USER{3 + number:02d}"
        with by_tls(user, trusting(minimum_version=version, maximum_version=version)) as client:
            assert client.socket.version() == version.name.replace("_", "."), client.socket.version()
            client.send(enter(1, "B", 100, "AAPL", 900000))
            client.expect("A", 1, quantity=100, symbol="AAPL")
            client.logout()
            client.wait_closed(5)  # a truncated stream would raise: the end is said


def test_what_is_told_is_the_same_without_tls():
    count = 5000
    with by_tls("USER05") as client:
        client.send_many([enter(1 + n, "B", 1 + n % 7, "MSFT", 900000) for n in range(count)])
        client.expect("A", count, timeout_s=30)
        live = [message["raw"] for message in client.messages]
    with by_tls("USER05") as client:
        client.expect("A", count, timeout_s=30)
        assert [message["raw"] for message in client.messages] == live
    with exchange.login("USER05") as client:
        client.expect("A", count, timeout_s=30)
        assert [message["raw"] for message in client.messages] == live


def test_records_of_every_size():
    """A byte a record, and records that hold many packets and end in the middle of one."""
    with by_tls("USER06") as client:
        order = enter(1, "B", 1, "NVDA", 900000)
        for byte in struct.pack(">H", len(order) + 1) + b"U" + order:
            client.send_bytes(bytes([byte]))
        client.expect("A", 1)
        packets = b"".join(struct.pack(">H", len(m) + 1) + b"U" + m
                           for m in (enter(2 + n, "B", 1, "NVDA", 900000) for n in range(4000)))
        for start, size in ((0, 16384), (16384, 16383), (32767, 1), (32768, 70000), (102768, len(packets))):
            client.send_bytes(packets[start:start + size])
        client.expect("A", 4001, timeout_s=30)
        assert [m["user_ref"] for m in client.messages if m["type"] == "A"] == list(range(1, 4002))


def test_one_that_reads_slowly():
    """More than its socket takes waits for it, is sent as it reads, and is whole."""
    count = 40000
    with traders_beside(6), by_tls("USER07", sequence=0) as client:
        for start in range(0, count, 2000):
            client.send_many([enter(1 + n, "B", 1, "AMZN", 900000, tif="3") for n in range(start, start + 2000)])
        time.sleep(2)
        told = {"A": [], "C": []}
        deadline = time.monotonic() + 60
        while len(told["A"]) + len(told["C"]) < 2 * count and time.monotonic() < deadline:
            client.pump(0.2)
            for message in client.messages:
                if message["type"] in told:
                    told[message["type"]].append(message["user_ref"])
            client.messages.clear()
        assert told["A"] == told["C"] == list(range(1, count + 1)), f"{len(told['A'])}, {len(told['C'])} of {count}"


def test_openssl_is_content():
    done = openssl("s_client", "-connect", f"127.0.0.1:{PORT}", "-CAfile", path("root.pem"), "-verify_return_error",
                   "-verify_ip", "127.0.0.1", "-brief")
    said = done.stderr.decode()
    assert "Verification: OK" in said and "TLSv1.3" in said, said


def test_our_own_clients():
    """`ringside order` and `ringside load` by TLS; a certificate that is not trusted, or of another name, is none."""
    with open(path("password"), "w") as file:
        file.write(PASSWORD)
    common = ["--config", exchange.config_path, "--user", "USER08", "--password-file", path("password"), "--tls"]
    said = exchange.run_tool("order", "buy", "100", "AAPL", "@", "85.33", *common, "--ca", path("root.pem")).stdout
    assert "85.33" in said, said
    done = exchange.run_tool("order", "list", *common, "--ca", path("other.pem"), check=False)
    assert done.returncode == 69 and "certificate is not trusted" in done.stderr, (done.returncode, done.stderr)
    done = exchange.run_tool("order", "list", *common, "--ca", path("root.pem"), "--connect", f"ip6-localhost:{PORT}",
                             check=False)
    assert done.returncode == 69, (done.returncode, done.stderr)
    report = exchange.load("--tls", path("root.pem"), "--orders", 20000, "--sessions", 4)
    assert report["complete"] is True, report


# ---- rules ----

def test_old_versions_and_the_wrong_port():
    old = trusting(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    assert refused(old), "TLS 1.1 is spoken"
    weak = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("AES256-SHA256:@SECLEVEL=0")
    assert refused(weak), "a cipher without forward secrecy is taken"
    with socket.create_connection(("127.0.0.1", PORT), timeout=5) as plain:
        payload = text("USER09", 6) + text(PASSWORD, 10) + b" " * 10 + b"1".rjust(20)
        plain.sendall(struct.pack(">H", len(payload) + 1) + b"L" + payload)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := plain.recv(4096):
                answer += part
        assert not answer.startswith(b"\x00\x1fA"), answer
    with socket.create_connection(("127.0.0.1", exchange.port), timeout=5) as hello:
        with contextlib.suppress(ssl.SSLError, OSError):
            trusting().wrap_socket(hello, server_hostname="localhost")
    eventually(lambda: "no TLS:" in log_text(), 5, "the failure is in the log")


def test_certificates_are_renewed_without_a_break():
    with by_tls("USER10") as client:
        assert certificate_shown() == "server1"
        install("server2")
        exchange.processes["gateway"].send_signal(signal.SIGHUP)
        eventually(lambda: certificate_shown() == "server2", 10, "the new certificate is shown", every_s=0.2)
        client.send(enter(1, "B", 1, "AAPL", 900000))
        client.expect("A", 1)
        for broken in (b"", b"-----BEGIN CERTIFICATE-----\nnonsense\n"):
            with open(path("server.pem"), "wb") as file:
                file.write(broken)
            before = log_text().count("the TLS certificate stays as it was")
            exchange.processes["gateway"].send_signal(signal.SIGHUP)
            eventually(lambda: log_text().count("the TLS certificate stays as it was") > before, 10, "it is refused")
        install("server1")
        shutil.copy(path("server2.key"), path("server.key"))  # of another certificate
        exchange.processes["gateway"].send_signal(signal.SIGHUP)
        eventually(lambda: "no private key of that certificate" in log_text(), 10, "a wrong key is refused")
        assert certificate_shown() == "server2"
        client.send(enter(2, "B", 1, "AAPL", 900000))
        client.expect("A", 2)


def test_what_the_metrics_say_of_it():
    """Handshakes by what came of them, and the days that the certificate has left: 30 when it was made."""
    def handshakes():
        now = Metrics(os.path.join(exchange.rings, "gateway-1.metrics"))
        return [now.value("ringside_gateway_handshakes_total", result=what) for what in ("made", "failed", "unheard")]

    time.sleep(0.5)  # they are told ten times a second: by now those of the tests before
    before = handshakes()
    with by_tls("USER12"):
        pass
    with socket.create_connection(("127.0.0.1", PORT)) as stranger:
        stranger.sendall(b"this is no TLS at all")
        with contextlib.suppress(OSError):
            stranger.recv(100)
    eventually(lambda: [a - b for a, b in zip(handshakes(), before)] == [1, 1, 0], 10, "both are counted")
    now = Metrics(os.path.join(exchange.rings, "gateway-1.metrics"))
    days = now.value("ringside_gateway_certificate_left_seconds") / 86400
    assert 29.9 < days <= 30, f"the certificate has {days} days left"


def test_clients_that_must_show_a_certificate():
    install("server1")
    exchange.stop("gateway")
    exchange.options.update({"gateway.tls_client_ca": path("root.pem"), "gateway.tls_version_min": "1.3"})
    exchange.write_config()
    exchange.start("gateway")
    assert refused(trusting()), "one without a certificate is let in"
    known, stranger = trusting(), trusting()
    known.load_cert_chain(path("member.pem"), path("member.key"))
    stranger.load_cert_chain(path("stranger.pem"), path("stranger.key"))
    assert refused(stranger), "one with a certificate of somebody else is let in"
    older = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
    older.load_cert_chain(path("member.pem"), path("member.key"))
    assert refused(older), "TLS 1.2 is spoken"
    with by_tls("USER11", known) as client:
        client.send(enter(1, "B", 1, "AAPL", 900000))
        client.expect("A", 1)
    assert "certificate of CN=member" in log_text()
    tools = ["--config", exchange.config_path, "--user", "USER12", "--password-file", path("password"), "--tls", "--ca",
             path("root.pem")]
    exchange.run_tool("order", "list", *tools, "--certificate", path("member.pem"), "--key", path("member.key"))
    exchange.stop("gateway")
    exchange.options.update({"gateway.tls_client_ca": "", "gateway.tls_version_min": "1.2"})
    exchange.write_config()


def test_a_start_without_its_files_is_refused():
    for option, value, said in (("tls_certificate", path("nowhere.pem"), "gateway.tls_certificate"),
                                ("tls_key", path("root.key"), "gateway.tls_key"), ("tls_key", "", "gateway.tls_key"),
                                ("tls_port", exchange.port, "those of gateway.port")):
        done = subprocess.run([exchange.program("gateway"), "--config", exchange.config_path, "--set",
                               f"gateway.{option}={value}"], capture_output=True, text=True, timeout=20)
        assert done.returncode != 0 and said in done.stdout + done.stderr, (option, done)


# ---- hostile ----

def test_handshakes_that_never_end():
    """A byte now and then, or nothing at all: the login's time is the handshake's too."""
    exchange.options.update({"gateway.login_timeout_ms": int(LOGIN_TIMEOUT_S * 1000),
                             "gateway.tls_handshakes_per_s": HANDSHAKES_PER_S})
    exchange.write_config()
    exchange.start("gateway")
    hello = hello_bytes()
    with traders_beside(5):
        slow = [socket.create_connection(("127.0.0.1", PORT), timeout=5) for _ in range(HANDSHAKES_PER_S // 2)]
        began = time.monotonic()
        gone = set()
        for byte in hello:
            for number, connection in enumerate(slow):
                with contextlib.suppress(BlockingIOError):
                    try:
                        if number % 2:
                            connection.sendall(bytes([byte]))
                        if connection.recv(1, socket.MSG_DONTWAIT) == b"":
                            gone.add(number)
                    except (BrokenPipeError, ConnectionResetError):
                        gone.add(number)
            if len(gone) == len(slow):
                break
            time.sleep(0.05)
        assert len(gone) == len(slow), f"{len(slow) - len(gone)} are still there"
        assert time.monotonic() - began < LOGIN_TIMEOUT_S + 3
        for connection in slow:
            connection.close()


def hello_bytes():
    """A client's first flight, as OpenSSL makes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@contextlib.contextmanager
def flood_beside(seconds, sources):
    """Hellos as fast as a process can send them, from these addresses in turn. Gives their count, at the end."""
    hello = hello_bytes()
    end = time.monotonic() + seconds
    counts = []
    here, there = multiprocessing.Pipe()

    def flood():
        count = 0
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", PORT), timeout=2,
                                              source_address=(sources[count % len(sources)], 0)) as connection:
                    connection.sendall(hello)
                    count += 1
        there.send(count)

    flooder = multiprocessing.get_context("fork").Process(target=flood)
    flooder.start()
    try:
        yield counts
        counts.append(here.recv() if here.poll(seconds + 10) else 0)
    finally:
        flooder.kill()
        flooder.join()


def test_a_flood_of_handshakes():
    """Hellos by the thousand, each of which would cost a signature: most are closed unheard, and members come in."""
    with traders_beside(6), flood_beside(4, ["127.0.0.66"]) as counts:
        end = time.monotonic() + 3.8
        logins = 0
        while time.monotonic() < end:
            with by_tls("USER13", sequence=0) as client:
                client.logout()
                client.wait_closed(5)
            logins += 1
            time.sleep(0.2)
    print(f"# {sum(counts)} hellos from one address, {logins} members came in meanwhile")
    assert sum(counts) > 20 * HANDSHAKES_PER_S and logins >= 1, (counts, logins)
    exchange.stop("gateway")
    ended = log_text().splitlines()[-1]
    exchange.start("gateway")
    unheard = int(ended.split("not heard ")[1].split(";")[0])
    assert unheard > sum(counts) / 2, ended


def processor_seconds():
    with open(f"/proc/{exchange.processes['gateway'].pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_handshakes_have_a_share_of_the_time():
    """From many addresses, none of which does too much: together they get no more of the gateway than they may."""
    used = {}
    exchange.stop("gateway")
    for percent in (100, 2):
        exchange.options["gateway.tls_handshake_percent"] = percent
        exchange.write_config()
        exchange.start("gateway")
        before = processor_seconds()
        with flood_beside(3, [f"127.0.1.{number}" for number in range(1, 251)]) as counts:
            pass
        used[percent] = (processor_seconds() - before) / 3
        print(f"# {sum(counts)} hellos, at most {percent} %: {100 * used[percent]:.0f} % of a core")
        with exchange.login("USER14") as client:
            client.logout()
        exchange.stop("gateway")
    assert used[2] < 0.12, used  # of a machine with nothing else to do the other is above 0.2


def test_each_gateway_has_its_port():
    exchange.stop()
    exchange.options.update({"exchange.gateways": GATEWAYS, "gateway.tls_handshake_percent": 20})
    exchange.write_config()
    exchange.start("journaler", "sequencer", "matcher", "gateway", "gateway-2")
    eventually(lambda: " ready: " in exchange.log_tail("gateway-2"), 10, "the second gateway is at work")
    with by_tls("USER15", sequence=0) as seller, by_tls("USER16", sequence=0, gateway=2) as buyer:
        seller.send(enter(1, "S", 100, "GOOG", 1000000))
        seller.expect("A", 1)
        buyer.send(enter(1, "B", 100, "GOOG", 1000000))
        buyer.expect("E", 1, quantity=100)
        seller.expect("E", 1, quantity=100)

    def handshakes(number):
        now = Metrics(os.path.join(exchange.rings, f"gateway-{number}.metrics"))
        return now.value("ringside_gateway_handshakes_total", result="made")

    eventually(lambda: [handshakes(1), handshakes(2)] == [1, 1], 5, "one came by each")


with exchange:
    for authority in ("root", "other"):
        make_authority(authority)
    make_certificate("server1", "root")
    make_certificate("server2", "root", key=("rsa:2048",))
    make_certificate("member", "root")
    make_certificate("stranger", "other")
    install("server1")
    exchange.options.update({"gateway.tls_port": PORT, "gateway.tls_certificate": path("server.pem"),
                             "gateway.tls_key": path("server.key")})
    exchange.write_config()
    exchange.start()
    run(test_a_session_by_either_version, test_what_is_told_is_the_same_without_tls, test_records_of_every_size,
        test_one_that_reads_slowly, test_openssl_is_content, test_our_own_clients,
        test_old_versions_and_the_wrong_port, test_what_the_metrics_say_of_it,
        test_certificates_are_renewed_without_a_break,
        test_clients_that_must_show_a_certificate, test_a_start_without_its_files_is_refused,
        test_handshakes_that_never_end, test_a_flood_of_handshakes,
        test_handshakes_have_a_share_of_the_time, test_each_gateway_has_its_port, on_failure=exchange.log_tails)
