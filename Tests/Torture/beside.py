"""Other processes in the same file: `sqlite3` that writes and checkpoints under full load, or holds a lock."""
from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import time

from ground import Ground
from ledger import Ledger, Write, body
from promises import Fault, Shown, Violation, demand
from served import KEEPING_HISTORY
from readers import Readers, fill
from verification import check, compare
from wire import Session, frame
from writers import Writers

ROUND_SECONDS = 3
BUSY_SECONDS = 1
READ_SECONDS = 8


class Shell:
    """The sqlite3 command, which works while the caller does something else."""

    def __init__(self, database: pathlib.Path) -> None:
        self.process = subprocess.Popen(["sqlite3", str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        assert self.process.stdin and self.process.stdout
        self._input, self._output = self.process.stdin, self.process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._received = b""
        self.send(".timeout 20000")

    def send(self, statements: str) -> None:
        self._input.write(statements.encode() + b"\n")
        self._input.flush()

    def line(self) -> str | None:
        """The next line, if there is one."""
        self._received += self._output.read() or b""
        if b"\n" not in self._received:
            return None
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def wait_for(self, wanted: str) -> None:
        """- Raises: Violation where it says something else."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if (line := self.line()) is None:
                time.sleep(0.002)
            else:
                demand(line == wanted, f"sqlite3 said {line}")
                return
        raise Violation(f"sqlite3 did not say {wanted} within 30 s")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._input.close()
        self._output.close()


class ForeignWriter:
    """Writes through the view `documents`, a statement at a time, and checkpoints now and then in each way."""

    def __init__(self, shell: Shell, ledger: Ledger, seed: random.Random) -> None:
        self._shell, self._ledger, self._random = shell, ledger, seed
        self._write: Write | None = None
        self.is_idle = True
        self.checkpoints = self.writes = 0

    def step(self) -> None:
        """Goes on if sqlite3 has done what it was told."""
        if self.is_idle:
            self._begin()
        elif (line := self._shell.line()) is not None:
            self._take(line)

    def finish(self) -> None:
        end = time.monotonic() + 30
        while not self.is_idle:
            self.step()
            demand(time.monotonic() < end, "sqlite3 did not answer within 30 s")

    def _begin(self) -> None:
        self.is_idle = False
        if self._random.random() < 0.1:
            mode = self._random.choice(["PASSIVE", "FULL", "RESTART", "TRUNCATE"])
            self._write = None
            self.checkpoints += 1
            return self._shell.send(f"PRAGMA wal_checkpoint({mode});")
        name = self._random.randrange(8)
        where = f"collection = '/foreign/' AND id = '{name}'"
        is_there = f"/foreign/{name}" in self._ledger.documents
        self._write = self._ledger.send("foreign", f"/foreign/{name}")
        document = json.dumps(body(self._write.number))
        change = (
            f"UPDATE documents SET data = '{document}' WHERE {where};" if is_there and self._random.random() < 0.5 else
            f"INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/foreign/', '{name}', '{document}');")
        self._shell.send(f"{change} SELECT data ->> 'n', revision FROM documents WHERE {where};")

    def _take(self, line: str) -> None:
        self.is_idle = True
        parts = line.split("|")
        if self._write is None:
            # Busy, pages in the log, pages written back: it may have been in vain.
            return demand(len(parts) == 3, f"a checkpoint of sqlite3 said {line}")
        demand(len(parts) == 2 and parts[0] == str(self._write.number), f"a write of sqlite3 was answered {line}")
        self._ledger.acknowledge(self._write, int(parts[1]))
        self.writes += 1


def write_beside(ground: Ground, count: int) -> Shown:
    """For so many seconds of full load; what is compared between takes its own time.

    - Raises: Violation, Skipped.
    """
    ground.need("sqlite3", "sqlite3")
    ledger, database = ground.ledger(), ground.database_folder() / "docket.db"
    writers = Writers(ledger, ground.random, count=16, errors=frozenset({"busy", "batch_failed"}))
    spent, told = 0.0, list[int]()
    with ground.serve(database, "--checkpoint-pages", "200", *KEEPING_HISTORY) as server, Session(server.port) as watch:
        watch.send(frame("GET", "/_changes?watch=true", identifier="w"))
        demand(watch.receive()["data"]["change"] == "live", "a watch begins")
        shell = Shell(database)
        foreign = ForeignWriter(shell, ledger, ground.random)
        try:
            while spent < count:
                writers.connect(server.port)
                begin = time.monotonic()
                writers.write(min(ROUND_SECONDS, count - spent + 0.1), until=foreign.step)
                spent += time.monotonic() - begin
                foreign.finish()
                writers.settle()
                writers.close()
                before = ledger.sequence
                compare(server, ledger)
                check(ground.binary, database)
                told += [watch.receive()["data"]["sequence"] for _ in range(before, ledger.sequence)]
                demand(told == list(range(1, ledger.sequence + 1)), f"a watch was told otherwise: {told[before:][:50]}")
                ground.progress(f"{ledger.sequence} changes, {foreign.writes} of sqlite3")
        finally:
            shell.kill()
        demand(server.stop() == 0, f"it ended badly: {server.said()}")
    check(ground.binary, database)
    return Shown(f"{spent:.0f} s of load: {ledger.acknowledged} acknowledged writes, {foreign.writes} of them and {foreign.checkpoints} "
                 f"checkpoints by sqlite3, 0 lost; a watch was told all {ledger.sequence} changes in order; "
                 f"{writers.refusals['busy']} got 503 busy",
                 {"acknowledged": ledger.acknowledged, "foreign": foreign.writes, "checkpoints": foreign.checkpoints,
                  "busy": writers.refusals["busy"]})


def hold_locks(ground: Ground, count: int) -> Shown:
    """The write lock is held for less and for longer than writes wait, by a process that is killed within a
    transaction, and a reading transaction is held open.

    - Raises: Violation, Skipped.
    """
    ground.need("sqlite3", "sqlite3")
    ledger, database = ground.ledger(), ground.database_folder() / "docket.db"
    writers = Writers(ledger, ground.random, count=4, errors=frozenset({"busy", "batch_failed"}))
    with ground.serve(database, "--busy-timeout", str(BUSY_SECONDS), "--checkpoint-pages", "30",
                      "--query-timeout", "60",
                      *KEEPING_HISTORY) as server:
        fill(server.port, ledger)
        writers.connect(server.port)
        writers.write(0.2)
        for cycle in range(count):
            with Readers(server.port) as readers:
                _hold(writers, readers, database, ["IMMEDIATE", "EXCLUSIVE", "killed", "reading", "short"][cycle % 5])
            compare(server, ledger)
            check(ground.binary, database)
            ground.progress(f"cycle {cycle}")
        writers.settle()
        demand(server.stop() == 0, f"it ended badly: {server.said()}")
    return Shown(f"{writers.refusals['busy']} writes got 503 busy and left nothing, reads went on, writes went on when "
                 f"the lock was free; {ledger.acknowledged} acknowledged writes, 0 lost",
                 {"busy": writers.refusals["busy"], "acknowledged": ledger.acknowledged})


def _hold(writers: Writers, readers: Readers, database: pathlib.Path, way: str) -> None:
    shell = Shell(database)
    writers.write(0.3)
    busy, kept = writers.refusals["busy"], writers.ledger.acknowledged
    try:
        if way == "reading":
            shell.send("BEGIN; SELECT 'held' FROM documents LIMIT 1;")
        else:
            shell.send(f"BEGIN {way if way == 'EXCLUSIVE' else 'IMMEDIATE'}; SELECT 'held';")
        shell.wait_for("held")
        if way == "killed":
            shell.send("INSERT OR REPLACE INTO documents(collection, id, data) VALUES ('/held/', '1', '1');"
                       "SELECT 'written';")
            shell.wait_for("written")
        has_waited = way in ("IMMEDIATE", "EXCLUSIVE", "killed")
        if has_waited:
            held = time.monotonic()
            writers.write(READ_SECONDS, until=lambda: readers.has_answer_since(held))
            demand(readers.has_answer_since(held), f"{way}: beside writes that wait no read has had an answer for {READ_SECONDS} s")
        writers.write({"short": BUSY_SECONDS / 3, "reading": 0.5}.get(way, BUSY_SECONDS * 1.7))
        got = writers.refusals["busy"] - busy
        demand((got > 0) == has_waited, f"{way}: {got} writes got busy")
        demand(way != "reading" or writers.ledger.acknowledged > kept, "a reading transaction holds up writes")
        if way != "killed":
            shell.send("COMMIT; SELECT 'free';")
            shell.wait_for("free")
    finally:
        shell.kill()
    # What waited is done now; what comes is taken.
    writers.settle()
    busy, kept = writers.refusals["busy"], writers.ledger.acknowledged
    writers.write(0.3)
    writers.settle()
    demand(writers.refusals["busy"] == busy and writers.ledger.acknowledged > kept, f"{way}: the lock is free")


FAULTS = [
    Fault("beside", write_beside, short=10, long=600, unit="seconds"),
    Fault("locks", hold_locks, short=5, long=50),
]
