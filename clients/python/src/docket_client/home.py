"""The event loop that a client for asyncio belongs to."""

from __future__ import annotations

import asyncio
from typing import Optional


class Home:
    """Connections, tasks and timers are of one event loop, so their client and its watches are of the first in which they are used."""

    def __init__(self) -> None:
        self._loop: Optional[asyncio.AbstractEventLoop] = None

    def enter(self) -> asyncio.AbstractEventLoop:
        """The loop that runs.

        Raises:
            RuntimeError: it is not the first one.
        """
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        if self._loop is not loop:
            raise RuntimeError("the client belongs to another event loop, in which it was used first: make an AsyncClient in each asyncio.run")
        return loop

    @property
    def is_closed(self) -> bool:
        """Whether the loop is closed, so that nothing can be done in it any more."""
        return self._loop is not None and self._loop.is_closed()

    def leave(self) -> None:
        """Nothing is left in the loop; the next one may be another."""
        self._loop = None
