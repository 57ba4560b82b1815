"""An exchange that can lie: price-time priority over SoupBinTCP and OUCH 5.0, with faults to order.

  1. Sessions live as long as the object; each keeps all it was told, for replay. A connection may break at any time.
  2. first_come=False serves the newest order of a price first.
  3. A request whose UserRefNum is not above the last one is ignored, as OUCH 5.0 says.
  4. `fault` is called with each outbound message as (session name, type, fields, bytes) and returns what goes out in
     its place: a list of bytes. That is where tests lie.
  5. One thread; `start` and `stop` run it beside the test.
"""
import selectors
import socket
import struct
import threading
import time

HEARTBEAT_S = 0.5


class Order:
    def __init__(self, session, user_ref, side, quantity, symbol, price, tif):
        self.session, self.user_ref, self.side, self.symbol = session, user_ref, side, symbol
        self.price, self.leaves, self.tif, self.executed = price, quantity, tif, 0


class Session:
    def __init__(self, name):
        self.name, self.user_ref_last, self.told, self.orders, self.connection = name, 0, [], {}, None


class Connection:
    def __init__(self, sock):
        self.socket, self.buffer, self.out, self.session, self.taken = sock, b"", b"", None, 0
        self.sent_at = time.monotonic()


class FakeExchange:
    def __init__(self, fault=None, break_every=0, session_name="20261123", first_come=True):
        self.first_come = first_come
        self.fault = fault or (lambda session, kind, fields, encoded: [encoded])
        self.break_every = break_every
        self.session_name = session_name
        self.sessions, self.books, self.connections = {}, {}, {}
        self.match, self.order_ref, self.breaks, self.packets = 1000, 0, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        for connection in self.connections.values():
            connection.socket.close()
        self.listener.close()
        self.selector.close()

    # ---- the loop ----

    def _run(self):
        while not self.stopping:
            for key, _ in self.selector.select(0.02):
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj in self.connections:
                    self._read(self.connections[key.fileobj])
            for connection in list(self.connections.values()):
                self._write(connection)

    def _accept(self):
        sock, _ = self.listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections[sock] = Connection(sock)
        self.selector.register(sock, selectors.EVENT_READ)

    def _close(self, connection):
        if self.connections.pop(connection.socket, None):
            self.selector.unregister(connection.socket)
            connection.socket.close()
            if connection.session and connection.session.connection is connection:
                connection.session.connection = None

    def _read(self, connection):
        try:
            data = connection.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        connection.buffer += data
        at = 0
        while connection.socket in self.connections and len(connection.buffer) - at >= 3:
            (length,) = struct.unpack_from(">H", connection.buffer, at)
            if len(connection.buffer) - at < 2 + length:
                break
            self._packet(connection, chr(connection.buffer[at + 2]), connection.buffer[at + 3:at + 2 + length])
            at += 2 + length
        connection.buffer = connection.buffer[at:]

    def _write(self, connection):
        if not connection.out and time.monotonic() - connection.sent_at > HEARTBEAT_S and connection.session:
            connection.out = b"\0\1H"
        if not connection.out:
            return
        try:
            sent = connection.socket.send(connection.out)
            connection.out = connection.out[sent:]
            connection.sent_at = time.monotonic()
        except BlockingIOError:
            pass
        except OSError:
            self._close(connection)

    # ---- SoupBinTCP ----

    def _packet(self, connection, kind, payload):
        if kind == "L":
            self._login(connection, payload)
        elif kind == "U" and connection.session:
            self.packets += 1
            if self.break_every and self.packets % self.break_every == 0:
                self.breaks += 1  # this request and whatever follows it is lost, and so is half of what was to go out
                half = connection.out[:len(connection.out) // 2]
                try:
                    connection.socket.send(half)
                except OSError:
                    pass
                self._close(connection)
                return
            self._request(connection.session, payload)
        elif kind == "O":
            self._close(connection)

    def _login(self, connection, payload):
        user, password = payload[:6].decode().strip(), payload[6:16].decode().strip()
        wanted, sequence = payload[16:26].decode().strip(), int(payload[26:46])
        if password != "ringside" or wanted not in ("", self.session_name):
            connection.out += b"\0\2J" + (b"S" if password == "ringside" else b"A")
            return
        session = self.sessions.setdefault(user, Session(user))
        if session.connection:
            self._close(session.connection)
        session.connection, connection.session = connection, session
        start = sequence if 0 < sequence <= len(session.told) + 1 else len(session.told) + 1
        connection.out += struct.pack(">H", 31) + b"A" + self.session_name.rjust(10).encode() + b"%20d" % start
        for message in session.told[start - 1:]:
            connection.out += struct.pack(">H", len(message) + 1) + b"S" + message

    def _tell(self, session, kind, *fields):
        layout = {"A": "I1sI8sQ1s1sQ1s1s1s1s14sH", "E": "IIQ1sQH", "C": "II1s", "J": "IH14s", "Q": "I"}[kind]
        encoded = kind.encode() + struct.pack(">Q" + layout, int(time.time_ns() % 86400_000_000_000), *fields)
        for message in self.fault(session.name, kind, fields, encoded):
            session.told.append(message)
            if session.connection:
                session.connection.out += struct.pack(">H", len(message) + 1) + b"S" + message

    # ---- OUCH ----

    def _request(self, session, message):
        if message[:1] == b"O":
            self._enter(session, message)
        elif message[:1] == b"X":
            user_ref, size = struct.unpack_from(">II", message, 1)
            order = session.orders.get(user_ref)
            if order:
                self._cancel(order, b"U", max(size - order.executed, 0) if size else 0)
        elif message[:1] == b"Q":
            self._tell(session, "Q", session.user_ref_last + 1)

    def _enter(self, session, message):
        user_ref, side, quantity, symbol, price, tif = struct.unpack_from(">I1sI8sQ1s", message, 1)
        if user_ref <= session.user_ref_last:
            return
        session.user_ref_last = user_ref
        if symbol.startswith(b"NOSUCH"):
            self._tell(session, "J", user_ref, 0x17, message[31:45])
            return
        self.order_ref += 1
        order = Order(session, user_ref, side, quantity, symbol, price, tif)
        self._tell(session, "A", user_ref, side, quantity, symbol, price, tif, message[27:28], self.order_ref,
                   message[28:29], message[29:30], message[30:31], b"L", message[31:45], 0)
        session.orders[user_ref] = order
        self._match(order)
        if order.leaves and tif == b"3":
            self._cancel(order, b"I")
        elif order.leaves:
            self.books.setdefault((symbol, side), []).append(order)

    def _match(self, taker):
        is_buy = taker.side == b"B"
        against = self.books.setdefault((taker.symbol, b"S" if is_buy else b"B"), [])
        while taker.leaves:
            best = min(against if self.first_come else reversed(against),
                       key=lambda o: o.price if is_buy else -o.price, default=None)
            if best is None or (best.price > taker.price if is_buy else best.price < taker.price):
                return
            quantity = min(taker.leaves, best.leaves)
            self.match += 1
            for order, flag in ((taker, b"R"), (best, b"A")):
                order.leaves -= quantity
                order.executed += quantity
                self._tell(order.session, "E", order.user_ref, quantity, best.price, flag, self.match, 0)
                if not order.leaves:
                    del order.session.orders[order.user_ref]
            if not best.leaves:
                against.remove(best)

    def _cancel(self, order, reason, leaves=0):
        decrement, order.leaves = order.leaves - leaves, leaves
        if decrement <= 0:
            order.leaves += decrement
            return
        book = self.books.get((order.symbol, order.side), [])
        if not leaves and order in book:
            book.remove(order)
        if not leaves:
            del order.session.orders[order.user_ref]
        self._tell(order.session, "C", order.user_ref, decrement, reason)
