"""The blocking client."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any, Iterator, List, Optional, TypeVar, Union

from . import operations, paging
from .answer import Answer
from .call import Call
from .channel import Channel
from .configuration import Configured
from .errors import ClientClosed, ConnectionFailed, ConnectionLost, DocketError, TimedOut
from .forks import tell_of_forks
from .idempotency import IdempotencyKeys
from .methods import blocking
from .operation import Moment, Operation
from .operations import Names
from .pending import Pipeline
from .results import Item, Version
from .state import Action, ClientState, Complete, Connect, Disconnect, Send
from .tls_failure import is_refusal_of_certificate, reason
from .watch import Watch
from .watch_state import WatchOptions

T = TypeVar("T")


class Client(Configured):
    """Speaks to one server over one persistent connection (and one more for each watch), which is opened when it is needed and again
    when it is lost::

        with Client("127.0.0.1", 12000) as client:
            client.put("/notes/42", {"title": "Hello"})
            print(client.get("/notes/42"))

    When the connection is lost, requests are sent again, a few times. A write has an idempotency key, so that the server carries it out
    once however often it comes, and tells its first answer again.

    Threads may share a client; they take turns on its connection. A process that is forked off has one of its own.
    """

    #: How much may wait to be written before a pipeline waits for that.
    _WAITING_BYTES = 1 << 20

    def _prepare(self) -> None:
        self._keys = IdempotencyKeys()
        self._watches: weakref.WeakSet[Watch] = weakref.WeakSet()
        self._is_closed = False
        self._begin_anew()
        tell_of_forks(self)

    def _begin_anew(self) -> None:
        self._lock = threading.RLock()
        self._state = ClientState(self.configuration)
        self._channel: Optional[Channel] = None
        #: When another connection is to be opened.
        self._connect_at: Optional[float] = None
        #: Until when calls wait for their answers, the oldest first.
        self._deadlines: dict[Call, float] = {}

    def _forked(self) -> None:
        """The connection is the parent's, and so are the calls that are on their way, and the threads that have the lock."""
        channel, calls = self._channel, list(self._deadlines)
        self._begin_anew()
        if self._is_closed:
            self._state.close()
        for call in calls:
            call.outcome = ConnectionLost()
        if channel is not None:
            channel.drop()

    # Operations

    get = blocking(operations.get)
    read = blocking(operations.read)
    put = blocking(operations.put)
    post = blocking(operations.post)
    patch = blocking(operations.patch)
    delete = blocking(operations.delete)
    echo = blocking(operations.echo)
    batch = blocking(operations.batch)
    list = blocking(operations.list)
    query = blocking(operations.query)
    count = blocking(operations.count)
    aggregate = blocking(operations.aggregate)
    history = blocking(operations.history)
    restore = blocking(operations.restore)
    changes = blocking(operations.changes)
    newest_revision = blocking(operations.newest_revision)
    stats = blocking(operations.stats)
    health = blocking(operations.health)
    settings = blocking(operations.settings)
    all_settings = blocking(operations.all_settings)
    set_settings = blocking(operations.set_settings)
    remove_settings = blocking(operations.remove_settings)
    create_token = blocking(operations.create_token)
    tokens = blocking(operations.tokens)
    revoke_token = blocking(operations.revoke_token)
    request = blocking(operations.request)

    def documents(
        self,
        collection: str,
        *,
        page_size: Optional[int] = None,
        after: Optional[str] = None,
        as_of: Optional[Moment] = None,
    ) -> Iterator[Item]:
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
    ) -> Iterator[Item]:
        """All that a query finds, fetched page by page; the terms are those of ``query``."""
        terms = dict(where=where, sort=sort, fields=fields, limit=page_size, as_of=as_of, recursive=recursive)
        return self._all(paging.results(scope, terms, after))

    def versions(self, path: str, *, page_size: Optional[int] = None) -> Iterator[Version]:
        """All versions of a document that history has, newest first, fetched page by page."""
        return self._all(paging.versions(path, page_size))

    def _all(self, pages: paging.Paging[T]) -> Iterator[T]:
        while True:
            operation = pages.next()
            if operation is None:
                return
            yield from pages.take(self.perform(operation))

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
    ) -> Watch:
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
        with self._lock:
            if self._is_closed:
                raise ClientClosed()
            watch = Watch(self.configuration, options)
            self._watches.add(watch)
        return watch

    def perform(self, operation: Operation[T]) -> T:
        """Carries out an operation of ``docket_client.operations``."""
        outcome = self._wait(self._submit(operation))
        if isinstance(outcome, DocketError):
            raise outcome
        return operation.finish(outcome)

    def pipeline(self) -> Pipeline:
        """Many operations at once over the one connection."""
        return Pipeline(self)

    def close(self) -> None:
        """Closes the connection, and those of watches. Calls that are on their way raise, and so do watches."""
        # Who waits for the connection has the lock.
        channel = self._channel
        self._is_closed = True
        if channel is not None:
            channel.interrupt()
        with self._lock:
            self._perform(self._state.close())
            self._connect_at = None
            for watch in self._watches:
                watch.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Calls

    def _submit(self, operation: Operation[Any]) -> Call:
        call = Call.of(operation, self._keys if self.configuration.repeats_by_keys else None)
        deadline = time.monotonic() + self.configuration.timeout
        if not self._lock.acquire(timeout=self.configuration.timeout):
            # Another thread has had the connection all the time.
            raise TimedOut(may_have_happened=False)
        try:
            if self._state.is_idle:
                # The server may have closed the connection since; a call that is not to be sent twice should not find that out.
                self._exchange(0)
            self._deadlines[call] = deadline
            self._perform(self._state.submit(call))
        finally:
            self._lock.release()
        return call

    def _begin(self, operation: Operation[Any]) -> Call:
        """Submits a call of a pipeline and sends what can be sent; waits while too many others are on their way."""
        call = self._submit(operation)
        try:
            with self._lock:
                self._step(0)
                while call.outcome is None and self._is_crowded:
                    self._step(self.configuration.timeout)
        except BaseException:
            self._abandon(call)
            raise
        return call

    @property
    def _is_crowded(self) -> bool:
        waiting_bytes = self._channel.waiting_bytes if self._channel is not None else 0
        return len(self._deadlines) >= self.configuration.in_flight or waiting_bytes > self._WAITING_BYTES

    def _wait(self, call: Call) -> Union[Answer, DocketError]:
        try:
            while call.outcome is None:
                with self._lock:
                    if call.outcome is None:
                        self._step(self.configuration.timeout)
        except BaseException:
            self._abandon(call)
            raise
        return call.outcome

    def _abandon(self, call: Call) -> None:
        """Somebody has stopped waiting, by the keyboard say."""
        with self._lock:
            self._state.cancelled(call)
            self._end(call, ConnectionLost() if call.was_sent else ClientClosed())

    # Steps

    def _step(self, limit: float) -> None:
        """Does the next thing that can be done for calls; waits until a call's time is over at most, and ``limit`` seconds."""
        if self._is_closed:
            return self._perform(self._state.close())
        limit = min(limit, max(next(iter(self._deadlines.values()), 0) - time.monotonic(), 0))
        if self._connect_at is None and self._exchange(limit):
            # More may be there already, which comes in time.
            return
        now = time.monotonic()
        for call in [call for call, deadline in self._deadlines.items() if deadline <= now]:
            self._perform(self._state.timed_out(call))
        if self._connect_at is not None and self._deadlines:
            self._connect(self._connect_at, limit)

    def _connect(self, due: float, limit: float) -> None:
        pause = due - time.monotonic()
        if pause > 0:
            return time.sleep(min(pause, limit))
        try:
            # In a pipeline the limit is 0, and yet the connection is needed.
            timeout = min(self.configuration.connect_timeout, limit or self.configuration.connect_timeout)
            channel = Channel.open(self.configuration, timeout)
        except ConnectionFailed as error:
            self._connect_at = None
            self._perform(self._state.connect_failed(error))
        else:
            self._connect_at = None
            self._channel = channel
            self._perform(self._state.connected())

    def _exchange(self, limit: float) -> bool:
        """Writes and reads.

        Returns:
            Whether something has come.
        """
        channel = self._channel
        if channel is None:
            return False
        try:
            data = channel.step(limit)
            if data:
                self._perform(self._state.received(data))
        except OSError as error:
            self._lose(channel)
            if is_refusal_of_certificate(error):
                self._perform(self._state.turned_away(reason(error)))
            else:
                self._perform(self._state.disconnected())
            return True
        except BaseException:
            # What was being read when the exception came may be lost.
            self._perform(self._state.broken())
            raise
        if data is None:
            self._lose(channel)
            self._perform(self._state.disconnected())
            return True
        return bool(data)

    def _lose(self, channel: Channel) -> None:
        channel.close()
        self._channel = None

    def _perform(self, actions: List[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                if self._channel is not None:
                    self._channel.send(action.data)
            elif isinstance(action, Complete):
                self._end(action.call, action.outcome)
            elif isinstance(action, Connect):
                self._connect_at = time.monotonic() + action.pause
            elif isinstance(action, Disconnect) and self._channel is not None:
                self._lose(self._channel)

    def _end(self, call: Call, outcome: Union[Answer, DocketError]) -> None:
        call.outcome = outcome
        self._deadlines.pop(call, None)
