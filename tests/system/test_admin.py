#!/usr/bin/env python3
"""Operators, with real processes: every action of ringside admin, who may, and ringside-admin killed in the middle.

Goal: what an operator asks for is done once, said to whoever it concerns, and known afterwards with who did it, in the
events' tables and in the journal; who may not is told so; a ringside-admin that is killed at any moment loses and
doubles nothing. Method: one exchange with stores, actions by the program that people use, their effects read as a
client, as SQL and as a journal.
"""
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from exchange import Exchange
from ouch_client import enable, enter
from tap import Skip, eventually, run

STAGES = ("journaler", "sequencer", "matcher", "persister", "gateway", "admin")
exchange = Exchange(sys.argv[1], stores=True, stages=STAGES)
REFUSED, UNREACHABLE, DENIED, USAGE = 2, 69, 77, 64


def admin(*words, code=0):
    """The answer, as the program prints it for a program."""
    done = exchange.run_tool("admin", "--config", exchange.config_path, "--json", *words, check=False)
    assert done.returncode == code, f"admin {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}"
    lines = done.stdout.splitlines()
    return json.loads(lines[-1]) if lines else done.stderr


def rejected(client, reference, reason, **order):
    client.send(enter(reference, **order))
    message = client.expect("J", reference)
    assert message["reason"] == reason, message


def test_instruments_are_added_and_limited():
    exchange.start()
    added = admin("instrument", "add", "ZAPP", "--tick", "0.05", "--lot", 10, "--reference", "50")
    assert added["done"] and added["instrument"] == len(exchange.symbols) + 1 and added["symbol"] == "ZAPP", added
    refused = admin("instrument", "add", "ZAPP", code=REFUSED)
    assert (refused["done"], refused["refused_code"]) == (False, 7), refused
    assert admin("instrument", "add", "ZAPP", "--if-needed")["done"]
    admin("instrument", "limits", "ZAPP", "--quantity-max", 100)
    admin("instrument", "limits", "NONE", "--quantity-max", 100, code=REFUSED)
    with exchange.login("USER01") as client:
        rejected(client, 1, 0x1E, side="B", quantity=200, symbol="ZAPP", price=500000)
        client.send(enter(2, side="B", quantity=100, symbol="ZAPP", price=500000))
        client.expect("A", 2)


def test_halted_resumed_closed_by_auction():
    with exchange.login("USER02") as client:
        admin("halt", "AAPL")
        rejected(client, 1, 0x07, side="B", quantity=100, symbol="AAPL", price=1000000, tif="3")
        client.send_many([enter(2, side="B", quantity=100, symbol="AAPL", price=1000000),
                          enter(3, side="S", quantity=100, symbol="AAPL", price=990000)])
        client.expect("A", 3)
        opened = admin("resume", "AAPL")
        assert opened["trades"] == 1, opened
        client.expect("E", 2)
        client.send(enter(4, side="B", quantity=100, symbol="MSFT", price=900000))
        client.expect("A", 4)
        assert admin("close", "MSFT")["canceled"] == 1
        client.expect("C", 4)
        admin("open", "MSFT")
        admin("pre-open", "all")
        admin("open", "all")


def test_a_trade_is_broken():
    match = exchange.sql_number("select max(match_number) from ringside.executions") if eventually(
        lambda: exchange.sql_number("select count(*) from ringside.executions"), 30, "a trade in the tables") else 0
    with exchange.login("USER02", sequence=0) as client:
        assert admin("trade", "break", match, "--reason", "error")["done"]
        message = client.expect("B")
        assert message["match"] == match, message
    assert admin("trade", "break", match, code=REFUSED)["refused_code"] == 7
    assert admin("trade", "break", 10**12, code=REFUSED)["refused_code"] == 11


def test_firms_are_limited_switched_off_and_canceled():
    with exchange.login("USER03") as client:
        firm = exchange.sql("select firm from ringside.sessions where user_name = 'USER03'") or [["FIRM"]]
        firm = firm[0][0]
        client.send(enter(1, side="B", quantity=500, symbol="NVDA", price=900000))
        client.expect("A", 1)
        admin("firm", "limits", firm, "--quantity-max", 400)
        rejected(client, 2, 0x31, side="B", quantity=500, symbol="NVDA", price=900000)
        admin("firm", "limits", firm)
        admin("firm", "disable", firm)
        rejected(client, 3, 0x0C, side="B", quantity=100, symbol="NVDA", price=900000)
        client.send(enable(4))  # the member's own switch is another
        client.expect("K", 4)
        rejected(client, 5, 0x0C, side="B", quantity=100, symbol="NVDA", price=900000)
        assert admin("orders", "cancel", "--firm", firm, "--symbol", "NVDA")["canceled"] == 1
        message = client.expect("C", 1)
        assert message["reason"] == "S", message
        admin("firm", "enable", firm)
        client.send(enter(6, side="B", quantity=100, symbol="NVDA", price=900000))
        client.expect("A", 6)
        assert admin("orders", "cancel", "--user", "USER03")["canceled"] == 1
        client.expect("C", 6)
    admin("orders", "cancel", code=USAGE)
    assert admin("orders", "cancel", "--user", "NOBODY", code=REFUSED)["refused_code"] == 12


def test_users_are_kicked_and_blocked():
    client = exchange.login("USER04")
    admin("user", "kick", "USER04")
    client.wait_closed()
    assert admin("user", "kick", "USER04", code=REFUSED)["refused_code"] == 1
    exchange.login("USER04").close()
    admin("user", "block", "USER04")
    try:
        exchange.login("USER04").close()
        raise AssertionError("a blocked user has logged in")
    except PermissionError as refused:
        assert str(refused) == "A", refused
    admin("user", "unblock", "USER04")
    exchange.login("USER04").close()
    client = exchange.login("USER05")
    admin("gateway", "dead", 1)
    client.wait_closed()


def test_the_configuration_is_read_again():
    instruments = exchange.sql_number("select count(*) from ringside.instruments")
    exchange.symbols = exchange.symbols + ("LATE",)
    exchange.write_config()
    with open(exchange.config_path, "a") as file:
        file.write("[firms]\nFRMX = quantity_max 77\n")
    reloaded = admin("reload")
    assert reloaded == {"done": len(exchange.symbols) + 1, "refused": 0}, reloaded
    with exchange.login("USER06") as client:
        client.send(enter(1, side="B", quantity=100, symbol="LATE", price=900000))
        client.expect("A", 1)
    exchange.symbols = exchange.symbols + ("LATER",)
    exchange.write_config()
    exchange.processes["admin"].send_signal(signal.SIGHUP)
    eventually(lambda: exchange.sql_number("select count(*) from ringside.instruments") == instruments + 2, 30,
               "SIGHUP has added an instrument")
    with open(exchange.config_path, "a") as file:
        file.write("nonsense\n")
    exchange.processes["admin"].send_signal(signal.SIGHUP)
    eventually(lambda: "the configuration stays as it was" in exchange.log_tail("admin"), 10, "a mistake is named")
    exchange.write_config()
    assert admin("reload")["refused"] == 0


def test_who_may_not_is_told_so():
    if os.geteuid() != 0:
        raise Skip("not root: there is no other user to be")
    os.chmod(exchange.rings, 0o711)
    program = os.path.join(exchange.directory, "ringside")  # the build folder may be where nobody may look
    shutil.copy(exchange.ringside, program)
    os.chmod(exchange.config_path, 0o644)
    command = [program, "admin", "--config", exchange.config_path, "halt", "AAPL"]
    refused = subprocess.run(command, user=65534, group=65534, extra_groups=[], capture_output=True, text=True)
    assert refused.returncode == DENIED and "may not administer" in refused.stderr, refused
    exchange.options["admin.group"] = "65533"
    exchange.write_config()
    exchange.stop("admin")
    exchange.start("admin")
    eventually(lambda: os.path.exists(os.path.join(exchange.rings, "admin.sock")), 10, "the socket")
    denied = subprocess.run(command, user=65534, group=65534, extra_groups=[], capture_output=True, text=True)
    assert denied.returncode == DENIED, denied
    allowed = subprocess.run(command, user=65534, group=65533, extra_groups=[], capture_output=True, text=True)
    assert allowed.returncode == 0, allowed
    admin("resume", "AAPL")


def test_killed_in_the_middle_nothing_is_lost_or_doubled():
    before = exchange.sql_number("select count(*) from ringside.operator_actions")
    answers, ended = [], threading.Event()

    def ask(number):
        words = [exchange.ringside, "admin", "--config", exchange.config_path, "--json", "instrument", "add"]
        for step in range(12):
            code = UNREACHABLE
            while code == UNREACHABLE:  # between two lives: nothing was sent
                done = subprocess.run(words + [f"K{number}N{step}"], capture_output=True, text=True)
                code = done.returncode
            answers.append((code, done.stdout + done.stderr))

    def kill():
        while not ended.is_set():
            exchange.kill("admin")
            exchange.start("admin", wait=False)
            time.sleep(0.15)

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    killer = threading.Thread(target=kill)
    for thread in askers + [killer]:
        thread.start()
    for thread in askers:
        thread.join()
    ended.set()
    killer.join()
    assert len(answers) == 36 and all(code == 0 for code, _ in answers), [bad for bad in answers if bad[0] != 0]
    admin("mark")
    exchange.stores_catch_up()
    added = exchange.sql("select symbol, count(*) from ringside.instruments where symbol like 'K_N%' group by 1")
    assert len(added) == 36, added
    done = exchange.sql_number("select count(*) from ringside.operator_actions where action = 'instrument add'"
                               f" and event_seq > (select max(event_seq) from (select event_seq from"
                               f" ringside.operator_actions order by 1 limit {before}) as old)")
    assert done == 36, f"{done} actions for 36 requests"


def test_who_did_what_is_known():
    exchange.stores_catch_up()
    actions = exchange.sql("select distinct action from ringside.operator_actions where operator_name = 'root'"
                           if os.geteuid() == 0 else "select distinct action from ringside.operator_actions")
    actions = {row[0] for row in actions}
    expected = {"instrument add", "instrument limits", "market state", "trade break", "firm limits", "firm disable",
                "firm enable", "orders cancel", "user kick", "user block", "user unblock", "gateway dead",
                "snapshot mark"}
    assert expected <= actions, expected - actions
    logins = exchange.sql("select result, host(peer) from ringside.logins where user_name = 'USER04'"
                          " order by event_seq")
    assert ["accepted", "127.0.0.1"] in logins and ["refused", "127.0.0.1"] in logins, logins
    with exchange.connect() as client:
        client.send_login("USER07", "wrong")
        client.wait_closed()
    eventually(lambda: exchange.sql_number("select count(*) from ringside.logins where user_name = 'USER07'"
                                           " and result = 'refused'") == 1, 30, "a wrong password in the tables")
    dump = exchange.run_tool("journal", "dump", "--config", exchange.config_path, "--json", "--kind", "TRADE_BREAK")
    assert '"operator_name"' in dump.stdout, dump.stdout


def test_the_days_trades_as_csv():
    def lines(*words):
        out = exchange.run_tool("trades", "--config", exchange.config_path, *words).stdout
        return list(csv.DictReader(io.StringIO(out)))

    with exchange.login("USER10") as client:
        client.send_many([enter(1, side="B", quantity=100, symbol="INTC", price=1000000, clordid="MINE"),
                          enter(2, side="S", quantity=40, symbol="INTC", price=1000000, clordid="YOURS")])
        client.expect("E", 2)
    sides = lines()
    exchange.stores_catch_up()
    executions = exchange.sql("select match_number, case when is_maker then 'maker' else 'taker' end, symbol, side,"
                              " quantity, price, user_ref, order_ref from ringside.executions"
                              " order by event_seq, is_maker")
    found = [[line[name] for name in ("match_number", "role", "symbol", "side", "quantity", "price", "user_ref",
                                      "order_ref")] for line in sides]
    assert found == executions, (found, executions)
    assert [line["client_order_id"] for line in sides[-2:]] == ["YOURS", "MINE"], sides[-2:]
    assert {line["state"] for line in sides} == {"good", "broken"}, sides
    assert sides[-1]["user"] == "USER10" and lines("--firm", sides[-1]["firm"]) == sides, sides
    assert lines("--firm", "NONE") == []
    refused = exchange.run_tool("trades", "--config", exchange.config_path, "--day", "19990101", check=False)
    assert refused.returncode == 78 and "no such day" in refused.stderr, refused


def test_the_day_is_closed_and_another_begins():
    with exchange.login("USER08") as client:
        client.send(enter(1, side="B", quantity=100, symbol="GOOG", price=900000))
        client.expect("A", 1)
        ended = admin("day", "close")
        assert ended["action"] == "snapshot mark", ended
        client.expect("C", 1)
        rejected(client, 2, 0x02, side="B", quantity=100, symbol="GOOG", price=900000)
    assert admin("day", "start", "20200101", code=REFUSED)["refused_code"] == 6
    assert admin("day", "start", "20990102")["done"]
    assert admin("day", "start", "20990103", code=REFUSED)["refused_code"] == 4
    admin("open", "all")
    with exchange.login("USER08") as client:
        client.send(enter(1, side="B", quantity=100, symbol="GOOG", price=900000))
        client.expect("A", 1)


def test_an_exchange_goes_on_without_it():
    exchange.stop("admin")
    message = admin("halt", "AAPL", code=UNREACHABLE)
    assert "no ringside-admin answers" in message, message
    admin("fly", "AAPL", code=USAGE)
    with exchange.login("USER09") as client:
        client.send(enter(1, side="B", quantity=100, symbol="GOOG", price=900000))
        client.expect("A", 1)
    exchange.run_tool("journal", "verify", "--config", exchange.config_path)
    exchange.check_alive()


try:
    run(test_instruments_are_added_and_limited, test_halted_resumed_closed_by_auction, test_a_trade_is_broken,
        test_firms_are_limited_switched_off_and_canceled, test_users_are_kicked_and_blocked,
        test_the_configuration_is_read_again, test_who_may_not_is_told_so,
        test_killed_in_the_middle_nothing_is_lost_or_doubled, test_who_did_what_is_known,
        test_the_days_trades_as_csv, test_the_day_is_closed_and_another_begins,
        test_an_exchange_goes_on_without_it,
        on_failure=exchange.log_tails)
finally:
    exchange.close()
