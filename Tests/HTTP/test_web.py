"""What browsers are let do, and what they are told."""

import gzip
import http.client
import io
import json
import unittest
import zlib

from server import ServerTestCase


class Names(ServerTestCase):
    arguments = ("--http-allow-host", "docket.example")

    def test_a_page_elsewhere_does_not_reach_a_loopback_server_by_its_own_name(self):
        for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "user@localhost"]:
            with self.subTest(host):
                answer = self.server.request("PUT", "/rebound/1", b"1", Host=host)
                self.assertIn(answer[0], (400, 421), answer[2])
        self.assertEqual(self.server.request("GET", "/rebound/1")[0], 404)

    def test_its_own_names_are_taken(self):
        for host in ["localhost", "localhost:8080", "LOCALHOST", "127.0.0.1:1", "[::1]:8080", "192.168.1.7", "docket.example:80"]:
            with self.subTest(host):
                self.assertEqual(self.server.request("GET", "/_health", Host=host)[0], 200)


class Origins(ServerTestCase):
    arguments = ("--http-allow-origin", "https://app.example")

    def test_pages_of_others_change_nothing(self):
        for headers in [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}]:
            with self.subTest(headers):
                answer = self.server.request("POST", "/forged/", b"1", Content_Type="text/plain", **headers)
                self.problem(answer, 403, "foreign_origin")
                self.assertIsNone(answer[1]["Access-Control-Allow-Origin"])
        self.assertEqual(json.loads(self.server.request("GET", "/forged/")[2])["items"], [])

    def test_pages_of_others_take_nothing_in(self):
        for mode, status in [("no-cors", 403), ("cors", 403), ("navigate", 404)]:
            self.assertEqual(
                self.server.request("GET", "/notes/none", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode=mode)[0], status)
        self.assertEqual(
            self.server.request("GET", "/notes/none", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="no-cors")[0], 404)

    def test_pages_of_its_own_do(self):
        host = f"localhost:{self.server.port}"
        answer = self.server.request("PUT", "/own/1", b"1", Host=host, Origin=f"http://{host}")
        self.assertEqual(answer[0], 201, answer[2])

    def test_an_allowed_origin_is_told_so(self):
        status, headers, _ = self.server.request(
            "OPTIONS", "/notes/1", Origin="https://app.example", Access_Control_Request_Method="PUT",
            Access_Control_Request_Headers="authorization,if-match")
        self.assertEqual(status, 204)
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://app.example")
        self.assertIn("PUT", headers["Access-Control-Allow-Methods"])
        self.assertIn("Authorization", headers["Access-Control-Allow-Headers"])
        self.assertIsNone(headers["Access-Control-Allow-Credentials"])
        status, headers, _ = self.server.request("PUT", "/notes/1", b"1", Origin="https://app.example")
        self.assertEqual(headers["Access-Control-Allow-Origin"], "https://app.example")
        self.assertIn("ETag", headers["Access-Control-Expose-Headers"])
        self.assertIn("Origin", headers["Vary"])
        refused = self.server.request(
            "OPTIONS", "/notes/1", Origin="https://other.example", Access_Control_Request_Method="PUT")
        self.assertEqual(refused[0], 403)
        self.assertIsNone(refused[1]["Access-Control-Allow-Origin"])

    def test_no_answer_is_taken_for_a_page(self):
        self.server.request("PUT", "/html/1", b'"<script>alert(1)</script>"')
        status, headers, _ = self.server.request("GET", "/html/1", Accept="text/html")
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Cache-Control"], "no-cache")
        self.assertIsNone(headers["Set-Cookie"])


class Received(io.BytesIO):
    """Several answers, of which each is read as from a socket."""

    def makefile(self, mode):
        return self

    def close(self):
        pass


class Compression(ServerTestCase):
    def test_large_answers_are_compressed_for_those_who_take_that(self):
        text = json.dumps({"text": "word " * 5000}).encode()
        self.server.request("PUT", "/large/1", text)
        self.server.request("PUT", "/small/1", b'{"a": 1}')
        status, headers, body = self.server.request("GET", "/large/1", Accept_Encoding="gzip")
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertLess(len(body), len(text) // 10)
        self.assertEqual(gzip.decompress(body), text)
        self.assertIn("Accept-Encoding", headers["Vary"])
        status, headers, body = self.server.request("GET", "/large/1", Accept_Encoding="deflate")
        self.assertEqual(zlib.decompress(body), text)
        for encoding in ("deflate, gzip", "gzip;q=0.5, deflate", "br, GZIP"):
            headers = self.server.request("GET", "/large/1", Accept_Encoding=encoding)[1]
            self.assertEqual(headers["Content-Encoding"], "gzip", encoding)
        headers = self.server.request("GET", "/large/1", Accept_Encoding="gzip;q=0, deflate")[1]
        self.assertEqual(headers["Content-Encoding"], "deflate")
        for encoding in ("identity", "br", "gzip;q=0"):
            status, headers, body = self.server.request("GET", "/large/1", Accept_Encoding=encoding)
            self.assertIsNone(headers["Content-Encoding"])
            self.assertEqual(body, text)
        status, headers, body = self.server.request("GET", "/small/1", Accept_Encoding="gzip")
        self.assertEqual((headers["Content-Encoding"], body), (None, b'{"a": 1}'))

    def test_long_answers_are_compressed_in_pieces_and_keep_their_order(self):
        texts = [json.dumps({"text": [number] * 20000 + ["end"]}).encode() for number in range(4)]
        for number, text in enumerate(texts):
            self.server.request("PUT", f"/long/{number}", text)
        for encoding, decompress in (("gzip", gzip.decompress), ("deflate", zlib.decompress)):
            for path in ("/long/1", "/long/"):
                status, headers, body = self.server.request("GET", path, Accept_Encoding=encoding)
                self.assertEqual((status, headers["Content-Encoding"]), (200, encoding))
                self.assertEqual((headers["Content-Length"], headers["Transfer-Encoding"]), (None, "chunked"))
                self.assertIn(texts[1], decompress(body))
        # Documents and pages by turns, and all sent at once.
        paths = ["/long/0", "/long/", "/small/2", "/long/1", "/long/2", "/long/", "/long/3"]
        self.server.request("PUT", "/small/2", b"2")
        received = Received(self.server.exchange("".join(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n" for path in paths).encode()))
        for path in paths:
            answer = http.client.HTTPResponse(received)
            answer.begin()
            body = answer.read()
            body = gzip.decompress(body) if answer.getheader("Content-Encoding") else body
            self.assertEqual(body, self.server.request("GET", path)[2], path)
        self.assertEqual(received.read(), b"")

    def test_a_client_of_old_gets_long_answers_without_chunks(self):
        text = json.dumps(list(range(50000))).encode()
        self.server.request("PUT", "/long/4", text)
        get = b"GET /long/4 HTTP/1.0\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
        head, body = self.server.exchange(get + b"\r\n").split(b"\r\n\r\n", 1)
        self.assertNotIn(b"transfer-encoding", head.lower())
        self.assertEqual(gzip.decompress(body), text)
        head, body = self.server.exchange(get + b"Connection: keep-alive\r\n\r\n").split(b"\r\n\r\n", 1)
        self.assertIn(b"content-length: %d" % len(text), head.lower())
        self.assertEqual(body, text)

    def test_whoever_goes_amid_a_long_answer_harms_nobody(self):
        text = json.dumps([[number, "x" * (number % 97)] for number in range(15000)]).encode()
        self.server.request("PUT", "/long/5", text)
        for path in (b"/long/5", b"/long/"):
            for _ in range(10):
                with self.server.connect() as connection:
                    connection.sendall(
                        b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n")
                    connection.recv(100)
        self.assertEqual(self.server.request("GET", "/long/5")[2], text)

    def test_a_write_is_not_made_on_a_condition_that_is_none(self):
        self.server.request("PUT", "/dated/1", b"1")
        old = "Thu, 01 Jan 1970 00:00:00 GMT"
        for method, path in [("PUT", "/dated/1"), ("PATCH", "/dated/1"), ("DELETE", "/dated/1"), ("POST", "/dated/")]:
            self.problem(self.server.request(method, path, b"2", If_Unmodified_Since=old), 400, "invalid_condition")
        self.assertEqual(self.server.request("GET", "/dated/1", If_Unmodified_Since=old, If_Modified_Since=old)[2], b"1")
        self.assertEqual(self.server.request("PUT", "/dated/1", b"2", If_Unmodified_Since=old, If_Match="*")[0], 200)

    def test_a_compressed_body_is_no_document(self):
        body = gzip.compress(b'{"a": 1}')
        for method, path in [("PUT", "/packed/1"), ("PATCH", "/packed/1"), ("POST", "/packed/")]:
            answer = self.server.request(method, path, body, Content_Encoding="gzip")
            self.problem(answer, 415, "unsupported_encoding")
        self.assertEqual(self.server.request("PUT", "/packed/1", b"1", Content_Encoding="identity")[0], 201)
        self.assertEqual(self.server.request("GET", "/packed/?count=true&limit=0")[2], b'{"items": [], "next": null, "count": 1}')


if __name__ == "__main__":
    unittest.main()
