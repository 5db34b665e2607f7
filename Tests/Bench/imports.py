"""`docket import` beside `.import` of the `sqlite3` command, each into a new file."""
from __future__ import annotations

import pathlib

import commands
from bench_setup import Setup
from loads import Rounds, Sample, in_turn
from query_documents import COLLECTION, DATABASE, QueryDocuments
from report import Section, at_least

MIGRATIONS = sorted((pathlib.Path(__file__).parents[2] / "Migrations").glob("*.sql"))

DOOR = f"""
CREATE VIEW incoming AS SELECT NULL AS number, NULL AS id, NULL AS data;
CREATE TRIGGER incoming_insert INSTEAD OF INSERT ON incoming BEGIN
  INSERT INTO changes(sequence, collection, id, kind, at, batch)
    VALUES (new.number, '{COLLECTION}', new.id, 'created', 1700000000000, (new.number - 1) / 1000 * 1000 + 1);
  INSERT INTO document_rows(collection, id, revision, created_at, updated_at, data)
    VALUES ('{COLLECTION}', new.id, new.number, 1700000000000, 1700000000000, new.data);
END;
"""
"""What is imported here becomes the rows that Docket writes for a new document. (`.import` itself has no NULL.)"""


def measure(setup: Setup, section: Section, documents: QueryDocuments) -> None:
    """Leaves the documents in DATABASE."""
    runs = {
        "PUT": lambda: _import(setup, documents, DATABASE, "--id-field", "id"),
        "POST": lambda: _import(setup, documents, "imported"),
    }
    with section.leaving_out():
        program = commands.sqlite3()
        runs["sqlite3"] = lambda: _import_by_sqlite(setup, documents, program)
    rounds = in_turn(setup.fewest, runs)
    setup.forget("imported")
    _tell(section, rounds)


def _import(setup: Setup, documents: QueryDocuments, name: str, *options: str) -> Sample:
    setup.forget(name)
    with setup.docket(name) as server, server.awake():
        seconds = commands.run([setup.binary, "import", str(documents.lines), "--collection", COLLECTION, "--quiet",
                                "--port", str(server.port), *options])
    setup.tell(f"import {name}")
    return Sample(documents.count / seconds)


def _import_by_sqlite(setup: Setup, documents: QueryDocuments, program: str) -> Sample:
    database = setup.database("imported-by-sqlite3")
    commands.run([program, str(database)], "".join(path.read_text() for path in MIGRATIONS) + DOOR)
    script = f"PRAGMA temp_store = MEMORY;\n.mode tabs\n.import '{documents.rows}' incoming\n"
    seconds = commands.run([program, "-bail", str(database)], script)
    setup.forget(database.stem)
    setup.tell("import by sqlite3")
    return Sample(documents.count / seconds)


def _tell(section: Section, rounds: Rounds) -> None:
    rows = []
    for what, subject in (("with ids, by PUT", "PUT"), ("without ids, by POST", "POST")):
        ratio = rounds.ratio(subject, "sqlite3") if "sqlite3" in rounds else None
        rows.append([what, *section.either(
            f"import {what}", ("documents a second", rounds.rate(subject), at_least(100_000), 0),
            ("÷ `sqlite3`", ratio, at_least(0.5), 2))])
    if "sqlite3" in rounds:
        rows.append(["`.import` of `sqlite3`", f"{rounds.rate('sqlite3'):,.0f}", "", "", ""])
    section.table(["import of NDJSON", "documents /s", "aim", "÷ `sqlite3`", "or aim"], rows)
    section.say(
        "`docket import` into a new file, the whole command, with every batch synced; met is the aim by one of the two figures. The "
        "`sqlite3` command, as it is by default but for `temp_store = MEMORY`, imports the same documents with tabs between number, id "
        "and document in one transaction, through a view with a trigger that inserts a row each into `document_rows` and `changes`: "
        "the same rows, but nothing is checked.")
