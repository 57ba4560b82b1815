#!/usr/bin/env python3
"""`ringside backup`: a copy of a running exchange, and an exchange made from it elsewhere.

Goal: the copy of an exchange that trades, and is trimmed, takes snapshots and begins segments meanwhile, holds all that
anybody was told before it was begun; another exchange made from it verifies, starts, tells each user the same again and
goes on. What was changed afterwards is noticed, and nothing is written over. Method: two exchanges with nothing in
common but the backup; the second has the first one's accounts by hand, as the runbook has it (RestoreElsewhere.md).
"""
import glob
import json
import os
import shutil
import subprocess
import sys

from exchange import SYMBOLS, Exchange
from ouch_client import enter
from tap import eventually, run

EXIT_USAGE, EXIT_DATA, EXIT_ABSENT, EXIT_HELD = 64, 65, 66, 69
ORDERS = 500
USER = "USER15"  # the load has the first ones

exchange = Exchange(sys.argv[1], options={"journal.segment_bytes": "1M", "journal.batch_bytes": "64K",
                                          "snapshots.every_commands": 20000})
elsewhere = Exchange(sys.argv[1])
backup = os.path.join(exchange.directory, "backup")
archive = os.path.join(exchange.directory, "archive")


def tool(at, *arguments, code=0):
    done = at.run_tool(*arguments, "--config", at.config_path, "--json", check=False)
    assert done.returncode == code, (arguments, done)
    return json.loads(done.stdout) if done.stdout else {}


def ask(client, first_ref, count):
    """Orders that rest, and one of each ten that trades; until each is accepted."""
    client.send_many([enter(first_ref + i, "S" if i % 10 == 0 else "B", 100, SYMBOLS[i % 4], 900000 + 100 * (i % 50))
                      for i in range(count)])
    for i in range(count):
        client.expect("A", first_ref + i, timeout_s=20)


def told(client):
    return [{name: value for name, value in message.items() if name != "taken"} for message in client.messages]


def hear_again(at, count):
    client = at.login(USER, sequence=1)
    eventually(lambda: len(client.messages) >= count or client.pump(0.1), 20, f"{count} messages")
    return client


def test_a_running_exchange_is_backed_up():
    global first_told, client
    exchange.start()
    exchange.spawn("snapshot", exchange.ringside, "snapshot", "--follow", "--config", exchange.config_path)
    assert exchange.load("--orders", 60000, "--sessions", 4)["complete"] is True
    eventually(lambda: len(tool(exchange, "snapshot", "--list")["snapshots"]) >= 2, 20, "two snapshots")
    trimmed = tool(exchange, "journal", "trim", "--archive", archive)
    assert trimmed["segments"] > 0, trimmed
    load = exchange.load_start("--seconds", 12, "--rate", 15000, "--sessions", 4, "--shared")
    client = exchange.login(USER)
    ask(client, 1, ORDERS)
    first_told = told(client)
    once = f"{exchange.ringside} journal trim --archive {archive} --config {exchange.config_path} >/dev/null"
    trim = subprocess.Popen(["sh", "-c", f"for i in 1 2 3 4 5 6; do {once} || exit 1; sleep 0.3; done"],
                            stdin=subprocess.DEVNULL)
    about = tool(exchange, "backup", backup, "--rate", "20")
    assert about["snapshots"] >= 1 and about["command_seq_end"] > 60000, about
    assert trim.wait(30) == 0
    ask(client, ORDERS + 1, 10)  # it goes on
    report = exchange.load_finish(load)
    assert report["complete"] is True, report
    exchange.check_alive()
    print(f"# {about['files']} files, {about['bytes'] / 1e6:.1f} MB, {about['snapshots']} snapshots, up to command "
          f"{about['command_seq_end'] - 1}")


def test_it_is_whole():
    tool(exchange, "backup", "verify", backup)
    done = subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=backup,
                          capture_output=True)
    assert done.returncode == 0, done
    listed = subprocess.run(["find", ".", "-type", "f"], cwd=backup, capture_output=True, text=True).stdout.split()
    with open(os.path.join(backup, "SHA256SUMS")) as file:
        names = {line.split()[1] for line in file}
    assert {name[2:] for name in listed} == names | {"SHA256SUMS"}, (listed, names)
    tool(exchange, "journal", "verify", "--set", f"journal.directory={backup}/journal", "--set",
         f"events.directory={backup}/events", "--set", f"snapshots.directory={backup}/snapshots", "--set",
         "exchange.rings_directory=/none")


def test_damage_is_noticed():
    path = sorted(glob.glob(f"{backup}/journal/*.seg"))[0]
    with open(path, "r+b") as file:
        file.seek(9000)
        byte = file.read(1)
        file.seek(9000)
        file.write(bytes([byte[0] ^ 1]))
    said = tool(exchange, "backup", "verify", backup, code=EXIT_DATA)
    assert said["where"] == path and "not what was backed up" in said["what"], said
    tool(elsewhere, "backup", "restore", backup, code=EXIT_DATA)
    assert not glob.glob(elsewhere.options["journal.directory"] + "/*"), "nothing is touched"
    with open(path, "r+b") as file:
        file.seek(9000)
        file.write(byte)
    os.rename(path, path + ".away")
    assert "is missing" in tool(exchange, "backup", "verify", backup, code=EXIT_DATA)["what"]
    os.rename(path + ".away", path)
    tool(exchange, "backup", "verify", backup)


def test_nothing_is_written_over():
    tool(exchange, "backup", backup, code=EXIT_USAGE)
    tool(exchange, "backup", "restore", backup, code=EXIT_HELD)  # it runs
    tool(exchange, "backup", "verify", exchange.directory, code=EXIT_ABSENT)
    tool(elsewhere, "backup", os.path.join(elsewhere.directory, "none"), code=EXIT_ABSENT)  # no journal yet
    assert exchange.run_tool("backup", "--config", exchange.config_path, check=False).returncode == EXIT_USAGE


def test_another_exchange_goes_on_from_it():
    shutil.copy(f"{backup}/etc/accounts", elsewhere.accounts_path)
    assert tool(elsewhere, "backup", "restore", backup)["restored"] is True
    tool(elsewhere, "backup", "restore", backup, code=EXIT_USAGE)  # now there are files
    verified = tool(elsewhere, "journal", "verify")
    print(f"# {verified}")
    elsewhere.start()
    with open(elsewhere.log_path("matcher")) as file:
        assert "beginning with the snapshot" in file.read()
    with hear_again(elsewhere, len(first_told)) as again:
        assert told(again)[:len(first_told)] == first_told, "each was told the same, in the same order"
        known = len(again.messages)
        ask(again, ORDERS + 100, 10)
        assert len(again.messages) >= known + 10
    assert elsewhere.load("--orders", 5000, "--sessions", 2)["complete"] is True
    assert set(elsewhere.stop().values()) == {0}
    tool(elsewhere, "journal", "verify")


def test_an_exchange_at_rest_is_backed_up_to_its_end():
    client.close()
    exchange.stop()
    second = backup + "-2"
    about = tool(exchange, "backup", second, "--rate", "0")
    end = tool(exchange, "journal", "verify")
    assert about["command_seq_end"] == end["command_seq_next"], (about, end)
    tool(exchange, "backup", "verify", second)


with exchange, elsewhere:
    run(test_a_running_exchange_is_backed_up, test_it_is_whole, test_damage_is_noticed, test_nothing_is_written_over,
        test_another_exchange_goes_on_from_it, test_an_exchange_at_rest_is_backed_up_to_its_end,
        on_failure=lambda: exchange.log_tails() + elsewhere.log_tails())
