"""What a client knows of its calls and of its connection: a value that is told events and says what to do.

Calls wait, are sent in the order in which they were made, and are answered in the order in which they were sent::

    submit ──▶ waiting ──▶ sent ──▶ answered
                  ▲         │ the connection is lost, and the call may be repeated
                  └─────────┘

It knows no sockets and no clocks, so that the blocking client and that for asyncio carry out the same.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Deque, List, Optional, Union

from .answer import Answer
from .call import Call
from .configuration import Configuration
from .errors import (
    BadAnswer,
    ClientClosed,
    ConnectionFailed,
    ConnectionLost,
    DocketError,
    InvalidDocument,
    NotSecured,
    TimedOut,
)
from .frames import FrameSplitter, FrameTooLong, HeaderValue, encode_request
from .other_protocol import other_protocol


@dataclass(frozen=True)
class Connect:
    """Open a connection, after a pause in seconds."""

    pause: float


@dataclass(frozen=True)
class Send:
    """Send these bytes over the connection."""

    data: bytes


@dataclass(frozen=True)
class Complete:
    """Tell who waits for the call how it has ended."""

    call: Call
    outcome: Union[Answer, DocketError]


@dataclass(frozen=True)
class Disconnect:
    """Close the connection; nothing that it still tells counts."""


Action = Union[Connect, Send, Complete, Disconnect]


def pause_after(failures: int, maximum: float) -> float:
    """How long to wait before connecting again: exponential, with full jitter, so that clients which lost one server together do not
    come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). In seconds; after no failure
    there is no pause."""
    if failures <= 0:
        return 0
    # Sixteen doublings are past every maximum of use.
    return random.uniform(0, min(0.05 * 2 ** min(failures - 1, 16), maximum))


class TokenDelivery:
    """Which requests of a connection bear the token. A connection keeps the token it was sent last, so the first one does; and the one
    behind each answer that the token was not taken, since that leaves the connection without one."""

    def __init__(self, token: Optional[str]) -> None:
        self._credentials = None if token is None else f"Bearer {token}"
        self._is_due = True

    def begin(self) -> None:
        """A connection has begun, which knows no token."""
        self._is_due = True

    def complete(self, headers: dict[str, HeaderValue]) -> None:
        """Adds the token to the headers of the next request, where it is due. A request that brings a token of its own leaves that one
        to its connection, and the next gets this one again."""
        if self._credentials is None:
            return
        if any(key.lower() == "authorization" for key in headers):
            self._is_due = True
        elif self._is_due:
            self._is_due = False
            headers["Authorization"] = self._credentials

    def answered(self, answer: Answer) -> None:
        if answer.code == 401:
            self._is_due = True


class _Connection(Enum):
    NONE = 0
    OPENING = 1
    OPEN = 2
    #: The client is closed for good.
    CLOSED = 3


@dataclass
class _Place:
    """A place in the order of answers."""

    #: None: nobody waits for the answer any more.
    call: Optional[Call]
    #: Whether the call had been sent over a connection before this one.
    was_sent_before: bool


class ClientState:
    """See the head of this file. Each method is an event, and returns what to do."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._connection = _Connection.NONE
        self._waiting: Deque[Call] = deque()
        self._sent: Deque[_Place] = deque()
        self._frames = FrameSplitter(configuration.maximum_answer_bytes)
        #: Whether the next request is the first on its connection, which asks for a persistent session.
        self._is_first_request = True
        self._token = TokenDelivery(configuration.token)
        #: Whether an answer has come on the connection.
        self._is_answered = False
        #: Attempts that failed since the last answer.
        self._failures = 0
        #: How many answers have come, and how many connections have failed or ended.
        self._events = 0

    @property
    def is_idle(self) -> bool:
        """Whether a connection is open on which no answer is due."""
        return self._connection is _Connection.OPEN and not self._sent

    # Calls

    def submit(self, call: Call) -> List[Action]:
        if self._connection is _Connection.CLOSED:
            return [Complete(call, ClientClosed())]
        # Before it has a place among others, whose answers it would take: nothing comes of what cannot be written.
        try:
            encode_request(call.method, call.path, headers=call.headers)
        except (TypeError, ValueError) as error:
            return [Complete(call, InvalidDocument(str(error)))]
        call.events_before = self._events
        self._waiting.append(call)
        return self._advance()

    def timed_out(self, call: Call) -> List[Action]:
        if not self._remove_waiting(call) and not self._abandon(call):
            return []
        actions: List[Action] = [Complete(call, TimedOut(may_have_happened=call.was_sent))]
        # Nothing has come for as long as a call may take, whether it was sent or waited for those before it: the connection is taken
        # for dead.
        if self._connection is _Connection.OPEN and call.events_before == self._events:
            actions += [Disconnect(), *self._connection_lost()]
        return actions

    def cancelled(self, call: Call) -> None:
        """Nobody waits for the call any more. What was sent stays sent; its answer will be dropped."""
        if not self._remove_waiting(call):
            self._abandon(call)

    def broken(self) -> List[Action]:
        """Something of what the connection has told was lost on this side, so that its answers can no longer be told apart."""
        if self._connection is not _Connection.OPEN:
            return []
        return [Disconnect(), *self._connection_lost()]

    def close(self) -> List[Action]:
        if self._connection is _Connection.CLOSED:
            return []
        actions: List[Action] = [Disconnect()] if self._connection is _Connection.OPEN else []
        for call in self._sent_calls() + list(self._waiting):
            actions.append(Complete(call, ConnectionLost() if call.was_sent else ClientClosed()))
        self._sent.clear()
        self._waiting.clear()
        self._connection = _Connection.CLOSED
        return actions

    # The connection

    def connected(self) -> List[Action]:
        if self._connection is not _Connection.OPENING:
            return [Disconnect()]
        self._connection = _Connection.OPEN
        self._frames = FrameSplitter(self._configuration.maximum_answer_bytes)
        self._is_first_request = True
        self._token.begin()
        self._is_answered = False
        return self._advance()

    def connect_failed(self, error: ConnectionFailed) -> List[Action]:
        if self._connection is not _Connection.OPENING:
            return []
        self._connection = _Connection.NONE
        self._failures += 1
        self._events += 1
        actions: List[Action] = []
        calls = list(self._waiting)
        self._waiting.clear()
        for call in calls:
            # Nothing was sent in this attempt, so every call may be tried again.
            if self._may_try_again(call):
                self._waiting.append(call)
            else:
                actions.append(Complete(call, ConnectionLost() if call.was_sent else error))
        return actions + self._advance()

    def turned_away(self, reason: str) -> List[Action]:
        """The server has ended the connection since it does not let the client in: no request on it was looked at."""
        if self._connection is not _Connection.OPEN or self._is_answered:
            return self.disconnected()
        for place in reversed(self._sent):
            if place.call is not None:
                place.call.was_sent = place.was_sent_before
                self._waiting.appendleft(place.call)
        self._sent.clear()
        self._connection = _Connection.OPENING
        return self.connect_failed(NotSecured(self._configuration.address, reason))

    def received(self, data: bytes) -> List[Action]:
        if self._connection is not _Connection.OPEN:
            return []
        self._frames.append(data)
        actions: List[Action] = []
        # What an answer brings may end the connection, and what is behind it then counts no more.
        while self._connection is _Connection.OPEN:
            try:
                frame = self._frames.next()
            except FrameTooLong:
                place = self._sent.popleft() if self._sent else None
                limit = self._configuration.maximum_answer_bytes
                return actions + self._bad_answer(place, BadAnswer(f"longer than {limit} bytes"))
            if frame is None:
                return actions + self._check_protocol(self._frames.beginning)
            actions += self._received(frame)
        return actions

    def disconnected(self) -> List[Action]:
        """The connection has ended. What came behind the last NUL may be an answer: a server that refuses the session closes so."""
        if self._connection is not _Connection.OPEN:
            return []
        actions: List[Action] = []
        if self._sent:
            try:
                answer = Answer.parse(self._frames.rest())
            except BadAnswer:
                pass
            else:
                actions = self._completion(self._sent.popleft(), answer)
        return actions + self._connection_lost()

    # Steps

    def _received(self, frame: bytes) -> List[Action]:
        if not self._sent:
            # An answer to nothing: what comes after it could not be told apart from it.
            return [Disconnect(), *self._connection_lost()]
        try:
            answer = Answer.parse(frame)
        except BadAnswer as error:
            return self._check_protocol(frame) or self._bad_answer(self._sent.popleft(), error)
        place = self._sent.popleft()
        self._failures = 0
        self._is_answered = True
        self._events += 1
        self._token.answered(answer)
        return self._completion(place, answer) + self._advance()

    def _advance(self) -> List[Action]:
        if self._connection is _Connection.NONE and self._waiting:
            self._connection = _Connection.OPENING
            return [Connect(pause_after(self._failures, self._configuration.maximum_pause))]
        actions: List[Action] = []
        while (
            self._connection is _Connection.OPEN and self._waiting and len(self._sent) < self._configuration.in_flight
        ):
            call = self._waiting.popleft()
            self._sent.append(_Place(call, call.was_sent))
            call.was_sent = True
            actions.append(Send(self._frame(call)))
        return actions

    def _frame(self, call: Call) -> bytes:
        headers = dict(call.headers or {})
        if self._is_first_request and not call.has_header("connection"):
            headers["Connection"] = "keep-alive"
        self._is_first_request = False
        self._token.complete(headers)
        # Empty headers ask for those of the answer.
        asked = headers if headers or call.headers is not None else None
        return encode_request(call.method, call.path, call.data, asked) + b"\0"

    def _connection_lost(self) -> List[Action]:
        """Takes back what may be sent again, tells the others, and opens another connection if anybody waits."""
        self._connection = _Connection.NONE
        self._events += 1
        if self._sent:
            self._failures += 1
        actions: List[Action] = []
        again: List[Call] = []
        for call in self._sent_calls():
            if call.is_repeatable and self._may_try_again(call):
                again.append(call)
            else:
                actions.append(Complete(call, ConnectionLost()))
        self._sent.clear()
        self._waiting.extendleft(reversed(again))
        return actions + self._advance()

    def _bad_answer(self, place: Optional[_Place], error: BadAnswer) -> List[Action]:
        told = [] if place is None else self._completion(place, error)
        return [*told, Disconnect(), *self._connection_lost()]

    def _check_protocol(self, beginning: bytes) -> List[Action]:
        """Where the first answer of a connection is one of another protocol, none of the requests was understood."""
        meaning = None if self._is_answered else other_protocol(beginning)
        if meaning is None:
            return []
        told: List[Action] = [Complete(call, BadAnswer(meaning)) for call in self._sent_calls()]
        self._sent.clear()
        return [*told, Disconnect(), *self._connection_lost()]

    def _completion(self, place: _Place, outcome: Union[Answer, DocketError]) -> List[Action]:
        return [] if place.call is None else [Complete(place.call, outcome)]

    def _sent_calls(self) -> List[Call]:
        return [place.call for place in self._sent if place.call is not None]

    def _may_try_again(self, call: Call) -> bool:
        """Whether the call has attempts left, now that one has failed."""
        call.failed_attempts += 1
        return call.failed_attempts < self._configuration.attempts

    def _remove_waiting(self, call: Call) -> bool:
        try:
            self._waiting.remove(call)
        except ValueError:
            return False
        return True

    def _abandon(self, call: Call) -> bool:
        """Leaves the call's place in the order of answers, with nobody in it. Returns whether there is such a call."""
        for place in self._sent:
            if place.call is call:
                place.call = None
                return True
        return False
