"""What clients have sent and what they were told, and whether a database agrees with it.

Each write has a number that no other has, and the numbers of a document only grow. So whatever a database holds names
the write that it came from. A path is written by one client alone, whose writes are answered in their order.
"""
from __future__ import annotations

import dataclasses
import enum
import pathlib
from collections import defaultdict
from typing import Any

from promises import Violation, demand


class Outcome(enum.Enum):
    """What a client knows of its write."""

    UNANSWERED = "unanswered"
    KEPT = "kept"
    """Acknowledged, or found in the database later."""
    REFUSED = "refused"
    """It was told that nothing was changed, or it was not found: it must never be there."""
    UNKNOWN = "unknown"
    """It was told `outcome_unknown`."""


@dataclasses.dataclass(eq=False, slots=True)
class Write:
    """One request that writes."""

    client: str
    number: int
    paths: tuple[str, ...]
    """A path that ends with a slash is a collection that a POST adds to."""
    deletes: bool = False
    key: str | None = None
    session: int = 0
    """Writes of a session are carried out in their order; one that a server took to its grave is none of the next."""
    request: bytes = b""
    outcome: Outcome = Outcome.UNANSWERED
    revisions: tuple[int, ...] = ()
    """What the acknowledgement told; empty where it does not tell any."""
    found: list[int] = dataclasses.field(default_factory=list)
    """The sequences of its changes."""

    @property
    def is_open(self) -> bool:
        return self.outcome in (Outcome.UNANSWERED, Outcome.UNKNOWN)


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """A document as it must be."""

    number: int
    revision: int


def body(number: int) -> dict[str, object]:
    """The document of a number: now and then it takes several pages, and seldom more than one write of the log."""
    size = 300_000 if number % 997 == 0 else 9_000 if number % 23 == 0 else number % 61
    return {"n": number, "x": "x" * size}


class Ledger:
    """The writes since the last time that they were compared with the database, and what it held then."""

    def __init__(self, journal: pathlib.Path | None = None) -> None:
        """- Parameter journal: a file that is told everything, on another file system than the database."""
        self.sequence = 0
        """Up to here the changes of the database were compared."""
        self.documents: dict[str, State] = {}
        self.acknowledged = 0
        self.session = 0
        self._number = 0
        self._since: list[Write] = []
        self._of_path: dict[str, list[Write]] = defaultdict(list)
        self._journal = open(journal, "a", buffering=1 << 16) if journal else None

    # What clients do.

    def begin_session(self) -> None:
        """Clients have connected anew."""
        self.session += 1

    def send(self, client: str, *paths: str, deletes: bool = False, key: str | None = None) -> Write:
        self._number += 1
        write = Write(client, self._number, paths, deletes, key, self.session)
        self._since.append(write)
        for path in paths:
            self._of_path[path].append(write)
        self._tell(f"sent {client} {write.number} {'DELETE' if deletes else 'WRITE'} {' '.join(paths)} {key or ''}")
        return write

    def send_again(self, write: Write) -> Write:
        """A write that was not kept, under the same number and key."""
        again = Write(write.client, write.number, write.paths, write.deletes, write.key, self.session, write.request)
        self._since.append(again)
        for path in write.paths:
            self._of_path[path].append(again)
        self._tell(f"sent again {write.number}")
        return again

    def acknowledge(self, write: Write, *revisions: int) -> None:
        write.outcome, write.revisions = Outcome.KEPT, revisions
        self.acknowledged += 1
        self._tell(f"kept {write.number} {revisions}")

    def refuse(self, write: Write, why: str) -> None:
        write.outcome = Outcome.REFUSED
        self._tell(f"refused {write.number} {why}")

    def leave_open(self, write: Write) -> None:
        write.outcome = Outcome.UNKNOWN
        self._tell(f"unknown {write.number}")

    def count(self, path: str) -> int:
        """How many writes of a path were sent until now; what a read is compared with."""
        return len(self._of_path[path])

    def position(self, write: Write) -> int:
        """How many writes of its path were sent before it."""
        return self._of_path[write.paths[0]].index(write)

    def check_read(self, path: str, sent: int, number: int | None) -> None:
        """Compares what a read has found, behind so many writes of its client.

        - Raises: Violation.
        """
        possible: list[int | None] = []
        for write in reversed(self._of_path[path][:sent]):
            if write.outcome is Outcome.REFUSED:
                continue
            possible.append(None if write.deletes else write.number)
            if write.outcome is Outcome.KEPT:
                break
        else:
            state = self.documents.get(path)
            possible.append(state.number if state else None)
        demand(number in possible, f"a read of {path} found {number}, and {possible} were possible")

    def open_writes(self) -> list[Write]:
        return [write for write in self._since if write.is_open]

    def kept_with_key(self) -> list[Write]:
        return [write for write in self._since if write.key and write.outcome is Outcome.KEPT]

    # What the database says.

    def settle(self, changes: list[dict[str, Any]], documents: dict[str, tuple[int, int, object]]) -> None:
        """Compares everything, and begins anew from there.

        - Parameters:
          - changes: all behind `sequence`.
          - documents: number, revision and document of each path.
        - Raises: Violation.
        """
        self._tell(f"settle behind {self.sequence}: {len(changes)} changes, {len(documents)} documents")
        by_number = {write.number: write for write in self._since}
        position: dict[str, int] = defaultdict(int)
        expected = dict(self.documents)
        for change in changes:
            self.sequence += 1
            demand(change["sequence"] == self.sequence,
                   f"the change behind {self.sequence - 1} has the sequence {change['sequence']}")
            self._take(change, by_number, position, expected)
        self._check_writes({write.number: change.get("batch") for change in changes
                            for write in [by_number.get((change["document"] or {}).get("n"))] if write})
        _compare(expected, documents)
        self.documents = expected
        self._since, self._of_path = [], defaultdict(list)
        if self._journal:
            self._journal.flush()

    def _take(self, change: dict[str, Any], by_number: dict[int, Write], position: dict[str, int],
              expected: dict[str, State]) -> None:
        """Finds the write that a change is of."""
        path, sequence, document = change["path"], change["sequence"], change["document"]
        if change["change"] == "deleted":
            write = self._next_deletion(path, sequence, position)
            demand(path in expected, f"change {sequence} deletes {path}, which was not there")
            del expected[path]
        else:
            number = document.get("n") if isinstance(document, dict) else None
            demand(change["change"] == ("updated" if path in expected else "created"),
                   f"change {sequence} of {path} is told as {change['change']}")
            found = by_number.get(number)
            if not found:
                raise Violation(f"change {sequence} has {path} = {number}, which was never sent, or was settled before")
            write = found
            demand(document == body(number), f"change {sequence} of {path} has another document than was sent")
            is_in = path in write.paths or path[:path.rindex("/") + 1] in write.paths
            demand(is_in, f"change {sequence} has {number} at {path}, which was sent for {write.paths}")
            expected[path] = State(number, sequence)
        demand(write.outcome is not Outcome.REFUSED, f"change {sequence} is of {write.number}, which was refused")
        write.found.append(sequence)
        demand(len(write.found) <= len(write.paths), f"{write.number} for {write.paths} was made twice: {write.found}")

    def _next_deletion(self, path: str, sequence: int, position: dict[str, int]) -> Write:
        writes = self._of_path[path]
        for index in range(position[path], len(writes)):
            write = writes[index]
            if write.deletes and write.outcome is not Outcome.REFUSED:
                position[path] = index + 1
                return write
        raise Violation(f"change {sequence} deletes {path}, which nobody has asked for")

    def _tell(self, line: str) -> None:
        if self._journal:
            self._journal.write(line + "\n")

    def _check_writes(self, batches: dict[int, int | None]) -> None:
        latest: dict[str, int] = defaultdict(int)
        missing: set[tuple[str, int]] = set()
        for write in self._since:
            what = f"{write.outcome.value} write {write.number} of {', '.join(write.paths)}"
            if write.outcome is Outcome.KEPT:
                demand(write.found, f"lost: the {what}")
            if write.found:
                demand(len(write.found) == len(write.paths),
                       f"torn: the {what} is there in part, as changes {write.found}")
                demand(not write.revisions or list(write.revisions) == write.found,
                       f"the {what} was told revisions {write.revisions} and has {write.found}")
                demand(len(write.paths) == 1 or batches.get(write.number) == write.found[0],
                       f"the {what} is not marked as one batch")
                demand(write.found[0] > latest[write.client] and (write.client, write.session) not in missing,
                       f"out of order: the {what} is there as {write.found}, "
                       f"before or without an earlier one of its client")
                latest[write.client] = write.found[-1]
                write.outcome = Outcome.KEPT
            elif write.is_open:
                # A deletion of what was not there leaves no trace, done or not.
                if not write.deletes:
                    missing.add((write.client, write.session))
                write.outcome = Outcome.REFUSED


def _compare(expected: dict[str, State], documents: dict[str, tuple[int, int, object]]) -> None:
    for path, state in expected.items():
        demand(path in documents, f"lost: {path}, whose last change is {state}")
        number, revision, document = documents[path]
        demand((number, revision) == (state.number, state.revision),
               f"{path} is {number} of revision {revision}, and its last change says {state}")
        demand(document == body(number), f"{path} holds another document than was sent as {number}")
    for path in documents:
        demand(path in expected, f"{path} is there without a change that made it")
