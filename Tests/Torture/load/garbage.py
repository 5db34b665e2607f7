"""Bytes that are no requests, halves of them, and too much of everything, on both ports; honest clients beside it."""
from __future__ import annotations

import json
import random
import re
import socket
import threading
import time
from collections.abc import Iterator

import wire
from tools import MIB, Bench, Result, ended, fill_honest, get_request, honest, mebibytes, milliseconds

SEEDS = [
    b'{"method":"GET","path":"/honest/000000001"}',
    b'{"method":"PUT","path":"/g/1","data":{"a":[1,2.5e3,"\xc3\xa9",null,true]}}',
    b'{"method":"PATCH","path":"/g/1","data":[{"op":"test","path":"/a/0","value":1}],"headers":{"If-Match":"\\"7\\""}}',
    b'{"method":"POST","path":"/_batch","data":{"requests":[{"method":"GET","path":"/g/1"},{"method":"DELETE","path":"/g/2"}]}}',
    b'{"method":"GET","path":"/g/?limit=3&where[a]=1&sort=-a","data":{"where":{"a":{"$in":[1,2]}},"count":true},"id":"x"}',
    b'{"method":"GET","path":"/_changes?since=0&limit=5","id":7,"headers":{"Connection":"keep-alive"}}',
    b'{"method":"PUT","path":"/item","data":"a,b"}', b'{"method":"POST","path":"/g/","data":1,"headers":{"Expires-In":5}}',
    b'{"method":"GET","path":"/g/1?asOf=3"}', b'{"method":"GET","path":"/_collections/?count=true"}',
]
HTTP_SEEDS = [
    b"GET /honest/000000001 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PUT /g/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\nIf-Match: \"3\"\r\n\r\n{\"a\":1}",
    b"POST /g/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\"a\"\r\n0\r\n\r\n",
    b"GET /g/?where[a]=1&limit=2 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n",
    b"OPTIONS /g/1 HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\r\n",
    b"PUT /g/2 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n2",
    b"POST /g/ HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
]
"""Each is answered as it stands."""


def mutate(text: bytes, randomness: random.Random) -> bytes:
    data = bytearray(text)
    for _ in range(randomness.choice((1, 1, 1, 2, 5))):
        place = randomness.randrange(len(data) + 1) if data else 0
        kind = randomness.randrange(6)
        if kind == 0 and place < len(data):
            data[place] = randomness.randrange(256)
        elif kind == 1:
            data[place:place] = randomness.randbytes(randomness.randrange(1, 20))
        elif kind == 2:
            del data[place:place + randomness.randrange(1, 10)]
        elif kind == 3:
            data[place:place] = data[place:place + 30] * randomness.randrange(1, 50)
        elif kind == 4:
            data[place:place] = randomness.choice((b"\\u0000", b"\\ud800", b"1e999999", b"-0", b"[" * 200, b"{\"a\":" * 140,
                                                   b"%2F",
                                                   b"%00", b"..", b"\xff", b"\xef\xbb\xbf", b"18446744073709551616", b"\"" * 3))
        else:
            del data[place:]
    return bytes(data)


def _exchange(port: int, text: bytes) -> bytes:
    with wire.connect(port, patience=20) as connection:
        try:
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)
            return wire.rest(connection)
        except TimeoutError:
            raise
        except OSError:  # It was ended while something was still being sent.
            return b""


def garbage(bench: Bench) -> Iterator[Result]:
    served = bench.serve("--frame-timeout", "3", http=True)
    fill_honest(served)
    honest(bench, served, bench.pick(1, 0.3))
    base = served.memory()
    served.forget_peak()
    seed = random.SystemRandom().randrange(1_000_000)
    randomness = random.Random(seed)
    before = honest(bench, served, bench.pick(3, 1))

    count = bench.pick(30_000, 1_500)
    codes: dict[int, int] = {}
    bad: list[str] = []
    beside = bench.crowd("rate", served.port, connections=8, seconds=bench.pick(15, 1.5), rate=500, keys=1000,
                         request=get_request())
    for _ in range(count):
        text = mutate(randomness.choice(SEEDS), randomness) + randomness.choice((b"\0", b"\0", b""))
        answer = _exchange(served.port, text)
        first = answer.split(b"\0")[0]
        if not first:
            if text.strip(b"\0 \t\r\n"):
                bad.append(f"no answer to {text!r}")
            continue
        try:
            code = json.loads(first)["code"]
        except (ValueError, KeyError):
            bad.append(f"{text!r} was answered {first!r}")
            continue
        codes[code] = codes.get(code, 0) + 1
        if code >= 500:
            bad.append(f"{text!r} was answered {first!r}")
    done = beside.finish()
    wrong = done["others"] + done["broken"] + done["dropped"]
    yield Result("broken frames", f"{count:,}, seed {seed}",
                 f"each is answered below 500, or not begun; {wrong} honest requests went wrong",
                 ", ".join(f"{code}: {number:,}" for code,
                           number in sorted(codes.items())) + "".join("; " + one[:300] for one in bad[:3]),
                 not bad and wrong == 0 and served.is_running)

    bad = []
    codes = {}
    for seed_text in HTTP_SEEDS:
        if not _exchange(served.http_port, seed_text).startswith(b"HTTP/1.1 "):
            bad.append(f"no answer to {seed_text!r}")
    for _ in range(count // 2):
        text = mutate(randomness.choice(HTTP_SEEDS), randomness)
        answer = _exchange(served.http_port, text)
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
        code = int(found[1]) if found else 0
        codes[code] = codes.get(code, 0) + 1
        if code >= 500 and code not in (501, 505) or (not found and answer):
            bad.append(f"{text!r} was answered {answer[:300]!r}")
    yield Result("broken HTTP requests", f"{count // 2:,}",
                 "each is answered below 500 (but 501 and 505), or the connection ends, as of those that break off",
                 ", ".join(f"{code}: {number:,}" for code,
                           number in sorted(codes.items())) + "".join("; " + one[:300] for one in bad[:3]),
                 not bad and codes.get(0, 0) < count // 4 and served.is_running)

    noise = bench.pick(300, 40)
    for port in (served.port, served.http_port):
        for _ in range(noise):
            _exchange(port, randomness.randbytes(randomness.choice((1, 100, 70_000))))
    yield from _huge(bench, served)
    yield from _slow(bench, served)
    after = honest(bench, served, bench.pick(3, 1))
    ratio = after.p99 / before.p99
    yield Result("honest clients behind all that", "", "served as before",
                 f"p99 {milliseconds(before.p99)} before, {milliseconds(after.p99)} after; {mebibytes(base)} before, "
                 f"{mebibytes(served.peak())} at most",
                 after.wrong == 0 and ratio < bench.pick(3, 20) and served.peak() < base + 250 * MIB)
    yield from ended(served, "garbage")


def _huge(bench: Bench, served) -> Iterator[Result]:
    """Frames that are far too long, of which the beginning is looked at and the rest dropped."""
    count = bench.pick(60, 10)
    answers = []
    piece = b"x" * (1 << 20)

    def send() -> None:
        try:
            with wire.connect(served.port, patience=20) as connection:
                connection.sendall(b'{"method":"PUT","path":"/g/1","data":"')
                for _ in range(12):
                    connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                answers.append(wire.rest(connection)[:12])
        except OSError as error:
            answers.append(repr(error).encode())
    threads = [threading.Thread(target=send) for _ in range(count)]
    served.forget_peak()
    before = served.memory()
    for thread in threads:
        thread.start()
    beside = honest(bench, served, 1)
    for thread in threads:
        thread.join(60)
    told = sum(answer == b'{"code": 413' for answer in answers)
    yield Result("frames of 12 MB", f"{count} at once", f"each is told 413; {beside.wrong} honest requests went wrong",
                 f"{told} were told; {mebibytes(before)} before, {mebibytes(served.peak())} at most",
                 told == count and beside.wrong == 0 and served.peak() < before + count * 4 * MIB)


def _slow(bench: Bench, served) -> Iterator[Result]:
    """Bodies and heads that come a byte at a time, on both ports: 408 at the deadline."""
    count = bench.pick(200, 30)
    kinds = {
        "a native frame": (served.port, b'{"method":"PUT","path":"/g/slow","data":"', b"x", b'{"code": 408'),
        "an HTTP head": (served.http_port, b"GET /g/1 HTTP/1.1\r\nHost: localhost\r\nX: ", b"x", b"HTTP/1.1 408"),
        "an HTTP body": (served.http_port, b"PUT /g/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n\"", b"x",
                         b"HTTP/1.1 408"),
        "chunks": (served.http_port, b"PUT /g/slow HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
                   b"1\r\nx\r\n", b"HTTP/1.1 408"),
    }
    wrong = 0
    connections = [(name, wire.connect(port, patience=20), more, expected)
                   for name, (port, start, more, expected) in kinds.items() for _ in range(count)]
    begin = time.monotonic()
    for name, connection, _, _ in connections:
        connection.sendall(kinds[name][1])
    told: dict[str, int] = {}
    last = 0.0
    waiting = list(connections)
    beside = None
    while waiting and time.monotonic() - begin < 10:
        time.sleep(0.1)
        if beside is None:
            beside = honest(bench, served, 0.8)
            wrong += beside.wrong
        still = []
        for one in waiting:
            name, connection, more, expected = one
            try:
                connection.setblocking(False)
                answer = connection.recv(4096)
            except BlockingIOError:
                try:
                    connection.send(more)
                except (BlockingIOError, OSError):
                    pass
                still.append(one)
                continue
            except OSError:
                answer = b""
            if answer.startswith(expected):
                told[name] = told.get(name, 0) + 1
                last = time.monotonic() - begin
            connection.close()
        waiting = still
    for _, connection, _, _ in waiting:
        connection.close()
    with wire.Session(served.port) as session:
        nothing = session.ask("GET", "/g/slow")["code"] == 404
    yield Result("requests that drip, on both ports", f"{len(connections)}",
                 f"408 for each at the deadline of 3 s; {wrong} honest requests went wrong",
                 f"{sum(told.values())} were told, the last after {last:.1f} s; nothing of them was written: {nothing}",
                 sum(told.values()) == len(connections) and last < 6 and nothing and wrong == 0)
