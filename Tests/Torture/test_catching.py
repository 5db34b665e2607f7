"""What the harness is there to catch, planted: each test breaks one promise, and the harness must say so."""
from __future__ import annotations

import argparse
import contextlib
import io
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import unittest
from typing import Any

import clock
import torture
from ground import Ground
from ledger import Ledger, Write, body
from pages import changes, documents
from promises import Fault, Shown, Skipped, Violation
from served import Served
from verification import check, verify
from wire import Session
from writers import Writers

BINARY = os.environ.get("DOCKET_BINARY", os.path.join(os.path.dirname(__file__), "../../.build/release/docket"))


def change(
        sequence: int, write: Write, path: str | None = None, kind: str = "created", **members: Any) -> dict[str, Any]:
    document = None if kind == "deleted" else body(write.number)
    return {"sequence": sequence, "change": kind, "path": path or write.paths[0], "document": document, **members}


def document(revision: int, write: Write) -> tuple[int, int, object]:
    return write.number, revision, body(write.number)


class LedgerTests(unittest.TestCase):
    """A database that is made up."""

    def setUp(self) -> None:
        self.ledger = Ledger()
        self.first = self.ledger.send("c", "/c/1")
        self.ledger.acknowledge(self.first, 1)

    def settle(self, changes: list[dict[str, Any]], documents: dict[str, tuple[int, int, object]]) -> None:
        self.ledger.settle(changes, documents)

    def caught(self, words: str, changes: list[dict[str, Any]], documents: dict[str, tuple[int, int, object]]) -> None:
        with self.assertRaisesRegex(Violation, words):
            self.settle(changes, documents)

    def test_what_is_right_passes(self) -> None:
        batch = self.ledger.send("c", "/c/2", "/c/3")
        deletion = self.ledger.send("c", "/c/1", deletes=True)
        nothing = self.ledger.send("c", "/c/9", deletes=True)
        self.settle([change(1, self.first), change(2, batch, "/c/2", batch=2), change(3, batch, "/c/3", batch=2),
                     change(4, deletion, kind="deleted")],
                    {"/c/2": document(2, batch), "/c/3": document(3, batch)})
        self.assertEqual([write.outcome.value for write in (batch, deletion, nothing)], ["kept", "kept", "refused"])

    def test_an_acknowledged_write_that_is_not_there(self) -> None:
        self.caught("lost: the kept write 1", [], {})

    def test_an_acknowledged_write_with_its_change_alone(self) -> None:
        self.caught("lost: /c/1", [change(1, self.first)], {})

    def test_an_acknowledged_deletion_that_is_undone(self) -> None:
        self.settle([change(1, self.first)], {"/c/1": document(1, self.first)})
        self.ledger.acknowledge(self.ledger.send("c", "/c/1", deletes=True))
        self.caught("lost: the kept write 2", [], {"/c/1": document(1, self.first)})

    def test_an_older_document_than_was_acknowledged(self) -> None:
        second = self.ledger.send("c", "/c/1")
        self.ledger.acknowledge(second, 2)
        self.caught("/c/1 is 1 of revision 1", [change(1, self.first), change(2, second, kind="updated")],
                    {"/c/1": document(1, self.first)})

    def test_a_write_that_was_never_sent(self) -> None:
        stranger = Write("c", 77, ("/c/2",))
        self.caught("never sent", [change(1, self.first), change(2, stranger)],
                    {"/c/1": document(1, self.first), "/c/2": document(2, stranger)})

    def test_a_document_without_a_change(self) -> None:
        self.caught("without a change", [change(1, self.first)],
                    {"/c/1": document(1, self.first), "/c/2": document(1, self.first)})

    def test_a_write_at_another_path(self) -> None:
        self.caught("which was sent for", [change(1, self.first, "/c/8")], {"/c/8": document(1, self.first)})

    def test_a_document_that_was_altered(self) -> None:
        self.caught("another document", [change(1, self.first) | {"document": {"n": 1}}], {})
        self.setUp()
        self.caught("another document", [change(1, self.first)], {"/c/1": (1, 1, {"n": 1})})

    def test_a_batch_in_part(self) -> None:
        batch = self.ledger.send("c", "/c/2", "/c/3")
        self.caught("torn", [change(1, self.first), change(2, batch, "/c/2", batch=2)],
                    {"/c/1": document(1, self.first), "/c/2": document(2, batch)})

    def test_a_batch_that_is_not_marked(self) -> None:
        batch = self.ledger.send("c", "/c/2", "/c/3")
        self.caught("marked", [change(1, self.first), change(2, batch, "/c/2"), change(3, batch, "/c/3")],
                    {"/c/1": document(1, self.first), "/c/2": document(2, batch), "/c/3": document(3, batch)})

    def test_a_write_that_was_made_twice(self) -> None:
        self.caught("twice", [change(1, self.first), change(2, self.first, kind="updated")], {})

    def test_a_write_that_was_refused(self) -> None:
        refused = self.ledger.send("c", "/c/2")
        self.ledger.refuse(refused, "disk_full")
        self.caught("refused", [change(1, self.first), change(2, refused)], {})

    def test_a_write_that_comes_late(self) -> None:
        late = self.ledger.send("c", "/c/2")
        self.settle([change(1, self.first)], {"/c/1": document(1, self.first)})
        self.caught("never sent, or was settled", [change(2, late)], {})

    def test_another_revision_than_was_told(self) -> None:
        other = self.ledger.send("d", "/d/1")
        self.caught("was told revisions", [change(1, other), change(2, self.first)],
                    {"/d/1": document(1, other), "/c/1": document(2, self.first)})

    def test_writes_of_a_client_out_of_order(self) -> None:
        second, third = self.ledger.send("c", "/c/2"), self.ledger.send("c", "/c/3")
        self.caught("out of order", [change(1, self.first), change(2, third), change(3, second)],
                    {"/c/1": document(1, self.first), "/c/3": document(2, third), "/c/2": document(3, second)})

    def test_a_write_without_one_that_was_sent_before_it(self) -> None:
        self.ledger.send("c", "/c/2")
        third = self.ledger.send("c", "/c/3")
        self.caught("out of order", [change(1, self.first), change(2, third)],
                    {"/c/1": document(1, self.first), "/c/3": document(2, third)})

    def test_a_number_of_a_change_that_is_missing(self) -> None:
        second = self.ledger.send("c", "/c/2")
        self.caught("has the sequence 3", [change(1, self.first), change(3, second)], {})

    def test_a_read_of_what_was_before(self) -> None:
        second = self.ledger.send("c", "/c/1")
        self.ledger.acknowledge(second, 2)
        self.ledger.check_read("/c/1", 2, second.number)
        for number in (1, 9, None):
            with self.assertRaisesRegex(Violation, "a read of /c/1"):
                self.ledger.check_read("/c/1", 2, number)

    def test_a_read_of_what_may_be_there(self) -> None:
        second = self.ledger.send("c", "/c/1")
        self.ledger.leave_open(second)
        for number in (1, second.number):
            self.ledger.check_read("/c/1", 2, number)
        with self.assertRaises(Violation):
            self.ledger.check_read("/c/1", 2, None)


@unittest.skipUnless(os.access(BINARY, os.X_OK), f"there is no {BINARY}: name one in DOCKET_BINARY")
class ServerTests(unittest.TestCase):
    """A server that has kept its promises, and a database that is broken behind it."""

    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="docket-torture-")
        self.addCleanup(self.folder.cleanup)
        self.database = pathlib.Path(self.folder.name) / "docket.db"
        self.log = pathlib.Path(self.folder.name) / "log"
        self.ledger, self.random = Ledger(), random.Random(1)
        with self.serve() as server:
            writers = Writers(self.ledger, self.random, count=2)
            writers.connect(server.port)
            writers.write(10, acknowledgements=100)
            writers.settle()
            writers.close()
            verify(server, self.ledger, self.random)
            check(BINARY, self.database)
            writers.connect(server.port)
            writers.write(10, acknowledgements=100)
            server.kill()
            writers.close()

    def serve(self) -> Served:
        return Served(BINARY, self.database, self.log)

    def sqlite(self, statements: str) -> None:
        subprocess.run(["sqlite3", str(self.database), statements], check=True, capture_output=True)

    def caught(self, words: str) -> None:
        with self.serve() as server, self.assertRaisesRegex(Violation, words):
            verify(server, self.ledger, self.random)
            check(BINARY, self.database)

    def test_nothing(self) -> None:
        with self.serve() as server:
            verify(server, self.ledger, self.random)
            check(BINARY, self.database)

    def test_an_acknowledgement_of_what_was_never_sent(self) -> None:
        self.ledger.acknowledge(self.ledger.send("forger", "/forger/1"))
        self.caught("lost: the kept write")

    def test_a_document_that_was_removed(self) -> None:
        self.sqlite("DELETE FROM documents WHERE (collection, id) = (SELECT collection, id FROM documents LIMIT 1)")
        self.caught("nobody has asked for")

    def test_a_row_that_was_removed(self) -> None:
        self.sqlite("DELETE FROM document_rows WHERE key = (SELECT max(key) FROM document_rows)")
        self.caught(".")

    def test_the_last_commit_that_was_removed(self) -> None:
        """As if the newest write had not been synced."""
        self.sqlite("DELETE FROM changes WHERE sequence = (SELECT max(sequence) FROM changes)")
        self.caught(".")

    def test_a_key_that_was_forgotten(self) -> None:
        self.sqlite("DELETE FROM " + self._table_of_kept_answers())
        self.assertTrue(self.ledger.kept_with_key())
        self.caught("sent again under its key")

    def _table_of_kept_answers(self) -> str:
        found = subprocess.run(
            ["sqlite3", str(self.database),
             "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%answer%'"],
            check=True, capture_output=True, text=True)
        return found.stdout.split()[0]

    def test_a_page_that_was_damaged(self) -> None:
        self.sqlite("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(self.database, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            for page in range(2, size // 4096, 3):
                file.seek(page * 4096)
                file.write(b"\xa5" * 64)
        with self.assertRaises(Violation):
            check(BINARY, self.database)

    def test_reads_find_everything_page_by_page(self) -> None:
        with self.serve() as server, Session(server.port) as session:
            for first in range(0, 1_200, 200):
                requests = [{"method": "PUT", "path": f"/many/{number}", "data": body(number)}
                            for number in range(first, first + 200)]
                self.assertEqual(session.ask("POST", "/_batch", {"requests": requests})["code"], 200)
            self.assertEqual(len([path for path in documents(session) if path.startswith("/many/")]), 1_200)
            self.assertGreaterEqual(len(changes(session, self.ledger.sequence)), 1_200)


class ClockTests(unittest.TestCase):
    """Changes that a clock which was set back could make."""

    def test_a_time_that_falls(self) -> None:
        seen = clock._Seen()
        seen.look([{"sequence": 1, "change": "created", "path": "/a/1", "at": "2030-01-01T00:00:01.000Z"}])
        with self.assertRaisesRegex(Violation, "the time falls"):
            seen.look([{"sequence": 2, "change": "created", "path": "/a/2", "at": "2030-01-01T00:00:00.999Z"}])

    def test_an_id_that_falls(self) -> None:
        seen = clock._Seen()
        seen.look([{"sequence": 1, "change": "created", "path": "/a/posts/02", "at": "2030"}])
        with self.assertRaisesRegex(Violation, "was made behind"):
            seen.look([{"sequence": 2, "change": "created", "path": "/a/posts/01", "at": "2030"}])


class SilenceTests(unittest.TestCase):
    """A server that takes everything and says nothing."""

    def test_it_is_caught(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            writers = Writers(Ledger(), random.Random(1), count=2)
            writers.connect(server.getsockname()[1])
            writers.write(0.05)
            with self.assertRaisesRegex(Violation, "requests had no answer"):
                writers.settle(0.1)
            writers.close()


class ReportTests(unittest.TestCase):
    """What becomes of a fault that is not through."""

    def made(self, error: Exception | None, **figures: object) -> dict[str, object]:
        def make(ground: Ground, count: int) -> Shown:
            if error:
                raise error
            return Shown("nothing is wrong", figures)

        options = argparse.Namespace(count=None, short=True, binary=BINARY, seed="1")
        # A violation is told with its trace, which here is none.
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            return torture._made(Fault("trial", make, short=3, long=5), options, pathlib.Path(folder))

    def test_a_violation_and_what_nobody_expected_are_told(self) -> None:
        for error in (Violation("lost"), OSError("no answer"), AssertionError()):
            self.assertEqual(self.made(error)["verdict"], "violated")
        self.assertEqual(self.made(None, acknowledged=0)["verdict"], "violated")
        self.assertEqual(self.made(None, acknowledged=1)["verdict"], "kept")

    def test_what_cannot_be_made_is_told_and_counts_for_nothing(self) -> None:
        row = self.made(Skipped("no root"))
        self.assertEqual((row["verdict"], row["count"], row["shown"]), ("SKIPPED", 0, "no root"))

    def test_what_is_through_is_told_with_its_count(self) -> None:
        row = self.made(None)
        self.assertEqual((row["verdict"], row["count"]), ("kept", 3))


if __name__ == "__main__":
    unittest.main()
