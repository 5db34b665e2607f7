"""What a fault says of itself when it is through, or is not."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ground import Ground


class Violation(Exception):
    """A promise that was not kept."""


class Skipped(Exception):
    """Why a fault cannot be made on this machine, and how to mend it."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a fault has shown: a sentence for people, and its figures."""

    sentence: str
    figures: dict[str, object] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Fault:
    """A way to break the machine under the server."""

    name: str
    make: Callable[["Ground", int], Shown]
    short: int
    """How often it is made by `--short`."""
    long: int
    unit: str = "cycles"


def told(counts: Mapping[str, int]) -> str:
    """Counts, in a sentence."""
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def demand(holds: object, promise: str) -> None:
    """- Raises: Violation where a promise does not hold."""
    if not holds:
        raise Violation(promise)
