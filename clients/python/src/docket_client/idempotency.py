"""Keys under which writes are carried out once."""

from __future__ import annotations

import itertools
import os


class IdempotencyKeys:
    """Makes the keys under which a client's writes are carried out once, however often they are sent.

    They begin alike and count up, so that those of one client stand together in the server's index.
    """

    def __init__(self) -> None:
        self._prefix = os.urandom(16).hex()
        self._numbers = itertools.count(1)

    def next(self) -> str:
        return f"{self._prefix}-{next(self._numbers):016x}"
