"""What a process that was forked off does not share with its parent."""

from __future__ import annotations

import os
import weakref
from typing import Any

_owners: weakref.WeakSet[Any] = weakref.WeakSet()


def tell_of_forks(owner: Any) -> None:
    """Has ``owner._forked()`` called in each child, before anything else of it runs: a child has one thread, and no other one can be in
    the middle of something then."""
    _owners.add(owner)


def _forked() -> None:
    for owner in list(_owners):
        owner._forked()


# Windows has no forks.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
