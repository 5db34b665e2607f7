"""The client for asyncio."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any, AsyncIterator, List, Optional, TypeVar, Union

from . import operations, paging
from .aio_connection import Connection, open_connection
from .aio_watch import AsyncWatch
from .answer import Answer
from .call import Call
from .configuration import Configured
from .errors import ClientClosed, ConnectionFailed, DocketError
from .forks import tell_of_forks
from .home import Home
from .idempotency import IdempotencyKeys
from .methods import awaiting
from .operation import Moment, Operation
from .operations import Names
from .results import Item, Version
from .state import Action, ClientState, Complete, Connect, Disconnect, Send
from .tls_failure import is_refusal_of_certificate, reason
from .watch_state import WatchOptions

T = TypeVar("T")


class AsyncClient(Configured):
    """As ``docket_client.Client``, for tasks of one event loop::

        async with AsyncClient("127.0.0.1", 12000) as client:
            await asyncio.gather(*(client.put(f"/notes/{n}", n) for n in range(1000)))

    Calls are sent in the order in which they were made, without waiting for each other's answers. A task that is cancelled stops
    waiting, while a request that was sent may still be carried out. A client belongs to the event loop in which it is used first: each
    ``asyncio.run`` needs one of its own, and elsewhere calls raise a RuntimeError. A process that is forked off has a connection of its
    own, and needs an event loop of its own.
    """

    def _prepare(self) -> None:
        self._keys = IdempotencyKeys()
        self._watches: weakref.WeakSet[AsyncWatch] = weakref.WeakSet()
        self._is_closed = False
        self._home = Home()
        self._begin_anew()
        tell_of_forks(self)

    def _begin_anew(self) -> None:
        self._state = ClientState(self.configuration)
        self._connection: Optional[Connection] = None
        self._connecting: Optional[asyncio.Task[None]] = None
        self._waiters: dict[Call, asyncio.Future[Union[Answer, DocketError]]] = {}

    def _forked(self) -> None:
        """The connection is the parent's, and so are the calls that are on their way, and the loop."""
        connection = self._connection
        self._home.leave()
        self._begin_anew()
        if self._is_closed:
            self._state.close()
        if connection is not None:
            connection.drop()

    def _leave_closed_loop(self) -> None:
        connection = self._connection
        self._begin_anew()
        if connection is not None:
            connection.shut_down()

    # Operations

    get = awaiting(operations.get)
    read = awaiting(operations.read)
    put = awaiting(operations.put)
    post = awaiting(operations.post)
    patch = awaiting(operations.patch)
    delete = awaiting(operations.delete)
    echo = awaiting(operations.echo)
    batch = awaiting(operations.batch)
    list = awaiting(operations.list)
    query = awaiting(operations.query)
    count = awaiting(operations.count)
    aggregate = awaiting(operations.aggregate)
    history = awaiting(operations.history)
    restore = awaiting(operations.restore)
    changes = awaiting(operations.changes)
    newest_revision = awaiting(operations.newest_revision)
    stats = awaiting(operations.stats)
    health = awaiting(operations.health)
    settings = awaiting(operations.settings)
    all_settings = awaiting(operations.all_settings)
    set_settings = awaiting(operations.set_settings)
    remove_settings = awaiting(operations.remove_settings)
    create_token = awaiting(operations.create_token)
    tokens = awaiting(operations.tokens)
    revoke_token = awaiting(operations.revoke_token)
    request = awaiting(operations.request)

    def documents(
        self,
        collection: str,
        *,
        page_size: Optional[int] = None,
        after: Optional[str] = None,
        as_of: Optional[Moment] = None,
    ) -> AsyncIterator[Item]:
        """All documents of a collection, fetched page by page. A document that stays in place is told once, whatever comes and goes
        meanwhile."""
        return self._all(paging.documents(collection, page_size, after, as_of))

    def results(
        self,
        scope: str,
        *,
        where: Any = None,
        sort: Names = None,
        fields: Names = None,
        page_size: Optional[int] = None,
        after: Optional[str] = None,
        as_of: Optional[Moment] = None,
        recursive: bool = False,
    ) -> AsyncIterator[Item]:
        """All that a query finds, fetched page by page; the terms are those of ``query``."""
        terms = dict(where=where, sort=sort, fields=fields, limit=page_size, as_of=as_of, recursive=recursive)
        return self._all(paging.results(scope, terms, after))

    def versions(self, path: str, *, page_size: Optional[int] = None) -> AsyncIterator[Version]:
        """All versions of a document that history has, newest first, fetched page by page."""
        return self._all(paging.versions(path, page_size))

    async def _all(self, pages: paging.Paging[T]) -> AsyncIterator[T]:
        while True:
            operation = pages.next()
            if operation is None:
                return
            for item in pages.take(await self.perform(operation)):
                yield item

    def watch(
        self,
        path: str,
        *,
        since: Optional[int] = None,
        history: Optional[str] = None,
        snapshot: bool = False,
        where: Any = None,
        recursive: bool = False,
        heartbeat: int = 15,
        attempts: Optional[int] = None,
        first_attempts: Optional[int] = None,
        tells_heartbeats: bool = False,
        tells_interruptions: bool = False,
    ) -> AsyncWatch:
        """Changes of documents as they come, without end; see ``Watch`` and ``WatchOptions``."""
        options = WatchOptions(
            path=path,
            since=since,
            history=history,
            snapshot=snapshot,
            where=where,
            recursive=recursive,
            heartbeat=heartbeat,
            attempts=attempts,
            first_attempts=first_attempts,
            tells_heartbeats=tells_heartbeats,
            tells_interruptions=tells_interruptions,
        )
        if self._is_closed:
            raise ClientClosed()
        watch = AsyncWatch(self.configuration, options, self._home)
        self._watches.add(watch)
        return watch

    async def perform(self, operation: Operation[T]) -> T:
        """Carries out an operation of ``docket_client.operations``."""
        if self._is_closed:
            raise ClientClosed()
        loop = self._home.enter()
        call = Call.of(operation, self._keys if self.configuration.repeats_by_keys else None)
        waiter: asyncio.Future[Union[Answer, DocketError]] = loop.create_future()
        self._waiters[call] = waiter
        timer = loop.call_later(self.configuration.timeout, lambda: self._perform(self._state.timed_out(call)))
        try:
            self._perform(self._state.submit(call))
            outcome = await waiter
        finally:
            timer.cancel()
            if self._waiters.pop(call, None) is not None:
                self._state.cancelled(call)
        if isinstance(outcome, DocketError):
            raise outcome
        return operation.finish(outcome)

    async def close(self) -> None:
        """Closes the connection, and those of watches. Calls that are on their way raise, and watches end."""
        if self._home.is_closed:
            self._leave_closed_loop()
        else:
            self._home.enter()
        self._is_closed = True
        connection = self._connection
        self._perform(self._state.close())
        if self._connecting is not None:
            self._connecting.cancel()
        await asyncio.gather(*(watch.close() for watch in self._watches))
        if connection is not None:
            await connection.closed()
        self._home.leave()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Steps

    def _perform(self, actions: List[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                if self._connection is not None:
                    self._connection.send(action.data)
            elif isinstance(action, Complete):
                waiter = self._waiters.pop(action.call, None)
                if waiter is not None and not waiter.done():
                    waiter.set_result(action.outcome)
            elif isinstance(action, Connect):
                self._connecting = asyncio.get_running_loop().create_task(self._connect(action.pause))
            elif isinstance(action, Disconnect) and self._connection is not None:
                self._connection.leave()
                self._connection = None

    async def _connect(self, pause: float) -> None:
        await asyncio.sleep(pause)
        try:
            connection = await open_connection(self.configuration, lambda: Connection(self._received, self._ended))
        except ConnectionFailed as error:
            self._perform(self._state.connect_failed(error))
            return
        self._connection = connection
        self._perform(self._state.connected())

    def _received(self, data: bytes) -> None:
        self._perform(self._state.received(data))

    def _ended(self, connection: Connection, error: Optional[Exception]) -> None:
        self._connection = None
        if error is not None and is_refusal_of_certificate(error):
            self._perform(self._state.turned_away(reason(error)))
        else:
            self._perform(self._state.disconnected())
