"""Death at a chosen system call: before each k-th write, sync, cut, renaming and removal, in a server and in the
commands that put another file in the place of the database."""
from __future__ import annotations

import pathlib
import shutil
import signal
from collections import Counter

from calls import OPTIONS, Tampering, begin_with_a_log, need_strace
from ground import Ground
from ledger import Ledger
from promises import Fault, Shown, Violation, demand
from served import NotServing, Served, docket
from verification import check, recover, verify
from wire import Session
from writers import Writers

SERVER_CALLS = {"pwrite64": 90, "fdatasync": 60, "fsync": 6, "ftruncate": 8, "fallocate": 2, "unlink": 3,
                "rename": 2, "openat": 60, "mmap": 60, "fcntl": 150}
"""Each call with the last k; a kind of call is left where the server lives through more of them than it makes."""
COMMAND_CALLS = {"pwrite64": 40, "fdatasync": 8, "fsync": 6, "ftruncate": 4, "rename": 4, "unlink": 6, "link": 2,
                 "linkat": 2, "renameat2": 2, "unlinkat": 4}


def _points(ground: Ground, calls: dict[str, int], count: int) -> list[tuple[str, int]]:
    """Some of all points, in an order in which the first of a kind come first."""
    points = [(call, k) for call, last in calls.items() for k in range(1, last + 1)]
    return sorted(ground.some(points, count), key=lambda point: (list(calls).index(point[0]), point[1]))


def die_in_server(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    need_strace(ground)
    deaths: Counter[str] = Counter()
    acknowledged, exhausted, runs = 0, set[str](), 0
    for call, k in _points(ground, SERVER_CALLS, count):
        if call in exhausted:
            continue
        runs += 1
        died, kept = _one_server(ground, call, k)
        acknowledged += kept
        if died:
            deaths[call] += 1
        else:
            exhausted.add(call)
        ground.progress(f"{call} {k}, {sum(deaths.values())} deaths")
    demand(3 * sum(deaths.values()) > runs, f"of {runs} servers only {sum(deaths.values())} died: strace does nothing")
    told = ", ".join(f"{call} {number}" for call, number in deaths.items())
    return Shown(f"{sum(deaths.values())} deaths ({told}); {acknowledged} acknowledged writes, 0 lost",
                 {"count": sum(deaths.values()), "runs": runs, "deaths": dict(deaths), "acknowledged": acknowledged})


def _one_server(ground: Ground, call: str, k: int) -> tuple[bool, int]:
    """Begins with no file, or with what a killed server has left; writes, makes a backup, and ends.

    - Returns: whether it died, and how many writes were acknowledged.
    """
    folder, ledger = ground.database_folder(), ground.ledger()
    database, backups = folder / "docket.db", folder / "backups"
    writers = Writers(ledger, ground.random, count=4, errors=frozenset({"closing"}))
    begin_with_a_log(ground, database, writers)
    options = [*OPTIONS, "--backup-folder", str(backups)]
    tampering = Tampering(ground.folder / "trace", call, "signal=KILL", str(k))
    try:
        with ground.serve(database, *options, under=tampering.under) as server:
            _use(server, writers, ledger, ground)
    except NotServing as error:
        demand(error.status == -signal.SIGKILL, f"death at {call} {k}: {error}")
    recover(ground, database, ledger, *options)
    for backup in backups.glob("*.db"):
        check(ground.binary, backup)
    return tampering.happened, ledger.acknowledged


def _use(server: Served, writers: Writers, ledger: Ledger, ground: Ground) -> None:
    try:
        if ledger.open_writes() or ledger.kept_with_key():
            verify(server, ledger, ground.random)
        writers.connect(server.port)
        writers.write(5, acknowledgements=150)
        with Session(server.port) as session:
            session.ask("POST", "/_backups/", {"name": f"{ground.random.getrandbits(32):x}.db"})
        writers.write(5, acknowledgements=30)
        writers.settle(5)
    except OSError:
        pass  # It died.
    if server.ended(0) is None:
        # The log is emptied where nobody writes for a second, or at the end.
        if ground.random.random() < 0.2:
            server.ended(1.2)
        server.signal(signal.SIGTERM)
    demand(server.ended(30) is not None, "it neither died nor ended")
    writers.close()


def die_in_commands(ground: Ground, count: int) -> Shown:
    """`docket compact`, `restore` and `backup`, each killed at its calls.

    - Raises: Violation, Skipped.
    """
    need_strace(ground)
    folder, ledger = ground.database_folder(), ground.ledger()
    first, backup = folder / "first.db", folder / "backup.db"
    with ground.serve(first) as server:
        writers = Writers(ledger, ground.random, count=4)
        writers.connect(server.port)
        writers.write(10, acknowledgements=400)
        writers.settle(10)
        verify(server, ledger, ground.random)
        writers.close()
        server.stop()
    made = docket(ground.binary, "backup", str(backup), "--database", str(first))
    demand(made.returncode == 0, f"a backup ended with {made.returncode}: {made.stderr}")
    deaths: Counter[str] = Counter()
    exhausted: set[tuple[str, str]] = set()
    commands = ("compact", "restore", "backup")
    for call, k in _points(ground, COMMAND_CALLS, -(-count // len(commands))):
        for command in commands:
            if (command, call) not in exhausted:
                if _one_command(ground, command, first, backup, ledger, call, k):
                    deaths[command] += 1
                else:
                    exhausted.add((command, call))
        ground.progress(f"{call} {k}, {sum(deaths.values())} deaths")
    demand(deaths, "no command died: strace does nothing")
    told = ", ".join(f"{command} {number}" for command, number in deaths.items())
    return Shown(f"{sum(deaths.values())} deaths ({told}); each left all {len(ledger.documents)} documents",
                 {"count": sum(deaths.values()), "deaths": dict(deaths), "documents": len(ledger.documents)})


def _one_command(ground: Ground, command: str, first: pathlib.Path, backup: pathlib.Path, ledger: Ledger, call: str,
                 k: int) -> bool:
    folder = ground.folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    database = folder / "docket.db"
    shutil.copy(first, database)
    arguments = {"compact": ["compact"], "restore": ["restore", str(backup), "--replace"],
                 "backup": ["backup", str(folder / "new.db")]}[command]
    tampering = Tampering(ground.folder / "trace", call, "signal=KILL", str(k))
    result = docket(ground.binary, *arguments, "--database", str(database), under=tampering.under)
    demand(result.returncode in (0, -signal.SIGKILL),
           f"docket {command} under death at {call} {k} ended with {result.returncode}: {result.stderr}")
    if not database.exists():
        # In the one moment between two renames, restore leaves the new one for the next command (docs/OPERATIONS.md).
        raise Violation(f"docket {command}, killed at {call} {k}, left {[path.name for path in folder.iterdir()]}")
    # What was cut off a server undoes; what a command left beside the database is in nobody's way.
    with ground.serve(database) as server:
        verify(server, ledger, ground.random)
        check(ground.binary, database)
        server.stop()
    again = docket(ground.binary, *arguments, "--database", str(database)) if command != "backup" else None
    demand(not again or again.returncode == 0, f"docket {command} after a death: {again and again.stderr}")
    for path in folder.glob("new.db"):
        check(ground.binary, path)
    with ground.serve(database) as server:
        verify(server, ledger, ground.random)
    return tampering.happened


FAULTS = [
    Fault("death-at-call", die_in_server, short=24, long=400, unit="deaths"),
    Fault("death-in-command", die_in_commands, short=24, long=200, unit="deaths"),
]
