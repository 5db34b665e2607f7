"""Tokens and TLS over HTTP."""

import json
import os
import socket
import ssl
import subprocess
import tempfile
import unittest
import urllib.request

from server import PATIENCE, Server, ServerTestCase, eventually, receive_all
from test_events import Stream


def token(server, name, *allowed):
    arguments = [part for rule in allowed for part in ("--allow", rule)]
    output = server.docket("token", "create", name, *arguments)
    return next(word for word in output.split() if word.startswith("docket_"))


class Tokens(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.request("PUT", "/notes/1", b"1")
        cls.server.request("PUT", "/secret/1", b'"hidden"')
        cls.admin = token(cls.server, "admin", "admin")
        cls.reader = token(cls.server, "reader", "read:/notes/")
        assert eventually(lambda: cls.server.request("GET", "/notes/1")[0] == 401)
        assert eventually(lambda: cls.read("/notes/1", cls.reader)[0] == 200)

    @classmethod
    def read(cls, path, token, method="GET", body=None):
        return cls.server.request(method, path, body, Authorization=f"Bearer {token}")

    def test_without_a_token_nothing_is_told(self):
        for method, path in [("GET", "/notes/1"), ("GET", "/notes/none"), ("GET", "/_documents"), ("PUT", "/notes/1"),
                             ("GET", "/_stats"), ("GET", "/_changes"), ("GET", "/_tokens/"), ("GET", "/metrics")]:
            with self.subTest(path=path, method=method):
                answer = self.server.request(method, path, b"2" if method == "PUT" else None)
                self.problem(answer, 401, "unauthorized")
                self.assertEqual(answer[1]["WWW-Authenticate"], "Bearer")
        self.assertEqual(self.server.request("GET", "/_health")[0], 200)

    def test_a_token_does_what_it_is_for_and_no_more(self):
        self.assertEqual(self.read("/notes/1", self.reader)[2], b"1")
        self.problem(self.read("/secret/1", self.reader), 403, "forbidden")
        self.problem(self.read("/notes/1", self.reader, "PUT", b"2"), 403, "forbidden")
        self.assertNotIn(b"hidden", self.read("/_documents", self.reader)[2])
        self.assertEqual(self.read("/secret/1", self.admin)[2], b'"hidden"')

    def test_everybody_is_told_what_he_may_do(self):
        def access(token):
            status, _, body = self.read("/_access", token) if token else self.server.request("GET", "/_access")
            self.assertEqual(status, 200)
            return json.loads(body)

        self.assertEqual(access(None), {"token": None, "open": False, "allow": []})
        reader = access(self.reader)
        self.assertEqual((reader["token"]["name"], reader["token"]["expiresAt"]), ("reader", None))
        self.assertEqual((reader["open"], reader["allow"]), (False, ["read:/notes/"]))
        self.assertEqual(access(self.admin)["allow"], ["admin"])
        # And who is refused, what it would take.
        detail = json.loads(self.read("/notes/1", self.reader, "PUT", b"2")[2])["detail"]
        self.assertIn("The token 'reader' does not allow this: it would take a rule write:", detail)

    def test_a_token_is_the_requests_own(self):
        # On one connection: what one request has shown the next one has not.
        with self.server.connect() as connection:
            connection.sendall(
                b"GET /secret/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % self.admin.encode()
                + b"GET /secret/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            received = b""
            while piece := connection.recv(4096):
                received += piece
        self.assertEqual(received.count(b"HTTP/1.1 200"), 1)
        self.assertEqual(received.count(b"HTTP/1.1 401"), 1)
        self.assertEqual(received.count(b"hidden"), 1)

    def test_no_cookie_is_an_authority(self):
        answer = self.server.request("GET", "/notes/1", Cookie=f"token={self.admin}; Authorization=Bearer {self.admin}")
        self.assertEqual(answer[0], 401)

    def test_who_may_write_nothing_is_not_told_what_a_write_lacks(self):
        self.problem(self.server.request("PUT", "/notes/1"), 401, "unauthorized")
        self.problem(self.read("/notes/1", self.reader, "PUT"), 403, "forbidden")
        self.problem(self.read("/notes/1", self.admin, "PUT"), 400, "missing_body")

    def test_a_wrong_token_is_refused_before_its_body_is_read(self):
        answer = self.server.request("PUT", "/notes/1", b"1", Authorization="Bearer docket_wrong")
        self.problem(answer, 401, "invalid_token")

    def test_strangers_send_no_large_bodies(self):
        answer = self.server.request("PUT", "/notes/1", b'"' + b"x" * 100_000 + b'"')
        self.problem(answer, 413, "authenticate_first")

    def test_revoking_ends_streams(self):
        text = token(self.server, "watcher", "read:/notes/")
        self.assertTrue(eventually(lambda: self.read("/notes/1", text)[0] == 200))
        stream = Stream(self.server, "/notes/?watch=true", Authorization=f"Bearer {text}")
        self.addCleanup(stream.close)
        self.assertEqual(stream.next()[1], "live")
        self.server.docket("token", "revoke", "watcher")
        event = stream.next()
        self.assertEqual((event[1], event[2]["error"]), ("problem", "invalid_token"))
        self.assertIsNone(stream.next())


class Log(ServerTestCase):
    arguments = ("--log-level", "info")

    def test_no_secret_is_logged(self):
        secret = "docket_k3v9x2m4q8t1_" + "x" * 43
        self.server.request("DELETE", f"/_tokens/{secret}")
        self.server.request("GET", f"/notes/{secret}", X_Request_Id=secret)
        self.assertTrue(eventually(lambda: "GET /notes/" in self.server.logged()))
        self.assertNotIn("x" * 43, self.server.logged())


class Rates(ServerTestCase):
    arguments = ("--address-rate", "5")

    def test_too_many_requests(self):
        answers = [self.server.request("PUT", "/notes/1", body) for body in [b"1", b"{"] * 20]
        refused = [answer for answer in answers if answer[0] == 429]
        self.assertTrue(refused)
        self.problem(refused[0], 429, "rate_limited")
        self.assertTrue(refused[0][1]["Retry-After"])

    def test_what_never_comes_to_the_store_counts_as_well(self):
        for method, path, headers in [
            ("GET", "/notes/1", {"Host": "evil.example"}), ("GET", "/notes/", {"Origin": "http://evil.example"}),
            ("OPTIONS", "/notes/1", {}), ("GET", "/_console/", {}), ("GET", "/_openapi.json", {}), ("PUT", "/notes/1", {}),
        ]:
            with self.subTest(method, path=path):
                statuses = [self.server.request(method, path, **headers)[0] for _ in range(30)]
                self.assertIn(429, statuses)


class Strangers(ServerTestCase):
    arguments = ("--http-max-connections", "5", "--stranger-idle-timeout", "1", "--stranger-timeout", "2")

    def test_they_give_way_and_are_let_go(self):
        self.server.docket("token", "create", "root", "--allow", "admin")
        token = self.server.docket("token", "create", "second", "--allow", "read:/").split()[-1]
        # A running server takes notice of the file's tokens within a second.
        self.assertTrue(eventually(
            lambda: self.server.request("GET", "/notes/1", Authorization=f"Bearer {token}")[0] == 404
            and self.server.request("GET", "/notes/1")[0] == 401))
        known = self.server.connect()
        self.addCleanup(known.close)
        asked = b"GET /notes/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n" % token.encode()
        known.sendall(asked)
        self.assertIn(b" 404 ", known.recv(65536))
        silent = [self.server.connect() for _ in range(5)]
        self.addCleanup(lambda: [connection.close() for connection in silent])
        # There is a place for who asks now.
        self.assertEqual(self.server.request("GET", "/notes/1", Authorization=f"Bearer {token}")[0], 404)
        for connection in silent:
            self.assertEqual(receive_all(connection), b"")
        # One who asks and asks, and shows nothing, goes as well.
        with self.server.connect() as connection:
            def is_over():
                try:
                    connection.sendall(b"GET /notes/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    return not connection.recv(65536)
                except OSError:
                    return True
            self.assertTrue(eventually(is_over))
        known.sendall(asked)
        self.assertIn(b" 404 ", known.recv(65536))


class Guests(ServerTestCase):
    arguments = ("--allow-anonymous", "read:/public/", "--stranger-timeout", "1", "--stranger-idle-timeout", "1")

    def test_who_may_do_something_without_a_token_is_not_sent_away(self):
        self.server.docket("token", "create", "root", "--allow", "admin")
        self.assertTrue(eventually(lambda: self.server.request("GET", "/notes/1")[0] == 401))
        stream = Stream(self.server, "/public/?watch=true&heartbeat=1")
        self.addCleanup(stream.close)
        self.assertEqual([stream.next()[1] for _ in range(4)], ["live", "heartbeat", "heartbeat", "heartbeat"])


class TLS(unittest.TestCase):
    def test_the_port_speaks_tls_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                 "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
                 "-out", certificate], check=True, capture_output=True)
            server = Server("--tls-certificate", certificate, "--tls-key", key, "--log-level", "info")
            try:
                self.assertEqual(server.scheme, "https")
                context = ssl.create_default_context(cafile=certificate)
                request = urllib.request.Request(f"{server.url}/notes/1", b'{"a": 1}', method="PUT")
                with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as answer:
                    self.assertEqual(answer.status, 201)
                with urllib.request.urlopen(f"{server.url}/notes/1", context=context, timeout=PATIENCE) as answer:
                    self.assertEqual(answer.read(), b'{"a": 1}')
                # Plain HTTP is told so, on either port.
                for port in (server.port, server.native[1]):
                    with socket.create_connection((server.host, port), timeout=PATIENCE) as connection:
                        connection.sendall(b"GET /notes/1 HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"x" * 1_000_000)
                        received = receive_all(connection)
                    self.assertTrue(received.startswith(b"HTTP/1.1 400 Bad Request\r\n"), received)
                    self.assertEqual(json.loads(received.partition(b"\r\n\r\n")[2])["error"], "wrong_port")
                self.assertEqual(server.logged().count("the client speaks HTTP without TLS"), 2)
                self.assertNotIn(b"HTTP", server.exchange(b"\0{}\0"))
                self.assertEqual(server.stop(), 0)
            finally:
                server.remove()


if __name__ == "__main__":
    unittest.main()
