"""Watches of the blocking client."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Deque, List, Optional

from .channel import Channel
from .configuration import Configuration
from .errors import ClientClosed, ConnectionFailed, DocketError
from .forks import tell_of_forks
from .state import Connect, Disconnect, Send
from .tls_failure import is_refusal_of_certificate, reason
from .watch_state import Deliver, End, Event, WatchAction, WatchOptions, WatchState


class Watch:
    """Changes of documents as they come, without end::

        with client.watch("/notes/", snapshot=True) as events:
            for event in events:
                if isinstance(event, Change):
                    notes[event.path] = event.document
                elif isinstance(event, Reset):
                    notes.clear()

    It has a connection of its own, which opens when the first event is asked for. When it is lost another one goes on behind the last
    event, as often as the options allow: no change is told twice, and none left out. One who does not ask for events holds the server
    back, and little waits in memory meanwhile.

    It ends when it or its client is closed, and when the server will not have it: ``Refused`` is raised (400, 401, 403, 404 and so on),
    or ``Gone``, and ``Conflict`` with the error ``other_history``, where the server can no longer go on with it and no snapshot was asked
    for. Then begin anew with what is there, by ``watch(path, snapshot=True)``.
    """

    def __init__(self, configuration: Configuration, options: WatchOptions) -> None:
        self._configuration = configuration
        self._options = options
        self._state = WatchState(configuration, options)
        self._events: Deque[Event] = deque()
        self._error: Optional[DocketError] = None
        self._channel: Optional[Channel] = None
        self._connect_at: Optional[float] = None
        self._last_read = 0.0
        self._closing = threading.Event()
        #: Is held by who waits for an event.
        self._lock = threading.RLock()
        tell_of_forks(self)

    def _forked(self) -> None:
        """The connection is the parent's; another one goes on behind the last event."""
        self._lock = threading.RLock()
        channel = self._channel
        self._channel = None
        if channel is not None:
            channel.drop()
        self._perform(self._state.broken())

    def __iter__(self) -> Watch:
        return self

    def __next__(self) -> Event:
        """The next event, as soon as there is one.

        Raises:
            StopIteration: the watch, or its client, was closed.
        """
        try:
            event = self.next()
        except ClientClosed:
            raise StopIteration from None
        assert event is not None, "without a timeout there is an event"
        return event

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next event, as soon as there is one; None where none has come for ``timeout`` seconds.

        Raises:
            ClientClosed: the watch, or its client, was closed.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            while not self._events:
                if self._closing.is_set():
                    raise ClientClosed()
                if self._error is not None:
                    raise self._error
                left = self._options.silence if deadline is None else deadline - time.monotonic()
                if left < 0:
                    return None
                try:
                    self._step(left)
                except BaseException:
                    self._perform(self._state.broken())
                    raise
            return self._events.popleft()

    def close(self) -> None:
        """Ends the watch, from any thread."""
        self._closing.set()
        channel = self._channel
        if channel is not None:
            channel.interrupt()
        with self._lock:
            self._events.clear()
            self._perform(self._state.close())

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Steps

    def _step(self, limit: float) -> None:
        self._perform(self._state.begin())
        if self._connect_at is not None:
            self._connect(self._connect_at, limit)
        elif self._channel is not None:
            self._read(self._channel, limit)

    def _connect(self, due: float, limit: float) -> None:
        pause = due - time.monotonic()
        if pause > 0:
            self._closing.wait(min(pause, limit))
            return
        try:
            channel = Channel.open(self._configuration, self._configuration.connect_timeout)
        except ConnectionFailed as error:
            self._connect_at = None
            self._perform(self._state.connect_failed(error))
        else:
            self._connect_at = None
            self._channel = channel
            self._last_read = time.monotonic()
            self._perform(self._state.connected())

    def _read(self, channel: Channel, limit: float) -> None:
        silence = self._last_read + self._options.silence - time.monotonic()
        try:
            data = channel.step(max(min(limit, silence), 0))
        except OSError as error:
            self._lose(channel)
            if is_refusal_of_certificate(error):
                self._perform(self._state.turned_away(reason(error)))
            else:
                self._perform(self._state.disconnected())
            return
        if data is None:
            self._lose(channel)
            self._perform(self._state.disconnected())
        elif data:
            self._last_read = time.monotonic()
            self._perform(self._state.received(data))
        elif time.monotonic() - self._last_read >= self._options.silence:
            self._perform(self._state.was_silent())

    def _lose(self, channel: Channel) -> None:
        channel.close()
        self._channel = None

    def _perform(self, actions: List[WatchAction]) -> None:
        for action in actions:
            if isinstance(action, Deliver):
                self._events.append(action.event)
            elif isinstance(action, Send):
                if self._channel is not None:
                    self._channel.send(action.data)
            elif isinstance(action, Connect):
                self._connect_at = time.monotonic() + action.pause
            elif isinstance(action, End):
                self._error = action.error
            elif isinstance(action, Disconnect) and self._channel is not None:
                self._lose(self._channel)
