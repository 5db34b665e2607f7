"""Calls on a real server, by clients of either kind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
import threading
import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Callable, List

from .support import AnyClient, Server, ServerTest, run_async, with_both

from docket_client import (
    EVERYWHERE,
    BadAnswer,
    BadRequest,
    Client,
    ClientClosed,
    Conflict,
    Document,
    DocketError,
    InvalidDocument,
    JSONText,
    MethodNotAllowed,
    NotFound,
    NotModified,
    PreconditionFailed,
    PreconditionRequired,
    Refused,
    TooLarge,
    Unauthorized,
    Forbidden,
    Unprocessable,
    document_path,
    operations,
)

Make = Callable[..., AnyClient]


class CallTests(ServerTest):
    def test_values_go_there_and_come_back(self) -> None:
        values: List[Any] = [None, True, "é \u0000 \U0001f600", "\ud800", 2**70, -1.5, [], {"a": {"b": [1, "", {}]}}, {"ключ": "значение"}]

        async def body(make: Make) -> None:
            async with make() as client:
                for number, value in enumerate(values):
                    await client.put(f"/values/{number}", value)
                    self.assertEqual(await client.get(f"/values/{number}"), value)
                self.assertEqual(await client.echo(values), values)
                self.assertEqual([item.document for item in await client.all("documents", "/values/")], values)
                await client.put("/values/8", {"ключ": 1})
                self.assertEqual((await client.read("/values/8")).text, '{"ключ": 1}')

        with_both(self, self.server.port, body)

    def test_numbers_beyond_a_double_are_read_by_their_text(self) -> None:
        text = '{"price": 1.10, "huge": 1e400, "long": ' + "7" * 5000 + "}"

        async def body(make: Make) -> None:
            async with make() as client:
                receipt = await client.put("/exact/1", JSONText(text))
                document = await client.read("/exact/1")
                self.assertEqual(document.text, text)
                self.assertEqual(document.value["long"], Decimal("7" * 5000))
                exact = json.loads(document.text, parse_float=Decimal, parse_int=Decimal)
                self.assertEqual(str(exact["price"]), "1.10")
                self.assertEqual([item.text for item in (await client.list("/exact/")).items], [text])
                self.assertEqual([change.text for change in (await client.changes(receipt.revision - 1)).items], [text])
                await client.delete("/exact/1")

        with_both(self, self.server.port, body)

    def test_what_json_cannot_say_is_not_sent(self) -> None:
        circle: Any = []
        circle.append(circle)
        wrong = [float("nan"), float("inf"), object(), {1, 2}, circle, b"bytes", {"a": JSONText("1")}, JSONText("1 2"), JSONText("\ud800")]

        async def body(make: Make) -> None:
            async with make(port=1) as client:
                for value in wrong:
                    with self.assertRaises(InvalidDocument) as raised:
                        await client.put("/wrong/1", value)
                    self.assertIsInstance(raised.exception, ValueError)
                with self.assertRaises(InvalidDocument):
                    await client.query("/wrong/", where={"a": float("nan")})

        with_both(self, self.server.port, body)

    def test_a_document_tells_what_a_condition_needs(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                receipt = await client.put("/counters/1", 0, expires_in=timedelta(minutes=10))
                document: Document = await client.read("/counters/1")
                self.assertEqual((document.value, document.text, document.revision), (0, "0", receipt.revision))
                self.assertIsNotNone(document.expires)
                self.assertIsNotNone(document.modified)
                with self.assertRaises(NotModified):
                    await client.read("/counters/1", if_none_match=document.revision)
                second = await client.put("/counters/1", 1, if_match=[document.revision, 1])
                with self.assertRaises(PreconditionFailed) as raised:
                    await client.put("/counters/1", 2, if_match=document.revision)
                self.assertEqual(raised.exception.revision, second.revision)
                self.assertFalse(raised.exception.may_have_happened)
                self.assertIsNone((await client.read("/counters/1")).expires)
                with self.assertRaises(BadAnswer):
                    await client.read("/_stats")

        with_both(self, self.server.port, body)

    def test_a_condition_that_names_no_revisions_is_not_sent(self) -> None:
        wrong: List[Any] = [object(), 1.5, True, b"1", ["1"], [1, None], {1: 2.5}.values()]

        async def body(make: Make) -> None:
            async with make(port=1, attempts=1) as client:
                for condition in wrong:
                    for name in ("if_match", "if_none_match"):
                        with self.subTest((name, condition)), self.assertRaisesRegex(TypeError, "revision"):
                            await client.put("/counters/1", 0, **{name: condition})
                with self.assertRaises(ValueError):
                    await client.delete("/counters/1", if_match=[])

        with_both(self, self.server.port, body)

    def test_each_refusal_has_its_class_and_says_what_is_wrong(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                await client.put("/errors/1", {"a": 1})
                await client.set_settings("/strict/", {"requireIfMatch": True, "unique": ["name"]})
                await client.put("/strict/1", {"name": "a"}, if_none_match="*") if not await client.count("/strict/") else None
                cases = [
                    (NotFound, "not_found", client.get("/errors/2")),
                    (BadRequest, "invalid_limit", client.query("/errors/", limit=0)),
                    (BadRequest, None, client.get("/errors")),
                    (MethodNotAllowed, "method_not_allowed", client.put("/_stats", 1)),
                    (Conflict, "ahead", client.get("/errors/1", as_of=10**9)),
                    (Conflict, "patch_test_failed", client.patch("/errors/1", [{"op": "test", "path": "/a", "value": 2}])),
                    (Unprocessable, "invalid_patch", client.patch("/errors/1", 1)),
                    (TooLarge, "document_too_large", client.put("/errors/1", "a" * (1 << 20))),
                    (PreconditionRequired, "precondition_required", client.put("/strict/1", {"name": "a"})),
                    (Conflict, "duplicate", client.post("/strict/", {"name": "a"})),
                ]
                for kind, name, call in cases:
                    with self.subTest(name), self.assertRaises(kind) as raised:
                        await call
                    error = raised.exception
                    self.assertIs(type(error), kind)
                    self.assertEqual(error.error, name)
                    self.assertIsInstance(error, Refused)
                    self.assertIsInstance(error, DocketError)
                    self.assertTrue(str(error).startswith(f"{error.code} {error.message}"))
                    if name is not None:
                        self.assertIn(error.detail, str(error))
                    if name == "duplicate":
                        self.assertEqual(error.data["path"], "/strict/1")

        with_both(self, self.server.port, body)

    def test_a_batch_brings_what_its_operations_bring(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                results = await client.batch(
                    [
                        operations.put("/batch/1", JSONText('{"a": 1.0}')),
                        operations.get("/batch/1"),
                        operations.read("/batch/1"),
                        operations.read("/batch/1", if_none_match="*"),
                        operations.list("/batch/"),
                        operations.delete("/batch/1"),
                        operations.request("GET", "/_health"),
                    ]
                )
                receipt, value, document, unchanged, page, nothing, answer = results
                self.assertEqual((receipt.path, value, document.text), ("/batch/1", {"a": 1}, '{"a": 1.0}'))
                self.assertEqual(document.revision, receipt.revision)
                self.assertEqual((unchanged, nothing), (None, None))
                self.assertEqual([item.text for item in page.items], ['{"a": 1.0}'])
                self.assertEqual(answer.code, 200)
                before = await client.newest_revision()
                with self.assertRaises(NotFound) as raised:
                    await client.batch([operations.put("/batch/1", 1), operations.get("/batch/2")])
                self.assertEqual((raised.exception.error, raised.exception.failed), ("batch_failed", 1))
                dry = await client.batch([operations.put("/batch/1", 1)], dry_run=True)
                self.assertIsNone(dry[0].revision)
                self.assertEqual(await client.newest_revision(), before)

        with_both(self, self.server.port, body)

    def test_a_documents_path_in_the_place_of_a_collections_is_named_and_not_sent(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                # What would be taken for an answer to each.
                document: Any = {"items": [], "next": None, "count": 5, "groups": []}
                receipt = await client.put("/look/1", document)
                for name, *arguments in (
                    ("list",), ("query",), ("count",), ("aggregate", {"n": "count"}), ("settings",), ("set_settings", {}), ("remove_settings",)
                ):  # fmt: skip
                    for path in ("/look/1", "/look", "look", "/look/1?a=/"):
                        with self.subTest(name, path=path), self.assertRaisesRegex(ValueError, re.escape(f"'{path}' is a document's path")):
                            await getattr(client, name)(path, *arguments)
                for name in ("documents", "results"):
                    with self.subTest(name), self.assertRaisesRegex(ValueError, "slash"):
                        await client.all(name, "/look/1")
                page = await client.list(f"/look/?asOf={receipt.revision}")
                self.assertEqual([item.path for item in page.items], ["/look/1"])
                for scope in ("/look/", EVERYWHERE):
                    self.assertEqual(await client.count(scope, where={"count": 5}), 1)

        with_both(self, self.server.port, body)

    def test_a_dry_run_changes_nothing_and_a_key_is_used_once(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                path = f"/terms/{client.kind}"
                self.assertIsNone((await client.put(path, 1, dry_run=True)).revision)
                with self.assertRaises(NotFound):
                    await client.get(path)
                key = f"the test's own {client.kind}"
                first = await client.post("/terms/", 1, idempotency_key=key)
                again = await client.post("/terms/", 1, idempotency_key=key)
                self.assertEqual((first.id, first.replayed, again.replayed), (again.id, False, True))
                with self.assertRaises(Unprocessable):
                    await client.post("/terms/", 2, idempotency_key=key)

        with_both(self, self.server.port, body)

    def test_pages_queries_and_counts(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                await client.batch([operations.put(f"/pages/{n:03}", {"n": n, "odd": n % 2 == 1}) for n in range(250)])
                items = await client.all("documents", "/pages/", page_size=100)
                self.assertEqual([item.document["n"] for item in items], list(range(250)))
                self.assertEqual([item.text for item in items[99:101]], ['{"n": 99, "odd": true}', '{"n": 100, "odd": false}'])
                found = await client.all("results", "/pages/", where={"odd": True}, sort="-n", page_size=50)
                self.assertEqual([item.document["n"] for item in found], list(range(249, 0, -2)))
                page = await client.query("/pages/", where={"n": {"$lt": 3}}, fields=["n"], count=True, explain=True, limit=2)
                self.assertEqual(([item.document for item in page.items], page.count), ([{"n": 0}, {"n": 1}], 3))
                self.assertIn("scanned", page.explain)
                self.assertEqual(await client.count(EVERYWHERE, where={"odd": True}), 125)
                groups = await client.aggregate("/pages/", {"sum": {"sum": "n"}}, group_by="odd", where={"n": {"$lt": 4}})
                self.assertEqual(groups, [{"group": False, "sum": 2}, {"group": True, "sum": 4}])

        with_both(self, self.server.port, body)

    def test_the_past_and_what_has_changed(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                path = document_path("past", f"what? {client.kind} 100%")
                first = await client.put(path, {"v": 1})
                path = first.path
                await client.put(path, {"v": 2})
                await client.delete(path)
                self.assertEqual(await client.get(path, as_of=first.revision), {"v": 1})
                self.assertEqual((await client.read(path, as_of=first.revision)).text, '{"v": 1}')
                versions = await client.all("versions", path, page_size=1)
                self.assertEqual([version.kind for version in versions], ["deleted", "updated", "created"])
                self.assertEqual((await client.restore(path, first.revision)).path, path)
                self.assertEqual(await client.get(path, as_of=datetime.now(timezone.utc) - timedelta(days=0)), {"v": 1})
                with self.assertRaises(ValueError):
                    await client.get(path, as_of=datetime.now())
                page = await client.changes(first.revision - 1, limit=2)
                self.assertEqual([change.kind for change in page.items], ["created", "updated"])
                self.assertEqual(page.items[0].path, path)
                rest = await client.changes(page.next, history=page.history)
                self.assertEqual([change.kind for change in rest.items], ["deleted", "created"])
                self.assertEqual((rest.next, rest.sequence), (None, await client.newest_revision()))
                with self.assertRaises(Conflict) as raised:
                    await client.changes(1, history="another")
                self.assertEqual(raised.exception.error, "other_history")
                stats = await client.stats()
                self.assertEqual((stats["history"], await client.health()), (page.history, {"status": "ok"}))

        with_both(self, self.server.port, body)

    def test_settings(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                await client.set_settings("/set/", {"indexes": ["a"]})
                self.assertEqual(await client.settings("/set/"), {"indexes": [["a"]]})
                self.assertEqual((await client.all_settings())["/set/"], {"indexes": [["a"]]})
                await client.remove_settings("/set/")
                await client.remove_settings("/set/")
                self.assertIsNone(await client.settings("/set/"))

        with_both(self, self.server.port, body)

    def test_a_backup_by_plain_requests(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                made = await client.request("POST", "/_backups/", {})
                self.assertEqual(made.code, 201)
                piece = await client.get(f"/_backups/{made.data['name']}?offset=0")
                self.assertEqual((piece["offset"], piece["bytes"]), (0, made.data["bytes"]))
                await client.delete(f"/_backups/{made.data['name']}")

        with_both(self, self.server.port, body)

    def test_an_answer_is_told_whatever_its_code(self) -> None:
        async def body(make: Make) -> None:
            async with make() as client:
                answer = await client.request("DELETE", "/none/", headers={"X-Any": 1})
                self.assertEqual((answer.code, answer.message, answer.is_success), (405, "Method Not Allowed", False))
                self.assertEqual(answer.header("allow"), "GET, POST")

        with_both(self, self.server.port, body)

    def test_many_calls_at_once_are_answered_each(self) -> None:
        async def body(make: Make) -> None:
            async with make(in_flight=7) as client:
                calls = [client.echo(n) for n in range(100)] + [client.put(f"/many/{n}", n) for n in range(100)]
                results = await asyncio.gather(*calls)
                self.assertEqual(results[:100], list(range(100)))
                self.assertEqual([receipt.id for receipt in results[100:]], [str(n) for n in range(100)])

        with_both(self, self.server.port, body)

    def test_a_client_that_is_closed_says_so(self) -> None:
        async def body(make: Make) -> None:
            client = make()
            await client.health()
            await client.close()
            await client.close()
            with self.assertRaises(ClientClosed) as raised:
                await client.put("/closed/1", 1)
            self.assertFalse(raised.exception.may_have_happened)
            with self.assertRaises(ClientClosed):
                client.watch("/closed/")

        with_both(self, self.server.port, body)


class PipelineTests(ServerTest):
    def test_more_calls_than_may_be_on_their_way_are_answered_in_their_order(self) -> None:
        with Client(port=self.server.port, in_flight=16) as client:
            with client.pipeline() as pipeline:
                receipts = []
                for n in range(500):
                    receipts.append(pipeline.put(f"/n/{n}", n))
                    self.assertLess(len(client._deadlines), 17)
                values = [pipeline.get(f"/n/{n}") for n in range(500)]
                self.assertEqual(values[3].result(), 3)
            self.assertEqual([value.result() for value in values], list(range(500)))
            revisions = [receipt.result().revision for receipt in receipts]
            self.assertEqual(revisions, sorted(revisions))

    def test_large_answers_do_not_keep_large_requests_from_being_sent(self) -> None:
        text = "a" * 500_000
        with Client(port=self.server.port) as client:
            with client.pipeline() as pipeline:
                echoes = [pipeline.echo(text) for _ in range(60)]
            self.assertEqual({len(echo.result()) for echo in echoes}, {500_000})

    def test_an_error_that_nobody_asked_for_is_raised_at_the_end(self) -> None:
        with Client(port=self.server.port) as client:
            with self.assertRaises(NotFound):
                with client.pipeline() as pipeline:
                    pipeline.get("/none/1")
                    after = pipeline.put("/after/1", 1)
            self.assertEqual(after.result().id, "1")
            with client.pipeline() as pipeline:
                self.assertIsInstance(pipeline.get("/none/1").error(), NotFound)
                self.assertIsNone(pipeline.get("/after/1").error())

    def test_an_error_of_the_block_is_raised_and_the_client_goes_on(self) -> None:
        with Client(port=self.server.port) as client:
            with self.assertRaises(ZeroDivisionError):
                with client.pipeline() as pipeline:
                    pipeline.get("/none/1")
                    raise ZeroDivisionError()
            self.assertEqual(client.echo(1), 1)

    def test_threads_take_turns(self) -> None:
        with Client(port=self.server.port) as client:
            failures = []

            def work(number: int) -> None:
                for n in range(50):
                    if client.echo([number, n]) != [number, n]:
                        failures.append((number, n))

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])


class UnixSocketTests(unittest.TestCase):
    def test_a_unix_socket_serves_as_a_port_does(self) -> None:
        with tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
            path = os.path.join(folder, "socket")
            server = Server(folder, "--unix-socket", path)
            self.addCleanup(server.stop)

            async def body(make: Make) -> None:
                async with make(unix_socket=path) as client:
                    await client.put("/n/1", 1)
                    self.assertEqual(await client.get("/n/1"), 1)
                    async with client.watch("/n/", snapshot=True) as watch:
                        self.assertEqual((await watch.next()).document, 1)

            with_both(self, 1, body)


class TokenTests(unittest.TestCase):
    def test_a_token_is_made_shown_and_revoked(self) -> None:
        for kind in ("blocking", "async"):
            with self.subTest(kind), tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
                server = Server(folder)
                self.addCleanup(server.stop)

                async def body() -> None:
                    async with AnyClient(kind, port=server.port) as stranger:
                        root = await stranger.create_token("root", ["admin"])
                        self.assertNotIn(root.token, repr(root))
                        with self.assertRaises(Unauthorized):
                            await stranger.get("/notes/1")
                    async with AnyClient(kind, port=server.port, token=root.token) as admin:
                        self.assertNotIn(root.token, repr(admin.client) + repr(admin.client.configuration))
                        await admin.put("/notes/1", 1)
                        made = await admin.create_token("reader", ["read:/notes/"], expires_in=timedelta(days=1))
                        self.assertEqual((made.name, made.allow), ("reader", ("read:/notes/",)))
                        with self.assertRaises(Conflict):
                            await admin.create_token("reader", ["read:/notes/"])
                        async with AnyClient(kind, port=server.port, token=made.token) as reader:
                            self.assertEqual(await reader.get("/notes/1"), 1)
                            with self.assertRaises(Forbidden):
                                await reader.put("/notes/1", 2)
                            async with reader.watch("/notes/", snapshot=True) as watch:
                                await watch.take(2)
                                self.assertEqual([token["name"] for token in await admin.tokens()], ["root", "reader"])
                                await admin.revoke_token("reader")
                                with self.assertRaises(Unauthorized):
                                    await watch.next()
                            with self.assertRaises(Unauthorized):
                                await reader.get("/notes/1")

                run_async(body)
