"""A clock that is set forth and back by hours while clients write, and between two runs of a server.

Times of changes never fall, new ids are greater than those before, and neither order nor revisions are concerned. A
document ends when the clock says so.
"""
from __future__ import annotations

import mmap
import struct
from typing import Any

from ground import Ground
from pages import changes
from patience import eventually
from promises import Fault, Shown, demand
from served import KEEPING_HISTORY
from verification import check, verify
from wire import Session
from writers import Writers

HOURS = 10
"""The clock is so far ahead or behind at most: kept answers go after 24 hours."""


class _Clock:
    """The wall clock of a server, by set_clock.c."""

    def __init__(self, ground: Ground) -> None:
        file = ground.folder / "clock"
        file.write_bytes(bytes(8))
        with open(file, "r+b") as opened:
            self._ahead = mmap.mmap(opened.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(ground.compiled("set_clock.c")), "DOCKET_TORTURE_CLOCK": str(file)}

    def set(self, seconds: int) -> None:
        """So far from the true time."""
        self._ahead[:] = struct.pack("q", seconds)


def set_clock(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    clock, ledger = _Clock(ground), ground.ledger()
    database = ground.database_folder() / "docket.db"
    writers = Writers(ledger, ground.random, count=6)
    seen = _Seen()
    server = ground.serve(database, *KEEPING_HISTORY, environment=clock.environment)
    try:
        for cycle in range(count):
            writers.connect(server.port)
            for _ in range(3):
                clock.set(ground.random.randint(-HOURS * 3600, HOURS * 3600))
                writers.write(0.1)
            if cycle % 2:
                server.kill()
                writers.close()
                clock.set(ground.random.randint(-HOURS * 3600, HOURS * 3600))
                server = ground.serve(database, *KEEPING_HISTORY, environment=clock.environment)
            else:
                writers.settle()
                writers.close()
            with Session(server.port) as session:
                seen.look(changes(session, ledger.sequence))
            verify(server, ledger, ground.random)
            check(ground.binary, database)
            with Session(server.port) as session:
                seen.look(changes(session, seen.sequence))
            ground.progress(f"cycle {cycle}")
    finally:
        server.kill()
    _end_by_the_clock(ground, clock)
    return Shown(f"set {3 * count} times: no time of {ledger.sequence} changes fell, no id was out of order, a "
                 f"document ended by the clock; {ledger.acknowledged} acknowledged writes, 0 lost",
                 {"acknowledged": ledger.acknowledged, "changes": ledger.sequence})


class _Seen:
    """The times and ids of changes, in their order."""

    def __init__(self) -> None:
        self.sequence, self._at, self._ids = 0, "", dict[str, str]()

    def look(self, changes: list[dict[str, Any]]) -> None:
        for change in changes:
            self.sequence = change["sequence"]
            demand(change["at"] >= self._at,
                   f"the time falls from {self._at} to {change['at']}, change {self.sequence}")
            self._at = change["at"]
            collection, _, identifier = change["path"].rpartition("/")
            if collection.endswith("/posts") and change["change"] == "created":
                before = self._ids.get(collection, "")
                demand(identifier > before, f"the id {identifier} was made behind {before}")
                self._ids[collection] = identifier


def _end_by_the_clock(ground: Ground, clock: _Clock) -> None:
    clock.set(0)
    database = ground.database_folder() / "docket.db"
    with ground.serve(database, environment=clock.environment) as server, Session(server.port) as session:
        demand(session.ask("PUT", "/ends/1", 1, {"Expires-In": "3600"})["code"] == 201,
               "a document with an end is made")
        clock.set(-HOURS * 3600)
        demand(session.ask("GET", "/ends/1")["code"] == 200, "a clock that is set back ends no document")
        clock.set(1800)
        demand(session.ask("GET", "/ends/1")["code"] == 200, "half an hour before its end a document is there")
        clock.set(3700)
        demand(eventually(lambda: session.ask("GET", "/ends/1")["code"] == 404, 2), "behind its end a document is gone")


FAULTS = [Fault("clock", set_clock, short=3, long=60)]
