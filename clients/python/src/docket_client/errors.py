"""Why a call did not bring what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Optional

if TYPE_CHECKING:
    from .answer import Answer


class DocketError(Exception):
    """What every error of this package is."""

    #: Whether the request may have been carried out, or may still be. Where this is false nothing was changed.
    may_have_happened: bool = False


class InvalidDocument(DocketError, ValueError):
    """What was to be sent is not JSON. Nothing was sent."""

    def __str__(self) -> str:
        return f"not JSON: {self.args[0]}"


class ConnectionFailed(DocketError, ConnectionError):
    """No connection came about; the request was not sent."""

    _head: ClassVar[str] = "cannot connect to"

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f"{self._head} {self.address}: {self.reason}"


class NotSecured(ConnectionFailed):
    """TLS came to nothing, and the request was not sent or not looked at: one of the two sides does not believe the other, say."""

    _head = "no TLS connection to"


class ConnectionLost(DocketError, ConnectionError):
    """The connection ended before the answer, and the request is not one to be repeated, or was repeated in vain."""

    may_have_happened = True

    def __str__(self) -> str:
        return "the connection was closed before the answer; the request may have been carried out"


class TimedOut(DocketError, TimeoutError):
    """No answer came in time."""

    def __init__(self, may_have_happened: bool) -> None:
        super().__init__(may_have_happened)
        self.may_have_happened = may_have_happened

    def __str__(self) -> str:
        if self.may_have_happened:
            return "no answer in time; the request may have been carried out"
        return "timed out before the request was sent"


class ClientClosed(DocketError):
    """The client, or the watch, was closed before the request was sent."""

    def __str__(self) -> str:
        return "the client is closed"


class BadAnswer(DocketError):
    """What came back is not an answer of this protocol, or not to this request."""

    may_have_happened = True

    def __str__(self) -> str:
        return f"not an answer: {self.args[0]}"


class WatchInterrupted(DocketError, ConnectionError):
    """The connection of a watch was lost, and was lost again as often as the watch allows."""

    def __str__(self) -> str:
        return f"the connection was lost: {self.args[0]}"


class Refused(DocketError):
    """The server answered with a code that is no success. Each code of the protocol has a class of its own below this one."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer

    @property
    def code(self) -> int:
        """HTTP's status code."""
        return self.answer.code

    @property
    def message(self) -> str:
        """HTTP's phrase for the code."""
        return self.answer.message

    @property
    def error(self) -> Optional[str]:
        """The stable name of the error, as docs/PROTOCOL.md lists them. The original routes tell none."""
        return self._text("error")

    @property
    def detail(self) -> Optional[str]:
        """What is wrong and how to mend it, for people."""
        return self._text("detail")

    @property
    def retry_after(self) -> Optional[int]:
        """How long to wait before the same request may do, in seconds."""
        return self._integer("retryAfter")

    @property
    def failed(self) -> Optional[int]:
        """Of a batch: which of its requests failed, counted from 0."""
        return self._integer("failed")

    @property
    def data(self) -> Any:
        """What else the answer tells: the ``revision`` of a 412, the ``path`` of a ``duplicate``."""
        return self.answer.data

    def _member(self, name: str) -> Any:
        return self.answer.data.get(name) if isinstance(self.answer.data, dict) else None

    def _text(self, name: str) -> Optional[str]:
        value = self._member(name)
        return value if isinstance(value, str) else None

    def _integer(self, name: str) -> Optional[int]:
        value = self._member(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def __str__(self) -> str:
        head = f"{self.code} {self.message}"
        what = self.detail or self.error
        return f"{head}: {what}" if what else head

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class NotModified(Refused):
    """304: the document is as ``if_none_match`` names it."""


class BadRequest(Refused):
    """400"""


class Unauthorized(Refused):
    """401: there is no token, or it is not taken. The same request does not do again before there is another one."""


class Forbidden(Refused):
    """403: the token does not allow it."""


class NotFound(Refused):
    """404"""


class MethodNotAllowed(Refused):
    """405"""


class FrameTimedOut(Refused):
    """408: the request took too long to arrive."""


class Conflict(Refused):
    """409: ``duplicate``, ``patch_test_failed``, ``ahead``, ``other_history`` and others; ``error`` says which."""


class Gone(Refused):
    """410: history does not reach back so far. Go on from a revision that is not older than ``oldest_revision``, or, with a watch,
    from a snapshot: ``watch(path, snapshot=True)``."""

    @property
    def oldest_revision(self) -> Optional[int]:
        """The least revision that can be read, or watched from."""
        return self._integer("oldestRevision")


class PreconditionFailed(Refused):
    """412: the document is not as ``if_match`` or ``if_none_match`` demands. Read it again and decide anew."""

    @property
    def revision(self) -> Optional[int]:
        """The document's revision; none where there is no document."""
        return self._integer("revision")


class TooLarge(Refused):
    """413"""


class Unprocessable(Refused):
    """422: what was sent cannot be taken: no JSON, no patch, nested too deep, another request under a key that was used."""


class PreconditionRequired(Refused):
    """428: the collection's settings demand ``if_match`` or ``if_none_match``."""


class RateLimited(Refused):
    """429: nothing was changed; wait for ``retry_after`` seconds."""


class ServerFailed(Refused):
    """500"""


class OutcomeUnknown(ServerFailed):
    """500 ``outcome_unknown``: the write may or may not be kept."""

    may_have_happened = True


class Unavailable(Refused):
    """503: nothing was changed; wait for ``retry_after`` seconds."""


class DiskFull(Refused):
    """507: nothing was changed."""


_classes: dict[int, type[Refused]] = {
    304: NotModified,
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    408: FrameTimedOut,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: TooLarge,
    422: Unprocessable,
    428: PreconditionRequired,
    429: RateLimited,
    500: ServerFailed,
    503: Unavailable,
    507: DiskFull,
}


def refusal(answer: Answer) -> Refused:
    """The error that an answer is which is no success."""
    error = _classes.get(answer.code, Refused)(answer)
    if error.error == "outcome_unknown":
        return OutcomeUnknown(answer)
    return error
