#!/usr/bin/env python3
"""What an exchange still knows once the event log was trimmed: two trading days, of which the first has gone.

Goal: names outlive their events, and what a day's events are needed for works with an archive that has them and is
refused, with nothing touched, without one. Method: a first day of more events than a file of the log holds, ended and
trimmed to an archive by the commands that people use; then each tool, with the archive and without.
"""
import csv
import io
import json
import os
import subprocess
import sys

from exchange import SYMBOLS, Exchange
from ouch_client import enter
from tap import eventually, run

FILE_EVENTS = 1 << 20  # docs/journal.md
EVENT_SLOTS = 4096
NEXT_DAY = "20990102"
FAILED, CONFIG = 1, 78

exchange = Exchange(sys.argv[1], stores=True, configure_stores=False,
                    stages=("journaler", "sequencer", "matcher", "gateway", "admin"))
archive = os.path.join(exchange.directory, "archive")
exchange.options["retention.archive_path"] = archive
exchange.options["rings.event_slots"] = EVENT_SLOTS
exchange.write_config()
state = {}


def tool(*words, code=0):
    done = exchange.run_tool(*words, "--config", exchange.config_path, check=False)
    assert done.returncode == code, (words, done)
    return done


def use_archive(wanted):
    exchange.options.pop("retention.archive_path", None)
    if wanted:
        exchange.options["retention.archive_path"] = archive
    exchange.write_config()


def trades(*words):
    return list(csv.DictReader(io.StringIO(tool("trades", *words).stdout)))


def trade(client, reference, symbol):
    """A trade of the user with itself, of which nothing is left."""
    client.send_many([enter(reference, side="B", quantity=40, symbol=symbol, price=1000000),
                      enter(reference + 1, side="S", quantity=40, symbol=symbol, price=1000000)])
    client.expect("E", reference + 1)


def test_a_day_fills_a_file_of_the_log_and_is_trimmed():
    exchange.start()
    with exchange.login("USER10") as client:
        trade(client, 1, "INTC")
    while exchange.event_seq_last() <= FILE_EVENTS:
        assert exchange.load("--orders", 40000)["complete"] is True
    state["first"] = trades()
    state["day"] = state["first"][0]["day"]
    tool("admin", "day", "end")
    tool("admin", "day", "start", NEXT_DAY)
    tool("admin", "open", "all")
    with exchange.login("USER10") as client:
        trade(client, 1, "MSFT")

    def is_trimmed():
        return json.loads(tool("journal", "trim", "--json").stdout)["events"]["files"] == 1

    eventually(is_trimmed, 20, "the log has the beginning of the day, and a file goes")
    assert os.path.exists(os.path.join(archive, "events-0000000000.log"))


def test_trades_of_a_day_that_is_there():
    use_archive(False)
    for sides in (trades(), trades("--day", NEXT_DAY), trades("--day", "2099-01-02")):
        assert [(side["day"], side["symbol"], side["user"], side["quantity"], side["role"]) for side in sides] == [
            (NEXT_DAY, "MSFT", "USER10", "40", "taker"), (NEXT_DAY, "MSFT", "USER10", "40", "maker")], sides


def test_trades_of_a_day_that_was_trimmed():
    refused = tool("trades", "--day", state["day"], code=FAILED)
    assert "the day was trimmed" in refused.stderr and refused.stdout == "", refused
    use_archive(True)
    assert trades("--day", state["day"]) == state["first"]
    use_archive(False)


def test_probe_knows_names_from_before():
    with exchange.login("USER10") as client:
        watching = subprocess.Popen([exchange.ringside, "probe", "event", "--follow", "--json", "--kind", "executed",
                                     "--symbol", "INTC", "--session", "USER10", "--count", "1", "--seconds", "30",
                                     "--config", exchange.config_path], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, text=True)

        def told():
            trade(client, told.reference, "INTC")
            told.reference += 2
            return watching.poll() is not None

        told.reference = 3
        eventually(told, 20, "the probe has seen a trade", every_s=0.2)
    seen = json.loads(watching.communicate()[0])
    assert (seen["symbol"], seen["user"]) == ("INTC", "USER10"), seen


def test_top_knows_names_from_before():
    with exchange.login("USER10"):
        assert exchange.load("--orders", 2 * EVENT_SLOTS)["complete"] is True  # the ring has forgotten the login
        seen = json.loads(tool("top", "--once", "--json", "--every", 0.5, code=FAILED).stdout)
    assert [alarm["name"] for alarm in seen["alarms"]] == ["persister"], seen["alarms"]
    assert [session["user"] for session in seen["sessions"]] == ["USER10"], seen["sessions"]
    assert {instrument["symbol"] for instrument in seen["instruments"]} == set(SYMBOLS), seen["instruments"]


def rebuild(*words, code=0):
    return tool("persister", "rebuild", *words, code=code)


def refused_and_untouched(*words):
    before = exchange.sql("select store, event_seq, epoch from ringside.high_water order by store")
    refused = rebuild(*words, code=FAILED)
    assert "were trimmed and are not in retention.archive_path" in refused.stderr, refused
    assert f"give --day, {NEXT_DAY} or a later one" in refused.stderr, refused
    assert exchange.sql("select store, event_seq, epoch from ringside.high_water order by store") == before


def test_rebuild_fills_from_a_day_that_is_there_alone():
    exchange.options["postgres.connection"] = exchange.postgres_connection
    exchange.write_config()
    assert f"{NEXT_DAY} or a later one" in rebuild(code=FAILED).stderr
    assert exchange.sql("select to_regnamespace('ringside') is null") == [["t"]]
    rebuild("--day", "2099-01-02")
    assert exchange.sql_number("select count(*) from ringside.executions") == len(trades())
    tool("persister", "check")


def test_trim_keeps_what_a_rebuild_reads():
    with open(os.path.join(exchange.options["events.directory"], "stores.marks")) as file:
        told = dict(line.split() for line in file)
    first = exchange.sql_number("select min(first_seq) from ringside.high_water")
    assert told == {"postgres": str(first - 1), "redis": "0"}, (told, first)
    assert json.loads(tool("journal", "trim", "--json").stdout)["events"]["needed_seq"] < first


def test_rebuild_drops_nothing_that_it_cannot_fill_again():
    refused_and_untouched("--drop")
    refused_and_untouched("--drop", "--day", state["day"])
    use_archive(True)
    os.rename(archive + "/events-0000000000.log", archive + "/moved")
    refused_and_untouched("--drop")
    os.rename(archive + "/moved", archive + "/events-0000000000.log")
    exchange.options["events.directory"] += ".mistyped"
    exchange.write_config()
    assert "there are no events" in rebuild("--drop", code=CONFIG).stderr
    exchange.options["events.directory"] = exchange.options["events.directory"].removesuffix(".mistyped")
    exchange.write_config()
    tool("persister", "check")


def test_rebuild_takes_the_archive():
    rebuild("--drop")
    assert exchange.sql_number("select count(*) from ringside.executions") == len(state["first"]) + len(trades())
    tool("persister", "check")


with exchange:
    run(test_a_day_fills_a_file_of_the_log_and_is_trimmed, test_trades_of_a_day_that_is_there,
        test_trades_of_a_day_that_was_trimmed, test_probe_knows_names_from_before, test_top_knows_names_from_before,
        test_rebuild_fills_from_a_day_that_is_there_alone, test_trim_keeps_what_a_rebuild_reads,
        test_rebuild_drops_nothing_that_it_cannot_fill_again, test_rebuild_takes_the_archive,
        on_failure=exchange.log_tails)
