#!/usr/bin/env python3
"""The stores by hand: examples that read them, `persister check` and `persister rebuild`.

Goal: what docs/stores.md promises to people can be typed as it stands. Method: one load; the examples in Python and
Node print the trades that the tables have; each example query runs and its answer adds up, and reads one partition
only; `check` agrees, and names each damage that is then done, of each column of the small tables; a rebuild, of all
and of a day, agrees again.
"""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

from exchange import ROOT, STAGES, Exchange, SqlError
from tap import Skip, eventually, run

EXAMPLES = os.path.join(ROOT, "deploy", "examples")
NAMES = "Redis instruments and sessions"
SETUP_LOCK = 5932749853361927  # persister/postgres_setup.c
exchange = Exchange(sys.argv[1], stores=True, stages=(*STAGES, "admin"))
state = {}

# Of each small table a row, and for each of its columns another value.
DAMAGES = {
    "instruments": ("instrument = 1", {
        "symbol": "'NONE'", "tick_size": "tick_size + 0.01", "lot_size": "lot_size + 1", "reference_price": "null",
        "collar": "collar + 0.0001", "fat_finger": "null", "quantity_max": "quantity_max + 1",
        "notional_max": "notional_max - 1", "market_state": "'halted'", "added_at": "added_at + interval '1 us'",
        "added_ns": "added_ns + 1", "event_seq": "event_seq - 1"}),
    "sessions": ("session = 1", {
        "user_name": "'NOBODY'", "firm": "null", "is_connected": "not is_connected",
        "login_count": "login_count + 1", "first_login_at": "first_login_at - interval '1 us'",
        "last_login_at": "last_login_at + interval '1 us'", "last_login_ns": "last_login_ns + 1",
        "closed_at": "null", "closed_ns": "closed_ns + 1", "event_seq": "event_seq + 1"}),
    "trading_days": ("day = (select min(day) from ringside.trading_days)", {
        "started_at": "started_at + interval '1 us'", "started_ns": "started_ns + 1", "ended_at": "null",
        "ended_ns": "ended_ns - 1", "event_seq": "event_seq - 1"}),
    "order_days": ("day = (select min(day) from ringside.order_days)", {"first_order_ref": "first_order_ref + 1"}),
}


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


def admin(*words):
    exchange.run_tool("admin", "--config", exchange.config_path, *words)


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


def test_check_beside_a_persister_that_trims():
    exchange.stop("persister")
    exchange.options["redis.stream_entries_max"] = 30
    exchange.write_config()
    exchange.start("persister", wait=False)
    load = exchange.load_start("--rate", 3000, "--seconds", 6)
    checks = [check() for _ in range(3)]
    exchange.load_finish(load)
    assert all(report["agree"] for report in checks), checks
    exchange.stores_catch_up()
    assert check()["agree"], check()


def test_check_agrees_whatever_becomes_of_the_small_tables():
    """What changes here comes in batches of its own; in the rebuild below all of it is in one."""
    admin("halt", "AAPL")
    limits = ("--collar", 20, "--fat-finger", 30, "--quantity-max", 500000, "--notional-max", 10000000)
    admin("instrument", "limits", "AAPL", *limits)
    admin("resume", "AAPL")
    admin("instrument", "add", "ZAPP", "--tick", "0.05", "--lot", 10, "--reference", "50", "--state", "halted")
    admin("instrument", "limits", "ZAPP", "--quantity-max", 100)
    admin("instrument", "limits", "ZAPP")
    exchange.login("USER01").close()
    exchange.login("USER16").close()
    admin("day", "close")
    admin("day", "start", "20990102")
    admin("open", "all")
    exchange.load("--orders", 1000)
    exchange.stores_catch_up()
    assert check()["agree"], check()


def test_check_names_each_column_of_the_small_tables():
    for table, (row, columns) in DAMAGES.items():
        others = exchange.sql("select column_name from information_schema.columns where table_schema = 'ringside'"
                              f" and table_name = '{table}'")
        key = {name for name, in others} - columns.keys()
        assert len(key) == 1, f"{table}: nothing is damaged of {key}, one of which is the key"
        for column, other in columns.items():
            before = exchange.sql(f"select quote_nullable({column}) from ringside.{table} where {row}")[0][0]
            assert before != "NULL", f"{column} of {table} says nothing here"
            exchange.sql(f"update ringside.{table} set {column} = {other} where {row}")
            noticed(table, f": {column} is ")
            exchange.sql(f"update ringside.{table} set {column} = {before} where {row}")
    assert check()["agree"], check()


def test_check_names_rows_that_are_missing_or_too_many():
    for table, (row, _) in DAMAGES.items():
        exchange.sql(f"create table public.away as select * from ringside.{table} where {row};"
                     f" delete from ringside.{table} where {row}")
        noticed(table, "its row is missing")
        exchange.sql(f"insert into ringside.{table} select * from public.away; drop table public.away")
    exchange.sql("insert into ringside.order_days values ('2099-12-31', 1)")
    exchange.sql("insert into ringside.trading_days values ('1999-12-31', now(), 1, now(), 1, 1)")
    noticed("order_days", "day 20991231: there is a row that the events do not have")
    noticed("trading_days", "day 19991231: there is a row that the events do not have")
    exchange.sql("delete from ringside.order_days where day = '2099-12-31';"
                 " delete from ringside.trading_days where day = '1999-12-31'")
    assert check()["agree"], check()


def test_check_names_what_is_wrong_with_names_in_redis():
    with contextlib.closing(exchange.redis()) as redis:
        for key in ("ringside:instruments", "ringside:sessions"):
            name = redis.command("HGET", key, 1)
            redis.command("HSET", key, 1, "NOBODY")
            noticed(NAMES, f'{key} 1 is "NOBODY", the events say "{name.decode()}"')
            redis.command("HDEL", key, 1)
            noticed(NAMES, f"{key} 1 is not there")
            redis.command("HSET", key, 1, name, 99, "NOBODY")
            noticed(NAMES, f'{key} 99 is "NOBODY", the events have none of this number')
            redis.command("HDEL", key, 99)
    assert check()["agree"], check()


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
    noticed("sessions", "session 1: login_count is ")
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
    assert "no trading day" in rebuild("--day", "19990101", code=78).stderr
    rebuild("--day", "yesterday", code=64)


@contextlib.contextmanager
def held_up():
    """What gives a database its tables waits, so that a rebuild has begun and cannot end."""
    locks = "select count(*) from pg_locks where locktype = 'advisory'"
    holder = subprocess.Popen(["psql", "-X", "-q", "-d", exchange.postgres_connection, "-c",
                               f"select pg_advisory_lock({SETUP_LOCK}); select pg_sleep(60)"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: exchange.sql_number(locks) == 1, 10, "the lock is held")
        yield lambda: eventually(lambda: exchange.sql_number(locks) > 1, 20, "the rebuild waits")
    finally:
        exchange.sql("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted")
        holder.wait()
        eventually(lambda: exchange.sql_number(locks) == 0, 10, "the rebuild's connections are gone")


def interrupted(how, *arguments):
    with held_up() as wait_for_it:
        process = subprocess.Popen([exchange.ringside, "persister", "rebuild", "--drop", "--config",
                                    exchange.config_path, *arguments], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for_it()
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1 and "interrupted" in err and "not complete" in err, (process.returncode, out, err)
    return out.splitlines()[-1]


def test_an_interrupted_rebuild_says_that_it_is_unfinished():
    assert interrupted(signal.SIGINT).startswith("unfinished: events up to 0, orders up to 0")
    report = json.loads(interrupted(signal.SIGTERM, "--json"))
    assert report["complete"] is False and report["event_seq"] == 0, report


def test_rebuild_makes_it_right_again():
    report = json.loads(rebuild("--drop").stdout)
    assert report["complete"] is True, report
    assert report["event_seq"] == report["orders_event_seq"] == exchange.event_seq_last(), report
    postgres_agrees()
    day, first = exchange.sql("select day, event_seq from ringside.trading_days order by day desc limit 1")[0]
    for name in (day, day.replace("-", "")):
        assert json.loads(rebuild("--drop", "--day", name).stdout)["first_seq"] == int(first)
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
        test_check_beside_a_persister_that_trims, test_check_agrees_whatever_becomes_of_the_small_tables,
        test_check_names_each_column_of_the_small_tables,
        test_check_names_rows_that_are_missing_or_too_many, test_check_names_what_is_wrong_with_names_in_redis,
        test_check_names_what_is_wrong, test_rebuild_refuses_what_it_must_not_touch,
        test_an_interrupted_rebuild_says_that_it_is_unfinished, test_rebuild_makes_it_right_again,
        test_the_persister_goes_on_from_there, on_failure=exchange.log_tails)
