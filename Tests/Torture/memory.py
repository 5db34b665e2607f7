"""Too little memory: the server runs in a memory cgroup whose limit is drawn in under load. It goes on, or the system
kills it; nothing is lost."""
from __future__ import annotations

import os
import pathlib
import signal
from collections import Counter

from ground import Ground
from promises import Fault, Shown, Skipped, demand, told
from served import KEEPING_HISTORY
from verification import check, recover, verify
from writers import NOTHING_CHANGED, Writers

ROOT = pathlib.Path("/sys/fs/cgroup/memory")
"""Of version 1 of cgroups."""
GENEROUS = 256 << 20


class _Group:
    def __init__(self) -> None:
        """- Raises: Skipped."""
        self.folder = ROOT / f"docket-torture-{os.getpid()}"
        try:
            self.folder.mkdir()
        except OSError as error:
            raise Skipped(f"there is no memory cgroup (version 1) to be made: {error}") from error

    def limit(self, size: int) -> bool:
        """Returns whether so much can be had back."""
        try:
            (self.folder / "memory.limit_in_bytes").write_text(str(size))
            return True
        except OSError:
            return False

    def enter(self) -> None:
        (self.folder / "cgroup.procs").write_text("0")

    @property
    def resident(self) -> int:
        """Without the pages of files, which can be had back."""
        lines = (self.folder / "memory.stat").read_text().splitlines()
        return int(dict(line.split() for line in lines)["rss"])

    def remove(self) -> None:
        self.folder.rmdir()


def draw_in(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    group = _Group()
    try:
        return _draw_in(ground, count, group)
    finally:
        group.remove()


def _draw_in(ground: Ground, count: int, group: _Group) -> Shown:
    ledger, results = ground.ledger(), Counter[str]()
    database = ground.database_folder() / "docket.db"
    writers = Writers(ledger, ground.random, count=24, depth=8, errors=NOTHING_CHANGED | {"outcome_unknown"})
    for _ in range(count):
        group.limit(GENEROUS)
        with ground.serve(database, *KEEPING_HISTORY, before=group.enter) as server:
            verify(server, ledger, ground.random)
            check(ground.binary, database)
            writers.connect(server.port)
            writers.write(0.05)
            # The system may refuse to give less than is in use; then a little more.
            room = ground.random.randint(0, 24 << 20)
            while not group.limit(group.resident + room) and server.ended(0) is None:
                room += 1 << 20
            writers.write(1, until=lambda: server.ended(0) is not None)
            status = server.ended(0)
            demand(status in (None, 1, -signal.SIGKILL), f"it ended with {status}: {server.said()}")
            results["went on" if status is None else "killed by the system" if status < 0 else "ended with 1"] += 1
            group.limit(GENEROUS)
            # Who goes on answers, once there is memory again; or is killed with answers on their way.
            if ground.random.random() < 0.5:
                writers.settle()
            server.kill()
            writers.close()
        ground.progress(f"{sum(results.values())} done")
    recover(ground, database, ledger, *KEEPING_HISTORY)
    return Shown(f"{told(results)}; {ledger.acknowledged} acknowledged writes, 0 lost",
                 {"results": dict(results), "acknowledged": ledger.acknowledged})


FAULTS = [Fault("memory", draw_in, short=5, long=100)]
