"""Keys under which writes are carried out once."""

from __future__ import annotations

import itertools
import os
from typing import Iterator, Tuple


class IdempotencyKeys:
    """Makes the keys under which a client's writes are carried out once, however often they are sent.

    They begin alike and count up, so that those of one client stand together in the server's index. A process
    that was forked off begins anew, or its writes would be taken for repetitions of its parent's.
    """

    def __init__(self) -> None:
        self._sequence = self._begin()

    @staticmethod
    def _begin() -> Tuple[int, str, Iterator[int]]:
        """Whose the keys are, how they begin, and how they count up: one value, so that threads which begin at once mix nothing."""
        return os.getpid(), os.urandom(16).hex(), itertools.count(1)

    def next(self) -> str:
        sequence = self._sequence
        if sequence[0] != os.getpid():
            sequence = self._sequence = self._begin()
        _, prefix, numbers = sequence
        return f"{prefix}-{next(numbers):016x}"
