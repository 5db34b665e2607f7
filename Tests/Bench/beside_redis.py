"""Docket beside Redis, both with an fsync on every write."""
from __future__ import annotations

import contextlib
import dataclasses

from bench_setup import Setup
from loads import Load, Rounds, in_turn
from report import Aim, Section, at_least, at_most
from servers import LeftOut, Server


@dataclasses.dataclass(frozen=True)
class Case:
    what: str
    aim: Aim
    load: Load


def cases(keys: int) -> list[Case]:
    few = min(keys, 1_000)
    return [
        Case("durable PUT", at_least(0.85), Load("put", keys)),
        Case("durable PUT, 16 at once", at_least(0.45), Load("put", keys, pipeline=16)),
        Case("GET", at_least(0.95), Load("get", keys)),
        Case("GET, 16 at once", at_least(0.65), Load("get", keys, pipeline=16)),
        Case("nine GETs to a PUT, 10 at once", at_least(0.65), Load("mixed", keys, pipeline=10)),
        Case("durable PUT, 60,000 bytes", at_least(0.70), Load("put", few, size=60_000)),
        Case("GET, 60,000 bytes", at_least(0.80), Load("get", few, size=60_000)),
    ]


HEADS = ["work", "Docket /s", "Redis /s", "ratio", "aim", "p99, Docket", "p99, Redis"]


def row(section: Section, what: str, aim: Aim, rounds: Rounds, ours: str = "docket", theirs: str = "redis") -> list[str]:
    """A row under HEADS; what is Redis's stays empty where it was not there."""
    measured = theirs in rounds
    ratio, bound = section.figure(what, rounds.ratio(ours, theirs) if measured else None, aim)
    return [what, f"{rounds.rate(ours):,.0f}", f"{rounds.rate(theirs):,.0f}" if measured else "-", ratio, bound,
            f"{rounds.p99(ours):.2f} ms", f"{rounds.p99(theirs):.2f} ms" if measured else "-"]


def measure(setup: Setup) -> tuple[Section, float]:
    """The section, and the most memory that Docket had, in MiB."""
    section = Section("Beside Redis")
    rows, late = [], ["-", "-"]
    ratio = None
    with setup.docket("beside-redis") as ours:
        for number, case in enumerate(cases(setup.documents[0])):
            rounds = _measure(setup, ours, case.load, f"redis-{number}")
            rows.append(row(section, case.what, case.aim, rounds))
            if case.what == "GET":
                late = rows[-1][-2:]
                ratio = rounds.ratio("docket", "redis", lambda sample: sample.p99_milliseconds) if "redis" in rounds else None
            setup.tell(case.what)
        peak = ours.peak_mebibytes
    section.table(HEADS, rows)
    what = "p99 of GET, 64 connections"
    section.table(["latency", "Docket", "Redis", "ratio", "aim"], [[what, *late, *section.figure(what, ratio, at_most(1.25))]])
    section.say(f"{setup.documents[0]:,} documents, and {min(setup.documents[0], 1_000):,} of 60,000 bytes.")
    return section, peak


def _measure(setup: Setup, ours: Server, load: Load, folder: str) -> Rounds:
    """In turn, with a Redis of its own, whose log would otherwise become very long."""
    with contextlib.ExitStack() as stack:
        runs = {"docket": lambda: setup.generator.run(ours, load)}
        with contextlib.suppress(LeftOut):
            theirs = stack.enter_context(setup.redis(folder))
            runs["redis"] = lambda: setup.generator.run(theirs, load)
        rounds = in_turn(setup.rounds, runs)
    setup.forget(folder)
    return rounds
