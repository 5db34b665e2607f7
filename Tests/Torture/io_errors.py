"""Calls that fail: each k-th write, sync and cut of the database, its log and its shared memory meets an error of the
disk (EIO) or a full one (ENOSPC), once or from then on.

What was acknowledged must be there after a new start, what was refused must not, and what was answered
`outcome_unknown` may be. A server that is told of such an error goes on, or ends with 1 and says why; it neither hangs
nor crashes.
"""
from __future__ import annotations

import itertools
from collections import Counter

from calls import OPTIONS, Tampering, begin_with_a_log, need_strace
from ends import did_not_start, end
from ground import Ground
from promises import Fault, Shown, Violation, demand, told
from served import NotServing, Served
from verification import check, recover
from writers import NOTHING_CHANGED, Writers

CALLS = [("pwrite64", "-wal", 36), ("pwrite64", "", 24), ("pwrite64", "-shm", 3), ("fdatasync", "-wal", 30),
         ("fdatasync", "", 6), ("fsync", None, 4), ("ftruncate", "-wal", 4), ("ftruncate", "", 3),
         ("ftruncate", "-shm", 3), ("mmap", "-shm", 3), ("pread64", "", 30), ("pread64", "-wal", 20)]
"""A call, the file (what its name has behind that of the database; None: any), and the last k."""
ERRORS = {"mmap": ["ENOMEM"], "pread64": ["EIO"]}
"""Where it is not EIO and ENOSPC."""
ALLOWED = NOTHING_CHANGED | {"outcome_unknown"}


def _cases(ground: Ground, count: int) -> list[tuple[str, str | None, str, str]]:
    cases = [(call, file, error, f"{k}{on}")
             for call, file, last in CALLS
             for k, error, on in itertools.product(
                 range(1, last + 1), ERRORS.get(call, ["EIO", "ENOSPC"]), ("", "+"))]
    return ground.some(cases, count)


def fail_calls(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    need_strace(ground)
    results: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    acknowledged = 0
    for case in _cases(ground, count):
        what = "{0} of *{1} {2} at {3}".format(*case)
        try:
            result, kept = _one(ground, *case, answers)
        except Violation as violation:
            raise Violation(f"{what}: {violation}") from violation
        results[result] += 1
        acknowledged += kept
        ground.progress(f"{what}, {sum(results.values())} done")
    happened = sum(results.values()) - results["not reached"]
    demand(3 * happened > sum(results.values()), f"only {happened} errors happened: strace does nothing")
    return Shown(f"{happened} errors happened ({told(results)}); {acknowledged} acknowledged writes, 0 lost; "
                 f"answers: {told(dict(sorted(answers.items()))) or 'no error'}",
                 {"count": happened, "results": dict(results), "answers": dict(answers), "acknowledged": acknowledged})


def _one(ground: Ground, call: str, file: str | None, error: str, when: str, answers: Counter[str]) -> tuple[str, int]:
    ledger = ground.ledger()
    database = ground.database_folder().resolve() / "docket.db"
    writers = Writers(ledger, ground.random, count=4, errors=ALLOWED)
    begin_with_a_log(ground, database, Writers(ledger, ground.random, count=4, name="before"))
    path = None if file is None else database.with_name(database.name + file)
    tampering = Tampering(ground.folder / "trace", call, f"error={error}", when, path)
    try:
        with ground.serve(database, *OPTIONS, under=tampering.under) as server:
            result = _use(server, writers, ground)
    except NotServing as refusal:
        result = did_not_start(refusal)
    answers.update(writers.refusals)
    recover(ground, database, ledger, *OPTIONS)
    check(ground.binary, database)
    return result if tampering.happened else "not reached", ledger.acknowledged


def _use(server: Served, writers: Writers, ground: Ground) -> str:
    """Writes until it ends or for long enough, then has it end."""
    try:
        writers.connect(server.port)
        writers.write(1.5, acknowledgements=150)
        writers.settle()
    except OSError:
        pass
    if ground.random.random() < 0.3:
        # Where nobody writes for a second, the log is written back and emptied.
        server.ended(1.3)
    return end(server, writers)


FAULTS = [Fault("io-error", fail_calls, short=24, long=700, unit="errors")]
