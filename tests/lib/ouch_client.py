"""A SoupBinTCP 3.00 and OUCH 5.0 client in Python, written from the protocol's own tables.

It shares no line with the C code, so that what one side gets wrong the other one shows. Used by tests/system.

  1. One client is one TCP connection. Every byte received is kept in `received`, every byte sent in `sent`, with the
     time, so that a test can hand the session to tshark.
  2. Sequenced messages come out of `messages` as dicts, numbered as SoupBinTCP numbers them (`seq`).
  3. Nothing waits for ever: each wait has a deadline and fails with what was there instead.
"""

import socket
import struct
import time

MARKET_PRICE = 0x7FFFFFFF

# type: (name, fixed fields); a field is (name, struct code or a byte count for text)
OUTBOUND = {
    "S": ("system_event", [("event", 1)]),
    "A": ("accepted", [("user_ref", "I"), ("side", 1), ("quantity", "I"), ("symbol", 8), ("price", "Q"), ("tif", 1),
                       ("display", 1), ("order_ref", "Q"), ("capacity", 1), ("iso", 1), ("cross", 1), ("state", 1),
                       ("clordid", 14), ("appendage_bytes", "H")]),
    "U": ("replaced", [("orig_user_ref", "I"), ("user_ref", "I"), ("side", 1), ("quantity", "I"), ("symbol", 8),
                       ("price", "Q"), ("tif", 1), ("display", 1), ("order_ref", "Q"), ("capacity", 1), ("iso", 1),
                       ("cross", 1), ("state", 1), ("clordid", 14), ("appendage_bytes", "H")]),
    "C": ("canceled", [("user_ref", "I"), ("quantity", "I"), ("reason", 1)]),
    "D": ("self_match_canceled", [("user_ref", "I"), ("quantity", "I"), ("reason", 1), ("prevented", "I"),
                                  ("price", "Q"), ("liquidity", 1), ("strategy", 1)]),
    "E": ("executed", [("user_ref", "I"), ("quantity", "I"), ("price", "Q"), ("liquidity", 1), ("match", "Q"),
                       ("appendage_bytes", "H")]),
    "B": ("broken", [("user_ref", "I"), ("match", "Q"), ("reason", 1), ("clordid", 14)]),
    "J": ("rejected", [("user_ref", "I"), ("reason", "H"), ("clordid", 14)]),
    "P": ("cancel_pending", [("user_ref", "I")]),
    "I": ("cancel_reject", [("user_ref", "I")]),
    "T": ("priority_update", [("user_ref", "I"), ("price", "Q"), ("display", 1), ("order_ref", "Q")]),
    "M": ("modified", [("user_ref", "I"), ("side", 1), ("quantity", "I")]),
    "R": ("restated", [("user_ref", "I"), ("reason", 1), ("appendage_bytes", "H")]),
    "X": ("mass_cancel_response", [("user_ref", "I"), ("firm", 4), ("symbol", 8), ("appendage_bytes", "H")]),
    "G": ("disable_response", [("user_ref", "I"), ("firm", 4), ("appendage_bytes", "H")]),
    "K": ("enable_response", [("user_ref", "I"), ("firm", 4), ("appendage_bytes", "H")]),
    "Q": ("account_query_response", [("next_user_ref", "I")]),
}


def decode(payload):
    """One outbound OUCH message as a dict; raises ValueError when a byte is missing or left over."""
    kind = chr(payload[0])
    if kind not in OUTBOUND:
        raise ValueError(f"unknown outbound type {kind!r}: {payload.hex()}")
    name, fields = OUTBOUND[kind]
    message = {"type": kind, "name": name, "timestamp_ns": struct.unpack_from(">Q", payload, 1)[0], "raw": payload}
    at = 9
    for field, code in fields:
        if isinstance(code, int):
            message[field] = payload[at:at + code].decode("ascii").rstrip()
            if len(payload) < at + code:
                raise ValueError(f"{name} is cut short: {payload.hex()}")
            at += code
        else:
            (message[field],) = struct.unpack_from(">" + code, payload, at)
            at += struct.calcsize(code)
    if "appendage_bytes" not in message and len(payload) > at:
        (message["appendage_bytes"],) = struct.unpack_from(">H", payload, at)
        at += 2
    appendage = payload[at:]
    if len(appendage) != message.get("appendage_bytes", 0):
        raise ValueError(f"{name} has {len(appendage)} bytes of appendage, not what its length says: {payload.hex()}")
    message["options"] = decode_options(appendage)
    return message


def decode_options(appendage):
    options, at = {}, 0
    while at < len(appendage):
        length, tag = appendage[at], appendage[at + 1]
        if length < 1 or at + 1 + length > len(appendage):
            raise ValueError(f"bad option in appendage {appendage.hex()}")
        options[tag] = appendage[at + 2:at + 1 + length]
        at += 1 + length
    return options


def text(value, size):
    return value.encode("ascii").ljust(size)


def enter(user_ref, side, quantity, symbol, price, tif="0", display="Y", capacity="A", iso="N", cross="N", clordid="",
          options=b""):
    return (b"O" + struct.pack(">I", user_ref) + side.encode() + struct.pack(">I", quantity) + text(symbol, 8) +
            struct.pack(">Q", price) + (tif + display + capacity + iso + cross).encode() + text(clordid, 14) +
            struct.pack(">H", len(options)) + options)


def replace(orig_user_ref, user_ref, quantity, price, tif="0", display="Y", iso="N", clordid="", options=b""):
    return (b"U" + struct.pack(">III", orig_user_ref, user_ref, quantity) + struct.pack(">Q", price) +
            (tif + display + iso).encode() + text(clordid, 14) + struct.pack(">H", len(options)) + options)


def cancel(user_ref, quantity=0):
    return b"X" + struct.pack(">II", user_ref, quantity)


def modify(user_ref, side, quantity):
    return b"M" + struct.pack(">I", user_ref) + side.encode() + struct.pack(">I", quantity)


def mass_cancel(user_ref, firm="", symbol="", options=b""):
    return (b"C" + struct.pack(">I", user_ref) + text(firm, 4) + text(symbol, 8) + struct.pack(">H", len(options)) +
            options)


def disable(user_ref, firm=""):
    return b"D" + struct.pack(">I", user_ref) + text(firm, 4) + struct.pack(">H", 0)


def enable(user_ref, firm=""):
    return b"E" + struct.pack(">I", user_ref) + text(firm, 4) + struct.pack(">H", 0)


def option(tag, value):
    return bytes([len(value) + 1, tag]) + value


def account_query():
    return b"Q"


class Closed(Exception):
    """The server closed the connection."""


class Client:
    def __init__(self, address, port, timeout_s=10.0, tls=None):
        """tls: an ssl.SSLContext to connect by; the exchange's certificate must name the address."""
        self.timeout_s = timeout_s
        self.socket = socket.create_connection((address, port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=address, suppress_ragged_eofs=False)
        self.buffer = b""
        self.trace = []  # (time, from_client, bytes)
        self.messages = []
        self.packets = []  # (type, payload) that are not sequenced data
        self.seq_next = 0
        self.session = ""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- sending ----

    def send_bytes(self, data):
        self.trace.append((time.time(), True, data))
        self.socket.sendall(data)

    def send_packet(self, kind, payload=b""):
        self.send_bytes(struct.pack(">H", len(payload) + 1) + kind.encode() + payload)

    def send(self, message):
        """One OUCH message as unsequenced data."""
        self.send_packet("U", message)

    def send_many(self, messages):
        self.send_bytes(b"".join(struct.pack(">H", len(m) + 1) + b"U" + m for m in messages))

    def heartbeat(self):
        self.send_packet("R")

    def logout(self):
        self.send_packet("O")

    def send_login(self, user, password, session="", sequence=1, heartbeat_ms=None):
        payload = text(user, 6) + text(password, 10) + session.encode().rjust(10) + str(sequence).encode().rjust(20)
        if heartbeat_ms is not None:
            payload += str(heartbeat_ms).encode().rjust(5)
        self.send_packet("L", payload)

    def login(self, user, password, session="", sequence=1, heartbeat_ms=None):
        self.send_login(user, password, session, sequence, heartbeat_ms)
        kind, payload = self.wait_packet(("A", "J"))
        if kind == "J":
            raise PermissionError(payload.decode())
        self.session = payload[:10].decode().strip()
        return self

    # ---- receiving ----

    def _read(self, deadline):
        """Takes in what is there; raises TimeoutError at the deadline, Closed at the end."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            raise Closed
        self.trace.append((time.time(), False, data))
        self.buffer += data
        while len(self.buffer) >= 3:
            length = struct.unpack_from(">H", self.buffer)[0]
            if length < 1:
                raise ValueError("a packet of length 0")
            if len(self.buffer) < 2 + length:
                break
            kind, payload = chr(self.buffer[2]), self.buffer[3:2 + length]
            self.buffer = self.buffer[2 + length:]
            if kind == "S":
                message = decode(payload)
                message["seq"] = self.seq_next
                self.seq_next += 1
                self.messages.append(message)
            elif kind in "AJHZ+":
                self.packets.append((kind, payload))
                if kind == "A":  # what follows in the same read is numbered from here
                    self.seq_next = int(payload[10:30])
            else:
                raise ValueError(f"a server must not send packet type {kind!r}")

    def wait_packet(self, kinds, timeout_s=None):
        deadline = time.monotonic() + (timeout_s or self.timeout_s)
        while True:
            for index, packet in enumerate(self.packets):
                if packet[0] in kinds:
                    del self.packets[index]
                    return packet
            try:
                self._read(deadline)
            except TimeoutError:
                raise TimeoutError(f"no packet of {kinds}; there: {self.packets} {self.messages[-3:]}") from None

    def wait_for(self, condition, timeout_s=None, what="a message"):
        """The first message, from the oldest not yet taken, for which condition holds; others stay."""
        deadline = time.monotonic() + (timeout_s or self.timeout_s)
        while True:
            for message in self.messages:
                if not message.get("taken") and condition(message):
                    message["taken"] = True
                    return message
            try:
                self._read(deadline)
            except (TimeoutError, Closed) as end:
                there = [(m["seq"], m["type"], m.get("user_ref")) for m in self.messages if not m.get("taken")]
                raise AssertionError(f"waited for {what}: {type(end).__name__}; untaken: {there[-8:]}") from None

    def expect(self, kind, user_ref=None, timeout_s=None, **fields):
        """Waits for a message of this type (and user_ref) and checks its other fields."""
        message = self.wait_for(lambda m: m["type"] == kind and (user_ref is None or m["user_ref"] == user_ref),
                                timeout_s, f"{OUTBOUND[kind][0]} of {user_ref}")
        for field, value in fields.items():
            assert message[field] == value, f"{message['name']}.{field} is {message[field]!r}, not {value!r}"
        return message

    def expect_silence(self, seconds):
        """Nothing but heartbeats for so long."""
        before = len(self.messages)
        self.pump(seconds)
        extra = [(m["seq"], m["type"], m.get("user_ref")) for m in self.messages[before:]]
        assert not extra, f"expected silence, got {extra}"

    def pump(self, seconds):
        """Takes in what comes for so long."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._read(deadline)
        except TimeoutError:
            pass

    def wait_closed(self, timeout_s=None):
        """Waits for the server to close; returns the seconds it took."""
        start = time.monotonic()
        deadline = start + (timeout_s or self.timeout_s)
        try:
            while True:
                self._read(deadline)
        except Closed:
            return time.monotonic() - start
        except TimeoutError:
            raise AssertionError("the server did not close the connection") from None


def write_pcap(path, clients, server_port):
    """The clients' byte streams as a capture file: Ethernet, IPv4, TCP with a handshake, one segment a send or receive.

    For machines where capturing is not permitted; the payload bytes are those that really crossed the sockets.
    """

    def checksum(data):
        if len(data) % 2:
            data += b"\0"
        total = sum(struct.unpack(f">{len(data) // 2}H", data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return ~total & 0xFFFF

    def segment(from_client, client_port, seq, ack, flags, payload):
        source, target = (b"\x7f\0\0\x02", b"\x7f\0\0\x01") if from_client else (b"\x7f\0\0\x01", b"\x7f\0\0\x02")
        ports = (client_port, server_port) if from_client else (server_port, client_port)
        tcp = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
        pseudo = source + target + struct.pack(">BBH", 0, 6, len(tcp) + len(payload))
        tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp + payload)) + tcp[18:]
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, source, target)
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
        return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + tcp + payload

    frames = []
    for number, client in enumerate(clients):
        port, seq = 40000 + number, {True: 1000, False: 9000}
        if not client.trace:
            continue
        start = client.trace[0][0]
        frames.append((start, segment(True, port, seq[True] - 1, 0, 0x02, b"")))
        frames.append((start, segment(False, port, seq[False] - 1, seq[True], 0x12, b"")))
        frames.append((start, segment(True, port, seq[True], seq[False], 0x10, b"")))
        for when, from_client, data in client.trace:
            for at in range(0, len(data), 1400):
                piece = data[at:at + 1400]
                frames.append((when, segment(from_client, port, seq[from_client], seq[not from_client], 0x18, piece)))
                seq[from_client] += len(piece)
    frames.sort(key=lambda frame: frame[0])
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for when, frame in frames:
            file.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(frame), len(frame)) + frame)
