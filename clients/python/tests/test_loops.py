"""Clients for asyncio, and the event loops in which they are used."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from typing import Any, Awaitable, Callable, List

from .support import PATIENCE, ScriptedServer, ServerTest, run_async

from docket_client import AsyncClient, ClientClosed

OTHER_LOOP = "another event loop"


class LoopTests(ServerTest):
    def setUp(self) -> None:
        # A loop that ends before its client leaves transports to the collector, which says so.
        kept = warnings.catch_warnings()
        kept.__enter__()
        self.addCleanup(kept.__exit__, None, None, None)
        self.addCleanup(gc.collect)
        warnings.simplefilter("ignore", ResourceWarning)

    def _made(self, **options: Any) -> AsyncClient:
        return AsyncClient(port=self.server.port, timeout=PATIENCE, **options)

    def test_a_call_in_another_loop_says_so_and_the_first_loop_goes_on(self) -> None:
        client = self._made()
        told: List[str] = []

        def elsewhere() -> None:
            for use in (lambda: client.get("/loops/1"), client.close):
                with self.assertRaisesRegex(RuntimeError, OTHER_LOOP) as raised:
                    _run(use)
                told.append(str(raised.exception))

        async def body() -> None:
            async with client:
                await client.put("/loops/1", 1)
                await asyncio.to_thread(elsewhere)
                self.assertEqual(await client.get("/loops/1"), 1)

        run_async(body)
        self.assertEqual(len(told), 2)

    def test_a_call_in_the_next_run_says_so_and_the_client_can_be_closed(self) -> None:
        ended = threading.Event()

        def script(server: ScriptedServer) -> None:
            for _ in range(2):
                connection = server.accept()
                if "id" not in connection.request():
                    connection.answer()
                connections.append(connection)
            for connection in connections:
                connection.wait_for_end()
            ended.set()

        connections: List[Any] = []
        with ScriptedServer(script) as server:
            client = AsyncClient(port=server.port, timeout=PATIENCE)
            watch = client.watch("/n/")

            async def first() -> None:
                await client.get("/n/1")
                waiting = asyncio.ensure_future(watch.next())
                while len(connections) < 2:
                    await asyncio.sleep(0.01)
                waiting.cancel()

            run_async(first)
            for use in (lambda: client.get("/n/1"), watch.next):
                with self.assertRaisesRegex(RuntimeError, OTHER_LOOP):
                    _run(use)
            _run(client.close)
            self.assertTrue(ended.wait(PATIENCE))
            for use in (lambda: client.get("/n/1"), watch.next):
                with self.assertRaises(ClientClosed):
                    _run(use)
            _run(client.close)

    def test_a_watch_of_a_loop_that_has_ended_can_be_closed(self) -> None:
        client = self._made()
        watch = client.watch("/watched/", snapshot=True)
        run_async(watch.next)
        with self.assertRaisesRegex(RuntimeError, OTHER_LOOP):
            run_async(watch.next)
        run_async(watch.close)
        with self.assertRaises(ClientClosed):
            run_async(watch.next)
        run_async(client.close)

    def test_a_client_that_was_closed_in_one_loop_may_be_closed_in_another(self) -> None:
        client = self._made()

        async def body() -> None:
            async with client:
                await client.count("/loops/")

        run_async(body)
        run_async(client.close)


def _run(use: Callable[[], Awaitable[Any]]) -> Any:
    async def body() -> Any:
        return await use()

    return run_async(body)
