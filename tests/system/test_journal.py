#!/usr/bin/env python3
"""`ringside journal` on the journal of a real exchange.

Goal: verify, stat, dump and replay agree with each other and with what was sent, while the exchange runs and after;
trim removes nothing that recovery needs; repair cuts a torn tail and refuses what is worse; a replay into another
exchange leaves the same books. Method: some ten thousand orders of a load and a few by hand, over TCP; damage is done
to copies.
"""
import json
import os
import shutil
import sys
import time

from exchange import PASSWORD, SYMBOLS, Exchange
from ouch_client import cancel, enter, replace
from tap import run

WHOLE, TORN, USAGE, CORRUPT, ABSENT, HELD = 0, 2, 64, 65, 66, 69
ORDERS, BLOCK = 45000, 4096
STAGES = ("journaler", "sequencer", "matcher", "gateway")
HAND_USER, HAND_SYMBOL, HAND_PRICE = "USER09", "INTC", "87.65"

exchange = Exchange(sys.argv[1], stages=STAGES, options={"journal.segment_bytes": "2M", "journal.batch_bytes": "64K"})
seen = {}  # what one test found, for the next


def journal(part, *arguments, of=exchange, expect=WHOLE):
    """What a part prints, which must end as expected."""
    done = of.run_tool("journal", part, "--config", of.config_path, *arguments, check=False)
    as_expected = expect is None or done.returncode == expect
    assert as_expected, (part, arguments, done.returncode, done.stdout[-2000:], done.stderr)
    return done


def journal_json(part, *arguments, **more):
    return json.loads(journal(part, "--json", *arguments, **more).stdout)


def dump(*arguments):
    return [json.loads(line) for line in journal("dump", "--json", *arguments).stdout.splitlines()]


def files(directory):
    return {name: os.path.getsize(f"{directory}/{name}") for name in sorted(os.listdir(directory))}


class Copy:
    """A copy of the journal and the event log, to be damaged; the exchange's own rings directory stands beside it."""

    def __init__(self, name):
        self.root = os.path.join(exchange.directory, name)
        for part in ("journal", "events"):
            shutil.copytree(exchange.options[f"{part}.directory"], f"{self.root}/{part}")
        self.journal = f"{self.root}/journal"

    def run(self, part, *arguments, expect=WHOLE):
        return journal(part, *arguments, "--set", f"journal.directory={self.journal}", "--set",
                       f"events.directory={self.root}/events", expect=expect)

    def json(self, part, *arguments, expect=WHOLE):
        return json.loads(self.run(part, "--json", *arguments, expect=expect).stdout)

    def path(self, segment):
        return f"{self.journal}/journal-{segment:010d}.seg"

    def flip(self, path, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 0x10]))


# ---- while the exchange runs ----


def test_there_is_something_to_look_at():
    assert exchange.load("--orders", ORDERS, "--sessions", 4)["complete"] is True
    with exchange.connect() as client:
        client.login(HAND_USER, PASSWORD)
        seen["since"] = time.time_ns()
        client.send(enter(1, "B", 100, HAND_SYMBOL, 876500))
        client.send(enter(2, "B", 200, HAND_SYMBOL, 866500))
        client.send(enter(3, "S", 300, "AAPL", 1990000))
        client.expect("A", user_ref=3)
        client.send(replace(2, 4, 250, 866600))
        client.expect("U", user_ref=4)
        client.send(cancel(1, 40))
        client.expect("C", user_ref=1)
        seen["until"] = time.time_ns()


def test_verifies_what_is_durable_of_a_journal_that_is_written():
    report = journal_json("verify")
    assert report["whole"] and report["live"] and report["replayed"], report
    assert report["commands"] > ORDERS and report["torn_bytes"] == 0, report
    assert report["checkpoints"] >= 1, "more than 65,536 commands tell of one"
    assert report["event_log_events"] > ORDERS, report


def test_trim_refuses_what_recovery_needs():
    before = files(exchange.options["journal.directory"])
    assert sum(name.endswith(".seg") for name in before) >= 3, before
    report = journal_json("trim")
    assert report["segments"] == 0 and report["needed_seq"] == 1 and report["keeper"] == "recovery", report
    refused = journal("trim", "--before", 1000, expect=USAGE)
    assert "command 1 and all after it are needed by recovery" in refused.stderr, refused.stderr
    refused = journal("trim", "--before", 1000, "--archive", f"{exchange.directory}/archive", expect=USAGE)
    assert "fewer than two good snapshots" in refused.stderr and not os.path.exists(f"{exchange.directory}/archive")
    assert before.keys() <= files(exchange.options["journal.directory"]).keys(), "nothing is gone"


def test_repair_refuses_while_a_journaler_runs():
    refused = journal("repair", expect=HELD)
    assert f"held by process {exchange.processes['journaler'].pid}" in refused.stderr, refused.stderr
    exchange.check_alive()


# ---- after it ----


def test_verifies_all_of_a_journal_that_is_closed():
    exchange.stop()
    report = seen["verify"] = journal_json("verify", "--yardstick")
    assert report["whole"] and not report["live"] and report["torn_bytes"] == 0, report
    assert report["event_log_events"] == report["events"] > 0, "the log is complete, and agrees"
    assert report["yardstick_ratio"] > 0, report
    bytes_alone = journal_json("verify", "--no-replay")
    assert bytes_alone["commands"] == report["commands"] and "event_hash" not in bytes_alone, bytes_alone
    text = journal("verify").stdout
    assert ": whole\n" in text and report["event_hash"] in text and "checkpoints agree" in text, text


def test_replay_comes_to_the_same():
    whole, verified = journal_json("replay"), seen["verify"]
    for what in ("commands", "events", "event_hash", "state_hash", "live_orders"):
        assert whole[what] == verified[what], (what, whole, verified)
    assert whole["live_orders"] == 3, "those by hand; the load takes its own away"
    middle = whole["commands"] // 2
    half, again = (journal_json("replay", "--to", middle) for _ in range(2))
    assert half["commands"] == half["command_seq"] == middle and half["live_orders"] > 3, half
    assert half["event_hash"] == again["event_hash"] != whole["event_hash"], (half, again)
    assert journal_json("replay", "--to", 10 ** 12)["event_hash"] == whole["event_hash"]


def test_stat_adds_up():
    report = seen["stat"] = journal_json("stat")
    segments = [segment for segment in report["segments"] if "epoch" in segment]
    assert len(segments) >= 3 and [segment["segment"] for segment in segments] == list(range(1, len(segments) + 1))
    for left, right in zip(segments, segments[1:]):
        assert left["command_seq_next"] == right["command_seq_first"], (left, right)
    assert report["command_seq_next"] - 1 == sum(report["kinds"].values()) == seen["verify"]["commands"], report
    assert report["batch_records"]["sum"] == seen["verify"]["commands"], report
    assert report["kinds"]["ENTER"] == ORDERS + 3 and report["kinds"]["REPLACE"] == 1, report["kinds"]
    assert report["kinds"]["INSTRUMENT_ADD"] == len(SYMBOLS) and report["torn_bytes"] == 0, report
    assert 20 < report["bytes_per_record"] < 112, report
    text = journal("stat").stdout
    assert f"{'ENTER':18} {ORDERS + 3:12}" in text and "bytes used" in text, text


def test_dump_filters():
    every = dump()
    assert [line["command_seq"] for line in every] == list(range(1, seen["verify"]["commands"] + 1))
    kinds = {}
    for line in every:
        kinds[line["kind"]] = kinds.get(line["kind"], 0) + 1
    assert kinds == seen["stat"]["kinds"], kinds
    assert dump("--from", 100, "--to", 119) == every[99:119]
    assert dump("--kind", "replace,instrument_add") == [line for line in every
                                                        if line["kind"] in ("REPLACE", "INSTRUMENT_ADD")]
    of_user = dump("--session", HAND_USER)
    assert [line["kind"] for line in of_user if "user_ref" in line or line["kind"] == "CANCEL"] == [
        "ENTER", "ENTER", "ENTER", "REPLACE", "CANCEL"], of_user
    number = str(next(line["session"] for line in of_user if line["kind"] == "ENTER"))
    assert [line for line in dump("--session", number) if line["kind"] != "LOGIN"] == [
        line for line in of_user if line["kind"] != "LOGIN"]
    timed = dump("--since", seen["since"], "--until", seen["until"], "--session", HAND_USER)
    assert [line["kind"] for line in timed] == ["ENTER", "ENTER", "ENTER", "REPLACE", "CANCEL"], timed
    day = time.strftime("%Y-%m-%d", time.gmtime(seen["since"] // 10 ** 9 - 3600))
    assert len(dump("--since", day)) == len(every) and dump("--until", "2001-02-03T04:05:06.5Z") == []


def test_dump_knows_what_an_order_is_about():
    of_symbol = [line for line in dump("--symbol", HAND_SYMBOL) if line.get("user") == HAND_USER]
    assert [line["kind"] for line in of_symbol] == ["ENTER", "ENTER", "REPLACE", "CANCEL"], of_symbol
    first = of_symbol[0]
    assert first["price"] == HAND_PRICE and first["price_ticks"] == 876500 and first["side"] == "B", first
    assert first["quantity"] == 100 and first["symbol"] == HAND_SYMBOL and first["user_ref"] == 1, first
    assert of_symbol[2]["target_user_ref"] == 2 and of_symbol[3]["quantity"] == 40, of_symbol
    text = journal("dump", "--symbol", HAND_SYMBOL, "--session", HAND_USER, "--kind", "enter").stdout.splitlines()
    assert len(text) == 2 and f" {HAND_USER} " in text[0] and f" {HAND_SYMBOL} " in text[0], text
    assert f" price {HAND_PRICE}" in text[0] and " quantity 100" in text[0] and first["time"] in text[0], text
    plain = dump("--no-names", "--from", first["command_seq"], "--to", first["command_seq"])
    assert "symbol" not in plain[0] and plain[0]["instrument"] == first["instrument"], plain


def test_refuses_what_it_cannot_read():
    assert "no kind" in journal("dump", "--kind", "enter,buy", expect=USAGE).stderr
    assert "no time" in journal("dump", "--since", "yesterday", expect=USAGE).stderr
    assert "no number" in journal("dump", "--from", "x", expect=USAGE).stderr
    journal("replay", "--pace", "2", expect=USAGE)
    assert "there is no part" in exchange.run_tool("journal", "mend", check=False).stderr
    empty = os.path.join(exchange.directory, "empty")
    os.makedirs(empty, exist_ok=True)
    for part in ("verify", "stat", "dump", "replay"):
        assert "holds no journal" in journal(part, empty, expect=ABSENT).stderr
    named = journal("verify", "--json", exchange.options["journal.directory"]).stdout
    assert json.loads(named)["event_hash"] == seen["verify"]["event_hash"]


# ---- damage ----


def test_names_the_place_of_corruption():
    copy = Copy("corrupt")
    before = files(copy.journal)
    copy.flip(copy.path(2), 2 * BLOCK + 700)
    done = copy.run("verify", expect=CORRUPT)
    assert "journal-0000000002.seg: at offset " in done.stderr and "records" in done.stderr, done.stderr
    report = copy.json("verify", expect=CORRUPT)
    assert report["whole"] is False and report["error"] == "corrupt" and report["segment"] == 2, report
    assert f"at offset {report['offset']}, command {report['command_seq_next']}: " in report["what"], report
    for part in ("stat", "replay", "dump"):
        copy.run(part, expect=CORRUPT)
    assert copy.json("verify", "--no-replay", expect=CORRUPT)["offset"] == report["offset"]
    last = seen["stat"]["segments"][-1]
    copy.flip(copy.path(2), 2 * BLOCK + 700)  # and back: whole again, then one in the last segment
    assert copy.json("verify")["whole"] is True
    copy.flip(copy.path(last["segment"]), BLOCK + 20)
    refused = copy.run("repair", expect=CORRUPT)
    assert f"journal-{last['segment']:010d}.seg: at offset 4096" in refused.stderr, refused.stderr
    assert files(copy.journal) == before, "nothing was cut"


def test_a_torn_tail_is_told_and_cut():
    copy = Copy("torn")
    last = [segment for segment in seen["stat"]["segments"] if "epoch" in segment][-1]
    path, end = copy.path(last["segment"]), last["used_bytes"]
    with open(path, "r+b") as file:
        file.seek(end)
        file.write(b"\xaa" * 6000)
    report = copy.json("verify", expect=TORN)
    assert report["whole"] and report["torn_bytes"] == 2 * BLOCK and report["offset"] == end, report
    assert "torn tail     8192 bytes" in copy.run("verify", expect=TORN).stdout
    size = os.path.getsize(path)
    assert copy.json("repair", "--dry-run")["cut_bytes"] == 2 * BLOCK and os.path.getsize(path) == size
    others = {name: bytes_ for name, bytes_ in files(copy.journal).items() if name != os.path.basename(path)}
    cut = copy.json("repair")
    assert cut["cut_bytes"] == 2 * BLOCK and cut["offset"] == end and cut["removed_segments"] == 0, cut
    assert os.path.getsize(path) == end
    assert others == {name: bytes_ for name, bytes_ in files(copy.journal).items() if name != os.path.basename(path)}
    report = copy.json("verify")
    assert report["torn_bytes"] == 0 and report["event_hash"] == seen["verify"]["event_hash"], report
    assert "nothing to cut" in copy.run("repair").stdout


def test_a_journal_that_ends_before_the_event_log_is_refused():
    copy = Copy("short")
    last = [segment for segment in seen["stat"]["segments"] if "epoch" in segment][-1]
    assert last["command_seq_next"] > last["command_seq_first"], "the last segment has commands"
    with open(copy.path(last["segment"]), "r+b") as file:
        file.truncate(2 * BLOCK)
    assert "event log" in copy.run("repair", expect=CORRUPT).stderr
    report = copy.json("verify", expect=CORRUPT)
    assert "which the journal does not give" in report["what"], report


def test_damage_to_the_event_log_is_told():
    copy = Copy("log")
    log = f"{copy.root}/events/events-0000000000.log"
    event_seq = seen["verify"]["events"] // 2
    copy.flip(log, BLOCK + event_seq * 128 + 100)
    done = copy.run("verify", "--json", expect=None)
    report = json.loads(done.stdout)
    synced = "event %d is not whole, but the journal says" % event_seq in done.stderr
    assert done.returncode == (CORRUPT if synced else TORN), done
    assert synced or report["event_log_hole"] == event_seq, report
    assert copy.json("verify", "--no-replay")["whole"] is True
    copy.flip(log, BLOCK + event_seq * 128 + 100)
    assert copy.json("verify")["event_log_hole"] == 0
    shutil.rmtree(f"{copy.root}/events")
    assert copy.json("verify")["event_log_events"] == 0, "without a log there is nothing to compare"


def test_an_event_that_differs_is_found():
    """Two logs of two exchanges, whole in themselves: the other one is not what this journal gives."""
    copy = Copy("differs")
    with Exchange(sys.argv[1], stages=STAGES, symbols=("AAPL", "OTHER")) as other:
        other.start()
        other.stop()
        shutil.rmtree(f"{copy.root}/events")
        shutil.copytree(other.options["events.directory"], f"{copy.root}/events")
    report = copy.json("verify", expect=CORRUPT)
    assert "in the event log differs in " in report["what"] and "by replay" in report["what"], report


def test_other_limits_are_noticed():
    report = journal("verify", "--set", "engine.sessions_max=2", expect=CORRUPT)
    assert "differs" in report.stderr or "hash" in report.stderr or "not give" in report.stderr, report.stderr


# ---- into another exchange ----


def test_replay_into_another_exchange_leaves_the_same_books():
    with Exchange(sys.argv[1], stages=STAGES) as first, Exchange(sys.argv[1], stages=STAGES) as second:
        first.start()
        with first.connect() as buyer, first.connect() as seller:
            buyer.login("USER01", PASSWORD)
            seller.login("USER02", PASSWORD)
            for turn in range(5):
                buyer.send(enter(2 * turn + 1, "B", 100 + turn, "MSFT", 1000000 + 100 * turn))
                buyer.send(enter(2 * turn + 2, "B", 50, "NVDA", 990000 - 100 * turn))
                buyer.expect("A", user_ref=2 * turn + 2)
                seller.send(enter(turn + 1, "S", 30, "MSFT", 1000000))
                seller.expect("E", user_ref=turn + 1)
                time.sleep(0.2)
            buyer.send(replace(2, 100, 70, 995000))
            buyer.expect("U", user_ref=100)
            buyer.send(cancel(4))
            buyer.expect("C", user_ref=4)
        first.stop()
        second.start()
        report = journal_json("replay", "--connect", f"127.0.0.1:{second.port}", "--pace", "2", "--password", PASSWORD,
                              of=first)
        assert report["sent"] == 17 and report["logins"] == 3, report
        assert report["answers"]["A"] == 15 and report["answers"]["U"] == 1 and report["answers"]["C"] == 1, report
        assert report["answers"]["E"] == 10 and "J" not in report["answers"], report
        assert 0.4 < report["seconds"] < 10, "a second at twice the pace, and the wait for the last answers"
        assert report["not_sent"]["INSTRUMENT_ADD"] == len(SYMBOLS), report
        second.stop()
        left, right = (journal_json("replay", of=one) for one in (first, second))
        assert left["live_orders"] == right["live_orders"] > 0, (left, right)
        assert left["state_hash"] == right["state_hash"], (left, right)


with exchange:
    exchange.start()
    run(test_there_is_something_to_look_at, test_verifies_what_is_durable_of_a_journal_that_is_written,
        test_trim_refuses_what_recovery_needs, test_repair_refuses_while_a_journaler_runs,
        test_verifies_all_of_a_journal_that_is_closed, test_replay_comes_to_the_same, test_stat_adds_up,
        test_dump_filters, test_dump_knows_what_an_order_is_about, test_refuses_what_it_cannot_read,
        test_names_the_place_of_corruption, test_a_torn_tail_is_told_and_cut,
        test_a_journal_that_ends_before_the_event_log_is_refused, test_damage_to_the_event_log_is_told,
        test_an_event_that_differs_is_found, test_other_limits_are_noticed,
        test_replay_into_another_exchange_leaves_the_same_books,
        on_failure=exchange.log_tails)
