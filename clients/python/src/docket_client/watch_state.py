"""What a watch knows of its connection and of how far it is: a value that is told events and says what to do::

    begin ──▶ opening ──▶ open ──▶ its first frame ──▶ frames …
                 ▲          │ lost, or refused for now        │
                 └──────────┴─────────────────────────────────┘

Each frame moves the place from which the next connection goes on, so that nothing is told twice and nothing left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, List, Optional, Union

from .answer import Answer
from .configuration import Configuration
from .errors import BadAnswer, ConnectionFailed, DocketError, NotSecured, Refused, WatchInterrupted, refusal
from .fields import Fields
from .frames import FrameSplitter, FrameTooLong, HeaderValue, encode_request
from .json_text import encode
from .operation import with_parameters
from .other_protocol import other_protocol
from .results import Change
from .state import Connect, Disconnect, Send, TokenDelivery, pause_after


@dataclass(frozen=True)
class WatchOptions:
    """What a watch tells, and how it holds on to its server."""

    #: A document's path, whether or not there is one; a collection's, which ends with a slash; or ``/_changes``: everything.
    path: str
    #: Begins behind this change; none: with what changes from the first event that is asked for on.
    since: Optional[int] = None
    #: The name of the history that ``since`` is of, as an event told it. Where the database has another one by now, since a backup
    #: was restored say, the watch is refused; none does without that check.
    history: Optional[str] = None
    #: Begins with the documents as they are; what changes from there on follows.
    snapshot: bool = False
    #: Only documents for which this holds; one for which it no longer holds is told as ``left``.
    where: Any = None
    #: Whether collections below this one are watched, too.
    recursive: bool = False
    #: How often the server shows that it is there, in seconds from 1 to 3,600. A connection that is silent for three times as long
    #: is taken for lost.
    heartbeat: int = 15
    #: How many attempts in a row may fail before the watch ends; none: it tries for ever. An attempt has failed when it brought no
    #: event, and one whose watch the server has begun counts as none.
    attempts: Optional[int] = None
    #: The same until the server has begun the watch for the first time; none: as later.
    first_attempts: Optional[int] = None
    #: Whether heartbeats are events.
    tells_heartbeats: bool = False
    #: Whether it is an event that the connection was lost.
    tells_interruptions: bool = False

    def __post_init__(self) -> None:
        if self.snapshot and self.since is not None:
            raise ValueError("a watch begins with a snapshot or behind a change, not with both")
        if not 1 <= self.heartbeat <= 3600:
            raise ValueError("heartbeat must be from 1 to 3,600 seconds")

    @property
    def silence(self) -> float:
        """How long a connection may be silent, in seconds."""
        return 3.0 * self.heartbeat


@dataclass(frozen=True)
class Live:
    """What was there before is told, and what follows is told as it comes. Behind a snapshot ``sequence`` is the revision that the
    snapshot is of. It is told once, and again behind ``Reset`` and ``Interrupted``."""

    sequence: int
    history: str


@dataclass(frozen=True)
class Heartbeat:
    """Every change up to this one that the watch is to tell has been told."""

    sequence: int
    history: str


@dataclass(frozen=True)
class Reset:
    """What was told so far is to be forgotten: the snapshot could not be completed, or the changes behind it are no longer to be had,
    and another snapshot follows."""


@dataclass(frozen=True)
class Interrupted:
    """The connection was lost, and another one will be tried."""

    error: DocketError


Event = Union[Change, Live, Heartbeat, Reset, Interrupted]


@dataclass(frozen=True)
class Deliver:
    event: Event


@dataclass(frozen=True)
class End:
    """The watch has ended, and this is told behind all events."""

    error: DocketError


WatchAction = Union[Connect, Send, Disconnect, Deliver, End]


class _Connection(Enum):
    NONE = 0
    OPENING = 1
    OPEN = 2
    #: The server has begun the watch.
    WATCHING = 3
    #: The watch is over.
    ENDED = 4


class WatchState:
    """See the head of this file. Each method is an event, and returns what to do."""

    #: The only request of its connection has this ``id``.
    ID = "watch"

    def __init__(self, configuration: Configuration, options: WatchOptions) -> None:
        self._configuration = configuration
        self._options = options
        self._target = with_parameters(options.path, watch="true", recursive="true" if options.recursive else None)
        self._where = None if options.where is None else encode(options.where)
        self._token = TokenDelivery(configuration.token)
        self._frames = FrameSplitter(configuration.maximum_answer_bytes)
        self._connection = _Connection.NONE
        #: From where the next connection goes on. It stays at the snapshot until one is complete.
        self._wants_snapshot = options.snapshot
        self._since = options.since
        #: Of the sequence behind which the next connection goes on.
        self._history_of_since = options.history
        #: Of the sequences that the connection tells.
        self._history = ""
        #: Attempts that failed since the last success.
        self._failures = 0
        self._has_succeeded = False
        #: Whether the one who watches has something to forget.
        self._has_told = False
        self._is_live_told = False

    def begin(self) -> List[WatchAction]:
        if self._connection is not _Connection.NONE:
            return []
        self._connection = _Connection.OPENING
        return [Connect(0)]

    def close(self) -> List[WatchAction]:
        """Nobody watches any more."""
        is_open = self._is_open
        self._connection = _Connection.ENDED
        return [Disconnect()] if is_open else []

    # The connection

    @property
    def _is_open(self) -> bool:
        return self._connection in (_Connection.OPEN, _Connection.WATCHING)

    def connected(self) -> List[WatchAction]:
        if self._connection is not _Connection.OPENING:
            return [Disconnect()]
        self._connection = _Connection.OPEN
        self._frames = FrameSplitter(self._configuration.maximum_answer_bytes)
        headers: dict[str, HeaderValue] = {"Connection": "keep-alive"}
        self._token.begin()
        self._token.complete(headers)
        return [Send(encode_request("GET", self._target, self._terms(), headers, self.ID) + b"\0")]

    def _terms(self) -> bytes:
        terms = {"heartbeat": encode(self._options.heartbeat)}
        if self._wants_snapshot:
            terms["snapshot"] = b"true"
        elif self._since is not None:
            terms["since"] = encode(self._since)
            if self._history_of_since is not None:
                terms["history"] = encode(self._history_of_since)
        if self._where is not None:
            terms["where"] = self._where
        return b"{" + b", ".join(b'"%s": %s' % (name.encode(), text) for name, text in terms.items()) + b"}"

    def connect_failed(self, error: ConnectionFailed) -> List[WatchAction]:
        return self._lost(error) if self._connection is _Connection.OPENING else []

    def turned_away(self, reason: str) -> List[WatchAction]:
        """The server has ended the connection since it does not let the client in."""
        if self._connection is not _Connection.OPEN:
            return self.disconnected()
        self._connection = _Connection.OPENING
        return self.connect_failed(NotSecured(self._configuration.address, reason))

    def received(self, data: bytes) -> List[WatchAction]:
        actions: List[WatchAction] = []
        if self._is_open:
            self._frames.append(data)
        # What a frame brings may end the connection, and what is behind it then counts no more.
        while self._is_open:
            try:
                frame = self._frames.next()
                if frame is None:
                    self._check_protocol(self._frames.beginning)
                    break
                actions += self._received(frame)
            except FrameTooLong:
                limit = self._configuration.maximum_answer_bytes
                actions += self._ended(BadAnswer(f"longer than {limit} bytes"))
            except DocketError as error:
                actions += self._ended(error)
        return actions

    def was_silent(self) -> List[WatchAction]:
        """Nothing has come for so long that the connection must be dead."""
        if not self._is_open:
            return []
        reason = f"nothing came for {self._options.silence:g} seconds"
        return [Disconnect(), *self._lost(WatchInterrupted(reason))]

    def broken(self) -> List[WatchAction]:
        """Something of what the connection has told was lost on this side; it comes again over the next one."""
        if not self._is_open:
            return []
        return [Disconnect(), *self._lost(WatchInterrupted("this side has ended it"))]

    def disconnected(self) -> List[WatchAction]:
        """The connection has ended. What came behind the last NUL may be an answer: a server that refuses the session closes so."""
        if not self._is_open:
            return []
        rest = self._frames.rest()
        try:
            # A frame that continues and was cut comes again over the next connection.
            is_cut = Answer.parse(rest).continues
        except BadAnswer:
            is_cut = True
        if is_cut:
            return self._lost(WatchInterrupted("the server closed it"))
        try:
            return self._received(rest)
        except DocketError as error:
            return self._ended(error)

    # Frames

    def _received(self, frame: bytes) -> List[WatchAction]:
        self._check_protocol(frame)
        answer = Answer.parse(frame)
        if not answer.continues:
            return self._refused(answer)
        if answer.id != self.ID:
            raise BadAnswer("an id that was not sent")
        fields = Fields(answer.data)
        reset = self._begun(fields) if self._connection is _Connection.OPEN else []
        kind = fields.text("change")
        told: Optional[Event]
        if kind == "live":
            told = self._live(fields.integer("sequence"))
        elif kind == "heartbeat":
            told = self._heartbeat(fields.integer("sequence"))
        else:
            told = self._change(Change.of_frame(answer, self._history))
        return reset if told is None else [*reset, Deliver(told)]

    def _check_protocol(self, beginning: bytes) -> None:
        meaning = other_protocol(beginning) if self._connection is _Connection.OPEN else None
        if meaning is not None:
            raise BadAnswer(meaning)

    def _begun(self, fields: Fields) -> List[WatchAction]:
        """The first frame of a connection shows that the server has begun the watch."""
        self._history = fields.text("history")
        self._connection = _Connection.WATCHING
        self._failures = 0
        self._has_succeeded = True
        if not self._wants_snapshot or not self._has_told:
            return []
        self._has_told = False
        self._is_live_told = False
        return [Deliver(Reset())]

    def _live(self, sequence: int) -> Optional[Event]:
        self._advance(sequence)
        if self._is_live_told:
            return None
        self._is_live_told = True
        self._has_told = True
        return Live(sequence, self._history)

    def _heartbeat(self, sequence: int) -> Optional[Event]:
        # In the middle of a snapshot there is no sequence behind which one could go on.
        if not self._wants_snapshot:
            self._advance(sequence)
        return Heartbeat(sequence, self._history) if self._options.tells_heartbeats else None

    def _change(self, change: Change) -> Optional[Event]:
        if change.sequence is not None and not self._wants_snapshot:
            if self._since is not None and change.sequence <= self._since:
                return None
            self._advance(change.sequence)
        self._has_told = True
        return change

    def _advance(self, sequence: int) -> None:
        self._wants_snapshot = False
        self._since = sequence if self._since is None else max(sequence, self._since)
        self._history_of_since = self._history

    # Ends

    def _refused(self, answer: Answer) -> List[WatchAction]:
        """A frame that does not continue is the last one of its watch."""
        if answer.id not in (None, self.ID):
            raise BadAnswer("an id that was not sent")
        if answer.is_success:
            raise BadAnswer(f"the server does not watch: it has answered {answer.code}")
        error = refusal(answer)
        if self._options.snapshot and error.error in ("history_gone", "other_history", "ahead"):
            # It is about the sequence behind which the watch was to go on, so another snapshot mends it.
            self._wants_snapshot = True
            self._since = None
        elif error.code not in (503, 429, 408):
            raise error
        return [Disconnect(), *self._lost(error)]

    def _lost(self, error: DocketError) -> List[WatchAction]:
        """Opens another connection, unless that was tried too often."""
        actions: List[WatchAction] = []
        if self._connection is _Connection.WATCHING:
            if self._options.tells_interruptions:
                actions.append(Deliver(Interrupted(error)))
                self._is_live_told = False
        else:
            self._failures += 1
            if self._maximum_attempts is not None and self._failures >= self._maximum_attempts:
                self._connection = _Connection.ENDED
                return [End(error)]
        self._connection = _Connection.OPENING
        # Those that were watching pause as well, or all of them would come back at once.
        return [*actions, Connect(pause_after(max(self._failures, 1), self._configuration.maximum_pause))]

    @property
    def _maximum_attempts(self) -> Optional[int]:
        if self._has_succeeded or self._options.first_attempts is None:
            return self._options.attempts
        return self._options.first_attempts

    def _ended(self, error: DocketError) -> List[WatchAction]:
        self._connection = _Connection.ENDED
        return [Disconnect(), End(error)]
