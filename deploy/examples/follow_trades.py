#!/usr/bin/env python3
"""Follows Ringside's events in Redis and prints each trade; needs nothing but Python's own library.

The stream PREFIX:events has an entry a batch of events, under the number of the batch's last event. Its field p is
MessagePack: [version, number of the first event, [[kind, time_ns, ...], ...]]; docs/stores.md says what follows in each
kind. Whoever has read up to event N goes on with `XREAD STREAMS PREFIX:events N-0`, after a break too: keep N with what
you do with the events, and nothing is missed and nothing seen twice.
"""
import argparse
import socket
import struct
import sys

VERSION = 1
EXECUTED = 5
(MATCH, SYMBOL, PRICE, QUANTITY, ORDER, SIDE, MAKER) = (2, 4, 5, 6, 7, 10, 13)  # places in an EXECUTED event


class Redis:
    """As much of the protocol as XREAD needs."""

    def __init__(self, address):
        if address.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address)
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host.strip("[]"), int(port)))
        self.file = self.socket.makefile("rb")

    def command(self, *words):
        words = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        raise ConnectionError(rest.decode() or "Redis closed the connection")


def unpack(data, at=0):
    """One MessagePack value of those that Ringside writes, and the place behind it."""
    head = data[at]
    if head <= 0x7F:
        return head, at + 1
    if head >= 0xE0:
        return head - 256, at + 1
    if head == 0xC0:
        return None, at + 1
    if 0xA0 <= head <= 0xBF:
        end = at + 1 + (head & 31)
        return data[at + 1:end].decode(), end
    numbers = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
    if head in numbers:
        return struct.unpack_from(numbers[head], data, at + 1)[0], at + 1 + struct.calcsize(numbers[head])
    if 0x90 <= head <= 0x9F:
        count, at = head & 15, at + 1
    elif head == 0xDC:
        count, at = struct.unpack_from(">H", data, at + 1)[0], at + 3
    elif head == 0xDD:
        count, at = struct.unpack_from(">I", data, at + 1)[0], at + 5
    else:
        raise ValueError(f"no MessagePack type 0x{head:02x} is expected here")
    values = []
    for _ in range(count):
        value, at = unpack(data, at)
        values.append(value)
    return values, at


def trades(redis, key, place):
    """Each trade as (event number, event), for ever."""
    while True:
        for _, entries in redis.command("XREAD", "COUNT", 100, "BLOCK", 1000, "STREAMS", key, place) or []:
            for place, fields in entries:
                place = place.decode()
                payload = dict(zip(fields[::2], fields[1::2]))[b"p"]
                version, first, events = unpack(payload)[0]
                if version != VERSION:
                    raise ValueError(f"payloads of version {version}; this program knows {VERSION}")
                for number, event in enumerate(events, first):
                    if event[0] == EXECUTED:
                        yield number, event


def main():
    parser = argparse.ArgumentParser(description="prints each trade of a Ringside exchange as it happens")
    parser.add_argument("--redis", default="127.0.0.1:6379", help="host:port, or the path of a socket")
    parser.add_argument("--prefix", default="ringside", help="redis.prefix of the exchange")
    parser.add_argument("--after", default="$", help="event after which to begin; 0: the first kept; default: now")
    parser.add_argument("--count", type=int, default=0, help="ends after so many trades; 0: never")
    options = parser.parse_args()
    place = options.after if options.after == "$" else f"{options.after}-0"
    for printed, (number, event) in enumerate(trades(Redis(options.redis), f"{options.prefix}:events", place), 1):
        print(f"{number} {event[SYMBOL]} {event[QUANTITY]} @ {event[PRICE] // 10000}.{event[PRICE] % 10000:04d}"
              f" match {event[MATCH]} taker {event[ORDER]} {event[SIDE]} maker {event[MAKER]}", flush=True)
        if printed == options.count:
            return


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except (OSError, ValueError) as error:
        sys.exit(f"follow_trades: {error}")
