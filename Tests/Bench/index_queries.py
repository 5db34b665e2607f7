"""Queries by an index, beside SQLite alone: a loop in C over the same statement, on the same file."""
from __future__ import annotations

import commands
from bench_setup import Setup
from loads import Load, Rounds, Sample, in_turn
from query_documents import COLLECTION, DATABASE, FIELD, IN_GROUP, SIZE, QueryDocuments
from report import Section, at_least
from servers import Server

FEW_GROUPS = 100
"""Values whose documents fit into SQLite's cache."""


def measure(setup: Setup, section: Section, server: Server, documents: QueryDocuments) -> None:
    all_groups, few_groups = documents.groups, min(FEW_GROUPS, documents.groups)
    loop, rows = None, []
    with section.leaving_out():
        loop = setup.compiled("raw_query.c", "-lsqlite3")
    for groups in (all_groups, few_groups):
        rounds = _query(setup, server, loop, groups)
        what = f"{IN_GROUP} documents of one in {groups:,} values"
        ratio = rounds.ratio("docket", "loop") if "loop" in rounds else None
        if groups == all_groups:
            cells = section.figure(f"{what}, by an index, ÷ loop in C", ratio, at_least(0.5))
        else:
            cells = "-" if ratio is None else f"{ratio:.2f}", ""
        rows.append([what, f"{rounds.rate('docket'):,.0f}", "-" if ratio is None else f"{rounds.rate('loop'):,.0f}", *cells,
                     f"{rounds.p99('docket'):.2f} ms"])
    section.table(["query by an index", "Docket /s", "loop in C /s", "ratio", "aim", "p99, Docket"], rows)
    section.say(
        f"`docket bench --workload query`: `GET {COLLECTION}?where[{FIELD}]=N&limit={IN_GROUP}`. The documents with one value are far "
        f"apart in the file, so that most of the work is to read pages that SQLite's cache has not; those with the first {few_groups:,} "
        "values are in the cache, and what Docket adds shows. `Tests/Bench/raw_query.c` steps through the same statement on the same "
        "file and copies the rows' text, in one thread, without sockets or JSON, and has a core for itself.")


def _query(setup: Setup, server: Server, loop: str | None, groups: int) -> Rounds:
    """- Parameter groups: how many of the values are asked for."""
    load = Load("query", groups * IN_GROUP, size=SIZE)

    def ask() -> Sample:
        server.filled = (load.keys, load.size)
        return setup.generator.run(server, load)

    runs = {"docket": ask}
    if loop:
        runs["loop"] = lambda: _run(setup, loop, groups)
    rounds = in_turn(setup.few, runs)
    setup.tell(f"queries of {groups} values")
    return rounds


def _run(setup: Setup, loop: str, groups: int) -> Sample:
    found = setup.folder / "raw-query.txt"
    commands.run([loop, "--database", str(setup.database(DATABASE)), "--groups", str(groups), "--limit", str(IN_GROUP),
                  "--seconds", str(setup.seconds)], output=found)
    return Sample(float(found.read_text()))
