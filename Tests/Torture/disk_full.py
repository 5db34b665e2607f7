"""A full disk: a small file system fills up while clients write, and room comes again.

Writes get 507 and change nothing, reads go on, and writes go on by themselves once there is room.
"""
from __future__ import annotations

import errno
import os
import pathlib

from ground import Ground, mounted
from ledger import Ledger, body
from patience import eventually
from promises import Fault, Shown, demand
from served import KEEPING_HISTORY, Served
from verification import check, compare, recover, verify
from wire import Session
from writers import Writers

DISK_BYTES = 24 << 20
OPTIONS = ["--checkpoint-pages", "100", *KEEPING_HISTORY]
ALLOWED = frozenset({"disk_full", "batch_failed"})
RECOVERY_SECONDS = 5


def _ballast(file: pathlib.Path, leave: int) -> None:
    """Takes all room but so many bytes."""
    with open(file, "wb") as ballast:
        state = os.statvfs(file.parent)
        size = max(state.f_bavail * state.f_frsize - leave, 0)
        try:
            os.posix_fallocate(ballast.fileno(), 0, max(size, 1))
        except OSError as error:
            demand(error.errno == errno.ENOSPC, f"ballast: {error}")


def fill_disk(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    ground.need_root()
    refused = acknowledged = killed = 0
    for cycle in range(count):
        ledger = ground.ledger()
        writers = Writers(ledger, ground.random, count=6, errors=ALLOWED)
        with mounted(ground.folder / "disk", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs"):
            killed += _fill(ground, writers, ground.folder / "disk")
        refused += writers.refusals["disk_full"]
        acknowledged += ledger.acknowledged
        ground.progress(f"cycle {cycle}, {refused} refused")
    return Shown(f"{refused} requests got 507 and left nothing, all documents were read each time, writes went on "
                 f"within {RECOVERY_SECONDS} s of room; {killed} of the servers were killed while it was full; "
                 f"{acknowledged} acknowledged writes, 0 lost",
                 {"refused": refused, "acknowledged": acknowledged, "killed": killed})


def _fill(ground: Ground, writers: Writers, folder: pathlib.Path) -> bool:
    """Returns whether the server was killed while the disk was full."""
    ledger, database, ballast = writers.ledger, folder / "docket.db", folder / "ballast"
    with ground.serve(database, *OPTIONS) as server:
        # The log cannot grow by a byte; or it can for a while, and then checkpoints fail as well.
        _ballast(ballast, ground.random.choice([0, 4_096, 20_000, 200_000, 1_000_000, 4_000_000]))
        writers.connect(server.port)
        writers.write(30, until=lambda: writers.refusals["disk_full"] > 20)
        writers.settle()
        demand(writers.refusals["disk_full"], "the disk is full, and nobody was told so")
        demand(server.ended(0) is None, f"a full disk ended the server: {server.said()}")
        # Reads go on. Nothing is sent again, since there is no room for it.
        compare(server, ledger)
        is_killed = ground.random.random() < 0.3
        if is_killed:
            server.kill()
            writers.close()
        ballast.unlink()
        if not is_killed:
            _go_on(server, writers)
            verify(server, ledger, ground.random)
            check(ground.binary, database)
            writers.close()
            demand(server.stop() == 0, f"it ended badly: {server.said()}")
    recover(ground, database, ledger, *OPTIONS)
    return is_killed


def _go_on(server: Served, writers: Writers) -> None:
    with Session(server.port) as session:
        demand(eventually(lambda: _is_writable(session, writers.ledger), RECOVERY_SECONDS),
               f"there is room, and after {RECOVERY_SECONDS} s no write is taken")
    before = writers.refusals["disk_full"]
    kept = writers.ledger.acknowledged
    writers.write(0.1)
    writers.settle()
    demand(writers.refusals["disk_full"] == before, "there is room, and writes are refused")
    demand(writers.ledger.acknowledged > kept, "there is room, and no write is acknowledged")


def _is_writable(session: Session, ledger: Ledger) -> bool:
    write = ledger.send("probe", "/probe/1")
    answer = session.ask("PUT", "/probe/1", body(write.number))
    if answer["code"] in (200, 201):
        ledger.acknowledge(write, answer["data"]["revision"])
        return True
    demand(answer["data"]["error"] == "disk_full", f"a write was answered {answer}")
    ledger.refuse(write, "disk_full")
    return False


FAULTS = [Fault("disk-full", fill_disk, short=6, long=100)]
