"""Metrics files as a stranger reads them: written from docs/metrics.md, sharing no line with the programs.

    now = Metrics(os.path.join(rings, "matcher.metrics"))
    now.value("ringside_events_total", kind="accepted")
    now.histogram("ringside_hop_seconds", hop="durable-event").since(earlier).quantile(0.99)
"""
import re
import struct

MAGIC = b"RIDMETR1"
COUNTER, GAUGE, HISTOGRAM = 1, 2, 3
SIGNED = 1
STATES = {1: "starting", 2: "ready", 3: "ended"}


def text(field):
    return field.split(b"\0", 1)[0].decode()


class Histogram:
    """Buckets with the largest value of each, in the unit of the name."""

    def __init__(self, buckets, sub_bits, divisor, total):
        self.buckets, self.sub_bits, self.divisor, self.sum = buckets, sub_bits, divisor, total / divisor
        self.count = sum(buckets)

    def upper(self, bucket):
        if bucket < 2 << self.sub_bits:
            return bucket / self.divisor
        shift = (bucket >> self.sub_bits) - 1
        return (((bucket - (shift << self.sub_bits) + 1) << shift) - 1) / self.divisor

    def since(self, earlier):
        return Histogram([a - b for a, b in zip(self.buckets, earlier.buckets)], self.sub_bits, self.divisor,
                         (self.sum - earlier.sum) * self.divisor)

    def quantile(self, fraction):
        rank, seen = max(1, fraction * self.count), 0
        for bucket, count in enumerate(self.buckets):
            seen += count
            if count and seen >= rank:
                return self.upper(bucket)
        return 0.0


class Metrics:
    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        (magic, version, entry_bytes, count, entries, _, _) = struct.unpack_from("<8sIIIIII", data)
        assert magic == MAGIC and version == 1 and entry_bytes == 256, (path, magic, version)
        self.name, self.pid = text(data[56:88]), struct.unpack_from("<I", data, 88)[0]
        self.run_id = data[128:144]
        state, self.heartbeat_ns, self.ready_ns = struct.unpack_from("<QQQ", data, 144)
        self.state = STATES[state]
        self.values, self.histograms = {}, {}
        for index in range(count):
            self.take(data, entries + index * entry_bytes)

    def take(self, data, at):
        name, label = text(data[at:at + 64]), text(data[at + 64:at + 112])
        kind, offset, _, sub_bits, buckets, flags, divisor = struct.unpack_from("<IIIIIIQ", data, at + 128)
        key = (name, frozenset(re.findall(r'(\w+)="([^"]*)"', label)))
        if kind == HISTOGRAM:
            words = struct.unpack_from(f"<{buckets}Q", data, offset + 32)
            total, = struct.unpack_from("<Q", data, offset + 8)
            self.histograms[key] = Histogram(words, sub_bits, divisor, total)
        elif kind in (COUNTER, GAUGE):
            value, = struct.unpack_from("<q" if flags & SIGNED else "<Q", data, offset)
            self.values[key] = value / divisor if divisor != 1 else value

    def value(self, name, **labels):
        return self.values[(name, frozenset(labels.items()))]

    def histogram(self, name, **labels):
        return self.histograms[(name, frozenset(labels.items()))]
