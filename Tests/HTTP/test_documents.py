"""What curl does with documents: methods, statuses, bodies, conditions."""

import json
import signal
import sqlite3
import subprocess
import time
import unittest

from server import BINARY, PATIENCE, Server, ServerTestCase, receive_all


class Documents(ServerTestCase):
    def test_a_document_comes_back_byte_for_byte(self):
        text = b'{"n": 12345678901234567890.10,  "s": "\\u00e9\xc3\xa9"}'
        status, headers, body = self.server.request("PUT", "/notes/42", text)
        self.assertEqual(status, 201)
        self.assertEqual(headers["Location"], "/notes/42")
        self.assertEqual(json.loads(body)["path"], "/notes/42")
        status, headers, body = self.server.request("GET", "/notes/42")
        self.assertEqual((status, body), (200, text))
        self.assertEqual(headers["Content-Type"], "application/json")
        self.assertRegex(headers["ETag"], r'^"\d+"$')
        self.assertIn("GMT", headers["Last-Modified"])
        self.assertIn("GMT", headers["Date"])

    def test_white_space_around_a_document_is_not_stored(self):
        self.server.request("PUT", "/notes/space", b' \r\n {"a": 1}\n')
        self.assertEqual(self.server.request("GET", "/notes/space")[2], b'{"a": 1}')

    def test_every_method(self):
        status, headers, _ = self.server.request("POST", "/posted/", b'{"a": 1}')
        self.assertEqual(status, 201)
        path = headers["Location"]
        self.assertEqual(self.server.request("PATCH", path, b'{"b": 2}')[0], 200)
        self.assertEqual(json.loads(self.server.request("GET", path)[2]), {"a": 1, "b": 2})
        self.assertEqual(self.server.request("PUT", path, b"[]")[0], 200)
        status, headers, body = self.server.request("DELETE", path)
        self.assertEqual((status, body), (204, b""))
        self.problem(self.server.request("GET", path), 404, "not_found")

    def test_conditions(self):
        tag = self.server.request("PUT", "/notes/condition", b"1")[1]["ETag"]
        status, headers, body = self.server.request("GET", "/notes/condition", If_None_Match=tag)
        self.assertEqual((status, headers["ETag"], body), (304, tag, b""))
        self.assertEqual(self.server.request("PUT", "/notes/condition", b"2", If_Match=tag)[0], 200)
        self.problem(self.server.request("PUT", "/notes/condition", b"3", If_Match=tag), 412, "precondition_failed")
        self.assertEqual(self.server.request("GET", "/notes/condition")[2], b"2")

    def test_a_list_may_come_in_several_lines(self):
        def raw(method, *lines, body=b""):
            head = f"{method} /lists/1 HTTP/1.1\r\nHost: localhost\r\n" + "".join(line + "\r\n" for line in lines)
            answer = self.server.exchange(head.encode() + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            return int(answer.split(b" ", 2)[1])

        tag = self.server.request("PUT", "/lists/1", b"1")[1]["ETag"]
        # Without a length the request is a plain one.
        for length in [["Content-Length: 0"], []]:
            head = "DELETE /lists/1 HTTP/1.1\r\nHost: localhost\r\nPrefer: dry-run\r\nPrefer: return=minimal\r\n"
            self.server.exchange((head + "".join(line + "\r\n" for line in length) + "\r\n").encode())
            self.assertEqual(self.server.request("GET", "/lists/1")[0], 200)
        self.assertEqual(raw("GET", f"If-None-Match: {tag}", 'If-None-Match: "999999"'), 304)
        self.assertEqual(raw("PUT", 'If-Match: "999998"', 'If-Match: "999999"', body=b"2"), 412)
        self.assertEqual(raw("PUT", 'If-Match: "999998"', f"If-Match: {tag}", body=b"2"), 200)
        self.assertEqual(raw("PUT", "Expires-In: 1", "Expires-In: 2", body=b"2"), 400)

    def test_weak_tags(self):
        tag = self.server.request("PUT", "/weak/1", b"1")[1]["ETag"]
        self.assertEqual(self.server.request("GET", "/weak/1", If_None_Match="W/" + tag)[0], 304)
        self.assertEqual(self.server.request("PUT", "/weak/1", b"2", If_Match="W/" + tag)[0], 412)
        self.assertEqual(self.server.request("PUT", "/weak/1", b"2", If_Match=tag)[0], 200)

    def test_location_is_a_reference(self):
        for path in ["/places/a%20b", "/places/%C3%A9%3F", "/places/plain"]:
            status, headers, _ = self.server.request("PUT", path, b"1")
            self.assertEqual((status, headers["Location"]), (201, path))
            self.assertEqual(self.server.request("GET", headers["Location"])[0], 200)

    def test_a_path_that_names_nothing_is_told_how_paths_are(self):
        for path in ["/notes", "/favicon.ico"]:
            status, _, body = self.server.request("GET", path)
            self.assertEqual((status, json.loads(body)["error"]), (400, "bad_request"))
            self.assertIn("/notes/42", json.loads(body)["detail"])

    def test_an_idempotency_key_writes_once(self):
        first = self.server.request("POST", "/once/", b"1", Idempotency_Key="k1")
        again = self.server.request("POST", "/once/", b"1", Idempotency_Key="k1")
        self.assertEqual(first[2], again[2])
        self.assertEqual(again[1]["Idempotency-Replayed"], "true")
        self.assertEqual(len(json.loads(self.server.request("GET", "/once/")[2])["items"]), 1)

    def test_head_is_get_without_its_body(self):
        self.server.request("PUT", "/notes/head", json.dumps({"text": "x" * 4000}).encode())
        for encoding in ("identity", "gzip"):
            with self.subTest(encoding):
                read = self.server.request("GET", "/notes/head", Accept_Encoding="identity")
                status, headers, body = self.server.request("HEAD", "/notes/head", Accept_Encoding=encoding)
                self.assertEqual((status, body), (200, b""))
                self.assertEqual(headers["Content-Length"], str(len(read[2])))
                self.assertEqual(headers["ETag"], read[1]["ETag"])
                self.assertIsNone(headers["Content-Encoding"])
        self.assertEqual(self.server.request("HEAD", "/notes/none")[0], 404)

    def test_queries_pages_and_history(self):
        for number in range(30):
            self.server.request("PUT", f"/numbers/{number:02}", json.dumps({"n": number}).encode())
        page = json.loads(self.server.request("GET", "/numbers/?limit=10")[2])
        self.assertEqual(len(page["items"]), 10)
        rest = json.loads(self.server.request("GET", f"/numbers/?limit=10&after={page['next']}")[2])
        self.assertEqual(rest["items"][0]["path"], "/numbers/10")
        found = json.loads(self.server.request("GET", "/numbers/?where[n][$gte]=25&sort=-n")[2])
        self.assertEqual([item["document"]["n"] for item in found["items"]], [29, 28, 27, 26, 25])
        self.server.request("PUT", "/numbers/00", b'{"n": -1}')
        versions = json.loads(self.server.request("GET", "/numbers/00?history=true")[2])
        self.assertEqual(len(versions["versions"]), 2)

    def test_a_batch(self):
        batch = {"requests": [{"method": "PUT", "path": "/batch/a", "data": 1}, {"method": "GET", "path": "/batch/a"}]}
        status, _, body = self.server.request("POST", "/_batch", json.dumps(batch).encode())
        self.assertEqual(status, 200, body)
        self.assertEqual(self.server.request("GET", "/batch/a")[2], b"1")

    def test_the_routes_of_the_original_server(self):
        self.assertEqual(self.server.request("GET", "/")[2], b'"Hello, World!"')
        self.assertEqual(self.server.request("POST", "/item", b'"apple"')[0], 201)
        self.assertIn("apple", json.loads(self.server.request("GET", "/list")[2]))
        self.assertEqual(self.server.request("PUT", "/item", b'"apple,pear"')[0], 200)
        self.assertEqual(self.server.request("DELETE", "/item", b'"pear"')[0], 204)

    def test_what_is_wrong_is_said(self):
        self.problem(self.server.request("PUT", "/notes/bad", b'{"a": '), 422, "invalid_json")
        self.problem(self.server.request("PUT", "/notes/deep", b"[" * 200 + b"]" * 200), 422, "invalid_json")
        self.problem(self.server.request("PUT", "/notes/two", b"1 2"), 422, "invalid_json")
        self.problem(self.server.request("GET", "/notes/x?colour=red"), 400, "unknown_parameter")
        self.problem(self.server.request("GET", "/notes//x"), 400, "invalid_path")
        self.problem(self.server.request("GET", "/_nothing"), 404, "unknown_resource")

    def test_a_write_without_a_body_stores_nothing(self):
        self.server.request("PUT", "/notes/kept", b'"kept"')
        for method, path in [("PUT", "/notes/kept"), ("POST", "/posted/"), ("POST", "/item")]:
            for body in (None, b"", b" \n"):
                with self.subTest(method=method, path=path, body=body):
                    self.problem(self.server.request(method, path, body), 400, "missing_body")
        self.assertEqual(self.server.request("GET", "/notes/kept")[2], b'"kept"')
        self.assertEqual(self.server.request("PUT", "/notes/null", b"null")[0], 201)

    def test_methods_that_a_path_does_not_have(self):
        answer = self.server.request("POST", "/notes/42", b"1")
        self.problem(answer, 405, "method_not_allowed")
        self.assertEqual(answer[1]["Allow"], "GET, PUT, PATCH, DELETE, HEAD, OPTIONS")
        answer = self.server.request("DELETE", "/notes/")
        self.assertIn("a collection", self.problem(answer, 405, "method_not_allowed")["detail"])
        self.assertEqual(answer[1]["Allow"], "GET, POST, HEAD, OPTIONS")

    def test_options_names_the_methods(self):
        for path, allowed in [
            ("/notes/42", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"), ("/notes/", "GET, POST, HEAD, OPTIONS"),
            ("/item", "POST, PUT, DELETE, OPTIONS"), ("/_stats", "GET, HEAD, OPTIONS"), ("/_batch", "POST, OPTIONS"),
            ("*", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        ]:
            with self.subTest(path):
                status, headers, body = self.server.request("OPTIONS", path)
                self.assertEqual((status, headers["Allow"], body), (204, allowed, b""))

    def test_what_a_write_through_one_port_stored_the_other_reads(self):
        self.server.request("PUT", "/both/1", b'"http"')
        host, port = self.server.native
        read = subprocess.run(
            [BINARY, "get", "/both/1", "--host", host, "--port", port], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(read.stdout.strip(), '"http"', read.stderr)

    def test_commands_that_ask_this_port_are_told_that_it_speaks_http(self):
        for command in (["get", "/both/1"], ["put", "/both/1", "2"], ["watch", "/both/"], ["stats"]):
            with self.subTest(command[0]):
                run = subprocess.run(
                    [BINARY, *command, "--host", self.server.host, "--port", str(self.server.port)], capture_output=True,
                    text=True, timeout=PATIENCE)
                self.assertEqual((run.returncode, run.stdout), (1, ""))
                self.assertIn("this port speaks HTTP; give that of the native protocol (--port)", run.stderr)
                self.assertEqual(run.stderr.count("\n"), 1)


class Limits(ServerTestCase):
    arguments = ("--max-document-bytes", "1000")

    def test_a_body_that_is_too_long(self):
        self.problem(self.server.request("PUT", "/notes/a", b'"' + b"x" * 2000 + b'"'), 413, "document_too_large")
        self.problem(self.server.request("PUT", "/notes/a", b'"' + b"x" * 200_000 + b'"'), 413, "document_too_large")

        def pieces():
            for _ in range(100):
                yield b"x" * 10_000

        self.problem(self.server.request("PUT", "/notes/a", pieces()), 413, "document_too_large")
        self.problem(self.server.request("GET", "/notes/a"), 404, "not_found")


class Restart(unittest.TestCase):
    def test_what_was_acknowledged_is_there_after_a_kill(self):
        server = Server()
        try:
            for number in range(20):
                self.assertEqual(server.request("PUT", f"/kept/{number}", str(number).encode())[0], 201)
            server.stop(kill=True)
            second = Server(folder=server.folder)
            try:
                for number in range(20):
                    self.assertEqual(second.request("GET", f"/kept/{number}")[2], str(number).encode())
                self.assertEqual(second.stop(), 0)
            finally:
                second.remove()
        finally:
            server.remove()

    def test_a_write_that_is_under_way_when_the_server_ends_is_answered(self):
        server = Server()
        other = sqlite3.connect(server.database, isolation_level=None)
        try:
            # The server waits for this lock.
            other.execute("BEGIN IMMEDIATE")
            with server.connect() as connection:
                connection.sendall(b"PUT /notes/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1")
                time.sleep(0.3)
                server.process.send_signal(signal.SIGTERM)
                time.sleep(0.3)
                other.execute("COMMIT")
                answer = receive_all(connection)
            self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)
            self.assertEqual(server.stop(), 0)
            self.assertEqual(other.execute("SELECT data FROM documents").fetchall(), [("1",)])
        finally:
            other.close()
            server.remove()


if __name__ == "__main__":
    unittest.main()
