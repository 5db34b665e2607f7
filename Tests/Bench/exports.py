"""`docket export` beside the `sqlite3` command, which writes the same lines with json_object."""
from __future__ import annotations

import commands
from bench_setup import Setup
from loads import Rounds, Sample, in_turn
from query_documents import DATABASE, QueryDocuments
from report import Section, at_least
from servers import Server


def _time(column: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column} / 1000.0, 'unixepoch')"


STATEMENT = f"""
SELECT json_object('path', collection || id, 'revision', revision, 'created', {_time("created_at")},
  'updated', {_time("updated_at")}, 'expires', {_time("expires_at")}, 'document', json(data))
FROM document_rows ORDER BY collection, id
"""
LINES = "exported.ndjson"


def measure(setup: Setup, section: Section, server: Server, documents: QueryDocuments) -> None:
    runs = {"docket": lambda: _export(setup, server, documents)}
    with section.leaving_out():
        program = commands.sqlite3()
        runs["sqlite3"] = lambda: _export_by_sqlite(setup, documents, program)
    rounds = in_turn(setup.fewest, runs)
    _tell(section, rounds, (setup.folder / LINES).stat().st_size / documents.count / 1e6)


def _export(setup: Setup, server: Server, documents: QueryDocuments) -> Sample:
    with server.awake():
        seconds = commands.run([setup.binary, "export", "--quiet", "--port", str(server.port)], output=setup.folder / LINES)
    setup.tell("export")
    return Sample(documents.count / seconds)


def _export_by_sqlite(setup: Setup, documents: QueryDocuments, program: str) -> Sample:
    database, lines = setup.database(DATABASE), setup.folder / "exported-by-sqlite3.ndjson"
    seconds = commands.run([program, "-readonly", str(database), STATEMENT], output=lines)
    setup.tell("export by sqlite3")
    return Sample(documents.count / seconds)


def _tell(section: Section, rounds: Rounds, megabytes: float) -> None:
    """- Parameter megabytes: for each document."""
    ratio = rounds.ratio("docket", "sqlite3") if "sqlite3" in rounds else None
    rows = [["Docket", f"{rounds.rate('docket'):,.0f}", *section.either(
        "export", ("MB a second", megabytes * rounds.rate("docket"), at_least(300), 0),
        ("÷ `sqlite3`", ratio, at_least(0.5), 2))]]
    if "sqlite3" in rounds:
        rows.append(["`sqlite3`", f"{rounds.rate('sqlite3'):,.0f}", "", "", "", ""])
    section.table(["export", "documents /s", "MB/s", "aim", "÷ `sqlite3`, documents /s", "or aim"], rows)
    section.say(
        "`docket export` of the whole database into a file; `sqlite3` writes lines of the same members, with `json_object` over "
        "`document_rows` in the order of the paths.")
