#!/usr/bin/env python3
"""The stores by hand: examples that read them, `persister check` and `persister rebuild`.

Goal: what docs/stores.md promises to people can be typed as it stands. Method: one load; the examples in Python and
Node print the trades that the tables have; each example query runs and its answer adds up, and reads one partition
only; `check` agrees, and names each damage that is then done; a rebuild, of all and of a day, agrees again.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys

from exchange import ROOT, Exchange, SqlError
from tap import Skip, run

EXAMPLES = os.path.join(ROOT, "deploy", "examples")
exchange = Exchange(sys.argv[1], stores=True)
state = {}


def query(name, *variables):
    """Rows of an example query, as psql's user would run it."""
    settings = [argument for variable in variables for argument in ("-v", variable)]
    with open(os.path.join(EXAMPLES, "queries", name)) as file:
        out = subprocess.run(["psql", "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", *settings, "-d",
                              exchange.postgres_connection], stdin=file, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return [line.split("\t") for line in out.stdout.splitlines()]


def check(*arguments):
    done = exchange.run_tool("persister", "check", "--json", "--config", exchange.config_path, *arguments, check=False)
    assert done.returncode in (0, 65), done.stderr
    report = json.loads(done.stdout)
    assert report["agree"] == (done.returncode == 0), report
    return report


def noticed(what, words):
    tables = {table["what"]: table for table in check()["tables"]}
    assert not tables[what]["agree"] and words in tables[what]["difference"], tables[what]


def expected_trades():
    return [f"{seq} {symbol} {quantity} @ {price} match {match} taker {taker} {side} maker {maker}"
            for seq, symbol, quantity, price, match, taker, side, maker in exchange.sql(
                "select event_seq, symbol, quantity, price, match_number, order_ref, case side when 'buy' then 'B'"
                " else 'S' end, counter_order_ref from ringside.executions where not is_maker order by event_seq")]


def follow(*program):
    trades = expected_trades()
    assert len(trades) > 1000, len(trades)
    out = subprocess.run([*program, "--redis", exchange.redis_path, "--after", "0", "--count", str(len(trades))],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out.stderr
    assert out.stdout.splitlines() == trades


def test_a_load_and_what_it_leaves():
    state["report"] = exchange.load("--orders", 20000, "--sessions", 4)
    exchange.stores_agree()
    state["day"] = exchange.sql("select max(day) from ringside.executions")[0][0]
    assert check()["agree"], check()


def test_the_example_in_python_prints_the_trades():
    follow(sys.executable, os.path.join(EXAMPLES, "follow_trades.py"))


def test_the_example_in_node_prints_the_trades():
    node = shutil.which("node") or shutil.which("nodejs")
    if not node:
        raise Skip("no node here; deploy/install-deps test installs it")
    follow(node, os.path.join(EXAMPLES, "follow_trades.js"))


def test_volume_and_traders_add_up():
    volume = query("volume_by_symbol.sql", f"day={state['day']}")
    traders = query("top_traders.sql", f"day={state['day']}")
    assert sum(int(row[1]) for row in volume) == state["report"]["trades"], volume
    assert 2 * sum(int(row[2]) for row in volume) == sum(int(row[3]) for row in traders), (volume, traders)


def test_fills_of_a_user_and_times_of_orders():
    fills = query("session_fills.sql", f"day={state['day']}", "user=USER01")
    assert len(fills) == exchange.sql_number("select count(*) from ringside.executions join ringside.sessions"
                                             " using (session) where user_name = 'USER01'") > 0
    times = query("order_to_fill_times.sql", f"day={state['day']}")
    assert sum(int(row[1]) for row in times) == exchange.sql_number(
        "select count(*) from ringside.orders where executed > 0"), times


def test_history_of_an_order():
    order, steps = exchange.sql("select order_ref, count(*) from ringside.order_events group by 1 order by 2 desc, 1"
                                " limit 1")[0]
    rows = query("order_history.sql", f"order_ref={order}")
    assert rows[0][3] == "accepted" and len(rows) >= int(steps) > 2, rows


def test_a_day_in_the_condition_reads_that_day_alone():
    plan = exchange.sql(f"explain select sum(quantity) from ringside.executions where day = '{state['day']}'")
    scans = [line[0] for line in plan if "Scan" in line[0] and "executions_" in line[0]]
    assert len(scans) == 1, plan


def test_a_reader_may_read_and_no_more():
    exchange.sql("create role curious login in role ringside_reader")
    try:
        assert exchange.sql("set role curious; select count(*) > 0 from ringside.orders") == [["t"]]
        for statement in ("delete from ringside.orders", "select ringside.detach_day('2000-01-01')",
                          "update ringside.high_water set event_seq = 0"):
            try:
                exchange.sql(f"set role curious; {statement}")
            except SqlError:
                continue
            raise AssertionError(f"a reader may {statement}")
    finally:
        exchange.sql("drop role curious")


def test_check_names_what_is_wrong():
    exchange.sql("update ringside.orders set canceled = canceled + 1 where order_ref = 100")
    noticed("orders", "order 100: canceled is ")
    exchange.sql("delete from ringside.orders where order_ref = 100")
    noticed("orders", "order 100: its row is missing")
    exchange.sql("delete from ringside.order_events where order_ref = 200 and step = 'accepted'")
    noticed("order_events", "a row is missing")
    exchange.sql("update ringside.executions set price = price + 0.01 where is_maker and event_seq ="
                 " (select min(event_seq) from ringside.executions)")
    noticed("executions", "price is ")
    exchange.sql("insert into ringside.broken_trades values (1, 1, 1, 1, null, now(), 1)")
    noticed("broken_trades", "event 1: there is a row that the events do not have")
    exchange.sql("update ringside.sessions set login_count = login_count + 1")
    noticed("small tables", "sessions: ")
    with contextlib.closing(exchange.redis()) as redis:
        redis.command("HSET", "ringside:last:AAPL", "quantity", 0)
        noticed("Redis best prices and last trades", "ringside:last:AAPL quantity")
        redis.command("XDEL", "ringside:events", redis.command("XRANGE", "ringside:events", "-", "+", "COUNT", 3)[2][0])
    noticed("Redis stream", "its entry is missing")


def rebuild(*arguments, code=0):
    done = exchange.run_tool("persister", "rebuild", "--json", "--config", exchange.config_path, *arguments,
                             check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def postgres_agrees():
    wrong = [table for table in check()["tables"] if not table["agree"] and not table["what"].startswith("Redis")]
    assert not wrong, wrong


def test_rebuild_refuses_what_it_must_not_touch():
    assert "stop it first" in rebuild("--drop", code=69).stderr
    exchange.stop("persister")
    assert "--drop" in rebuild(code=78).stderr
    assert "no trading day" in rebuild("--day", "1999-01-01", code=78).stderr
    rebuild("--day", "yesterday", code=64)


def test_rebuild_makes_it_right_again():
    report = json.loads(rebuild("--drop").stdout)
    assert report["event_seq"] == report["orders_event_seq"] == exchange.event_seq_last(), report
    postgres_agrees()
    day, first = exchange.sql("select day, event_seq from ringside.trading_days order by day desc limit 1")[0]
    assert json.loads(rebuild("--drop", "--day", day).stdout)["first_seq"] == int(first)
    postgres_agrees()


def test_the_persister_goes_on_from_there():
    exchange.start("persister", wait=False)
    exchange.load("--orders", 1000)
    exchange.stores_catch_up()
    postgres_agrees()


with exchange:
    exchange.start()
    run(test_a_load_and_what_it_leaves, test_the_example_in_python_prints_the_trades,
        test_the_example_in_node_prints_the_trades, test_volume_and_traders_add_up,
        test_fills_of_a_user_and_times_of_orders, test_history_of_an_order,
        test_a_day_in_the_condition_reads_that_day_alone, test_a_reader_may_read_and_no_more,
        test_check_names_what_is_wrong, test_rebuild_refuses_what_it_must_not_touch,
        test_rebuild_makes_it_right_again, test_the_persister_goes_on_from_there, on_failure=exchange.log_tails)
