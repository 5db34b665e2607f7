"""A request that somebody waits for."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

from .answer import Answer
from .errors import DocketError
from .frames import HeaderValue
from .idempotency import IdempotencyKeys
from .operation import Operation


class Call:
    """A request on its way."""

    def __init__(
        self, method: str, path: str, data: Optional[bytes] = None, headers: Optional[Mapping[str, HeaderValue]] = None
    ) -> None:
        self.method = method
        self.path = path
        self.data = data
        self.headers: Optional[dict[str, HeaderValue]] = None if headers is None else dict(headers)
        #: How often it has been tried in vain.
        self.failed_attempts = 0
        #: Whether it has left, on this connection or an earlier one.
        self.was_sent = False
        #: How much had happened when it was made (``ClientState``).
        self.events_before = 0
        #: How it has ended; None: it has not.
        self.outcome: Union[Answer, DocketError, None] = None

    @classmethod
    def of(cls, operation: Operation[Any], keys: Optional[IdempotencyKeys]) -> Call:
        """An operation's request, with a key for what may have to be sent again and must not be done again."""
        call = cls(operation.method, operation.path, operation.data, operation.headers)
        if keys is not None and call.takes_key and not call.has_header("idempotency-key"):
            call.headers = {**(call.headers or {}), "Idempotency-Key": keys.next()}
        return call

    def has_header(self, *names: str) -> bool:
        """Whether it has one of these, whose names are in lower case."""
        return any(key.lower() in names for key in self.headers or {})

    @property
    def takes_key(self) -> bool:
        """Whether the server keeps its answer under an ``Idempotency-Key``: writes of documents and batches, not what is set for
        the service itself. (A token is not made under a key at all, since the secret would be kept.)"""
        return self.method != "GET" and (not self.path.startswith("/_") or self.path == "/_batch")

    @property
    def is_repeatable(self) -> bool:
        """Whether the request may be sent again although it may have been carried out.

        GET changes nothing, and what has an idempotency key is carried out once. Without one, PUT and DELETE of a document leave
        the same state behind however often they are done (RFC 9110, section 9.2.2), although the second answer may differ: 200 for
        201, 404 for 204; but with a condition they would meet their own first effect, and on the original route ``/item`` both take
        one element of many, and the second time another one. POST and PATCH are never repeated.
        """
        if self.method == "GET" or (self.takes_key and self.has_header("idempotency-key")):
            return True
        if self.method in ("PUT", "DELETE"):
            return self.path != "/item" and not self.has_header("if-match", "if-none-match")
        return False
