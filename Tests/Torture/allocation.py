"""Memory that SQLite does not get: the k-th of its allocations fails, k from the first to the last, once or for a while, at the start, under
writes, and under reads of every kind. An error or a clean end, and never a wrong answer.
"""
from __future__ import annotations

import json
import mmap
import os
import pathlib
import struct
from collections import Counter

from ends import END_SECONDS, did_not_start, end
from ground import Ground
from promises import Fault, Shown, Skipped, Violation, demand, told
from served import NotServing, Served, docket
from verification import compare, recover
from wire import Session
from writers import NOTHING_CHANGED, Writers

PHASES = ("start", "writes", "reads")
ALLOWED = NOTHING_CHANGED | {"outcome_unknown"}
OPTIONS = ["--checkpoint-pages", "12", "--idempotency-bytes", "262144", "--read-cache-bytes", "65536",
           "--cache-bytes", "65536", "--document-cache-bytes", "4096"]
READS: list[tuple[str, object]] = [
    ("/_documents?limit=1000", None), ("/_changes?since=0&limit=1000", None), ("/_collections/?count=true", None),
    ("/c0/", {"where": {"n": {"$gt": 1}}, "sort": ["-n"], "count": True}), ("/c1/?asOf=40", None),
    ("/_documents", {"aggregate": {"n": "count", "total": {"sum": "n"}, "most": {"max": "n"}}}),
    ("/c0/0?history=true", None), ("/c0/b0?asOf=40", None), ("/c1/b1", None)]


class Plan:
    """What is to fail; the layout is that of `struct plan` in failing_malloc.c."""

    def __init__(self, file: pathlib.Path) -> None:
        file.write_bytes(bytes(40))
        with open(file, "r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 40)
        self.environment = {"DOCKET_TORTURE_MALLOC": str(file)}

    def arm(self, at: int, onwards: bool) -> None:
        self._memory[:] = struct.pack("5q", 1, at, onwards, 0, 0)

    def disarm(self) -> None:
        self._memory[:8] = bytes(8)

    @property
    def count(self) -> int:
        return struct.unpack("5q", self._memory[:])[3]

    @property
    def failed(self) -> int:
        return struct.unpack("5q", self._memory[:])[4]


class _Trial:
    """One server, one allocation."""

    def __init__(self, ground: Ground, library: pathlib.Path) -> None:
        self.ground, self.ledger = ground, ground.ledger()
        self.plan = Plan(ground.folder / "plan")
        self.database = ground.database_folder() / "docket.db"
        self.writers = Writers(self.ledger, ground.random, count=3, errors=ALLOWED)
        self._environment = {"LD_PRELOAD": str(library), **self.plan.environment}

    def run(self, phase: str, at: int, onwards: bool) -> str:
        """Returns how it ended."""
        try:
            if phase == "start":
                self.plan.arm(at, onwards)
            with self.ground.serve(self.database, *OPTIONS, environment=self._environment) as server:
                if phase == "start":
                    self.plan.disarm()
                result = self._use(server, phase, at, onwards)
        except NotServing as refusal:
            result = did_not_start(refusal)
        self.plan.disarm()
        recover(self.ground, self.database, self.ledger, *OPTIONS)
        return result

    def _use(self, server: Served, phase: str, at: int, onwards: bool) -> str:
        self.writers.connect(server.port)
        if phase == "writes":
            self.plan.arm(at, onwards)
            self.writers.write(1, acknowledgements=80, until=lambda: onwards and self.plan.failed > 40)
            self.writers.settle()
            self.plan.disarm()
        self.writers.write(5, acknowledgements=80)
        self.writers.settle()
        if phase == "reads" and server.ended(0) is None:
            self._read(server, at, onwards)
        if not self.writers.refusals["outcome_unknown"] and server.ended(0) is None:
            demand(self.writers.connected == 3, "it runs, and has cut off its clients")
            compare(server, self.ledger)
        return end(server, self.writers)

    def _read(self, server: Served, at: int, onwards: bool) -> None:
        """Asks all reads without and with the failure, and compares."""
        with Session(server.port) as session:
            right = [session.ask("GET", path, data) for path, data in READS]
            self.plan.arm(at, onwards)
            try:
                answers = [session.ask("GET", path, data) for path, data in READS]
            except ConnectionError as error:
                status = server.ended(END_SECONDS)
                raise Violation(f"a read ended its connection: {error}; server {status}: {server.said()}") from error
            self.plan.disarm()
        for (path, _), expected, answer in zip(READS, right, answers):
            if answer != expected and answer["code"] < 500:
                texts = [json.dumps(each) for each in (expected, answer)]
                start = max(len(os.path.commonprefix(texts)) - 150, 0)
                raise Violation(f"GET {path} was answered …{texts[0][start:start + 300]}…, "
                                f"and without memory …{texts[1][start:start + 300]}…")


def fail_allocations(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    linked = docket(ground.binary, under=[ground.need("ldd", "libc-bin")]).stdout
    if "libsqlite3.so" not in linked:
        raise Skipped("SQLite is not linked dynamically")
    library = ground.compiled("failing_malloc.c")
    lasts = _counts(ground, library)
    results: Counter[str] = Counter()
    fired, acknowledged, answers = 0, 0, Counter[str]()
    for number in range(count):
        phase = PHASES[number % len(PHASES)]
        at = _spread(number // len(PHASES), -(-count // len(PHASES)), lasts[phase], ground)
        onwards = ground.random.random() < 0.4
        trial = _Trial(ground, library)
        try:
            results[trial.run(phase, at, onwards)] += 1
        except Violation as violation:
            raise Violation(f"allocation {at}{'+' if onwards else ''} of the {phase}: {violation}") from violation
        fired += trial.plan.failed > 0
        acknowledged += trial.ledger.acknowledged
        answers.update(trial.writers.refusals)
        ground.progress(f"{number} done")
    demand(fired > count / 3, f"of {count} allocations only {fired} failed: the counts are wrong")
    return Shown(f"in {fired} of {count} runs allocations failed ({told(results)}), of {told(lasts)}; "
                 f"{acknowledged} acknowledged writes, 0 lost; "
                 f"answers: {told(dict(sorted(answers.items()))) or 'no error'}",
                 {"count": fired, "runs": count, "results": dict(results), "answers": dict(answers),
                  "acknowledged": acknowledged, "allocations": lasts})


def _spread(number: int, count: int, last: int, ground: Ground) -> int:
    """One of each of `count` parts of equal length between the first and the last; every one where there are no more."""
    first, behind = number * last // count, (number + 1) * last // count
    return ground.random.randint(first + 1, max(behind, first + 1))


def _counts(ground: Ground, library: pathlib.Path) -> dict[str, int]:
    """How many allocations there are in each phase where none fails."""
    counts = {}
    for phase in PHASES:
        trial = _Trial(ground, library)
        trial.run(phase, 0, False)
        counts[phase] = trial.plan.count
        demand(trial.plan.count > 0, f"no allocation of SQLite was seen: {phase}")
    return counts


FAULTS = [Fault("allocation", fail_allocations, short=30, long=1_000, unit="runs")]
