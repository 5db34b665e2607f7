"""How long the tests wait, and for what."""
from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 30
"""Seconds after which something hangs."""


def eventually(holds: Callable[[], object], within: float = PATIENCE, pause: float = 0.01) -> bool:
    """Waits until something holds."""
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
