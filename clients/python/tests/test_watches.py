"""Watches: over breaks, from snapshots, and their ends."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import unittest
from typing import Any, Callable, List, Optional

from .support import PATIENCE, AnyClient, ScriptedConnection, ScriptedServer, Server, ServerTest, frame, run_async, with_both, with_script

from docket_client import (
    AsyncClient,
    BadAnswer,
    Change,
    Client,
    ClientClosed,
    Conflict,
    ConnectionFailed,
    Gone,
    Heartbeat,
    Interrupted,
    JSONText,
    Live,
    NotFound,
    Refused,
    Reset,
    Unavailable,
    WatchInterrupted,
)

Make = Callable[..., AnyClient]


def change(sequence: Optional[int], kind: str = "created", path: str = "/n/1", document: str = "1", history: str = "h", first: bool = False) -> str:
    told = "null" if sequence is None else str(sequence)
    more = f', "history": "{history}"' if first else ""
    return (
        f'{{"sequence": {told}, "change": "{kind}", "path": "{path}", "revision": {sequence or 1}, "document": {document}, '
        f'"at": "2030-01-31T12:00:00.000Z"{more}}}'
    )


def mark(sequence: int, kind: str = "live", history: str = "h", first: bool = False) -> str:
    more = f', "history": "{history}"' if first else ""
    return f'{{"sequence": {sequence}, "change": "{kind}"{more}}}'


def tell(connection: ScriptedConnection, *frames: str) -> None:
    for data in frames:
        connection.answer(data, more=', "id": "watch", "continues": true')


class RealWatchTests(ServerTest):
    def test_changes_come_each_once_over_restarts_of_the_server(self) -> None:
        for kind in ("blocking", "async"):
            with self.subTest(kind), tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
                server = Server(folder)
                self.addCleanup(server.stop)

                async def body() -> None:
                    async with AnyClient(kind, port=server.port, maximum_pause=0.05, attempts=10_000) as client:
                        async with client.watch("/n/", snapshot=True, tells_interruptions=True) as watch:
                            self.assertIsInstance(await watch.next(), Live)
                            for number in range(3):
                                await client.put(f"/n/{number}", number)
                                event = await watch.next()
                                self.assertEqual((event.kind, event.document), ("created", number))
                                await asyncio.to_thread(server.kill)
                                self.assertIsInstance(await watch.next(), Interrupted)
                                await asyncio.to_thread(server.start)
                                await client.put(f"/n/{number}", JSONText("1.50"))
                                events = await watch.take(2)
                                changes = [event for event in events if isinstance(event, Change)]
                                self.assertEqual([(each.kind, each.text) for each in changes], [("updated", "1.50")])

                run_async(body)

    def test_what_is_watched_and_what_is_told(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                start = await client.newest_revision()
                path = f"/told-{client.kind}"
                first = await client.put(f"{path}/1", {"a": 1})
                await client.put(f"{path}/1/below/2", {"a": 1})
                await client.put(f"{path}/1", {"a": 2})
                await client.delete(f"{path}/1")
                async with client.watch(f"{path}/", since=start, recursive=True, where={"a": 1}, heartbeat=1, tells_heartbeats=True) as watch:
                    created, below, left, live, heartbeat = await watch.take(5)
                    self.assertEqual([each.kind for each in (created, below, left)], ["created", "created", "left"])
                    self.assertEqual((created.sequence, created.revision, created.path), (first.revision, first.revision, f"{path}/1"))
                    self.assertEqual((left.document, below.path), ({"a": 2}, f"{path}/1/below/2"))
                    self.assertIsInstance(live, Live)
                    self.assertIsInstance(heartbeat, Heartbeat)
                    self.assertEqual(heartbeat.sequence, await client.newest_revision())
                async with client.watch("/_changes", since=created.sequence, history=created.history) as everything:
                    self.assertEqual((await everything.next()).path, f"{path}/1/below/2")
                async with client.watch(f"{path}/1", since=created.sequence) as one:
                    updated, deleted = await one.take(2)
                    self.assertEqual((updated.kind, deleted.kind, deleted.document), ("updated", "deleted", None))

        with_both(self, self.server.port, body)

    def test_a_watch_that_is_refused_says_why(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                async with client.watch("/n/", since=1, history="another") as watch:
                    with self.assertRaises(Conflict) as raised:
                        await watch.next()
                    self.assertEqual(raised.exception.error, "other_history")
                    with self.assertRaises(Conflict):
                        await watch.next()
                with self.assertRaises(ValueError):
                    client.watch("/n/", since=1, snapshot=True)

        with_both(self, self.server.port, body)

    def test_closing_the_client_ends_its_watches(self) -> None:
        async def body(make: Make) -> None:
            client = make()
            watch = client.watch("/quiet/", snapshot=True)
            self.assertIsInstance(await watch.next(), Live)
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0.05)
            await client.close()
            with self.assertRaises(ClientClosed):
                await waiting

        with_both(self, self.server.port, body)

    def test_an_iteration_ends_with_its_watch(self) -> None:
        with Client(port=self.server.port) as client:
            client.put("/iterated/1", 1)
            events = []
            with client.watch("/iterated/", snapshot=True) as watch:
                for event in watch:
                    events.append(event)
                    if isinstance(event, Live):
                        watch.close()
            self.assertEqual([type(event) for event in events], [Change, Live])
            with client.watch("/iterated/") as watch:
                self.assertIsNone(watch.next(timeout=0))

        async def body() -> None:
            async with AsyncClient(port=self.server.port) as client:
                kinds = []
                async with client.watch("/iterated/", snapshot=True) as watch:
                    async for event in watch:
                        kinds.append(type(event))
                        if isinstance(event, Live):
                            await watch.close()
                self.assertEqual(kinds, [Change, Live])

        run_async(body)

    def test_waiting_for_an_event_may_be_given_up_and_taken_up_again(self) -> None:
        async def body() -> None:
            async with AsyncClient(port=self.server.port) as client, client.watch("/given-up/", snapshot=True) as watch:
                self.assertIsInstance(await watch.next(), Live)
                for number in range(3):
                    with self.assertRaises(asyncio.TimeoutError):
                        await asyncio.wait_for(watch.next(), 0.02)
                    await client.put("/given-up/1", number)
                    event = await watch.next()
                    assert isinstance(event, Change)
                    self.assertEqual(event.document, number)

        run_async(body)

    def test_one_who_does_not_ask_holds_the_server_back(self) -> None:
        with Client(port=self.server.port) as writer:
            text = "a" * 100_000
            with writer.pipeline() as pipeline:
                for number in range(60):
                    pipeline.put(f"/large/{number}", text)

        async def body() -> None:
            async with AsyncClient(port=self.server.port) as client, client.watch("/large/", snapshot=True) as watch:
                await watch.next()
                assert watch._connection is not None
                transport = watch._connection._transport
                assert transport is not None
                while transport.is_reading():
                    await asyncio.sleep(0.01)
                # One read and one frame at most.
                self.assertLess(len(watch._events), 10)
                self.assertEqual(len([await watch.next() for _ in range(60)]), 60)

        run_async(body)


class ScriptedWatchTests(unittest.TestCase):
    def test_a_break_is_gone_on_from_behind_the_last_event(self) -> None:
        asked: List[Any] = []

        def script(server: ScriptedServer) -> None:
            asked.clear()
            first = server.accept()
            asked.append(first.request())
            tell(first, change(7, first=True), mark(9, "heartbeat"))
            first.send(frame(change(10), more=', "id": "watch", "continues": true')[:-4])
            first.close()
            second = server.accept()
            asked.append(second.request())
            # What was told is passed over.
            tell(second, change(9, first=True), change(10), mark(10))
            second.close()
            third = server.accept()
            asked.append(third.request())
            tell(third, mark(10, first=True), change(11, "deleted", document="null"))
            third.wait_for_end()

        async def body(make: Make) -> None:
            async with make(token="secret", maximum_pause=0.01) as client:
                async with client.watch("/n/", since=6, where={"a": 1}, heartbeat=20) as watch:
                    events = await watch.take(4)
            self.assertEqual([getattr(event, "sequence") for event in events], [7, 10, 10, 11])
            self.assertEqual([type(event) for event in events], [Change, Change, Live, Change])
            self.assertEqual(
                asked[0],
                {
                    "method": "GET", "path": "/n/?watch=true", "id": "watch",
                    "headers": {"Connection": "keep-alive", "Authorization": "Bearer secret"},
                    "data": {"heartbeat": 20, "since": 6, "where": {"a": 1}},
                },
            )  # fmt: skip
            self.assertEqual(asked[1], {**asked[0], "data": {**asked[0]["data"], "since": 9, "history": "h"}})
            self.assertEqual(asked[2]["data"]["since"], 10)

        with_script(self, script, body)

    def test_a_snapshot_that_was_cut_or_is_of_another_history_begins_anew(self) -> None:
        def script(server: ScriptedServer) -> None:
            first = server.accept()
            assert first.request()["data"] == {"heartbeat": 15, "snapshot": True}
            tell(first, change(None, "snapshot", first=True), mark(0, "heartbeat"))
            first.close()
            second = server.accept()
            assert second.request()["data"]["snapshot"] is True
            tell(second, change(None, "snapshot", first=True), mark(5))
            second.close()
            third = server.accept()
            assert third.request()["data"]["since"] == 5
            third.answer('{"error": "other_history", "detail": "It is."}', 409, "Conflict", ', "id": "watch"')
            third.wait_for_end()
            fourth = server.accept()
            assert fourth.request()["data"]["snapshot"] is True
            tell(fourth, mark(3, history="i", first=True))
            fourth.wait_for_end()

        async def body(make: Make) -> None:
            async with make(maximum_pause=0.01) as client:
                async with client.watch("/n/", snapshot=True) as watch:
                    events = await watch.take(6)
            self.assertEqual([type(event) for event in events], [Change, Reset, Change, Live, Reset, Live])
            self.assertEqual(events[-1], Live(3, "i"))

        with_script(self, script, body)

    def test_a_gap_is_said_and_how_to_go_on(self) -> None:
        def script(server: ScriptedServer) -> None:
            connection = server.accept()
            connection.request()
            tell(connection, change(7, first=True))
            connection.answer('{"error": "history_gone", "detail": "Gone.", "oldestRevision": 9}', 410, "Gone", ', "id": "watch"')
            connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client, client.watch("/n/", since=6) as watch:
                await watch.next()
                with self.assertRaises(Gone) as raised:
                    await watch.next()
                self.assertEqual(raised.exception.oldest_revision, 9)

        with_script(self, script, body)

    def test_a_server_that_is_busy_is_asked_again_for_as_long_as_the_watch_may(self) -> None:
        def script(server: ScriptedServer) -> None:
            for _ in range(3):
                connection = server.accept()
                connection.request()
                connection.send(frame('{"error": "too_many_watches", "retryAfter": 1}', 503, "Service Unavailable") + b"\0")
                connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make(maximum_pause=0.01) as client, client.watch("/n/", first_attempts=3) as watch:
                with self.assertRaises(Unavailable):
                    await watch.next()

        with_script(self, script, body)

    def test_a_connection_that_is_silent_is_left(self) -> None:
        def script(server: ScriptedServer) -> None:
            silent = server.accept()
            silent.request()
            tell(silent, mark(5, first=True))
            silent.wait_for_end()
            second = server.accept()
            assert second.request()["data"]["since"] == 5
            tell(second, change(6, first=True))
            second.wait_for_end()

        async def body(make: Make) -> None:
            async with make(maximum_pause=0.01) as client:
                async with client.watch("/n/", heartbeat=1, tells_interruptions=True) as watch:
                    live, interrupted, event = await watch.take(3)
            self.assertIsInstance(interrupted, Interrupted)
            self.assertIsInstance(interrupted.error, WatchInterrupted)
            self.assertEqual(event.sequence, 6)

        with_script(self, script, body)

    def test_frames_that_are_none_end_the_watch(self) -> None:
        damaged = [
            b"nonsense", frame(change(7, first=True)), frame(change(7), more=', "id": "watch", "continues": true'),
            frame(change(7, first=True), more=', "id": "other", "continues": true'), frame("1", more=', "id": "watch", "continues": true'),
            frame(change(7, "invented", first=True), more=', "id": "watch", "continues": true'),
        ]  # fmt: skip

        def script(server: ScriptedServer) -> None:
            for answer in damaged:
                connection = server.accept()
                connection.request()
                connection.send(answer + b"\0")
                connection.wait_for_end()

        async def body(make: Make) -> None:
            async with make() as client:
                for answer in damaged:
                    with self.subTest(answer):
                        async with client.watch("/n/") as watch:
                            with self.assertRaises(BadAnswer):
                                await watch.next()

        with_script(self, script, body)
