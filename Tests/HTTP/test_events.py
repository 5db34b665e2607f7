"""Watches as server-sent events."""

import http.client
import json
import re
import signal
import socket
import struct
import time
import unittest

from server import PATIENCE, Server, ServerTestCase, eventually


class Stream:
    """A GET whose answer is events."""

    def __init__(self, server, path, **headers):
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=PATIENCE)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", path, headers={"Accept": "text/event-stream", **headers})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def next(self):
        """The next event as (id, name, data), comments passed over; None at the end."""
        event = {"id": None, "event": None, "data": []}
        while True:
            line = self.answer.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if line == "":
                if event["data"]:
                    return event["id"], event["event"], json.loads("\n".join(event["data"]))
                continue
            name, _, value = line.partition(": ")
            if name == "data":
                event["data"].append(value)
            elif name:
                event[name] = value

    def close(self):
        self.answer.close()
        self.connection.close()


class Events(ServerTestCase):
    def test_changes_come_with_their_sequence(self):
        stream = Stream(self.server, "/live/?watch=true")
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200)
        self.assertEqual(stream.answer.headers["Content-Type"], "text/event-stream")
        self.assertEqual(stream.next()[1], "live")
        self.server.request("PUT", "/live/1", b'{"a":\n 1}')
        self.server.request("PUT", "/elsewhere/1", b"1")
        self.server.request("DELETE", "/live/1")
        first, second = stream.next(), stream.next()
        self.assertEqual(first[1:2] + (first[2]["path"], first[2]["document"]), ("created", "/live/1", {"a": 1}))
        self.assertEqual(first[0], str(first[2]["sequence"]))
        self.assertEqual((second[1], second[2]["document"]), ("deleted", None))

    def test_those_of_clients_that_reset_end_at_once(self):
        # Of its own: streams of others end as well.
        server = Server()
        self.addCleanup(server.remove)

        def watches():
            text = server.request("GET", "/metrics")[2].decode()
            return int(re.search(r"^docket_watches (\d+)$", text, re.M)[1])

        # A comment, to which a reset would be the answer, comes each 15 s: together they would take longer than is waited.
        ended = time.monotonic() + PATIENCE
        for _ in range(6):
            stream = Stream(server, "/reset/?watch=true")
            self.assertEqual(stream.next()[1], "live")
            self.assertEqual(watches(), 1)
            stream.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()
            while watches():
                self.assertLess(time.monotonic(), ended)
                time.sleep(0.05)

    def test_the_accepted_type_alone_asks_for_a_watch(self):
        stream = Stream(self.server, "/accepted/")
        self.addCleanup(stream.close)
        self.assertEqual(stream.next()[1], "live")

    def test_last_event_id_resumes(self):
        self.server.request("PUT", "/resumed/1", b"1")
        stream = Stream(self.server, "/resumed/?snapshot=true")
        while True:
            event = stream.next()
            if event[1] == "live":
                break
        stream.close()
        for number in range(2, 6):
            self.server.request("PUT", f"/resumed/{number}", str(number).encode())
        again = Stream(self.server, "/resumed/?snapshot=true", Last_Event_ID=event[0])
        self.addCleanup(again.close)
        self.assertEqual([again.next()[2]["document"] for _ in range(4)], [2, 3, 4, 5])
        self.assertEqual(again.next()[1], "live")

    def test_last_event_id_resumes_however_a_watch_is_asked_for(self):
        first = json.loads(self.server.request("PUT", "/asked/1", b"1", Prefer="return=minimal")[2])["revision"]
        self.server.request("PUT", "/asked/2", b"2")
        stream = Stream(self.server, "/asked/?watch=true", Accept="*/*", Last_Event_ID=str(first))
        self.addCleanup(stream.close)
        self.assertEqual([stream.next()[1] for _ in range(2)], ["created", "live"])

    def test_a_last_event_id_that_is_no_sequence_is_passed_over(self):
        for last in ("x", "-1", "", "9" * 23):
            stream = Stream(self.server, "/passed/", Last_Event_ID=last)
            self.addCleanup(stream.close)
            self.assertEqual(stream.next()[1], "live", last)

    def test_a_heartbeat_within_a_snapshot_is_no_place_to_go_on_from(self):
        for number in range(40):
            self.server.request("PUT", f"/large/{number}", b'"' + b"x" * 500_000 + b'"')
        stream = Stream(self.server, "/large/?watch=true&snapshot=true&heartbeat=1")
        self.addCleanup(stream.close)
        # Then the server waits for its reader, and a heartbeat falls among the documents.
        time.sleep(2.5)
        events = []
        while not events or events[-1][1] != "live":
            events.append(stream.next()[:2])
        self.assertIn("heartbeat", [name for _, name in events])
        self.assertNotIn("0", [id for id, _ in events])

    def test_head_of_a_watch_has_no_events(self):
        self.server.request("PUT", "/headed/1", b"1")
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        for _ in range(2):
            connection.request("HEAD", "/headed/?watch=true&since=0")
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.headers["Content-Type"], answer.read()), (200, "text/event-stream", b""))
        connection.request("GET", "/headed/1")
        self.assertEqual(connection.getresponse().read(), b"1")

    def test_a_weight_of_nothing_asks_for_no_events(self):
        status, _, body = self.server.request("GET", "/accepted/", Accept="application/json, text/event-stream;q=0")
        self.assertEqual((status, json.loads(body)["items"]), (200, []))

    def test_what_cannot_be_watched_is_a_problem(self):
        stream = Stream(self.server, "/live/?watch=true&since=99999999")
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 409)
        self.assertEqual(json.loads(stream.answer.read())["error"], "ahead")

    def test_streams_of_clients_that_have_gone_are_given_up(self):
        streams = [Stream(self.server, "/gone/?watch=true") for _ in range(20)]
        for stream in streams:
            self.assertEqual(stream.next()[1], "live")
        self.assertGreaterEqual(self.watches(), 20)
        for stream in streams:
            stream.close()

        def are_gone():
            self.server.request("PUT", "/gone/1", b"1")
            return self.watches() < 20

        self.assertTrue(eventually(are_gone))

    def test_a_client_that_does_not_read_costs_no_one_else(self):
        # More than the kernel takes of what nobody reads.
        written = [f"/flood/{number}" for number in range(60)]
        with socket.socket() as silent:
            silent.settimeout(PATIENCE)
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            silent.connect((self.server.host, self.server.port))
            silent.sendall(b"GET /flood/?watch=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(eventually(lambda: self.watches() == 1))
            other = Stream(self.server, "/flood/?watch=true")
            self.addCleanup(other.close)
            self.assertEqual(other.next()[1], "live")
            for path in written:
                self.assertEqual(self.server.request("PUT", path, b'"' + b"x" * 200_000 + b'"')[0], 201)
            self.assertEqual([other.next()[2]["path"] for _ in written], written)
            self.assertEqual(json.loads(self.server.request("GET", "/flood/?count=true&limit=0")[2])["count"], 60)
            # While the server stands still there comes what the kernel was given, whose buffers would hold megabytes.
            received = self.what_is_there(silent)
            self.assertLess(len(received), 1_500_000)
            # It has missed nothing when it reads after all.
            while received.count(b'"path": "/flood/') < len(written):
                piece = silent.recv(1 << 20)
                self.assertTrue(piece)
                received += piece
            self.assertEqual(re.findall(rb'"path": "([^"]+)"', received), [path.encode() for path in written])

    def what_is_there(self, connection):
        received = b""
        self.server.process.send_signal(signal.SIGSTOP)
        connection.settimeout(1)
        try:
            while piece := connection.recv(1 << 20):
                received += piece
            self.fail("the stream has ended")
        except TimeoutError:
            return received
        finally:
            connection.settimeout(PATIENCE)
            self.server.process.send_signal(signal.SIGCONT)

    def test_a_stream_of_http_1_0_has_no_chunks(self):
        for connection in (b"", b"Connection: keep-alive\r\n"):
            with self.server.connect() as old:
                old.sendall(b"GET /old/?watch=true HTTP/1.0\r\nHost: localhost\r\n" + connection + b"\r\n")
                received = b""
                while b"event: live" not in received:
                    received += old.recv(4096)
                head, _, events = received.partition(b"\r\n\r\n")
                self.assertIn(b"connection: close", head.lower())
                self.assertNotIn(b"transfer-encoding", head.lower())
                self.assertRegex(events, rb"^(id: |event: )")

    def watches(self):
        return json.loads(self.server.request("GET", "/_stats")[2])["watches"]


class End(unittest.TestCase):
    def test_a_server_that_ends_says_so(self):
        server = Server()
        try:
            stream = Stream(server, "/live/?watch=true")
            self.assertEqual(stream.next()[1], "live")
            self.assertEqual(server.stop(), 0)
            event = stream.next()
            self.assertEqual((event[1], event[2]["error"], event[2]["status"]), ("problem", "closing", 503))
            self.assertIsNone(stream.next())
            stream.close()
        finally:
            server.remove()


if __name__ == "__main__":
    unittest.main()
