"""Death at a chosen system call: before each k-th write, sync, cut, renaming and removal, in a server and in the
commands that put another file in the place of the database."""
from __future__ import annotations

import pathlib
import shutil
import signal
from collections import Counter
from typing import NamedTuple

from calls import OPTIONS, Tampering, begin_with_a_log, need_strace
from ground import Ground
from ledger import Ledger
from promises import Fault, Shown, Violation, demand, told
from served import NotServing, Served, docket
from verification import check, recover, verify
from wire import Session
from writers import Writers

SERVER_CALLS = {"pwrite64": 200, "fdatasync": 80, "fsync": 6, "ftruncate": 8, "fallocate": 2, "unlink": 3,
                "rename": 2, "openat": 60, "mmap": 60, "fcntl": 300}
"""Each call with the last k. A kind of call is left where servers live through more of them than they make, `MISSES` times in a
row: how many there are differs a little."""
COMMAND_CALLS = {"pwrite64": 40, "fdatasync": 8, "fsync": 6, "ftruncate": 4, "rename": 4, "unlink": 6, "link": 2,
                 "linkat": 2, "renameat2": 2, "unlinkat": 4}
MISSES = 3


def _points(ground: Ground, calls: dict[str, int], count: int) -> list[tuple[str, int]]:
    """Some of all points, in an order in which the first of a kind come first."""
    points = [(call, k) for call, last in calls.items() for k in range(1, last + 1)]
    return sorted(ground.some(points, count), key=lambda point: (list(calls).index(point[0]), point[1]))


def die_in_server(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    need_strace(ground)
    deaths: Counter[str] = Counter()
    acknowledged, misses, runs = 0, Counter[str](), 0
    for call, k in _points(ground, SERVER_CALLS, count):
        if misses[call] == MISSES:
            continue
        runs += 1
        died, kept = _one_server(ground, call, k)
        acknowledged += kept
        deaths[call] += died
        misses[call] = 0 if died else misses[call] + 1
        ground.progress(f"{call} {k}, {sum(deaths.values())} deaths")
    demand(3 * sum(deaths.values()) > runs, f"of {runs} servers only {sum(deaths.values())} died: strace does nothing")
    calls = ", ".join(f"{call} {number}{'' if misses[call] == MISSES else '+'}" for call, number in deaths.items() if number)
    return Shown(f"{sum(deaths.values())} deaths ({calls}; +: there may be later calls); {acknowledged} acknowledged writes, 0 lost",
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
        writers.settle()
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
    """`docket compact`, `restore` and `backup`, each killed at its calls. What is restored is another database, so that it can be told
    which of the two is there.

    - Raises: Violation, Skipped.
    """
    need_strace(ground)
    old, new = _database(ground, "old", 400), _database(ground, "new", 250)
    backup = ground.folder / "backup.db"
    made = docket(ground.binary, "backup", str(backup), "--database", str(new.file))
    demand(made.returncode == 0, f"a backup ended with {made.returncode}: {made.stderr}")
    deaths: Counter[str] = Counter()
    left: Counter[str] = Counter()
    misses: Counter[tuple[str, str]] = Counter()
    commands = ("compact", "restore", "backup")
    for call, k in _points(ground, COMMAND_CALLS, -(-count // len(commands))):
        for command in commands:
            if misses[command, call] < MISSES:
                died, is_new = _one_command(ground, command, old, new, backup, call, k)
                deaths[command] += died
                misses[command, call] = 0 if died else misses[command, call] + 1
                if command == "restore" and died:
                    left["the new one" if is_new else "the old one"] += 1
        ground.progress(f"{call} {k}, {sum(deaths.values())} deaths")
    demand(deaths, "no command died: strace does nothing")
    return Shown(f"{sum(deaths.values())} deaths ({', '.join(f'{command} {number}' for command, number in deaths.items())}); "
                 f"restore left {told(left)}; all documents were there each time",
                 {"count": sum(deaths.values()), "deaths": dict(deaths), "left": dict(left)})


class _Database(NamedTuple):
    """A file, and what it holds."""

    file: pathlib.Path
    ledger: Ledger


def _database(ground: Ground, name: str, acknowledgements: int) -> _Database:
    ledger, file = ground.ledger(), ground.folder / f"{name}.db"
    with ground.serve(file) as server:
        writers = Writers(ledger, ground.random, count=4)
        writers.connect(server.port)
        writers.write(10, acknowledgements=acknowledgements)
        writers.settle()
        verify(server, ledger, ground.random)
        writers.close()
        server.stop()
    return _Database(file, ledger)


def _one_command(ground: Ground, command: str, old: _Database, new: _Database, backup: pathlib.Path, call: str,
                 k: int) -> tuple[bool, bool]:
    """Returns whether it died, and whether the new database was there then."""
    folder = ground.folder / "work"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    database = folder / "docket.db"
    shutil.copy(old.file, database)
    arguments = {"compact": ["compact"], "restore": ["restore", str(backup), "--replace"],
                 "backup": ["backup", str(folder / "made.db")]}[command]
    tampering = Tampering(ground.folder / "trace", call, "signal=KILL", str(k))
    result = docket(ground.binary, *arguments, "--database", str(database), under=tampering.under)
    demand(result.returncode in (0, -signal.SIGKILL),
           f"docket {command} under death at {call} {k} ended with {result.returncode}: {result.stderr}")
    if not database.exists():
        # In the one moment between two renames, restore leaves the new one for the next command (docs/OPERATIONS.md).
        raise Violation(f"docket {command}, killed at {call} {k}, left {[path.name for path in folder.iterdir()]}")
    # What was cut off a server undoes; what a command left beside the database is in nobody's way.
    is_new = _is_whole(ground, database, old, new)
    demand(command == "restore" or not is_new, f"docket {command} has put another database there")
    demand(result.returncode or is_new == (command == "restore"), f"docket {command} ended with 0 and has not done it")
    if command != "backup":
        again = docket(ground.binary, *arguments, "--database", str(database))
        demand(again.returncode == 0, f"docket {command} after a death: {again.stderr}")
    for path in folder.glob("made.db"):
        check(ground.binary, path)
    demand(_is_whole(ground, database, old, new) == (command == "restore"), f"docket {command} has not done it the second time")
    return tampering.happened, is_new


def _is_whole(ground: Ground, database: pathlib.Path, old: _Database, new: _Database) -> bool:
    """Whether it is the new one; it is all of one of them.

    - Raises: Violation.
    """
    with ground.serve(database) as server:
        with Session(server.port) as session:
            newest = session.ask("GET", "/_stats")["data"]["revision"]
        is_new = newest == new.ledger.sequence
        verify(server, (new if is_new else old).ledger, ground.random)
        check(ground.binary, database)
        server.stop()
    return is_new


FAULTS = [
    Fault("death-at-call", die_in_server, short=24, long=1_000, unit="deaths"),
    Fault("death-in-command", die_in_commands, short=24, long=300, unit="deaths"),
]
