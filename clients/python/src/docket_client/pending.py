"""Calls that are on their way together."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Deque, Generic, List, Optional, TypeVar

from . import operations
from .call import Call
from .errors import DocketError
from .methods import starting
from .operation import Operation

if TYPE_CHECKING:
    from .client import Client

T = TypeVar("T")


class Pending(Generic[T]):
    """What a call of a pipeline will bring."""

    def __init__(self, client: Client, operation: Operation[T], call: Call) -> None:
        self._client = client
        self._operation = operation
        self._call = call
        self._is_told = False

    def result(self) -> T:
        """Waits for the answer, and tells what it brings or raises why it brings nothing."""
        self._is_told = True
        return self._result()

    def error(self) -> Optional[DocketError]:
        """Waits for the answer; why the call brings nothing, or None where it does."""
        self._is_told = True
        return self._error()

    def _result(self) -> T:
        outcome = self._client._wait(self._call)
        if isinstance(outcome, DocketError):
            raise outcome
        return self._operation.finish(outcome)

    def _error(self) -> Optional[DocketError]:
        try:
            self._result()
        except DocketError as error:
            return error
        return None

    @property
    def _is_done(self) -> bool:
        return self._call.outcome is not None


class Pipeline:
    """Begins operations without waiting for each other's answers, over the connection of its client::

        with client.pipeline() as pipeline:
            pending = [pipeline.put(f"/notes/{n}", n) for n in range(1000)]

    They are sent in their order, and answered in it. Each method is as that of ``Client``, and returns a ``Pending``. The block's end
    waits for all answers; if one says no, and nobody has asked that ``Pending`` for its ``error`` or ``result``, it is raised then.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._open: Deque[Pending[Any]] = deque()
        self._failed: List[Pending[Any]] = []

    def start(self, operation: Operation[T]) -> Pending[T]:
        """Begins an operation. Where as many are on their way as may be, it waits for one of them first."""
        pending = Pending(self._client, operation, self._client._begin(operation))
        self._open.append(pending)
        while self._open[0]._is_done and len(self._open) > 1:
            self._settle(self._open.popleft())
        return pending

    def _settle(self, pending: Pending[Any]) -> None:
        """Those that went well need not be kept."""
        if pending._error() is not None:
            self._failed.append(pending)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, kind: object, value: Optional[BaseException], traceback: object) -> None:
        while self._open:
            self._settle(self._open.popleft())
        if value is None:
            for pending in self._failed:
                if not pending._is_told:
                    pending.result()

    get = starting(operations.get)
    read = starting(operations.read)
    put = starting(operations.put)
    post = starting(operations.post)
    patch = starting(operations.patch)
    delete = starting(operations.delete)
    echo = starting(operations.echo)
    batch = starting(operations.batch)
    list = starting(operations.list)
    query = starting(operations.query)
    count = starting(operations.count)
    aggregate = starting(operations.aggregate)
    history = starting(operations.history)
    restore = starting(operations.restore)
    changes = starting(operations.changes)
    request = starting(operations.request)
