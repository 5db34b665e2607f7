"""Docket beside SQLite alone: a loop in C that writes the same rows."""
from __future__ import annotations

import pathlib
import sqlite3
import subprocess
import sys

from bench_setup import Setup
from loads import Load, Sample, in_turn
from report import Section, at_least

MIGRATIONS = sorted(str(path) for path in (pathlib.Path(__file__).parents[2] / "Migrations").glob("*.sql"))
GROUPS = [256, 1_024]
PIPELINE = 16


def measure(setup: Setup) -> Section:
    """- Raises: LeftOut where C does not compile."""
    section = Section("Against raw SQLite")
    loop = setup.compiled("raw_sqlite.c", "-lsqlite3")
    load = Load("put", setup.documents[0], pipeline=PIPELINE)
    with setup.docket("beside-sqlite") as server:
        setup.generator.fill(server, load.keys)
        setup.generator.run(server, load)
        formed = _group(setup.folder / "beside-sqlite.db")
        runs = {"docket": lambda: setup.generator.run(server, load)}
        for group in sorted({*GROUPS, formed}):
            runs[str(group)] = lambda group=group: _run(setup, loop, group, load)
        rounds = in_turn(setup.few, runs)
    rows = []
    for group in sorted({*GROUPS, formed}):
        ratio = rounds.ratio("docket", str(group))
        cells = (f"{ratio:.2f}", "") if group != formed else section.figure(
            "durable PUT, 16 at once ÷ raw SQLite in groups of the same size", ratio, at_least(0.85))
        rows.append([f"{group:,}{' (as Docket forms them)' if group == formed else ''}",
                     f"{rounds.rate(str(group)):,.0f}", f"{rounds.rate('docket'):,.0f}", *cells])
    section.table(["writes in a transaction", "raw SQLite /s", "Docket, durable PUT, 16 at once /s", "ratio", "aim"], rows)
    section.say(
        "`Tests/Bench/raw_sqlite.c` makes the same upserts and rows of history in one thread, without sockets, JSON or pruning of "
        "history, and has a core for itself. The size of Docket's groups is the mean of the newest in its history, where what was "
        "committed together has the same time.")
    setup.tell("raw SQLite")
    return section


def _group(database: pathlib.Path) -> int:
    """How many writes Docket has committed together of late. Groups that follow within a millisecond are taken for one."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        writes, groups = connection.execute(
            "SELECT count(*), count(DISTINCT at) FROM (SELECT at FROM changes ORDER BY sequence DESC LIMIT 30000)").fetchone()
    finally:
        connection.close()
    return max(round(writes / groups), 1)


def _run(setup: Setup, loop: str, group: int, load: Load) -> Sample:
    database = setup.folder / "raw.db"
    run = subprocess.run(
        [loop, "--group", str(group), "--keys", str(load.keys), "--bytes", str(load.size), "--seconds", str(setup.seconds),
         "--database", str(database), *MIGRATIONS], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"bench: raw_sqlite failed: {run.stderr}")
    setup.forget("raw")
    return Sample(float(run.stdout.split()[-1]))
