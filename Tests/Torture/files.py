"""Files that go away under a running server: the database or its log removed, replaced, or moved; and rights taken.

It notices before it acknowledges anything into nowhere, answers `outcome_unknown`, and ends with 1. When the files are
put back, with the log that was beside them, everything acknowledged is there.
"""
from __future__ import annotations

import os
import pathlib
import pwd
import shutil
from collections import Counter
from collections.abc import Callable

from ends import END_SECONDS
from ground import Ground
from promises import Fault, Shown, Skipped, demand
from served import KEEPING_HISTORY, NotServing, Served
from verification import check, recover, verify
from writers import Writers

ALLOWED = frozenset({"outcome_unknown", "store_failed", "batch_failed", "closing"})


def _moved(file: pathlib.Path, put_back: pathlib.Path) -> None:
    file.rename(put_back)


def _removed(file: pathlib.Path, put_back: pathlib.Path) -> None:
    # A second name keeps what was in it, for the comparison.
    os.link(file, put_back)
    file.unlink()


def _replaced(file: pathlib.Path, put_back: pathlib.Path) -> None:
    os.link(file, put_back)
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.rename(file)


WAYS: dict[str, Callable[[pathlib.Path, pathlib.Path], None]] = {
    "moved": _moved, "removed": _removed, "replaced": _replaced}


def take_files(ground: Ground, count: int) -> Shown:
    """- Raises: Violation."""
    done: Counter[str] = Counter()
    acknowledged = 0
    cases = [(way, suffix) for way in WAYS for suffix in ("", "-wal")]
    for cycle in range(count):
        way, suffix = cases[cycle % len(cases)]
        acknowledged += _take(ground, way, suffix)
        done[f"{'log' if suffix else 'database'} {way}"] += 1
        ground.progress(f"cycle {cycle}")
    return Shown(f"noticed each time before an acknowledgement, ended with 1 ({', '.join(done)}); "
                 f"{acknowledged} acknowledged writes, 0 lost",
                 {"cases": dict(done), "acknowledged": acknowledged})


def _take(ground: Ground, way: str, suffix: str) -> int:
    ledger, database = ground.ledger(), ground.database_folder() / "docket.db"
    writers = Writers(ledger, ground.random, count=4, errors=ALLOWED)
    file = database.with_name(database.name + suffix)
    put_back = database.with_name("put-back")
    with ground.serve(database, "--checkpoint-pages", "100", *KEEPING_HISTORY) as server:
        writers.connect(server.port)
        writers.write(0.1)
        WAYS[way](file, put_back)
        writers.write(END_SECONDS)
        status = server.ended(END_SECONDS)
        writers.close()
        demand(status == 1, f"its file was {way}, and after {END_SECONDS} s it had ended with {status}")
        demand("moved, replaced or removed" in server.said(), f"its file was {way}, and it said {server.said()}")
    put_back.rename(file)
    recover(ground, database, ledger, *KEEPING_HISTORY)
    return ledger.acknowledged


def take_rights(ground: Ground, count: int) -> Shown:
    """A server of another user than root: rights to its files are taken while it runs, and when it starts.

    - Raises: Violation, Skipped.
    """
    if os.geteuid() != 0:
        raise Skipped("it needs root, to become another user")
    acknowledged = sum(_rights(ground) for _ in range(count))
    return Shown(f"a running server went on with what it has open, or said so and ended with 1; a start without rights "
                 f"was refused in one line; {acknowledged} acknowledged writes, 0 lost", {"acknowledged": acknowledged})


def _rights(ground: Ground) -> int:
    nobody = pwd.getpwnam("nobody")

    def become_nobody() -> None:
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    # Where the user may come to it.
    ground.folder.parent.chmod(0o755)
    ledger, folder = ground.ledger(), ground.database_folder()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    database = folder / "docket.db"
    files = [database, database.with_name("docket.db-wal"), database.with_name("docket.db-shm")]
    writers = Writers(ledger, ground.random, count=4, errors=ALLOWED)

    def serve() -> Served:
        return ground.serve(database, "--checkpoint-pages", "30", *KEEPING_HISTORY, before=become_nobody)

    with serve() as server:
        writers.connect(server.port)
        writers.write(0.1)
        for file in files:
            file.chmod(0)
        folder.chmod(0o500)
        writers.write(0.3)
        writers.settle()
        status = server.ended(0)
        demand(status in (None, 1), f"without rights it ended with {status}")
        server.kill()
        writers.close()
    try:
        serve().kill()
        demand(False, "it serves files that it may not read")
    except NotServing as refusal:
        demand(refusal.status == 1 and refusal.said.startswith("docket: ") and "ermission denied" in refusal.said,
               f"without rights {refusal}")
    folder.chmod(0o700)
    for file in files:
        file.chmod(0o600)
    with serve() as server:
        verify(server, ledger, ground.random)
        check(ground.binary, database)
        server.stop()
    return ledger.acknowledged


FAULTS = [Fault("files-taken", take_files, short=6, long=60), Fault("rights-taken", take_rights, short=1, long=20)]
