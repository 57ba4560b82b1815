#!/usr/bin/env python3
"""ringside-monitor beside a real exchange: what it serves, whom it names, what it survives, and a real Prometheus.

Goal: whoever stands still is named within 3 s by /health/ready and the metrics, with whom he holds up; a monitor that
is stopped or killed changes nothing; an exchange that goes and comes back, another run too, is followed; the page shows
all that; Prometheus fires the alert for a killed stage, and resolves it. Method: signals to processes started here,
requests over HTTP, Chromium's own reading of the page.
"""
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from exchange import ROOT, Exchange, free_ports
from tap import Skip, eventually, run

NAMED_WITHIN_S = 3.0
NAMES = {"gateway": "gateway-1"}  # of the exchange's processes, where the monitor calls them otherwise
RULES = os.path.join(ROOT, "deploy", "prometheus")

build = sys.argv[1]
exchange = Exchange(build)
port = free_ports(1)
monitor = None


def start_monitor():
    global monitor
    log = open(exchange.log_path("monitor"), "a")
    monitor = subprocess.Popen([os.path.join(build, "perf", "monitor", "ringside-monitor"), "--config",
                                exchange.config_path, "--set", f"monitor.port={port}"], stderr=log,
                               stdin=subprocess.DEVNULL)
    log.close()
    eventually(lambda: answers("/health/live"), 10, "the monitor answers")


def request(path, method="GET", timeout_s=5.0):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def answers(path):
    try:
        return request(path)[0] == 200
    except OSError:
        return False


def reasons():
    return {(one["check"], one["subject"]): one for one in json.loads(request("/health/ready")[2])["reasons"]}


def metrics():
    """Value of each series."""
    lines = request("/metrics")[2].splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def is_ready():
    return request("/health/ready")[0] == 200


# ---- what it serves ----

def test_serves_what_it_says():
    start_monitor()
    eventually(is_ready, 20, "ready")
    for path, kind in {"/": "text/html", "/metrics": "text/plain; version=0.0.4", "/status": "application/json",
                       "/history": "application/json", "/health/live": "application/json",
                       "/health/ready": "application/json"}.items():
        status, headers, body = request(path)
        assert status == 200 and headers["Content-Type"].startswith(kind) and body, (path, status, headers)
        assert request(path, "HEAD")[0] == 200 and request(path, "HEAD")[2] == "", path
        if kind == "application/json":
            json.loads(body)
    assert request("/nothing")[0] == 404
    assert request("/metrics", "POST")[0] == 405
    assert request("/../../etc/passwd")[0] == 404


def test_a_second_one_says_that_the_port_is_taken():
    done = subprocess.run([os.path.join(build, "perf", "monitor", "ringside-monitor"), "--config", exchange.config_path,
                           "--set", f"monitor.port={port}"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and f"port {port}" in done.stderr and "monitor.port" in done.stderr, done.stderr


def test_metrics_are_in_form_and_grow():
    before = metrics()
    exchange.load("--orders", 2000)
    time.sleep(0.5)
    after = metrics()
    ring = 'ringside_ring_records_total{ring="command"}'
    assert after[ring] > before[ring] + 2000, (before[ring], after[ring])
    for name in before.keys() & after.keys():
        if "_total" in name or "_bucket" in name or name.endswith("_count"):
            assert after[name] >= before[name], f"{name} fell from {before[name]} to {after[name]}"
    for process in ("journaler", "sequencer", "matcher", "persister", "gateway-1"):
        assert after[f'ringside_stage_up{{process="{process}"}}'] == 1, process
        assert after[f'ringside_process_resident_bytes{{process="{process}"}}'] > 1e6, process
    check_histograms(after)
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=request("/metrics")[2], capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def check_histograms(series):
    """Buckets rise with their bounds, and the last one holds all."""
    found = {}
    for name, value in series.items():
        match = re.fullmatch(r"(\w+)_bucket(\{.*),le=\"(.+)\"\}", name)
        if match:
            found.setdefault((match[1], match[2]), []).append((float(match[3]), value))
    assert len(found) > 5, found.keys()
    for (name, labels), buckets in found.items():
        buckets.sort()
        counts = [count for _, count in buckets]
        assert counts == sorted(counts) and buckets[-1][0] == float("inf"), (name, labels, buckets)
        assert abs(series[f"{name}_count{labels}}}"] - counts[-1]) <= 1, (name, labels)


def test_status_is_that_of_the_command_line():
    own = json.loads(exchange.run_tool("status", "--json", "--config", exchange.config_path).stdout)
    served = json.loads(request("/status")[2])
    for name in ("run_id", "complete", "processes", "rings_directory", "journal_epoch"):
        assert own[name] == served[name], (name, own[name], served[name])
    assert [ring["name"] for ring in own["rings"]] == [ring["name"] for ring in served["rings"]]
    assert set(own["rings"][0]) == set(served["rings"][0])


# ---- whom it names ----

def named_after_stop(name):
    """Stops a process; how long until /health/ready and the metrics name it."""
    process, subject = exchange.processes[name], NAMES.get(name, name)
    process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    try:
        found = eventually(lambda: reasons().get(("stage-silent", subject)), 10, f"{subject} is named", 0.02)
        took_s = time.monotonic() - started
        assert request("/health/ready")[0] == 503 and found["blocking"], found
        silent_s = metrics()[f'ringside_stage_silent_seconds{{process="{subject}"}}']
        assert silent_s > 1, silent_s
        others = [key for key in reasons() if key[0] == "stage-silent" and key[1] != subject]
        assert not others, f"{others} are called silent, though only {subject} is"
        return took_s
    finally:
        process.send_signal(signal.SIGCONT)
        eventually(is_ready, 20, f"ready after {subject} goes on")


def test_who_stands_still_is_named():
    took = {name: named_after_stop(name) for name in exchange.processes}
    print("# named after", {name: f"{seconds:.1f} s" for name, seconds in took.items()})
    assert max(took.values()) < NAMED_WITHIN_S, took


def test_who_holds_whom_up_is_told():
    load = exchange.load_start("--seconds", 8, "--rate", 20000, "--sessions", 4)
    time.sleep(2)
    exchange.processes["matcher"].send_signal(signal.SIGSTOP)
    try:
        found = eventually(lambda: reasons().get(("ring-blocked", "command")), 10, "the full ring is told of", 0.02)
        assert "waited for matcher" in found["text"], found
        blocked = metrics()['ringside_ring_blocked_by_seconds{ring="command",consumer="matcher"}']
        assert blocked > 0.5, blocked
        status = json.loads(exchange.run_tool("status", "--json", "--config", exchange.config_path).stdout)
        ring = next(ring for ring in status["rings"] if ring["name"] == "command")
        assert ring["blocked_on"] == "matcher" and ring["blocked_for_ns"] > 5e8, ring
    finally:
        exchange.processes["matcher"].send_signal(signal.SIGCONT)
    assert exchange.load_finish(load)["complete"] is True
    eventually(is_ready, 20, "ready again")


# ---- what it survives, and what does not notice it ----

def test_a_monitor_that_is_stopped_changes_nothing():
    monitor.send_signal(signal.SIGSTOP)
    try:
        assert exchange.load("--orders", 50000)["complete"] is True
    finally:
        monitor.send_signal(signal.SIGCONT)
    eventually(is_ready, 10, "it goes on where it was, and calls nobody silent")
    monitor.kill()
    monitor.wait()
    assert exchange.load("--orders", 1000)["complete"] is True
    start_monitor()


def test_a_killed_stage_is_gone_and_comes_back():
    exchange.kill("matcher")
    eventually(lambda: ("stage-gone", "matcher") in reasons(), NAMED_WITHIN_S, "the matcher is gone", 0.05)
    assert metrics()['ringside_stage_up{process="matcher"}'] == 0
    exchange.start("matcher")
    eventually(is_ready, 20, "ready")
    assert not reasons(), reasons()


def test_another_run_is_followed():
    before = json.loads(request("/status")[2])["run_id"]
    exchange.stop()
    eventually(lambda: len([key for key in reasons() if key[0] == "stage-gone"]) == 5, 5, "all five are gone")
    assert request("/health/live")[0] == 200 and request("/health/ready")[0] == 503
    exchange.start("journaler", wait=False)  # alone, so that nobody else can take up the old run
    eventually(lambda: json.loads(request("/status")[2])["run_id"] != before, 20, "the new run")
    exchange.start(*exchange.stages[1:])
    eventually(is_ready, 20, "ready in the new run")
    exchange.load("--orders", 1000)
    time.sleep(0.5)
    assert metrics()['ringside_ring_records_total{ring="inbound-1"}'] > 1000


# ---- the page ----

def page(size="1200,800"):
    """The page as Chromium has it after some seconds."""
    browser = shutil.which("chromium")
    if not browser:
        raise Skip("no chromium")
    with tempfile.TemporaryDirectory(prefix="ringside-chromium.") as profile:
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--no-first-run", f"--user-data-dir={profile}", f"--window-size={size}", "--virtual-time-budget=4000",
             "--dump-dom", f"http://127.0.0.1:{port}/"], capture_output=True, text=True, timeout=100)
    assert "</html>" in done.stdout, done.stderr[-2000:]
    return re.sub(r"<script>.*?</script>|<style>.*?</style>", "", done.stdout, flags=re.S)


def test_the_page_shows_the_pipeline():
    load = exchange.load_start("--seconds", 100, "--rate", 2000, "--sessions", 2)  # longer than a browser needs
    time.sleep(3)
    try:
        text = page()
    finally:
        load.kill()
    for stage in ("gateway-1", "sequencer", "journaler", "matcher", "persister"):
        assert f'data-stage="{stage}"' in text, f"no {stage} on the page"
    assert "✔ Ready" in text and text.count("● ready") >= 10, text  # cards and table
    rates = re.findall(r'data-ring="(\S+)"><div><b>([\d.,]+(?:&nbsp;)?k?)/s', text)
    assert [ring for ring, _ in rates] == ["inbound-1", "command", "event"], rates
    assert any(rate.strip() != "0" for _, rate in rates), rates
    assert text.count("<canvas") == 4 and text.count("stroke-dasharray") >= 8, "charts with lines told by their dashes"


def test_the_page_names_who_stands_still():
    exchange.processes["matcher"].send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: not is_ready(), 10, "not ready")
        text = page()
    finally:
        exchange.processes["matcher"].send_signal(signal.SIGCONT)
    assert "✖ Not ready" in text and "‖ silent for" in text and "matcher lives but" in text, text
    assert text.count("● ready") >= 8, "the others are at work"
    eventually(is_ready, 20, "ready again")


def test_the_page_asks_nobody_else():
    body = request("/")[2]
    assert not re.search(r"(src|href|url|import|fetch)\W{1,3}(https?:)?//", body), "an outside resource"
    policy = request("/")[1]["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy, policy


# ---- a real Prometheus ----

def prometheus_config(directory):
    with open(os.path.join(RULES, "prometheus.yml")) as file:
        text = file.read()
    assert "127.0.0.1:9180" in text and "rule_files: [ringside.rules.yml]" in text
    shutil.copy(os.path.join(RULES, "ringside.rules.yml"), directory)
    path = os.path.join(directory, "prometheus.yml")
    with open(path, "w") as file:
        file.write(text.replace("127.0.0.1:9180", f"127.0.0.1:{port}"))
    return path


def alerts(at):
    with urllib.request.urlopen(f"http://127.0.0.1:{at}/api/v1/alerts", timeout=5) as answer:
        found = json.load(answer)["data"]["alerts"]
    return {(one["labels"]["alertname"], one["labels"].get("process")) for one in found if one["state"] == "firing"}


def up(at):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{at}/api/v1/query?query=ringside_ready", timeout=5) as answer:
            return bool(json.load(answer)["data"]["result"])
    except OSError:
        return False


def fires_and_resolves(at):
    assert not [name for name, _ in alerts(at) if name != "RingsideClockStepped"], alerts(at)
    exchange.kill("matcher")
    eventually(lambda: ("RingsideStageGone", "matcher") in alerts(at), 30, "the alert for the killed stage", 0.1)
    exchange.start("matcher")
    eventually(lambda: ("RingsideStageGone", "matcher") not in alerts(at), 30, "the alert is over", 0.1)
    eventually(is_ready, 20, "ready")
    exchange.processes["journaler"].send_signal(signal.SIGSTOP)
    started = time.monotonic()
    try:
        eventually(lambda: ("RingsideStageSilent", "journaler") in alerts(at), 30, "the alert for the stopped", 0.02)
        print(f"# the alert for a stopped consumer after {time.monotonic() - started:.1f} s")
    finally:
        exchange.processes["journaler"].send_signal(signal.SIGCONT)
    eventually(lambda: ("RingsideStageSilent", "journaler") not in alerts(at), 30, "that alert is over", 0.1)


def test_prometheus_fires_and_resolves():
    if not shutil.which("prometheus"):
        raise Skip("no prometheus")
    at = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="ringside-prometheus.") as directory:
        config = prometheus_config(directory)
        with open(os.path.join(directory, "log"), "w") as log:
            process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{at}",
                                        f"--storage.tsdb.path={directory}/data"], stdout=log, stderr=log)
        try:
            eventually(lambda: up(at), 30, "Prometheus has scraped the monitor", 0.2)
            fires_and_resolves(at)
        finally:
            process.terminate()
            process.wait()


def test_it_ends_when_asked():
    monitor.send_signal(signal.SIGTERM)
    assert monitor.wait(10) == 0
    exchange.check_alive()


with exchange:
    exchange.start()
    try:
        run(test_serves_what_it_says, test_a_second_one_says_that_the_port_is_taken, test_metrics_are_in_form_and_grow,
            test_status_is_that_of_the_command_line, test_who_stands_still_is_named, test_who_holds_whom_up_is_told,
            test_a_monitor_that_is_stopped_changes_nothing, test_a_killed_stage_is_gone_and_comes_back,
            test_another_run_is_followed, test_the_page_shows_the_pipeline, test_the_page_names_who_stands_still,
            test_the_page_asks_nobody_else, test_prometheus_fires_and_resolves, test_it_ends_when_asked,
            on_failure=exchange.log_tails)
    finally:
        if monitor and monitor.poll() is None:
            monitor.kill()
            monitor.wait()
