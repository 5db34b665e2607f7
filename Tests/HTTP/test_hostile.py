"""Bytes that are no HTTP, or would be two things at once; clients that are slow; and more of everything than there may be."""

import ctypes
import itertools
import json
import os
import re
import signal
import socket
import struct
import threading
import time
import unittest

from server import PATIENCE, Server, ServerTestCase, eventually, receive_all

def drop_all(connection):
    """Has the kernel drop what comes for a socket (socket(7), SO_ATTACH_FILTER)."""
    code = struct.pack("HBBI", 0x06, 0, 0, 0)
    buffer = ctypes.create_string_buffer(code)
    connection.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HL", 1, ctypes.addressof(buffer)))


HOST = b"Host: localhost\r\n"


def statuses(received):
    # A body has no line end behind it.
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


class Smuggling(ServerTestCase):
    """Each request could be read in two ways, and has another one behind it, which must not be carried out (RFC 9112, 11.2)."""

    SECOND = b"PUT /smuggled/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\n1"
    FORMS = {
        "both lengths": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n1",
        "a list of lengths": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1, 2\r\n\r\n1",
        "a signed length": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\n1",
        "no number": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length: one\r\n\r\n1",
        "a huge length": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999999\r\n\r\n1",
        "another coding": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "chunked twice": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "a coding of two words": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chun ked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "chunked, and chunked": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "a coding before it": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "an empty coding before it": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: ,chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "no coding, and a length": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: \r\nContent-Length: 1\r\n\r\n1",
        "an empty coding behind it": b"PUT /first/x HTTP/1.1\r\n" + HOST
            + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: \r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "chunks of HTTP/1.0": b"PUT /first/x HTTP/1.0\r\n" + HOST
            + b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
        "no chunk size": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n1\r\n0\r\n\r\n",
        "a chunk that is too long": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n1234\r\n0\r\n\r\n",
        "a huge chunk": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n1\r\n0\r\n\r\n",
        "folded": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n Transfer-Encoding: chunked\r\n\r\n1",
        "a space before the colon": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length : 1\r\n\r\n1",
        "no colon": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"Content-Length 1\r\n\r\n1",
        "a NUL": b"PUT /first/x HTTP/1.1\r\n" + HOST + b"X: a\0b\r\nContent-Length: 1\r\n\r\n1",
    }

    def test_nothing_behind_them_is_carried_out(self):
        for name, form in self.FORMS.items():
            with self.subTest(name):
                received = self.server.exchange(form + self.SECOND)
                found = statuses(received)
                self.assertTrue(found, received)
                self.assertGreaterEqual(found[0], 400, received)
                self.assertEqual(len(found), 1, received)
                self.assertIn(b"application/problem+json", received)
                self.assertEqual(self.server.request("GET", "/smuggled/x")[0], 404)
                self.assertEqual(self.server.request("GET", "/first/x")[0], 404)
                self.server.request("DELETE", "/first/x")

    def test_without_them_both_are(self):
        received = self.server.exchange(
            b"PUT /honest/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\n1" + self.SECOND.replace(b"smuggled", b"honest2"))
        self.assertEqual(statuses(received), [201, 201])

    def test_obsolete_forms(self):
        for name, form, status in [
            ("no version", b"GET /\r\n\r\n", 505), ("another version", b"GET / HTTP/3.0\r\n" + HOST + b"\r\n", 505),
            ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
            ("two hosts", b"GET / HTTP/1.1\r\n" + HOST + HOST.replace(b"localhost", b"evil.example") + b"\r\n", 400),
            ("an unknown method", b"BREW /pot HTTP/1.1\r\n" + HOST + b"\r\n", 501),
            ("a native request", b'{"method": "GET", "path": "/"}\0', 501),
            ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 501),
        ]:
            with self.subTest(name):
                found = statuses(self.server.exchange(form))
                self.assertEqual(found[:1], [status])


class Shapes(ServerTestCase):
    def test_pipelined_requests_are_answered_in_their_order(self):
        for number in range(50):
            self.server.request("PUT", f"/order/{number}", str(number).encode())
        sent = b"".join(b"GET /order/%d HTTP/1.1\r\n%s\r\n" % (number, HOST) for number in range(50))
        received = self.server.exchange(sent)
        bodies = [part.rsplit(b"\r\n\r\n", 1)[1] for part in received.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(bodies, [str(number).encode() for number in range(50)])

    def test_reads_and_writes_on_one_connection_see_each_other_in_their_order(self):
        sent, expected = b"", []
        for number in range(100):
            body = b"%d" % number
            sent += b"PUT /mixed/1 HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (HOST, len(body), body)
            sent += b"GET /mixed/1 HTTP/1.1\r\n%s\r\nGET /mixed/none HTTP/1.1\r\n%s\r\n" % (HOST, HOST)
            expected += [201 if number == 0 else 200, 200, 404]
        received = self.server.exchange(sent)
        self.assertEqual(statuses(received), expected)
        read = [part.rsplit(b"\r\n\r\n", 1)[1] for part in received.split(b"HTTP/1.1 ")[1:]][1::3]
        self.assertEqual(read, [b"%d" % number for number in range(100)])

    def test_what_stands_behind_an_answer_that_comes_late_is_answered_too(self):
        self.server.request("PUT", "/behind/long", json.dumps(list(range(50000))).encode())
        health, page = (b"GET %s HTTP/1.1\r\n%s\r\n" % (path, HOST) for path in (b"/_health", b"/behind/?limit=1"))
        put = b"PUT /behind/1 HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\n1"
        long = b"GET /behind/long HTTP/1.1\r\n" + HOST + b"Accept-Encoding: gzip\r\n\r\n"
        for first in (put, long):
            for second in (health, page):
                with self.subTest(first[:20] + second[:20]), self.server.connect() as connection:
                    # In one piece, behind which the client says nothing, but does not end either.
                    connection.sendall(first + second)
                    received = b""
                    while len(statuses(received)) < 2 and (part := connection.recv(1 << 16)):
                        received += part
                    self.assertIn(statuses(received), ([200, 200], [201, 200]))

    def test_a_request_may_come_byte_by_byte(self):
        with self.server.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"PUT /slow/1 HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 3\r\n\r\n123":
                connection.sendall(bytes([byte]))
            self.assertEqual(statuses(receive_all(connection)), [201])

    def test_chunks(self):
        received = self.server.exchange(
            b"PUT /chunks/1 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n3;x=y\r\n 2]\r\n0\r\nTrailer: x\r\n\r\n")
        self.assertEqual(statuses(received), [201])
        self.assertEqual(self.server.request("GET", "/chunks/1")[2], b"[1, 2]")

    def test_a_body_that_breaks_off_is_no_document(self):
        for name, sent in [
            ("by its length", b"PUT /broken/1 HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n12"),
            ("in a chunk", b"PUT /broken/1 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n4\r\n12"),
            ("between chunks", b"PUT /broken/1 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n12\r\n"),
        ]:
            with self.subTest(name):
                self.assertNotIn(201, statuses(self.server.exchange(sent)))
                self.assertEqual(self.server.request("GET", "/broken/1")[0], 404)

    def test_expect_continue(self):
        with self.server.connect() as connection:
            connection.sendall(
                b"PUT /expected/1 HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\n")
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 100 "))
            connection.sendall(b"1")
            self.assertEqual(statuses(receive_all(connection)), [201])

    def test_expect_continue_is_answered_in_its_turn(self):
        stream = b"GET /turn/?watch=true HTTP/1.1\r\n" + HOST + b"\r\n"
        put = b"PUT /turn/1 HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        with self.server.connect() as connection:
            connection.sendall(stream + put)
            received = b""
            while b"event: live" not in received:
                received += connection.recv(65536)
            self.server.request("PUT", "/turn/2", b"2")
            while b"event: created" not in received:
                received += connection.recv(65536)
            self.assertNotIn(b" 100 ", received)
        # What is refused in any case is not asked for.
        for headers in [b"Host: evil.example\r\n", HOST + b"Content-Length: 99999999\r\n"]:
            with self.server.connect() as connection:
                connection.sendall(b"PUT /turn/3 HTTP/1.1\r\n" + headers + b"Expect: 100-continue\r\n\r\n")
                self.assertNotIn(b" 100 ", connection.recv(65536))
        old = b"PUT /turn/4 HTTP/1.0\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n4"
        self.assertEqual(statuses(self.server.exchange(old)), [201])

    def test_expect_continue_and_compression_bear_each_other(self):
        gzip = b"Accept-Encoding: gzip\r\n"
        put = b"PUT /gzip/%d HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n"
        with self.server.connect() as connection:
            for number, headers in enumerate((gzip, b"", gzip)):
                connection.sendall(put % number + headers + b"\r\n")
                self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 100 "))
                connection.sendall(b"1")
                self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 201 "))
            connection.sendall(b"GET /gzip/ HTTP/1.1\r\n" + HOST + gzip + b"Connection: close\r\n\r\n")
            self.assertEqual(statuses(receive_all(connection)), [200])
        # Nor is a stranger's refusal where there are tokens.
        strict = Server()
        try:
            strict.docket("token", "create", "a", "--allow", "admin")
            eventually(lambda: strict.request("GET", "/gzip/1")[0] == 401)
            with strict.connect() as connection:
                connection.sendall(put % 1 + gzip + b"\r\n")
                received = connection.recv(4096)
                if statuses(received) == [100]:
                    connection.sendall(b"1")
                    received = connection.recv(4096)
                self.assertEqual(statuses(received), [401])
            self.assertEqual(strict.stop(), 0)
        finally:
            strict.remove()

    def test_an_answer_says_close_only_where_its_own_request_does(self):
        post = b"POST /own/ HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n"
        with self.server.connect() as connection:
            connection.sendall(post + b"\r\n1" + post + b"Connection: close\r\n\r\n")
            first = b""
            while b"\r\n\r\n" not in first:
                first += connection.recv(4096)
            self.assertEqual((statuses(first), b"connection: close" in first.lower()), ([201], False))
            connection.sendall(b"2")
            second = receive_all(connection)
            self.assertEqual((statuses(second), b"connection: close" in second.lower()), ([201], True))

    def test_who_is_answered_before_the_end_of_a_request_gets_one_answer_and_the_end(self):
        long = b"PUT /early/1 HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n\r\n"
        coded = b"PUT /early/1 HTTP/1.1\r\n" + HOST + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        whole = b"PUT /early/1 HTTP/1.1\r\n" + HOST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n"
        behind = b"GET /early/1 HTTP/1.1\r\n" + HOST + b"\r\n"
        for name, head, rest, status in [
            ("what it goes on sending is no HTTP", coded, b"zzz\r\n", 415),
            ("it ends, and another follows", whole, b"[1]" + behind, 415),
            ("it breaks off", long, None, 413),
        ]:
            with self.subTest(name), self.server.connect() as connection:
                connection.sendall(head)
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(4096)
                self.assertIn(b"connection: close", received.lower())
                if rest:
                    connection.sendall(rest)
                else:
                    connection.shutdown(socket.SHUT_WR)
                self.assertEqual(statuses(received + receive_all(connection)), [status])

    def test_close_is_heeded(self):
        received = self.server.exchange(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertEqual(statuses(received), [200])

    def test_an_old_client(self):
        received = self.server.exchange(b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")
        self.assertEqual(len(received.split(b"Hello, World!")), 2)

    def test_the_name_in_an_absolute_form_is_the_one_that_counts(self):
        self.server.request("PUT", "/absolute/1", b'"here"')
        for target, status in [
            (b"http://localhost/absolute/1", 200), (b"HTTP://127.0.0.1:80/absolute/1", 200), (b"http://evil.example/absolute/1", 421),
            (b"http://evil.example:80/absolute/1", 421), (b"http:///absolute/1", 400),
        ]:
            with self.subTest(target):
                received = self.server.exchange(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
                self.assertEqual(statuses(received), [status], received)
                self.assertEqual(b'"here"' in received, status == 200)

    def test_http_on_the_native_port_is_told_so(self):
        for first in (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", b"PUT /wrong/1 HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\n1",
                      b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /"):
            with self.subTest(first), socket.create_connection(self.server.native, timeout=60) as connection:
                # What would be a request behind it is none.
                connection.sendall(first + b'\0{"method": "PUT", "path": "/wrong/2", "data": 1}\0')
                received = receive_all(connection)
                self.assertTrue(received.startswith(b"HTTP/1.1 400 Bad Request\r\n"), received)
                head, _, body = received.partition(b"\r\n\r\n")
                self.assertEqual(json.loads(body)["error"], "wrong_port")
                self.assertIn(b"Content-Length: %d\r\n" % len(body), head)
        self.assertEqual(self.server.request("GET", "/wrong/?count=true&limit=0")[2], b'{"items": [], "next": null, "count": 0}')
        # What only looks like it is a frame like any other.
        with socket.create_connection(self.server.native, timeout=60) as connection:
            connection.sendall(b"GETTING /\0")
            self.assertTrue(receive_all(connection).startswith(b'{"code": 4'))

    def test_huge_headers(self):
        for name, sent in [
            ("one", b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 100_000 + b"\r\n\r\n"),
            ("many", b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 20_000 + b"\r\n"),
            ("a path", b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
        ]:
            with self.subTest(name):
                received = self.server.exchange(sent)
                self.assertEqual(statuses(received)[:1], [431], received[:200])

    def test_every_method_on_every_path(self):
        methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "QUERY"]
        paths = [
            "/", "/echo", "/list", "/item", "/a/b", "/a/", "/a", "/_health", "/_ready", "/_stats", "/_batch", "/_documents",
            "/_changes", "/_watches/1", "/_collections/", "/_collections/a/", "/_tokens/", "/_tokens/x", "/_backups/",
            "/_backups/x", "/_console/", "/_openapi.json", "/metrics", "/_nothing", "/%", "/%00", "/a/%2F", "//", "/../x",
            "*", "http://localhost/a/b", "/a/b?x", "/a/?where=[", "/é/x",
        ]
        bodies = [None, b"1", b"{", b'{"method": "GET"}']
        for method, path, body in itertools.product(methods, paths, bodies):
            if path in ("/metrics", "/_console/") and method == "GET":
                continue  # Long, and no JSON.
            with self.subTest(method=method, path=path, body=body):
                length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
                received = self.server.exchange(
                    b"%s %s HTTP/1.1\r\n%s%sConnection: close\r\n\r\n%s"
                    % (method.encode(), path.encode(), HOST, length, body or b""))
                found = statuses(received)
                self.assertEqual(len(found), 1, received)
                self.assertLess(found[0], 600)
                self.assertNotEqual(found[0], 500, received)
                head, _, text = received.partition(b"\r\n\r\n")
                if found[0] >= 400 and method != "HEAD" and text:
                    self.assertEqual(json.loads(text)["status"], found[0])
        self.assertEqual(self.server.request("GET", "/_health")[0], 200)


class Slow(ServerTestCase):
    arguments = ("--frame-timeout", "0.5", "--idle-timeout", "1")

    def test_a_request_that_does_not_end_is_refused(self):
        for name, beginning, byte in [
            ("headers", b"GET / HTTP/1.1\r\nX: ", b"x"),
            ("a body", b"PUT /slow/x HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\n", b"1"),
        ]:
            with self.subTest(name), self.server.connect() as connection:
                connection.sendall(beginning)
                connection.settimeout(0.1)
                received = b""
                ended = False

                def drips():
                    nonlocal received, ended
                    try:
                        connection.sendall(byte)
                        piece = connection.recv(4096)
                        received += piece
                        ended = not piece
                    except TimeoutError:
                        pass
                    except OSError:
                        ended = True
                    return ended

                self.assertTrue(eventually(drips))
                self.assertEqual(statuses(received)[:1], [408], received)
        self.assertEqual(self.server.request("GET", "/slow/x")[0], 404)

    def test_who_says_nothing_is_let_go(self):
        with self.server.connect() as connection:
            self.assertEqual(receive_all(connection), b"")
        with self.server.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertEqual(statuses(receive_all(connection)), [200])
        with self.server.connect() as connection:
            # For longer than the silence that ends it; then it is silent.
            for _ in range(20):
                connection.sendall(b"GET /a/none HTTP/1.1\r\n" + HOST + b"\r\n")
                self.assertEqual(statuses(connection.recv(65536)), [404])
                time.sleep(0.1)
            self.assertEqual(receive_all(connection), b"")

    def test_who_takes_no_answers_is_let_go(self):
        for number in range(40):
            self.server.request("PUT", f"/large/{number}", b'"' + b"x" * 500_000 + b'"')
        with self.server.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            for number in range(40):
                connection.sendall(b"GET /large/%d HTTP/1.1\r\n%s\r\n" % (number, HOST))
            # Then whoever asks is the only one.
            self.assertTrue(eventually(lambda: self.connections() == 1))

    def test_who_takes_an_answer_slowly_gets_all_of_it(self):
        for number in range(40):
            self.server.request("PUT", f"/slowly/{number}", b'"' + b"x" * 100_000 + b'"')
        with socket.socket() as connection:
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((self.server.host, self.server.port))
            # More than the kernel takes.
            connection.sendall((b"GET /slowly/?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n") * 4)
            self.take_slowly(connection, 16_000_000)
            # What it takes whole.
            connection.sendall(b"GET /slowly/?limit=12 HTTP/1.1\r\n" + HOST + b"\r\n")
            self.take_slowly(connection, 1_200_000)
            connection.sendall(b"GET /_health HTTP/1.1\r\n" + HOST + b"\r\n")
            received = b""
            while b'"ok"' not in received and (piece := connection.recv(65536)):
                received += piece
            self.assertIn(b"HTTP/1.1 200", received)

    def take_slowly(self, connection, count):
        """Takes some of so much for longer than the silence that ends a connection, then the rest."""
        taken, ended = 0, time.monotonic() + 4
        while time.monotonic() < ended:
            taken += len(connection.recv(4_000))
            time.sleep(0.02)
        self.assertLess(taken, count)
        while taken < count:
            piece = connection.recv(1 << 20)
            self.assertTrue(piece, taken)
            taken += len(piece)

    def test_who_takes_nothing_is_let_go_whatever_it_says(self):
        for number in range(40):
            self.server.request("PUT", f"/slowly/{number}", b'"' + b"x" * 100_000 + b'"')
        for said in b"\r\n", b"x":
            for path in b"/slowly/?limit=1000", b"/said/?watch=true":
                with self.subTest(said=said, path=path), socket.socket() as connection:
                    connection.settimeout(PATIENCE)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    connection.connect((self.server.host, self.server.port))
                    connection.sendall((b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n") * 2)
                    if b"watch" in path:
                        time.sleep(0.3)
                        for number in range(40):
                            self.server.request("PUT", f"/said/{number}", b'"' + b"x" * 300_000 + b'"')

                    def is_let_go():
                        time.sleep(0.3)
                        try:
                            connection.sendall(said)
                        except OSError:
                            return True
                        return False
                    self.assertTrue(eventually(is_let_go))

    def connections(self):
        text = self.server.request("GET", "/metrics")[2].decode()
        return int(re.search(r'^docket_connections\{protocol="http"\} (\d+)$', text, re.M)[1])

    def test_a_request_that_is_late_breaks_no_answer_before_it(self):
        with self.server.connect() as connection:
            connection.sendall(b"GET /late/?watch=true HTTP/1.1\r\n" + HOST + b"\r\nGET /late/1 HT")
            received = b""
            while b"event: live" not in received:
                received += connection.recv(65536)
            # For longer than the request may take.
            time.sleep(1)
            self.server.request("PUT", "/late/1", b"1")
            while b"event: created" not in received:
                received += connection.recv(65536)
            self.assertNotIn(b" 408 ", received)

    def test_a_request_that_begins_behind_another_one_must_end_as_well(self):
        get = b"GET /slow/x HTTP/1.1\r\n" + HOST + b"\r\n"
        put = b"PUT /slow/put HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\n"
        # Otherwise the silence would end it without a word.
        for name, sent, answers in [
            ("in its first line", get + b"GET /slow/x HT", [404, 408]), ("in its body", get + put + b"1", [404, 408]),
            ("behind a body", put + b"[1]GET", [201, 408]), ("before its body", put + b"[1]" + put, [200, 408]),
        ]:
            with self.subTest(name), self.server.connect() as connection:
                connection.sendall(sent)
                self.assertEqual(statuses(receive_all(connection)), answers)

    def test_empty_lines_are_no_request(self):
        with self.server.connect() as connection:
            connection.sendall(b"\r\n\r\n")
            self.assertEqual(receive_all(connection), b"")


class Crowd(ServerTestCase):
    arguments = ("--http-max-connections", "5")

    def test_the_sixth_connection_is_told_so(self):
        connections = [self.server.connect() for _ in range(5)]
        for connection in connections:
            connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            self.assertIn(b"Hello", connection.recv(4096))
        received = self.server.exchange(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertEqual(statuses(received), [503])
        self.assertIn(b"too_many_connections", received)
        connections[0].close()
        self.assertTrue(eventually(lambda: self.server.request("GET", "/")[0] == 200))
        for connection in connections:
            connection.close()


    def test_those_beyond_are_not_kept_nor_waited_for(self):
        server = Server("--http-max-connections", "1")
        self.addCleanup(server.remove)
        descriptors = f"/proc/{server.process.pid}/fd"
        with socket.create_connection((server.host, server.port), timeout=PATIENCE):
            time.sleep(0.2)
            before = len(os.listdir(descriptors))
            for _ in range(5):
                connection = socket.create_connection((server.host, server.port), timeout=PATIENCE)
                self.addCleanup(connection.close)
                # One who never acknowledges what is sent: nothing that comes is let through to it.
                drop_all(connection)
                connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            # Until all are accepted, which nobody tells.
            time.sleep(0.5)
            self.assertTrue(eventually(lambda: len(os.listdir(descriptors)) <= before))
            self.assertEqual(server.stop(), 0)


    def test_many_requests_at_once_do_not_keep_others_waiting(self):
        count, answered = 1_400, 0
        greedy = self.server.connect()
        self.addCleanup(greedy.close)
        # On the loops of the server in turn.
        others = [self.server.connect() for _ in range(4)]

        def take():
            nonlocal answered
            rest = b""
            while answered < count and (piece := greedy.recv(1 << 18)):
                answered += (rest + piece).count(b"HTTP/1.1 200")
                rest = piece[-11:]
        taking = threading.Thread(target=take, daemon=True)
        taking.start()
        greedy.sendall((b"GET /_console/ HTTP/1.1\r\n" + HOST + b"\r\n") * count)
        self.assertTrue(eventually(lambda: answered))
        for other in others:
            with other:
                other.sendall(b"GET /_health HTTP/1.1\r\n" + HOST + b"\r\n")
                self.assertEqual(statuses(other.recv(65536)), [200])
        self.assertLess(answered, count)
        taking.join(PATIENCE)
        self.assertEqual(answered, count)


    def test_many_who_send_many_requests_do_not_stop_the_server(self):
        request, each = b"GET /_health HTTP/1.1\r\n" + HOST + b"\r\n", 40
        server = Server()
        self.addCleanup(server.remove)
        connections = [socket.create_connection((server.host, server.port), timeout=PATIENCE) for _ in range(500)]
        # All of it comes at once.
        server.process.send_signal(signal.SIGSTOP)
        for connection in connections:
            self.addCleanup(connection.close)
            connection.sendall(request * each)
        server.process.send_signal(signal.SIGCONT)
        for connection in connections:
            received = b""
            while received.count(b"HTTP/1.1 200") < each and (piece := connection.recv(1 << 18)):
                received += piece
            self.assertEqual(received.count(b"HTTP/1.1 200"), each)
        self.assertEqual(server.stop(), 0)


class Late(ServerTestCase):
    """Clients that take their answers late."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number in range(40):
            cls.server.request("PUT", f"/late/{number}", b'"' + b"x" * 100_000 + b'"')
        cls.server.request("PUT", "/mid/1", b'"' + b"x" * 10_000 + b'"')

    def begin(self, requests):
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((self.server.host, self.server.port))
        connection.sendall(requests)
        return connection

    def resident(self):
        return json.loads(self.server.request("GET", "/_stats")[2])["process"]["residentBytes"]

    def test_requests_wait_while_answers_are_not_taken(self):
        count = 10_000
        before = self.resident()
        connection = self.begin((b"GET /mid/1 HTTP/1.1\r\n" + HOST + b"\r\n") * count)
        # All of the answers are 100 MB.
        for _ in range(10):
            time.sleep(0.2)
            self.assertLess(self.resident() - before, 30_000_000)
        answers, rest = 0, b""
        while answers < count:
            piece = connection.recv(1 << 20)
            self.assertTrue(piece)
            text = rest + piece
            answers += text.count(b"HTTP/1.1 200 OK")
            # What may be the beginning of one.
            rest = text[-14:]

    def test_the_last_answer_is_whole_however_late_it_is_taken(self):
        page = b"GET /late/?limit=1000 HTTP/1.1\r\n"
        document = b"GET /late/1 HTTP/1.1\r\n" + HOST
        for requests, bodies in [
                (page + HOST + b"Connection: close\r\n\r\n", 40),
                (page.replace(b"1.1", b"1.0") + HOST + b"\r\n", 40),
                ((document + b"\r\n") * 39 + document + b"Connection: close\r\n\r\n", 40)]:
            connection = self.begin(requests)
            time.sleep(2.5)
            self.assertGreater(len(receive_all(connection)), bodies * 100_000, requests[:60])


    def test_who_half_closes_gets_all_however_late_it_is_taken(self):
        document = b"GET /late/1 HTTP/1.1\r\n" + HOST + b"\r\n"
        for requests in b"GET /late/?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n", document * 40:
            connection = self.begin(requests)
            connection.shutdown(socket.SHUT_WR)
            time.sleep(2.5)
            self.assertGreater(len(receive_all(connection)), 4_000_000, requests[:60])

    def test_a_server_that_stops_waits_for_nobody_who_takes_nothing(self):
        server = Server()
        self.addCleanup(server.remove)
        for number in range(40):
            server.request("PUT", f"/late/{number}", b'"' + b"x" * 100_000 + b'"')
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((server.host, server.port))
        connection.sendall(b"GET /late/?limit=1000 HTTP/1.1\r\n" + HOST + b"\r\n")
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.5)
        self.assertEqual(server.stop(), 0)


class Room(ServerTestCase):
    """Answers that nobody takes, from both ports, have one bound for all of them."""

    arguments = ("--answer-total-bytes", "3000000")
    # A page is of 4 MB; the kernel takes some of them for each connection.
    PAGES = 4
    HTTP_PAGE = b"GET /big/ HTTP/1.1\r\n" + HOST + b"\r\n"
    NATIVE_PAGE = b'{"method": "GET", "path": "/big/", "headers": {"Connection": "keep-alive"}}\0'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number in range(8):
            cls.server.request("PUT", f"/big/{number}", b'"' + b"x" * 500_000 + b'"')

    def flood(self, port, request):
        """A client that asks for all pages, and takes none for now."""
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.settimeout(60)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.connect(port)
        connection.sendall(request * self.PAGES)
        return connection

    def fill(self, port, request):
        """Clients that take nothing, one after the other, until what waits for them is more than the room and stays so.

        How much of an answer the kernel takes is its own affair, so a fixed number of clients may be too few. An answer that waits
        for a client that takes nothing does not grow shorter once the kernel's buffers are full.
        """
        silent = []
        while True:
            silent.append(self.flood(port, request))
            self.assertLessEqual(len(silent), 30, "the room is never full")
            looks = []

            def rests():
                time.sleep(0.2)
                looks.append(self.waiting())
                return len(looks) > 2 and len(set(looks[-3:])) == 1

            self.assertTrue(eventually(rests))
            if looks[-1] > 3_000_000:
                return silent

    def waiting(self):
        text = self.server.request("GET", "/metrics")[2].decode()
        return int(re.search(r"^docket_waiting_answer_bytes (\d+)$", text, re.M)[1])

    def check_full(self):
        for path in ("/big/1", "/big/", "/big/?where[a]=1", "/_changes", "/big/1?history=true"):
            self.problem(self.server.request("GET", path), 503, "overloaded")
        with socket.create_connection(self.server.native, timeout=60) as connection:
            connection.sendall(self.NATIVE_PAGE + b'{"method": "PUT", "path": "/room/1", "data": 1}\0' + b'{"method": "GET", "path": "/room/1"}\0')
            received = b""
            while received.count(b"\0") < 3:
                received += connection.recv(65536)
            codes = [json.loads(frame)["code"] for frame in received.split(b"\0")[:3]]
            self.assertIn(codes, ([503, 201, 200], [503, 200, 200]))
        # Writes go on, and so do reads of small documents, and what an operator looks at.
        for method, path, body in [("PUT", "/room/2", b"1"), ("GET", "/room/2", None), ("GET", "/_health", None), ("GET", "/_stats", None), ("GET", "/_ready", None)]:
            self.assertLess(self.server.request(method, path, body)[0], 300, path)

    def test_native(self):
        silent = self.fill((self.server.native[0], int(self.server.native[1])), self.NATIVE_PAGE)
        self.check_full()
        # Who takes his answers after all gets each of them, in turn: his requests have waited. Those whose page was read when there was
        # no room any more are told so.
        first = []
        for connection in silent:
            received, frames = bytearray(), 0
            while frames < self.PAGES:
                piece = connection.recv(1 << 20)
                self.assertTrue(piece)
                received += piece
                frames += piece.count(b"\0")
            codes = [json.loads(frame)["code"] for frame in received.split(b"\0")[: self.PAGES]]
            self.assertEqual(len(codes), self.PAGES)
            self.assertLessEqual(set(codes), {200, 503})
            first.append(codes[0])
        self.assertIn(200, first)
        self.assertTrue(eventually(lambda: self.server.request("GET", "/big/")[0] == 200))

    def test_http(self):
        silent = self.fill((self.server.host, self.server.port), self.HTTP_PAGE)
        self.check_full()
        for connection in silent:
            connection.close()
        self.assertTrue(eventually(lambda: self.server.request("GET", "/big/")[0] == 200))

    def test_documents_by_http(self):
        silent = [self.flood((self.server.host, self.server.port), b"GET /big/1 HTTP/1.1\r\n" + HOST + b"\r\n") for _ in range(2)]
        for connection in silent[:1]:
            received = bytearray()
            while len(received) < self.PAGES * 500_000:
                piece = connection.recv(1 << 20)
                self.assertTrue(piece)
                received += piece
            self.assertIn(b" 200 OK", received[:100])
        self.assertEqual(self.server.request("PUT", "/room/3", b"1")[0], 201)


if __name__ == "__main__":
    unittest.main()
