"""A request together with what its answer means, before it is known who sends it, and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Generic, Iterable, Mapping, Optional, TypeVar, Union
from urllib.parse import quote

from .answer import Answer
from .errors import refusal
from .frames import HeaderValue, encode_request

T = TypeVar("T")

#: A revision, several, or ``"*"``: that there is a document.
Condition = Union[int, str, Iterable[int], None]
#: In seconds; ``"never"``: for good, whatever is set for the collection; None: as is set for it, for good where nothing is.
Lifetime = Union[int, timedelta, str, None]
#: A revision, or a time: RFC 3339, or a ``datetime`` that knows its zone.
Moment = Union[int, str, datetime]


@dataclass(frozen=True)
class Operation(Generic[T]):
    """What ``docket_client.operations`` makes: for ``Client.perform``, and for batches."""

    method: str
    path: str
    #: JSON text.
    data: Optional[bytes]
    headers: Optional[Mapping[str, HeaderValue]]
    #: What the answer brings; raises a ``Refused`` where it says no.
    finish: Callable[[Answer], T]

    def encoded(self) -> bytes:
        """As a batch has it."""
        return encode_request(self.method, self.path, self.data, self.headers)


def on_success(read: Callable[[Answer], T]) -> Callable[[Answer], T]:
    """Reads an answer that is a success, and raises any other."""

    def finish(answer: Answer) -> T:
        if not answer.is_success:
            raise refusal(answer)
        return read(answer)

    return finish


def write_headers(
    if_match: Condition = None,
    if_none_match: Condition = None,
    expires_in: Lifetime = None,
    dry_run: bool = False,
    idempotency_key: Optional[str] = None,
) -> Optional[dict[str, HeaderValue]]:
    """The terms on which a request is carried out; None where there are none, so that the server leaves headers out of its answer."""
    headers: dict[str, HeaderValue] = {}
    if if_match is not None:
        headers["If-Match"] = _condition(if_match)
    if if_none_match is not None:
        headers["If-None-Match"] = _condition(if_none_match)
    if isinstance(expires_in, timedelta):
        headers["Expires-In"] = int(expires_in.total_seconds())
    elif expires_in is not None:
        headers["Expires-In"] = expires_in
    if dry_run:
        headers["Prefer"] = "dry-run"
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    return headers or None


def _condition(condition: Union[int, str, Iterable[int]]) -> str:
    if isinstance(condition, str):
        return condition
    revisions: list[Any] = [condition]
    if isinstance(condition, Iterable) and not isinstance(condition, (bytes, bytearray)):
        revisions = [*condition]
    if not revisions:
        raise ValueError("a condition names one revision at least")
    for revision in revisions:
        # A bool is an int as well.
        if not isinstance(revision, int) or isinstance(revision, bool):
            raise TypeError(f"a condition is a revision, several, or '*', and a revision is an int, not {revision!r}")
    return ", ".join(f'"{revision}"' for revision in revisions)


def moment_text(moment: Moment) -> Union[int, str]:
    """A moment as the protocol writes it."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError("the time does not know its zone: datetime.now(timezone.utc), say")
        return moment.isoformat()
    return moment


def with_parameters(path: str, **parameters: Union[int, str, None]) -> str:
    """A path with parameters behind its ``?``, where they are not None."""
    given = [f"{name}={quote(str(value), safe='')}" for name, value in parameters.items() if value is not None]
    if not given:
        return path
    return path + ("&" if "?" in path else "?") + "&".join(given)


def document_path(*segments: str) -> str:
    """The path of a document or of a collection, percent-encoded: ``document_path("notes", "what?")`` is ``/notes/what%3F``, and
    ``document_path("notes", "")`` the collection ``/notes/``."""
    return "".join("/" + quote(segment, safe="") for segment in segments)
