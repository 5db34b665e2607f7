"""Clients that query without a pause, each beside the others, so that there is hardly a moment without a reader."""
from __future__ import annotations

import threading
import time
from types import TracebackType

from ledger import Ledger, body
from promises import Violation, demand
from wire import BROKEN, Session

COLLECTION = "/queried/"
DOCUMENTS, BATCH = 12_000, 1_000
NONE_OF_THEM = {"where": {"n": {"$lt": 0}}}


def fill(port: int, ledger: Ledger) -> None:
    """Writes what they look through: enough for a query to last."""
    with Session(port) as session:
        for first in range(0, DOCUMENTS, BATCH):
            write = ledger.send("queried", *(f"{COLLECTION}{number}" for number in range(first, first + BATCH)))
            requests = [{"method": "PUT", "path": path, "data": body(write.number)} for path in write.paths]
            answer = session.ask("POST", "/_batch", {"requests": requests})
            ledger.acknowledge(write, *(response["data"]["revision"] for response in answer["data"]["responses"]))


class Readers:
    """Query from the beginning to the end of a context.

    - Raises: Violation at the end, where something was not answered with 200.
    """

    def __init__(self, port: int, count: int = 4) -> None:
        self._port = port
        self._begun = 0.0
        """When the newest read began that is answered."""
        self._is_over = False
        self._problem: str | None = None
        self._threads = [threading.Thread(target=self._read, daemon=True) for _ in range(count)]

    def has_answer_since(self, moment: float) -> bool:
        """Whether a read is answered that began behind a moment.

        - Raises: Violation where one was not answered with 200.
        """
        demand(not self._problem, f"a reader: {self._problem}")
        return self._begun > moment

    def _read(self) -> None:
        try:
            with Session(self._port) as session:
                while not self._is_over:
                    begin = time.monotonic()
                    answer = session.ask("GET", COLLECTION, NONE_OF_THEM)
                    if answer["code"] != 200:
                        raise Violation(f"a query was answered {str(answer)[:200]}")
                    self._begun = max(self._begun, begin)
        except (*BROKEN, Violation, ValueError) as error:
            self._problem = f"{type(error).__name__}: {error}"

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._is_over = True
        for thread in self._threads:
            thread.join(30)
        if kind is None:
            demand(not self._problem, f"a reader: {self._problem}")
            demand(not any(thread.is_alive() for thread in self._threads), "a read has no answer within 30 s")
