"""Just enough of Redis' protocol and of MessagePack to read what the persister wrote, in Python's own library."""

import socket
import struct


class Redis:
    """One connection; command("XLEN", "key") returns int, bytes, None or a list, and raises on an error reply."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def command(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self.socket.sendall(request)
        return self._reply()

    def _reply(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if int(rest) < 0:
                return None
            return self.file.read(int(rest) + 2)[:-2]
        if int(rest) < 0:
            return None
        return [self._reply() for _ in range(int(rest))]


def unpack(data):
    """All the values of a MessagePack byte string, in a list."""
    values, at = [], 0
    while at < len(data):
        value, at = _value(data, at)
        values.append(value)
    return values


_NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h",
            0xD2: ">i", 0xD3: ">q"}
_SIZES = {1: ">B", 2: ">H", 4: ">I"}


def _value(data, at):
    first = data[at]
    at += 1
    if first <= 0x7F:
        return first, at
    if first >= 0xE0:
        return first - 256, at
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], at
    if first in _NUMBERS:
        code = _NUMBERS[first]
        return struct.unpack_from(code, data, at)[0], at + struct.calcsize(code)
    if first <= 0x8F:
        return _map(data, at, first & 15)
    if first <= 0x9F:
        return _array(data, at, first & 15)
    if first <= 0xBF:
        return _text(data, at, first & 31)
    kinds = {0xC4: (1, _bytes), 0xC5: (2, _bytes), 0xC6: (4, _bytes), 0xD9: (1, _text), 0xDA: (2, _text),
             0xDB: (4, _text), 0xDC: (2, _array), 0xDD: (4, _array), 0xDE: (2, _map), 0xDF: (4, _map)}
    if first not in kinds:
        raise ValueError(f"no MessagePack type 0x{first:02x} is expected here")
    width, read = kinds[first]
    (count,) = struct.unpack_from(_SIZES[width], data, at)
    return read(data, at + width, count)


def _bytes(data, at, count):
    return data[at:at + count], at + count


def _text(data, at, count):
    return data[at:at + count].decode(), at + count


def _array(data, at, count):
    values = []
    for _ in range(count):
        value, at = _value(data, at)
        values.append(value)
    return values, at


def _map(data, at, count):
    values = {}
    for _ in range(count):
        key, at = _value(data, at)
        values[key], at = _value(data, at)
    return values, at
