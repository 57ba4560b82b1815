#!/usr/bin/env python3
"""A dozen kill -9, of every stage, under users with ledgers; then everything is compared, and the comparison itself.

Goal: nothing acknowledged is lost, nothing told twice, and ringside-audit would notice if it were. Method: tests/chaos
in small; afterwards one row, one entry, one message, one event, one batch is damaged in turn, and each must be found.
"""
import contextlib
import glob
import os
import struct
import sys
import time

import chaos
from tap import run

KILLS, RATE = 12, 5000
SEED = int(os.environ.get("RINGSIDE_CHAOS_SEED", time.time_ns() // 1000 % (1 << 31)))
BLOCK_BYTES, BATCH_MAGIC = 4096, 0x5441424A  # docs/journal.md

exchange = chaos.exchange_of(sys.argv[1], {"journal.segment_bytes": "4M"})
state = {}


def log_tails():
    return f"seed {SEED}: RINGSIDE_CHAOS_SEED={SEED} repeats the kills\n{exchange.log_tails()}"


def test_users_get_every_answer_through_a_dozen_kills():
    print(f"# seed {SEED}")
    state["ledgers"] = ledgers = chaos.Ledgers(exchange, RATE, SEED)
    killer = chaos.Killer(exchange, ledgers, SEED, lambda line: print(f"# {line}"))
    killer.run(KILLS)
    users = ledgers.finish()
    print(f"# {users} {ledgers.log()}".replace("\n", "\n# "))
    assert users["orders"] == users["answered"] > 0 and users["reconnects"] > 0, users


def test_ledgers_journal_event_log_and_stores_agree():
    chaos.settle(exchange)
    compared = state["compared"] = chaos.compare(exchange, state["ledgers"])
    assert compared["epochs"] > 1 and compared["told"] > 0 and compared["postgres_executions"] > 0, compared
    assert compared["redis_events"] == compared["events"] > 0, compared


# ---- and would it be noticed? ----


def noticed(*what):
    try:
        chaos.compare(exchange, state["ledgers"])
    except AssertionError as found:
        assert any(text in str(found) for text in what), f"{what} is not what is said: {found}"
        return
    raise AssertionError(f"nothing is said, least of all {what}")


@contextlib.contextmanager
def patched(path, offset, data):
    """Other bytes for a while; beyond the end of the file, they are taken off again."""
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(offset)
        before = file.read(len(data))
        file.seek(offset)
        file.write(data)
        file.flush()
        yield
        file.seek(offset)
        file.write(before)
        file.truncate(size)


def test_a_changed_order_and_a_missing_one_are_noticed():
    order = f"order_ref = {state['compared']['orders'] // 2}"
    exchange.sql(f"update ringside.orders set canceled = canceled + 1 where {order}")
    noticed("PostgreSQL, orders")
    exchange.sql(f"update ringside.orders set canceled = canceled - 1 where {order}")
    columns = exchange.sql("select string_agg(attname, ', ') from pg_attribute where attgenerated = ''"
                           " and attnum > 0 and attrelid = 'ringside.orders'::regclass")[0][0]
    exchange.sql(f"create table public.gone as select {columns} from ringside.orders where {order}")
    exchange.sql(f"delete from ringside.orders where {order}")
    noticed("PostgreSQL, orders")
    exchange.sql(f"insert into ringside.orders ({columns}) select {columns} from public.gone")


def test_a_missing_execution_is_noticed():
    one = "event_seq = (select max(event_seq) from ringside.executions) and is_maker"
    exchange.sql(f"create table public.fill as select * from ringside.executions where {one}")
    exchange.sql(f"delete from ringside.executions where {one}")
    noticed("PostgreSQL, executions")
    exchange.sql("insert into ringside.executions select * from public.fill")


def test_a_wrong_last_trade_in_redis_is_noticed():
    with contextlib.closing(exchange.redis()) as redis:
        before = redis.command("HGET", "ringside:last:AAPL", "quantity")
        redis.command("HSET", "ringside:last:AAPL", "quantity", 1)
        noticed("Redis: last:AAPL")
        redis.command("HSET", "ringside:last:AAPL", "quantity", before)


def test_a_message_told_otherwise_is_noticed():
    path = os.path.join(state["ledgers"].directory, "USER03.told")
    with open(path, "rb") as file:
        told = file.read()
    at = 0
    while at < len(told) // 2:  # a length, then the message: its type, its time
        at += 2 + struct.unpack_from("<H", told, at)[0]
    with patched(path, at + 3, bytes([told[at + 3] ^ 1])):
        noticed("USER03 was told something else")
    with patched(path, os.path.getsize(path), b"\x0a\x00S" + bytes(9)):
        noticed("USER03 was told more than")


def test_an_order_that_the_journal_does_not_have_is_noticed():
    path = os.path.join(state["ledgers"].directory, "USER05.asked")
    with patched(path, os.path.getsize(path), b"\x2f\x00O" + struct.pack(">I", 60000000) + bytes(42)):
        noticed("USER05 asked for")


def test_a_lost_event_is_noticed():
    path = os.path.join(exchange.directory, "events", "events-0000000000.log")
    with patched(path, 4096 + 128 * (state["compared"]["events"] // 2), bytes(128)):
        noticed("the event log ends before event")


def last_batch():
    """Place of the last batch that holds commands."""
    for path in sorted(glob.glob(os.path.join(exchange.directory, "journal", "*.seg")), reverse=True):
        with open(path, "rb") as file:
            data = file.read()
        found = None
        for offset in range(BLOCK_BYTES, len(data), BLOCK_BYTES):
            magic, count = struct.unpack_from("<I20xI", data, offset)
            if magic == BATCH_MAGIC and count > 0:
                found = path, offset
        if found:
            return found
    raise AssertionError("there is no batch in the journal")


def test_a_lost_command_is_noticed():
    path, offset = last_batch()
    with patched(path, offset, bytes(BLOCK_BYTES)):
        noticed("which the journal does not have", "not whole")


def test_undamaged_again_everything_agrees():
    assert chaos.compare(exchange, state["ledgers"]) == state["compared"]


def test_a_missing_entry_of_the_stream_is_noticed():
    with contextlib.closing(exchange.redis()) as redis:
        entry = redis.command("XREVRANGE", "ringside:events", "+", "-", "COUNT", 2)[1][0]
        assert redis.command("XDEL", "ringside:events", entry) == 1
        noticed("does not begin at event")


with exchange:
    exchange.start()
    run(*[value for name, value in list(globals().items()) if name.startswith("test_")], on_failure=log_tails)
