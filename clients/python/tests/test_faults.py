"""Servers that fail: what is sent again, what is not, and what is said."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import tempfile
import threading
import unittest
import unittest.mock
from typing import Any, Callable, List, Optional, Tuple

from .support import PATIENCE, AnyClient, ScriptedServer, Server, ServerTest, frame, free_port, run_async, wait_until, with_both, with_script

from docket_client import (
    AsyncClient,
    BadAnswer,
    Client,
    ClientClosed,
    ConnectionFailed,
    ConnectionLost,
    DiskFull,
    Gone,
    JSONText,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ServerFailed,
    TimedOut,
    Unavailable,
    operations,
)
from docket_client.aio_connection import Connection
from docket_client.channel import Channel

Make = Callable[..., AnyClient]
RECEIPT = '{"path": "/n/1", "id": "1", "revision": 1}'


class RepetitionTests(unittest.TestCase):
    def test_reads_and_writes_under_a_key_are_sent_again_also_when_the_answer_was_cut(self) -> None:
        calls: List[Tuple[str, str, Any]] = [
            ("GET", "/n/1", None), ("PUT", "/n/1", 1), ("DELETE", "/n/1", None), ("POST", "/n/", 1), ("PATCH", "/n/1", {}),
            ("PUT", "/item", "a,b"), ("POST", "/_batch", {"requests": []}),
        ]  # fmt: skip

        def script(server: ScriptedServer) -> None:
            for method, _, _ in calls:
                lost = server.accept()
                first = lost.request()
                assert first["method"] == method, first
                lost.send(frame()[:-5])
                lost.close()
                kept = server.accept()
                again = kept.request()
                assert again == first, (first, again)
                assert (method == "GET") == ("Idempotency-Key" not in first["headers"]), first
                kept.answer()
                kept.close()

        async def body(make: Make) -> None:
            for method, path, data in calls:
                async with make() as client:
                    self.assertEqual((await client.request(method, path, data)).code, 200)

        with_script(self, script, body)

    def test_without_keys_what_would_not_be_the_same_twice_is_not_sent_again(self) -> None:
        calls: List[Tuple[str, str, Any, Any]] = [
            ("POST", "/n/", 1, None), ("PATCH", "/n/1", {}, None), ("PUT", "/item", "a,b", None), ("DELETE", "/item", 1, None),
            ("PUT", "/n/1", 1, {"If-Match": "1"}), ("DELETE", "/n/1", None, {"if-none-match": "1"}), ("POST", "/_tokens/", {}, None),
        ]  # fmt: skip

        def script(server: ScriptedServer) -> None:
            for method, _, _, _ in calls:
                lost = server.accept()
                assert lost.request()["method"] == method
                lost.close()
            connection = server.accept()
            assert connection.request()["method"] == "GET"
            connection.answer()
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make(idempotency_keys=False) as client:
                for method, path, data, headers in calls:
                    with self.assertRaises(ConnectionLost) as raised:
                        await client.request(method, path, data, headers)
                    self.assertTrue(raised.exception.may_have_happened)
                await client.get("/n/1")

        with_script(self, script, body)

    def test_what_the_server_keeps_no_answer_of_has_no_key_and_is_not_sent_again(self) -> None:
        def script(server: ScriptedServer) -> None:
            for _ in range(2):
                lost = server.accept()
                assert "Idempotency-Key" not in lost.request()["headers"]
                lost.close()

        async def body(make: Make) -> None:
            async with make() as client:
                with self.assertRaises(ConnectionLost):
                    await client.create_token("ci", ["admin"])
                with self.assertRaises(ConnectionLost):
                    await client.request("POST", "/_backups/", {})

        with_script(self, script, body)

    def test_what_is_tried_in_vain_is_tried_so_often_and_no_more(self) -> None:
        def script(server: ScriptedServer) -> None:
            for _ in range(3):
                lost = server.accept()
                lost.request()
                lost.close()

        async def body(make: Make) -> None:
            async with make(attempts=3) as client:
                with self.assertRaises(ConnectionLost):
                    await client.get("/n/1")

        with_script(self, script, body)

    def test_all_that_was_on_its_way_is_sent_again_in_its_order(self) -> None:
        def script(server: ScriptedServer) -> None:
            lost = server.accept()
            paths = [lost.request()["path"] for _ in range(5)]
            lost.answer('"first"')
            lost.close()
            kept = server.accept()
            again = [kept.request()["path"] for _ in range(4)]
            assert again == paths[1:], (paths, again)
            for number in range(4):
                kept.answer(str(number))
            kept.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                if client.kind == "blocking":
                    with client.client.pipeline() as pipeline:
                        pending = [pipeline.get(f"/n/{n}") for n in range(5)]
                    results = [each.result() for each in pending]
                else:
                    results = await asyncio.gather(*(client.get(f"/n/{n}") for n in range(5)))
                self.assertEqual(results, ["first", 0, 1, 2, 3])

        with_script(self, script, body)

    def test_nobody_listens(self) -> None:
        async def body(make: Make) -> None:
            async with make(attempts=2, maximum_pause=0.01) as client:
                with self.assertRaises(ConnectionFailed) as raised:
                    await client.put("/n/1", 1)
                self.assertFalse(raised.exception.may_have_happened)
                self.assertIsInstance(raised.exception, ConnectionError)
                self.assertIn("127.0.0.1", str(raised.exception))

        with_both(self, free_port(), body)

    def test_a_server_that_comes_later_is_waited_for(self) -> None:
        for kind in ("blocking", "async"):
            port = free_port()
            with self.subTest(kind), tempfile.TemporaryDirectory(prefix="docket-python-") as folder:

                async def body() -> None:
                    async with AnyClient(kind, port=port, attempts=10_000, maximum_pause=0.05) as client:
                        waiting = asyncio.ensure_future(client.put("/n/1", 1))
                        await asyncio.sleep(0)
                        server = await asyncio.to_thread(Server, folder, port=port)
                        self.addCleanup(server.stop)
                        self.assertEqual((await waiting).id, "1")

                run_async(body)


class ConnectionTests(unittest.TestCase):
    def test_the_token_is_shown_once_and_again_behind_a_401_and_on_each_connection(self) -> None:
        def script(server: ScriptedServer) -> None:
            for _ in range(2):
                connection = server.accept()
                shown = []
                for code in (200, 200, 401, 200, 200, 200):
                    request = connection.request()
                    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
                    shown.append(headers.get("authorization"))
                    connection.answer(code=code)
                assert shown == ["Bearer secret", None, None, "Bearer secret", "Bearer own", "Bearer secret"], shown
                connection.close()

        async def body(make: Make) -> None:
            async with make(token="secret") as client:
                for _ in range(2):
                    for _ in range(4):
                        await client.request("GET", "/n/1")
                    await client.request("GET", "/n/1", headers={"authorization": "Bearer own"})
                    await client.request("GET", "/n/1")

        with_script(self, script, body)

    def test_the_first_request_alone_asks_for_a_session(self) -> None:
        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            assert connection.request() == {"method": "GET", "path": "/n/1", "headers": {"Connection": "keep-alive"}}
            connection.answer()
            assert connection.request() == {"method": "GET", "path": "/n/2"}
            connection.answer()

        async def body(make: Make) -> None:
            async with make() as client:
                await client.get("/n/1")
                await client.get("/n/2")

        with_script(self, script, body)

    def test_a_connection_that_was_closed_meanwhile_is_not_used(self) -> None:
        closed = threading.Event()

        def script(server: ScriptedServer) -> None:
            first = server.accept()
            first.request()
            first.answer()
            first.close()
            closed.set()
            second = server.accept()
            second.request()
            second.answer()

        async def body(make: Make) -> None:
            closed.clear()
            async with make(idempotency_keys=False) as client:
                await client.get("/n/1")
                await asyncio.to_thread(closed.wait)
                if client.kind == "async":
                    while client.client._connection is not None:
                        await asyncio.sleep(0.01)
                self.assertEqual((await client.request("POST", "/n/", 1)).code, 200)

        with_script(self, script, body)

    def test_a_connection_that_is_closed_before_it_is_known_has_failed(self) -> None:
        closed = threading.Semaphore(0)

        def script(server: ScriptedServer) -> None:
            for _ in range(3):
                server.accept().close()
                closed.release()
            connection = server.accept()
            closed.release()
            connection.request()
            connection.send(frame("1", more=', "id": "watch"') + b"\0" if is_watch else frame("1") + b"\0")
            connection.wait_for_end()

        made = Connection.connection_made

        def late(connection: Connection, transport: asyncio.BaseTransport) -> None:
            # The end is there before the loop turns again.
            closed.acquire(timeout=PATIENCE)
            made(connection, transport)

        async def call(port: int) -> None:
            async with AsyncClient(port=port, timeout=PATIENCE, maximum_pause=0.01) as client:
                answer = await asyncio.wait_for(client.request("POST", "/n/", 1), PATIENCE / 4)
                self.assertEqual(answer.data, 1)

        async def watch(port: int) -> None:
            async with AsyncClient(port=port, maximum_pause=0.01) as client, client.watch("/n/", heartbeat=60) as events:
                with self.assertRaises(BadAnswer):
                    await asyncio.wait_for(events.next(), PATIENCE / 4)

        for body in (call, watch):
            is_watch = body is watch
            with self.subTest(body.__name__), unittest.mock.patch.object(Connection, "connection_made", late):
                with ScriptedServer(script) as server:
                    run_async(lambda: body(server.port))


class AnswerTests(unittest.TestCase):
    def test_an_answer_may_come_byte_by_byte_or_with_others(self) -> None:
        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            for byte in frame('"é\U0001f600"') + b"\0":
                connection.send(bytes([byte]))
            connection.request()
            connection.answer("1")
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                self.assertEqual(await client.get("/n/1"), "é\U0001f600")
                self.assertEqual(await client.get("/n/2"), 1)

        with_script(self, script, body)

    def test_an_answer_is_read_also_where_nothing_more_can_be_sent(self) -> None:
        own, other = socket.socketpair()
        channel = Channel(own)
        other.sendall(b"too large")
        other.close()
        channel.send(b"more")
        self.assertEqual(channel.step(0), b"too large")
        self.assertIsNone(channel.step(0))
        channel.close()

    def test_what_is_no_answer_is_said_and_the_next_call_has_a_connection_of_its_own(self) -> None:
        damaged = [
            b"", b"nonsense", b"[]", b"{}", b'{"code": 200}', b'{"code": "200", "message": "OK", "data": 1}', b'{"code": true, "message": "OK", "data": 1}',
            b'{"code": 200, "message": "OK"}', b'{"code": 200, "message": 1, "data": 1}', frame() + b" x", frame("NaN"), frame("01"), frame()[:-1] + b",}",
            frame('"\xff"'.encode("latin-1").decode("latin-1")).replace("ÿ".encode(), b"\xff"), frame("[" * 200_000), b'{"code": 200 "message": "OK", "data": 1}',
        ]  # fmt: skip

        def script(server: ScriptedServer) -> None:
            for answer in damaged:
                connection = server.accept()
                connection.request()
                connection.send(answer + b"\0")
                connection.wait_for_end()
            connection = server.accept()
            connection.request()
            connection.answer("1")
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                for answer in damaged:
                    with self.subTest(answer[:50]), self.assertRaises(BadAnswer):
                        await client.put("/n/1", 1)
                self.assertEqual(await client.get("/n/1"), 1)

        with_script(self, script, body)

    def test_data_that_is_not_what_the_operation_brings_is_said(self) -> None:
        calls: List[Tuple[str, Callable[[AnyClient], Any]]] = [
            ("null", lambda client: client.put("/n/1", 1)),
            ('{"path": 1, "id": "1", "revision": 1}', lambda client: client.put("/n/1", 1)),
            ('{"path": "/n/1", "id": "1", "revision": true}', lambda client: client.put("/n/1", 1)),
            ("1", lambda client: client.read("/n/1")),
            ('{"items": 1, "next": null}', lambda client: client.list("/n/")),
            ('{"items": [1], "next": null}', lambda client: client.list("/n/")),
            ('{"items": [], "next": 1}', lambda client: client.list("/n/")),
            ('{"items": []}', lambda client: client.count("/n/")),
            ('{"responses": []}', lambda client: client.batch([operations.get("/n/1")])),
            ('{"responses": 1}', lambda client: client.batch([])),
            ("{}", lambda client: client.batch([])),
            ("[]", lambda client: client.stats()),
        ]

        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            for data, _ in calls:
                connection.request()
                connection.answer(data)
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                for data, call in calls:
                    with self.subTest(data), self.assertRaises(BadAnswer):
                        await call(client)

        with_script(self, script, body)

    def test_an_answer_without_end_is_left(self) -> None:
        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            try:
                connection.send(b'{"code": 200, "message": "')
                while True:
                    connection.send(b"a" * 65536)
            except OSError:
                pass

        async def body(make: Make) -> None:
            async with make(maximum_answer_bytes=1 << 20) as client:
                with self.assertRaises(BadAnswer):
                    await client.get("/n/1")

        with_script(self, script, body)

    def test_an_answer_to_nothing_ends_the_connection(self) -> None:
        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            connection.send((frame("1") + b"\0") * 2)
            connection.wait_for_end()
            connection = server.accept()
            connection.request()
            connection.answer("2")
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                self.assertEqual(await client.get("/n/1"), 1)
                self.assertEqual(await client.get("/n/2"), 2)

        with_script(self, script, body)

    def test_a_server_that_refuses_the_session_is_heard(self) -> None:
        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            connection.send(frame('{"error": "too_many_connections", "retryAfter": 2}', 503, "Service Unavailable"))
            connection.close()

        async def body(make: Make) -> None:
            async with make() as client:
                with self.assertRaises(Unavailable) as raised:
                    await client.get("/n/1")
                self.assertEqual(raised.exception.retry_after, 2)

        with_script(self, script, body)

    def test_codes_say_whether_a_write_may_have_been_made(self) -> None:
        answers = [
            (500, "outcome_unknown", OutcomeUnknown, True), (500, "store_failed", ServerFailed, False), (503, "busy", Unavailable, False),
            (507, "disk_full", DiskFull, False), (429, "rate_limited", RateLimited, False), (599, "new", Refused, False),
        ]  # fmt: skip

        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            for code, error, _, _ in answers:
                connection.request()
                connection.answer(f'{{"error": "{error}", "detail": "Why."}}', code, "Message")
            connection.request()
            connection.answer('{"error": "history_gone", "detail": "Why.", "oldestRevision": 17}', 410, "Gone")
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                for code, name, kind, may_have_happened in answers:
                    with self.subTest(name), self.assertRaises(Refused) as raised:
                        await client.put("/n/1", 1)
                    error = raised.exception
                    self.assertEqual((type(error), error.may_have_happened, str(error)), (kind, may_have_happened, f"{code} Message: Why."))
                with self.assertRaises(Gone) as gone:
                    await client.get("/n/1", as_of=1)
                self.assertEqual(gone.exception.oldest_revision, 17)

        with_script(self, script, body)

    def test_a_port_that_speaks_something_else_is_named_and_not_tried_again(self) -> None:
        answers = [
            (b"\x15\x03\x03\0\2\2\x46", "speaks TLS"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks HTTP"), (b"SSH-2.0-Open", "SSH-2.0-Open")
        ]  # fmt: skip

        def script(server: ScriptedServer) -> None:
            for answer, _ in answers:
                for _ in ("call", "watch"):
                    connection = server.accept()
                    connection.request()
                    connection.send(answer)
                    connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                for answer, meaning in answers:
                    with self.subTest(answer):
                        with self.assertRaisesRegex(BadAnswer, meaning):
                            await client.get("/n/1")
                        async with client.watch("/n/") as watch:
                            with self.assertRaisesRegex(BadAnswer, meaning):
                                await watch.next()

        with_script(self, script, body)

    def test_the_http_port_of_a_server_is_named_to_calls_and_watches(self) -> None:
        http = free_port()
        with tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
            server = Server(folder, "--http-port", str(http))
            self.addCleanup(server.stop)

            async def body(make: Make) -> None:
                async with make() as client, client.watch("/n/") as watch:
                    for use in (client.put("/n/1", 1), watch.next()):
                        with self.assertRaisesRegex(BadAnswer, "speaks HTTP"):
                            await use

            with_both(self, http, body)


class TimeTests(unittest.TestCase):
    def test_a_call_that_is_not_answered_in_time_says_that_it_may_have_happened(self) -> None:
        def script(server: ScriptedServer) -> None:
            silent = server.accept()
            silent.request()
            silent.wait_for_end()
            connection = server.accept()
            connection.request()
            connection.answer("1")
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make(timeout=0.3) as client:
                with self.assertRaises(TimedOut) as raised:
                    await client.put("/n/1", 1)
                self.assertTrue(raised.exception.may_have_happened)
                self.assertIsInstance(raised.exception, TimeoutError)
                client.client.__dict__["configuration"] = _with_timeout(client.client, 60)
                self.assertEqual(await client.get("/n/1"), 1)

        with_script(self, script, body)

    def test_a_call_that_was_never_sent_says_that_it_has_not_happened(self) -> None:
        async def body(make: Make) -> None:
            async with make(timeout=0.3, attempts=10_000, maximum_pause=0.01) as client:
                with self.assertRaises(TimedOut) as raised:
                    await client.put("/n/1", 1)
                self.assertFalse(raised.exception.may_have_happened)

        with_both(self, free_port(), body)

    def test_to_close_the_client_ends_calls_that_wait(self) -> None:
        asked = threading.Event()

        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            asked.set()
            connection.wait_for_end()

        async def body(make: Make) -> None:
            asked.clear()
            client = make()
            waiting = asyncio.ensure_future(client.put("/n/1", 1))
            await asyncio.to_thread(asked.wait)
            await client.close()
            with self.assertRaises(ConnectionLost) as raised:
                await waiting
            self.assertTrue(raised.exception.may_have_happened)

        with_script(self, script, body)

    def test_a_task_that_is_cancelled_leaves_its_answer_to_nobody(self) -> None:
        asked = threading.Event()
        cancelled = threading.Event()

        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            asked.set()
            cancelled.wait()
            connection.request()
            connection.answer('"for the first"')
            connection.answer('"for the second"')
            connection.wait_for_end()

        async def body() -> None:
            async with AsyncClient(port=server.port) as client:
                first = asyncio.ensure_future(client.get("/n/1"))
                await asyncio.to_thread(asked.wait)
                first.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await first
                cancelled.set()
                self.assertEqual(await client.get("/n/2"), "for the second")

        with ScriptedServer(script) as server:
            run_async(body)

    def test_a_task_that_is_cancelled_before_its_turn_sends_nothing(self) -> None:
        asked = threading.Event()
        cancelled = threading.Event()

        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            asked.set()
            cancelled.wait()
            connection.answer("1")
            assert connection.request()["path"] == "/n/3"
            connection.answer("3")
            connection.wait_for_end()

        async def body() -> None:
            async with AsyncClient(port=server.port, in_flight=1) as client:
                first, second, third = (asyncio.ensure_future(client.get(f"/n/{n}")) for n in (1, 2, 3))
                await asyncio.to_thread(asked.wait)
                second.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await second
                cancelled.set()
                self.assertEqual([await first, await third], [1, 3])

        with ScriptedServer(script) as server:
            run_async(body)

    def test_a_blocking_call_that_is_interrupted_leaves_its_answer_to_nobody(self) -> None:
        def script(server: ScriptedServer) -> None:
            first = server.accept()
            first.request()
            first.answer('"for the first"')
            first.wait_for_end()
            second = server.accept()
            second.request()
            second.answer('"for the second"')
            second.wait_for_end()

        with ScriptedServer(script) as server, Client(port=server.port) as client:
            recv = Channel.step

            def interrupted(channel: Channel, timeout: float) -> Optional[bytes]:
                # What was read is lost with the exception.
                if recv(channel, timeout):
                    raise KeyboardInterrupt()
                return b""

            with unittest.mock.patch.object(Channel, "step", interrupted), self.assertRaises(KeyboardInterrupt):
                client.get("/n/1")
            self.assertEqual(client.get("/n/2"), "for the second")


def _with_timeout(client: Any, timeout: float) -> Any:
    return dataclasses.replace(client.configuration, timeout=timeout)


class KillTests(unittest.TestCase):
    def test_writes_happen_once_each_while_the_server_is_killed_and_started_again(self) -> None:
        for kind in ("blocking", "async"):
            with self.subTest(kind), tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
                server = Server(folder)
                self.addCleanup(server.stop)
                done = threading.Event()

                def keep_killing() -> None:
                    for _ in range(4):
                        seen = self._sequence(server.port)
                        # Some writes have been made since, so that the next death finds others on their way.
                        wait_until(lambda: done.is_set() or self._sequence(server.port) > seen + 20)
                        server.kill()
                        server.start()

                async def body() -> None:
                    async with AnyClient(kind, port=server.port, attempts=10_000, maximum_pause=0.05, timeout=120) as client:
                        await client.put("/n/list", {"list": []})
                        killing = asyncio.ensure_future(asyncio.to_thread(keep_killing))

                        def patch(n: int) -> Any:
                            return [{"op": "add", "path": "/list/-", "value": n}]

                        if kind == "blocking":

                            def write() -> None:
                                with client.client.pipeline() as pipeline:
                                    for n in range(400):
                                        pipeline.patch("/n/list", patch(n))

                            await asyncio.to_thread(write)
                        else:
                            await asyncio.gather(*(client.patch("/n/list", patch(n)) for n in range(400)))
                        done.set()
                        await killing
                        found = (await client.get("/n/list"))["list"]
                        self.assertEqual(sorted(found), list(range(400)))

                run_async(body)

    @staticmethod
    def _sequence(port: int) -> int:
        with Client(port=port, attempts=10_000, maximum_pause=0.05) as client:
            return client.newest_revision()
