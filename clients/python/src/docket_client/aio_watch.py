"""Watches of the client for asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Deque, List, Optional

from .aio_connection import Connection, open_connection
from .configuration import Configuration
from .errors import ClientClosed, ConnectionFailed, DocketError, WatchInterrupted
from .forks import tell_of_forks
from .home import Home
from .state import Connect, Disconnect, Send
from .tls_failure import is_refusal_of_certificate, reason
from .watch_state import Deliver, End, Event, WatchAction, WatchOptions, WatchState


class AsyncWatch:
    """As ``docket_client.Watch``, for ``async for``. To wait for an event may be cancelled, by ``asyncio.wait_for`` say: the watch goes on
    when the next one is asked for."""

    def __init__(self, configuration: Configuration, options: WatchOptions, home: Home) -> None:
        self._configuration = configuration
        self._home = home
        self._options = options
        self._state = WatchState(configuration, options)
        self._events: Deque[Event] = deque()
        self._error: Optional[DocketError] = None
        self._connection: Optional[Connection] = None
        self._connecting: Optional[asyncio.Task[None]] = None
        self._silence: Optional[asyncio.TimerHandle] = None
        self._has_more = asyncio.Event()
        self._is_paused = False
        self._is_closed = False
        tell_of_forks(self)

    def _forked(self) -> None:
        """The connection is the parent's, and so is the loop: what has begun there ends here."""
        self._home.leave()
        if self._connecting is None:
            return
        self._state.close()
        self._error = self._error or WatchInterrupted("this process was forked off")
        connection = self._connection
        self._connection = self._connecting = self._silence = None
        if connection is not None:
            connection.drop()

    def _leave_closed_loop(self) -> None:
        connection = self._connection
        self._state.close()
        self._connection = self._connecting = self._silence = None
        self._has_more = asyncio.Event()
        if connection is not None:
            connection.shut_down()

    def __aiter__(self) -> AsyncWatch:
        return self

    async def __anext__(self) -> Event:
        """The next event, as soon as there is one.

        Raises:
            StopAsyncIteration: the watch, or its client, was closed.
        """
        try:
            return await self.next()
        except ClientClosed:
            raise StopAsyncIteration from None

    async def next(self) -> Event:
        """The next event, as soon as there is one.

        Raises:
            ClientClosed: the watch, or its client, was closed.
        """
        if not self._is_closed:
            self._home.enter()
            self._perform(self._state.begin())
        while not self._events:
            if self._is_closed:
                raise ClientClosed()
            if self._error is not None:
                raise self._error
            self._has_more.clear()
            self._resume()
            await self._has_more.wait()
        return self._events.popleft()

    async def close(self) -> None:
        """Ends the watch."""
        if self._home.is_closed:
            self._leave_closed_loop()
        else:
            self._home.enter()
        self._is_closed = True
        self._events.clear()
        connection = self._connection
        self._perform(self._state.close())
        if self._connecting is not None:
            self._connecting.cancel()
        self._has_more.set()
        if connection is not None:
            await connection.closed()

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Steps

    def _perform(self, actions: List[WatchAction]) -> None:
        for action in actions:
            if isinstance(action, Deliver):
                self._events.append(action.event)
                self._has_more.set()
            elif isinstance(action, Send):
                if self._connection is not None:
                    self._connection.send(action.data)
            elif isinstance(action, Connect):
                self._connecting = asyncio.get_running_loop().create_task(self._connect(action.pause))
            elif isinstance(action, End):
                self._error = action.error
                self._has_more.set()
            elif isinstance(action, Disconnect) and self._connection is not None:
                self._connection.leave()
                self._lose()
        # More is read only when somebody asks for it, so that one read and one frame are in memory however fast the server sends.
        if self._events and self._connection is not None and not self._is_paused:
            self._is_paused = True
            self._stop_timer()
            self._connection.pause()

    def _resume(self) -> None:
        if self._is_paused and self._connection is not None:
            self._is_paused = False
            self._start_timer()
            self._connection.resume()

    async def _connect(self, pause: float) -> None:
        await asyncio.sleep(pause)
        try:
            connection = await open_connection(self._configuration, lambda: Connection(self._received, self._ended))
        except ConnectionFailed as error:
            self._perform(self._state.connect_failed(error))
            return
        self._connection = connection
        self._start_timer()
        self._perform(self._state.connected())

    def _received(self, data: bytes) -> None:
        self._start_timer()
        self._perform(self._state.received(data))

    def _ended(self, connection: Connection, error: Optional[Exception]) -> None:
        self._lose()
        if error is not None and is_refusal_of_certificate(error):
            self._perform(self._state.turned_away(reason(error)))
        else:
            self._perform(self._state.disconnected())

    def _lose(self) -> None:
        self._connection = None
        self._is_paused = False
        self._stop_timer()

    def _start_timer(self) -> None:
        """Only a connection that is read from can be seen to be silent."""
        self._stop_timer()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(self._options.silence, lambda: self._perform(self._state.was_silent()))

    def _stop_timer(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
