"""What a TLS client that is not Docket's sees of a server: `tls_client.py SCENARIO PORT AUTHORITY [more]`.

Each scenario says on standard output what it has found, and fails where that is not what is promised.
"""
import json
import os
import socket
import ssl
import sys
import threading
import time

if len(sys.argv) < 4 or not sys.argv[2].isdecimal() or not os.path.isfile(sys.argv[3]):
    print(f"{__doc__.splitlines()[0]} PORT is a number, and AUTHORITY a file.", file=sys.stderr)
    sys.exit(2)
PORT = int(sys.argv[2])
AUTHORITY = sys.argv[3]
MORE = sys.argv[4:]
KEEP = {"Connection": "keep-alive"}


def context(identity=None, authority=AUTHORITY):
    it = ssl.create_default_context(cafile=authority)
    if identity:
        it.load_cert_chain(*identity)
    return it


def connect(it=None, port=PORT, session=None):
    raw = socket.create_connection(("127.0.0.1", port), timeout=60)
    # Without suppress_ragged_eofs an end without a close_notify is an error.
    return (it or context()).wrap_socket(
        raw, server_hostname="localhost", suppress_ragged_eofs=False, session=session)


def frame(method, path, data=None, **more):
    return json.dumps({"method": method, "path": path, "data": data, **more}).encode() + b"\0"


def to_end(s):
    received = b""
    while piece := s.recv(1 << 16):
        received += piece
    return received


class Frames:
    def __init__(self, s):
        self.socket, self.rest = s, b""

    def next(self):
        while b"\0" not in self.rest:
            piece = self.socket.recv(1 << 16)
            if not piece:
                return None
            self.rest += piece
        answer, self.rest = self.rest.split(b"\0", 1)
        return json.loads(answer)


def one_shot():
    """The answer comes, and behind it a close_notify."""
    for number in range(20):
        s = connect()
        s.sendall(frame("PUT", f"/n/{number}", number))
        assert json.loads(to_end(s))["code"] == 201
        s.close()


class Bare:
    """TLS over a socket whose two ends are at hand by themselves."""

    def __init__(self):
        self.raw = socket.create_connection(("127.0.0.1", PORT), timeout=60)
        self.inward, self.outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context().wrap_bio(self.inward, self.outward, server_hostname="localhost")
        self.step(self.tls.do_handshake)

    def step(self, body):
        while True:
            try:
                result = body()
            except ssl.SSLWantReadError:
                self.flush()
                piece = self.raw.recv(1 << 16)
                if piece:
                    self.inward.write(piece)
                else:
                    self.inward.write_eof()
                continue
            self.flush()
            return result

    def flush(self):
        if self.outward.pending:
            self.raw.sendall(self.outward.read())

    def send(self, data):
        self.tls.write(data)
        self.flush()

    def say_goodbye(self):
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()

    def to_end(self):
        received = b""
        while True:
            try:
                piece = self.step(lambda: self.tls.read(1 << 16))
            except ssl.SSLZeroReturnError:
                return received
            if not piece:
                return received
            received += piece


def half_closed():
    """Who sends no more still gets its answers: by close_notify, by FIN, and by both."""
    for ends in ["notify", "fin", "both"]:
        client = Bare()
        client.send(frame("PUT", "/h/1", "x" * 100_000, headers=KEEP, id=1) + frame("GET", "/h/1", id=2))
        if ends != "fin":
            client.say_goodbye()
        if ends != "notify":
            client.raw.shutdown(socket.SHUT_WR)
        answers = client.to_end().split(b"\0")
        assert [json.loads(answer)["code"] for answer in answers[:-1]] in ([201, 200], [200, 200]), answers
        client.raw.close()
    client = Bare()
    client.send(b'{"method": "GET"')
    client.say_goodbye()
    answer = client.to_end()
    assert b"incomplete_frame" in answer, answer


def large():
    """Documents of 60 kB to 1 MiB, and a client that lets answers wait."""
    s = connect()
    frames = Frames(s)
    documents = {size: "x" * (size - 2) for size in [60_000, 256 << 10, 1 << 20]}
    for size, document in documents.items():
        s.sendall(frame("PUT", f"/l/{size}", document, headers=KEEP))
        assert frames.next()["code"] == 201
        s.sendall(frame("GET", f"/l/{size}"))
        assert frames.next()["data"] == document
    count = 60
    sender = threading.Thread(target=lambda: [s.sendall(frame("GET", f"/l/{1 << 20}")) for _ in range(count)])
    sender.start()
    time.sleep(1)
    for _ in range(count):
        assert frames.next()["data"] == documents[1 << 20]
    sender.join()
    s.close()


def pipelined():
    s = connect()
    count = 2000
    s.sendall(b"".join(frame("PUT", f"/p/{n % 50}", n, id=n, headers=KEEP) for n in range(count)))
    frames = Frames(s)
    assert [frames.next()["id"] for _ in range(count)] == list(range(count))
    s.close()


def linger():
    """A client that still sends behind its last answer gets that answer."""
    s = connect()
    try:
        s.sendall(b"x" * (3 << 20))
    except OSError:
        pass
    answer = s.recv(1 << 16)
    assert b'"code": 413' in answer, answer
    s.close()


def idle():
    s = connect()
    s.sendall(frame("GET", "/", headers=KEEP))
    assert Frames(s).next()["code"] == 200
    assert s.recv(1) == b""


def watch():
    """Frames of a watch, small and large, and its end."""
    watcher = connect()
    watcher.sendall(frame("GET", "/w/?watch=true", id="w", headers=KEEP))
    frames = Frames(watcher)
    assert frames.next()["data"]["change"] == "live"
    writer = connect()
    writer.sendall(b"".join(
        frame("PUT", f"/w/{n}", "x" * (n * 10_000), headers=KEEP) for n in range(30)))
    for n in range(30):
        told = frames.next()["data"]
        assert told["path"] == f"/w/{n}" and len(told["document"]) == n * 10_000, told["path"]
    print("ready", flush=True)
    last = frames.next()
    assert last["code"] == 503, last
    assert frames.next() is None
    watcher.close()


def shutdown():
    """Ends with a close_notify behind the last answer, whenever the server ends."""
    s = connect()
    frames = Frames(s)
    s.sendall(b"".join(frame("PUT", f"/s/{n}", n, id=n, headers=KEEP) for n in range(400)))
    assert frames.next()["id"] == 0
    print("ready", flush=True)
    answers = 1
    while (answer := frames.next()) is not None:
        assert answer["id"] == answers and answer["code"] == 201
        answers += 1
    print(answers)


def asleep():
    """A client that neither sends nor reads."""
    s = connect()
    s.sendall(frame("GET", "/", headers=KEEP))
    assert Frames(s).next()["code"] == 200
    print("ready", flush=True)
    time.sleep(60)


def drip():
    """A handshake that drips is ended like one that does not come."""
    silent = socket.create_connection(("127.0.0.1", PORT), timeout=60)
    slow = socket.create_connection(("127.0.0.1", PORT), timeout=60)
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context().wrap_bio(inward, outward, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outward.read()
    try:
        for index in range(len(hello) - 1):
            slow.sendall(hello[index:index + 1])
            time.sleep(0.05)
        raise AssertionError("the handshake outlived its bytes")
    except OSError:
        pass
    assert silent.recv(1) == b""


def crowd():
    """Clients come in while 200 others do not end their handshakes."""
    others = [socket.create_connection(("127.0.0.1", PORT), timeout=60) for _ in range(200)]
    for number, other in enumerate(others):
        if number % 2:
            other.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    one_shot()


def old():
    """TLS 1.1 is refused, 1.2 is not."""
    it = context()
    it.set_ciphers("DEFAULT@SECLEVEL=0")
    it.minimum_version = ssl.TLSVersion.TLSv1
    it.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        connect(it)
        raise AssertionError("TLS 1.1 was taken")
    except ssl.SSLError as error:
        assert "PROTOCOL" in str(error).upper(), error
    it = context()
    it.maximum_version = ssl.TLSVersion.TLSv1_2
    s = connect(it)
    assert s.version() == "TLSv1.2"
    s.sendall(frame("GET", "/"))
    assert json.loads(to_end(s))["code"] == 200


def identities():
    """With an authority for clients: certificate missing, foreign, right; and sessions that are resumed."""
    right, foreign = (MORE[0], MORE[1]), (MORE[2], MORE[3])
    for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
        for identity in [None, foreign]:
            it = context(identity)
            it.maximum_version = version
            try:
                s = connect(it)
                s.sendall(frame("PUT", "/i/1", 1))
                answer = to_end(s)
                raise AssertionError(f"let in: {answer}")
            except (ssl.SSLError, ConnectionError) as error:
                # The alert is not overtaken by a reset.
                assert isinstance(error, ssl.SSLError) and "ALERT" in str(error).upper(), error
        it = context(right)
        it.maximum_version = version
        session = None
        for _ in range(2):
            s = connect(it, session=session)
            assert s.session_reused == (session is not None)
            s.sendall(frame("GET", "/", headers=KEEP))
            assert Frames(s).next()["code"] == 200
            session = s.session
            s.close()


def serial():
    """The serial number of the certificate that a new connection gets."""
    print(connect().getpeercert()["serialNumber"])


def load():
    """Clients on persistent and one-shot sessions, until standard input ends; no request may be lost."""
    ended = threading.Event()
    failures, counts, serials = [], [], set()

    def persistent():
        s = connect()
        frames = Frames(s)
        count = 0
        while not ended.is_set():
            s.sendall(frame("PUT", "/load/1", count, headers=KEEP))
            answer = frames.next()
            assert answer is not None and answer["code"] in (200, 201), answer
            count += 1
        counts.append(count)

    def one_by_one():
        count = 0
        while not ended.is_set():
            s = connect()
            serials.add(s.getpeercert()["serialNumber"])
            s.sendall(frame("GET", "/"))
            assert json.loads(to_end(s))["code"] == 200
            s.close()
            count += 1
        counts.append(count)

    def guarded(body):
        try:
            body()
        except BaseException as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=guarded, args=(body,)) for body in [persistent, one_by_one] * 3]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    print("ready", flush=True)
    time.sleep(float(MORE[0]))
    ended.set()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert len(counts) == 6 and min(counts) > 0, counts
    print(len(serials))


def wire():
    """Nothing but records of TLS leaves the server, whatever it sends: looked at by a man in the middle."""
    listener = socket.create_server(("127.0.0.1", 0))
    streams = []

    def pump(source, target, stream):
        try:
            while piece := source.recv(1 << 16):
                stream += piece
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def forward():
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", PORT))
            stream = bytearray()
            streams.append(stream)
            threading.Thread(target=pump, args=(client, server, bytearray()), daemon=True).start()
            threading.Thread(target=pump, args=(server, client, stream), daemon=True).start()

    threading.Thread(target=forward, daemon=True).start()
    port = listener.getsockname()[1]
    # One-shot, persistent and pipelined sessions, large answers, frames of watches, refusals, what is no request.
    s = connect(port=port)
    s.sendall(frame("GET", "/"))
    assert b"Hello, World!" in to_end(s)
    watcher = connect(port=port)
    watcher.sendall(frame("GET", "/v/?watch=true&heartbeat=1", id="w", headers=KEEP))
    told = Frames(watcher)
    assert told.next()["data"]["change"] == "live"
    s = connect(port=port)
    s.sendall(b"".join(frame("PUT", f"/v/{n}", "marker" * 20_000, headers=KEEP) for n in range(10)))
    s.sendall(b"".join(frame("GET", f"/v/{n}") for n in range(10)))
    frames = Frames(s)
    for _ in range(20):
        assert frames.next()["code"] in (200, 201)
    for _ in range(10):
        assert told.next()["code"] == 200
    for _ in range(2):
        assert told.next()["data"]["change"] == "heartbeat"
    for text in [b"no request\0", b"{" * 100 + b"\0", frame("GET", "/none")]:
        s = connect(port=port)
        s.sendall(text)
        to_end(s)
    s = connect(port=port)
    try:
        s.sendall(b"x" * (3 << 20))
    except OSError:
        pass
    assert b'"code": 413' in s.recv(1 << 16)
    assert len(streams) == 7, len(streams)
    for stream in streams:
        position, kinds = 0, set()
        while position + 5 <= len(stream):
            kind, major = stream[position], stream[position + 1]
            assert kind in (20, 21, 22, 23) and major == 3, bytes(stream[position:position + 40])
            kinds.add(kind)
            position += 5 + int.from_bytes(stream[position + 3:position + 5], "big")
        assert 23 in kinds
        assert b"marker" not in stream and b"code" not in stream


scenario = globals().get(sys.argv[1])
if not callable(scenario):
    print(f"tls_client.py: there is no scenario {sys.argv[1]}", file=sys.stderr)
    sys.exit(2)
scenario()
