"""Clients that were made before a process is forked off."""

from __future__ import annotations

import asyncio
import json
import os
import unittest
from typing import Any, Callable, List

from .support import PATIENCE, ServerTest

from docket_client import AsyncClient, Change, Client, ConnectionLost


def in_child(body: Callable[[], Any]) -> Any:
    """Forks a child and returns what its ``body`` does, by way of JSON."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = json.dumps(body())
        except BaseException as error:
            told = json.dumps(f"failed: {error!r}")
        os.write(writer, told.encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as output:
        text = output.read()
    os.waitpid(child, 0)
    return json.loads(text)


@unittest.skipUnless(hasattr(os, "fork"), "needs forks")
class ForkTests(ServerTest):
    def _check(self, name: str, count: int, replayed: List[Any]) -> None:
        self.assertEqual(replayed, [False] * len(replayed))
        with Client(port=self.server.port) as client:
            self.assertEqual(client.count(f"/{name}/"), count)

    def test_both_write_where_nothing_was_connected(self) -> None:
        with Client(port=self.server.port, timeout=PATIENCE) as client:
            told = in_child(lambda: client.post("/lazy/", 1).replayed)
            self._check("lazy", 2, [told, client.post("/lazy/", 1).replayed])

    def test_both_write_where_a_connection_was_open(self) -> None:
        with Client(port=self.server.port, timeout=PATIENCE) as client:
            client.post("/open/", 1)
            channel = client._channel

            def child() -> Any:
                replayed = client.post("/open/", 1).replayed
                client.close()
                return replayed

            told = in_child(child)
            self._check("open", 3, [told, client.post("/open/", 1).replayed])
            self.assertIs(client._channel, channel)

    def test_to_close_in_the_child_ends_nothing_of_the_parent(self) -> None:
        with Client(port=self.server.port, timeout=PATIENCE) as client, client.watch("/closed/") as events:
            client.post("/closed/", 1)
            events.next(0.2)
            channels = client._channel, events._channel
            self.assertIsNone(in_child(client.close))
            client.post("/closed/", 2)
            documents = (event.document for event in events if isinstance(event, Change))
            self.assertEqual(next(document for document in documents if document == 2), 2)
            self.assertEqual((client._channel, events._channel), channels)

    def test_calls_on_their_way_are_the_parents(self) -> None:
        with Client(port=self.server.port, timeout=PATIENCE) as client:
            with client.pipeline() as pipeline:
                pending = pipeline.post("/pending/", 1)
                told = in_child(lambda: isinstance(pending.error(), ConnectionLost))
            self.assertTrue(told)
            self.assertFalse(pending.result().replayed)
            self._check("pending", 1, [])

    def test_the_lock_of_a_thread_of_the_parent_holds_nobody_up(self) -> None:
        with Client(port=self.server.port, timeout=PATIENCE) as client:
            with client._lock:
                # A thread of the parent's would hold it so.
                lock = client._lock
                self.assertTrue(in_child(lambda: client._lock is not lock and client.post("/locked/", 1).created))

    def test_a_watch_goes_on_in_both(self) -> None:
        with Client(port=self.server.port, timeout=PATIENCE) as client, client.watch("/seen/", snapshot=True) as events:

            def change() -> Any:
                while True:
                    event = events.next(PATIENCE)
                    if event is None or isinstance(event, Change):
                        return event and event.document

            client.put("/seen/1", 1)
            self.assertEqual(change(), 1)
            events.next(0.2)
            client.put("/seen/2", 2)
            self.assertEqual(in_child(change), 2)
            self.assertEqual(change(), 2)

    def test_both_write_by_asyncio(self) -> None:
        async def post(client: AsyncClient, name: str) -> Any:
            return (await client.post(f"/{name}/", 1)).replayed

        client = AsyncClient(port=self.server.port, timeout=PATIENCE)
        told = in_child(lambda: asyncio.run(post(client, "lazy-async")))

        async def lazy() -> None:
            async with client:
                self._check("lazy-async", 2, [told, await post(client, "lazy-async")])

        asyncio.run(lazy())

        async def opened() -> None:
            async with AsyncClient(port=self.server.port, timeout=PATIENCE) as client:
                await client.post("/open-async/", 1)
                connection = client._connection

                async def child() -> Any:
                    replayed = await post(client, "open-async")
                    await client.close()
                    return replayed

                told = in_child(lambda: asyncio.run(child()))
                self._check("open-async", 3, [told, await post(client, "open-async")])
                self.assertIs(client._connection, connection)

        asyncio.run(opened())
