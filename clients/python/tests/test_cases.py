"""The cases that clients in all languages pass: clients/cases."""

from __future__ import annotations

import inspect
import json
import unittest
from pathlib import Path
from typing import Any, AsyncIterator, Dict, Iterator, List, Optional, Union

from .support import REPOSITORY, ServerTest, run_async

from docket_client import AsyncClient, Change, Client, InvalidDocument, JSONText, Refused, operations
from docket_client.operation import write_headers

CASES = sorted((REPOSITORY / "clients" / "cases").glob("*.json"))

PARAMETERS = {
    "path", "asOf", "limit", "after", "sort", "fields", "recursive", "groupBy", "method", "headers", "since", "snapshot", "data",
    "where", "aggregate", "ifMatch", "ifNoneMatch", "expiresIn", "requests", "take",
}  # fmt: skip
STEP = PARAMETERS | {"call", "expect", "refused", "fails", "keep"}

AnyClient = Union[Client, AsyncClient]


def condition(text: Optional[str]) -> Union[int, str, None]:
    return int(text) if text is not None and text != "*" else text


def moment(text: Optional[str]) -> Union[int, str, None]:
    return int(text) if text is not None and text.isdigit() else text


def json_text(text: Optional[str]) -> Optional[JSONText]:
    return None if text is None else JSONText(text)


def terms(step: Dict[str, Any]) -> Dict[str, Any]:
    found = {"if_match": condition(step.get("ifMatch")), "if_none_match": condition(step.get("ifNoneMatch"))}
    lifetime = step.get("expiresIn")
    given: Dict[str, Any] = {name: value for name, value in found.items() if value is not None}
    if lifetime is not None:
        given["expires_in"] = lifetime if lifetime == "never" else int(lifetime)
    return given


class Caller:
    """Calls what a step names, and tells what it brings as the cases have it."""

    def __init__(self, client: AnyClient) -> None:
        self._client: Any = client

    async def __call__(self, step: Dict[str, Any]) -> Dict[str, Any]:
        method = getattr(self, "call_" + step["call"], None)
        assert method is not None, f"there is no operation '{step['call']}'"
        found: Dict[str, Any] = await method(step)
        return found

    async def _result(self, value: Any) -> Any:
        return await value if inspect.isawaitable(value) else value

    async def _all(self, values: Union[Iterator[Any], AsyncIterator[Any]]) -> List[Any]:
        if isinstance(values, AsyncIterator):
            return [value async for value in values]
        return [*values]

    # Documents

    async def call_get(self, step: Dict[str, Any]) -> Dict[str, Any]:
        as_of = moment(step.get("asOf"))
        value = await self._result(self._client.get(step["path"], as_of=as_of))
        text = (await self._result(self._client.request("GET", step["path"]))).text
        if as_of is not None or self._is_document(step["path"]):
            document = await self._result(self._client.read(step["path"], as_of=as_of))
            assert value == document.value, f"{value} and {document.value}"
            text = document.text
        return {"text": text}

    @staticmethod
    def _is_document(path: str) -> bool:
        return path.count("/") > 1 and not path.startswith("/_")

    async def _write(self, receipt: Any) -> Dict[str, Any]:
        told = await self._result(receipt)
        return {"created": told.created, "path": told.path, "id": told.id, "revision": told.revision}

    async def call_put(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return await self._write(self._client.put(step["path"], JSONText(step["data"]), **terms(step)))

    async def call_post(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return await self._write(self._client.post(step["path"], JSONText(step["data"]), **terms(step)))

    async def call_patch(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return await self._write(self._client.patch(step["path"], JSONText(step["data"]), **terms(step)))

    async def call_delete(self, step: Dict[str, Any]) -> Dict[str, Any]:
        await self._result(self._client.delete(step["path"], **terms(step)))
        return {}

    async def call_echo(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return {"json": await self._result(self._client.echo(JSONText(step["data"])))}

    async def call_request(self, step: Dict[str, Any]) -> Dict[str, Any]:
        data = json_text(step.get("data"))
        answer = await self._result(self._client.request(step["method"], step["path"], data, step.get("headers")))
        named = (step.get("expect") or {}).get("headers", {})
        fields = answer.data if isinstance(answer.data, dict) else {}
        headers = {name: answer.header(name) for name in named}
        return {
            "code": answer.code, "text": answer.text, "error": fields.get("error"), "token": fields.get("token"), "headers": headers
        }  # fmt: skip

    async def call_batch(self, step: Dict[str, Any]) -> Dict[str, Any]:
        requests = []
        for request in step["requests"]:
            written = write_headers(**terms(request))
            data = json_text(request.get("data"))
            requests.append(operations.request(request["method"], request["path"], data, written))
        answers = await self._result(self._client.batch(requests))
        return {"answers": [{"code": answer.code, "text": answer.text} for answer in answers]}

    # Collections and queries

    def _items(self, items: List[Any]) -> Dict[str, Any]:
        return {
            "paths": [item.path for item in items], "ids": [item.id for item in items], "texts": [item.text for item in items]
        }  # fmt: skip

    def _page(self, page: Any) -> Dict[str, Any]:
        for item in page.items:
            assert json.loads(item.text) == item.document, item
        return {**self._items(page.items), "more": page.next is not None, "next": page.next, "count": page.count}

    def _query(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return {
            "where": json_text(step.get("where")), "as_of": moment(step.get("asOf")), "recursive": step.get("recursive", False)
        }  # fmt: skip

    async def call_list(self, step: Dict[str, Any]) -> Dict[str, Any]:
        page = self._client.list(
            step["path"], limit=step.get("limit"), after=step.get("after"), as_of=moment(step.get("asOf"))
        )
        return self._page(await self._result(page))

    async def call_documents(self, step: Dict[str, Any]) -> Dict[str, Any]:
        items = self._client.documents(
            step["path"], page_size=step.get("limit"), after=step.get("after"), as_of=moment(step.get("asOf"))
        )
        return self._items(await self._all(items))

    async def call_query(self, step: Dict[str, Any]) -> Dict[str, Any]:
        page = self._client.query(
            step["path"], sort=step.get("sort"), fields=step.get("fields"), limit=step.get("limit"), after=step.get("after"), **self._query(step)
        )  # fmt: skip
        return self._page(await self._result(page))

    async def call_results(self, step: Dict[str, Any]) -> Dict[str, Any]:
        items = self._client.results(
            step["path"], sort=step.get("sort"), fields=step.get("fields"), page_size=step.get("limit"), **self._query(step)
        )
        return self._items(await self._all(items))

    async def call_count(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return {"value": await self._result(self._client.count(step["path"], **self._query(step)))}

    async def call_aggregate(self, step: Dict[str, Any]) -> Dict[str, Any]:
        aggregate = json.loads(step["aggregate"])
        groups = self._client.aggregate(step["path"], aggregate, group_by=step.get("groupBy"), **self._query(step))
        return {"json": await self._result(groups)}

    # Settings, the past, watches

    async def call_settings(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return {"json": await self._result(self._client.settings(step["path"]))}

    async def call_setSettings(self, step: Dict[str, Any]) -> Dict[str, Any]:
        await self._result(self._client.set_settings(step["path"], JSONText(step["data"])))
        return {}

    async def call_removeSettings(self, step: Dict[str, Any]) -> Dict[str, Any]:
        await self._result(self._client.remove_settings(step["path"]))
        return {}

    async def call_newestRevision(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return {"value": await self._result(self._client.newest_revision())}

    async def call_history(self, step: Dict[str, Any]) -> Dict[str, Any]:
        page = await self._result(self._client.history(step["path"], limit=step.get("limit"), after=step.get("after")))
        kinds, sizes = [item.kind for item in page.items], [item.size for item in page.items]
        return {"kinds": kinds, "sizes": sizes, "more": page.next is not None, "next": page.next}

    async def call_restore(self, step: Dict[str, Any]) -> Dict[str, Any]:
        return await self._write(self._client.restore(step["path"], moment(step["asOf"]), **terms(step)))

    async def call_watch(self, step: Dict[str, Any]) -> Dict[str, Any]:
        since = step.get("since")
        watch = self._client.watch(
            step["path"], since=None if since is None else int(since), snapshot=step.get("snapshot", False),
            where=json_text(step.get("where")), recursive=step.get("recursive", False),
        )  # fmt: skip
        try:
            events = [self._event(await self._result(watch.next())) for _ in range(step["take"])]
        finally:
            await self._result(watch.close())
        return {"events": events}

    def _event(self, event: Any) -> Dict[str, Any]:
        if not isinstance(event, Change):
            return {"kind": type(event).__name__.lower()}
        is_gone = event.kind in ("deleted", "expired")
        return {"kind": event.kind, "path": event.path, "text": None if is_gone else event.text}


class CaseTests(ServerTest):
    """Each file of cases, with a server of its own."""

    async def _run(self, client: AnyClient, cases: List[Dict[str, Any]]) -> None:
        caller = Caller(client)
        for case in cases:
            kept: Dict[str, str] = {}
            for number, step in enumerate(case["steps"]):
                with self.subTest(case=case["name"], step=number, call=step["call"]):
                    self.assertLessEqual(set(step), STEP)
                    await self._step(caller, self._filled(step, kept), kept)

    async def _step(self, caller: Caller, step: Dict[str, Any], kept: Dict[str, str]) -> None:
        if "refused" in step:
            with self.assertRaises(Refused) as refused:
                await caller(step)
            found = {"code": refused.exception.code, "error": refused.exception.error}
            return self.assertEqual(found, step["refused"])
        if "fails" in step:
            self.assertEqual(step["fails"], "invalidDocument")
            with self.assertRaises(InvalidDocument):
                await caller(step)
            return
        found = await caller(step)
        for name, expected in step.get("expect", {}).items():
            self.assertIn(name, found)
            self._compare(name, found[name], expected)
        for name, variable in step.get("keep", {}).items():
            kept[variable] = str(found[name])

    def _compare(self, name: str, found: Any, expected: Any) -> None:
        if name == "json":
            self.assertEqual(found, None if expected is None else json.loads(expected))
        elif name == "answers":
            self.assertEqual(len(found), len(expected))
            for answer, wanted in zip(found, expected):
                self.assertEqual({member: answer[member] for member in wanted}, wanted)
        elif name in ("value", "revision"):
            self.assertEqual(str(found), str(expected))
        else:
            self.assertEqual(found, expected)

    def _filled(self, value: Any, kept: Dict[str, str]) -> Any:
        """The step with what was kept in the places of its names."""
        if isinstance(value, dict):
            return {name: self._filled(member, kept) for name, member in value.items()}
        if isinstance(value, list):
            return [self._filled(element, kept) for element in value]
        if isinstance(value, str):
            for name, text in kept.items():
                value = value.replace("${" + name + "}", text)
        return value


def _test(path: Path, kind: str) -> type:
    class Cases(CaseTests):
        def test_cases(self) -> None:
            cases = json.loads(path.read_text())["cases"]
            self.assertGreater(len(cases), 0)

            async def run_all() -> None:
                if kind == "Async":
                    async with AsyncClient(port=self.server.port) as client:
                        await self._run(client, cases)
                else:
                    with Client(port=self.server.port) as blocking:
                        await self._run(blocking, cases)

            run_async(run_all)

    Cases.__name__ = Cases.__qualname__ = f"{kind}{path.stem.capitalize()}Cases"
    return Cases


def load_tests(loader: unittest.TestLoader, tests: unittest.TestSuite, pattern: Optional[str]) -> unittest.TestSuite:
    classes = [_test(path, kind) for path in CASES for kind in ("Blocking", "Async")]
    assert classes, "there are no cases"
    return unittest.TestSuite(loader.loadTestsFromTestCase(test) for test in classes)
