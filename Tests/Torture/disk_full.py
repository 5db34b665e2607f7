"""A full disk: a small file system fills up while clients write, and room comes again.

Writes get 507 and change nothing, reads go on, and writes go on by themselves once there is room.
"""
from __future__ import annotations

import errno
import os
import pathlib

from ground import Ground, mounted
from ledger import Ledger, body
from promises import Fault, Shown, demand
from served import Served, eventually
from session import Session
from verification import check, compare, recover, verify
from writers import Writers

DISK_BYTES = 48 << 20
OPTIONS = ["--checkpoint-pages", "100", "--idempotency-bytes", "4194304"]
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
    folder, ledger = ground.folder / "disk", ground.ledger()
    database, ballast = folder / "docket.db", folder / "ballast"
    writers = Writers(ledger, ground.random, count=6, errors=ALLOWED)
    refused, reads, restarts = 0, 0, 0
    with mounted(folder, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs"):
        server = Served(ground.binary, database, ground.log, *OPTIONS)
        try:
            for cycle in range(count):
                # With 0 the log cannot grow by a byte; with more it takes a while, and checkpoints fail as well.
                _ballast(ballast, ground.random.choice([0, 4_096, 20_000, 200_000, 1_000_000]))
                before = writers.refusals["disk_full"]
                writers.connect(server.port)
                writers.write(20, until=lambda: writers.refusals["disk_full"] > before + 20)
                writers.settle(10)
                demand(writers.refusals["disk_full"] > before, f"cycle {cycle}: the disk is full, and nobody was told so")
                demand(server.ended(0) is None, f"a full disk ended the server: {server.said()}")
                refused = writers.refusals["disk_full"]
                # Reads go on, and tell what was acknowledged before; this compares all documents.
                # Nothing is sent again, since there is no room for it.
                compare(server, ledger)
                reads += 1
                if ground.random.random() < 0.3:
                    # A server that dies on a full disk leaves all there, too.
                    writers.close()
                    server.kill()
                    ballast.unlink()
                    server = recover(ground.binary, database, ground.log, ledger, ground.random, *OPTIONS)
                    restarts += 1
                    continue
                ballast.unlink()
                with Session(server.port) as session:
                    demand(eventually(lambda: _is_writable(session, ledger), RECOVERY_SECONDS),
                           f"cycle {cycle}: there is room, and after {RECOVERY_SECONDS} s no write is taken")
                before = writers.refusals["disk_full"]
                writers.write(0.1)
                writers.settle(10)
                demand(writers.refusals["disk_full"] == before, f"cycle {cycle}: there is room, and writes are refused")
                verify(server, ledger, ground.random)
                check(ground.binary, database)
                writers.close()
                ground.progress(f"cycle {cycle}, {refused} refused")
            demand(server.stop() == 0, f"it ended badly: {server.said()}")
            recover(ground.binary, database, ground.log, ledger, ground.random, *OPTIONS).kill()
        finally:
            server.kill()
    return Shown(f"{refused} writes got 507 and left nothing, all documents were read each time, writes went on within "
                 f"{RECOVERY_SECONDS} s of room; {restarts} of the servers were killed meanwhile; "
                 f"{ledger.acknowledged} acknowledged writes, 0 lost",
                 {"refused": refused, "acknowledged": ledger.acknowledged, "killed": restarts})


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
