"""Much of everything that there may be: at each bound it works, one beyond it is refused as PROTOCOL.md says."""
from __future__ import annotations

import json
import time
from collections.abc import Iterator

import wire
from tools import MIB, Bench, Result, ended, expect, fill_honest, get_request, honest, mebibytes, milliseconds


def large(bench: Bench) -> Iterator[Result]:
    served = bench.serve()
    fill_honest(served)
    honest(bench, served, bench.pick(1, 0.3))
    base = served.memory()
    served.forget_peak()
    seconds = bench.pick(5, 1.5)
    neighbours = bench.crowd("rate", served.port, connections=8, seconds=seconds, rate=500, keys=1000, request=get_request())
    begin = time.monotonic()
    with wire.Session(served.port) as session:
        for check in (_keys, _paths, _batches, _queries, _depths, _sizes):
            yield from check(session)
    took = time.monotonic() - begin
    beside = neighbours.finish()
    wrong = beside["others"] + beside["broken"] + beside["dropped"] + beside["refused"]["count"]
    yield Result("neighbours meanwhile", f"{beside['good']['count']:,} reads over {min(took, seconds):.1f} s",
                 f"{wrong} went wrong",
                 f"p99 {milliseconds(beside['good']['p99'])}, longest {milliseconds(beside['good']['max'])}", wrong == 0)
    yield Result("memory at most", "", "bounded", f"{mebibytes(base)} before, {mebibytes(served.peak())} at most",
                 served.peak() < base + 192 * MIB)
    yield from ended(served, "large requests")


def _says(answer: dict, code: int, error: str = "") -> bool:
    return answer["code"] == code and (not error or answer["data"].get("error") == error)


def _keys(session: wire.Session) -> Iterator[Result]:
    """A document of 100,000 keys: written, read, patched, searched, deleted."""
    text = "{" + ",".join(f'"{number:05x}":1' for number in range(100_000)) + "}"
    begin = time.monotonic()
    session.send(b'{"method":"PUT","path":"/keys/1","data":' + text.encode() + b"}\0")
    put = session.receive()
    session.send(wire.frame("GET", "/keys/1"))
    whole = f'"data": {text}'.encode() in session.receive_bytes()
    patch = session.ask("PATCH", "/keys/1", {"1869f": 2, "00000": None})
    found = session.ask("GET", "/keys/", {"where": {"1869f": 2}, "fields": ["1869f"]})
    document = session.ask("GET", "/keys/1")["data"]
    pointer = session.ask("PATCH", "/keys/1", [{"op": "remove", "path": "/00001"}])
    gone = session.ask("DELETE", "/keys/1")
    good = (put["code"], patch["code"], found["code"], pointer["code"], gone["code"]) == (201, 200, 200, 200, 204) and whole \
        and found["data"]["items"][0]["document"] == {"1869f": 2} and len(document) == 99_999
    yield Result("a document of 100,000 keys", f"{len(text):,} bytes", "PUT, GET byte for byte, two patches, a query, DELETE",
                 milliseconds(time.monotonic() - begin), good)


def _paths(session: wire.Session) -> Iterator[Result]:
    works, refused = [], []
    for path in ("/p/" + "i" * 1021, "/" + "c" * 1021 + "/i", "/p" * 512, "/é/" + "%C3%A9" * 170):
        put = session.ask("PUT", path, 1)
        listed = put["code"] == 201 and session.ask("GET", put["data"]["path"])["code"] == 200
        collection = path[:path.rindex("/") + 1]
        page = session.ask("GET", collection)
        there = page["code"] == 200 and any(item["id"] == put["data"]["id"] for item in page["data"]["items"])
        works.append(listed and there and session.ask("DELETE", put["data"]["path"])["code"] == 204)
    for path in ("/p/" + "i" * 1022, "/" + "c" * 1022 + "/i", "/p" * 513, "/p/" + "i" * 500_000):
        refused.append(_says(session.ask("PUT", path, 1), 400, "invalid_path"))
    yield Result("paths of 1,024 bytes", f"{len(works)} forms",
                 "each is written, read, listed and deleted; of 1,025 400 invalid_path",
                 f"{sum(works)} work, {sum(refused)} of {len(refused)} longer ones are refused", all(works) and all(refused))


def _batches(session: wire.Session) -> Iterator[Result]:
    def parts(count: int, size: int = 1) -> dict:
        return {"requests": [{"method": "PUT", "path": f"/b/{number}", "data": "x" * size} for number in range(count)]}
    begin = time.monotonic()
    full = session.ask("POST", "/_batch", parts(1_000, 900))
    took = time.monotonic() - begin
    more = session.ask("POST", "/_batch", parts(1_001))
    reads = {"requests": [{"method": "GET", "path": f"/b/{number}"} for number in range(1_000)]}
    answered = session.ask("POST", "/_batch", reads)
    five = {"requests": [{"method": "PUT", "path": "/b/big", "data": "x" * 1_000_000}] + [{"method": "GET",
                                                                                           "path": "/b/big"}] * 5}
    too_much = session.ask("POST", "/_batch", five)
    undone = session.ask("GET", "/b/big")
    yield Result("the largest batch", f"1,000 requests of 900 bytes in {milliseconds(took)}",
                 "1,001 are 413 batch_too_large; answers beyond 4 MiB 413 batch_answer_too_large, undone",
                 f"{full['code']}, {more['code']}, {answered['code']}, {too_much['code']}, {undone['code']}",
                 full["code"] == answered["code"] == 200 and _says(more, 413, "batch_too_large")
                 and too_much["code"] == 413 and undone["code"] == 404)


def _queries(session: wire.Session) -> Iterator[Result]:
    def where(condition: dict, **more: object) -> dict:
        return session.ask("GET", "/b/", {"where": condition, "limit": 1, **more})

    def nested(depth: int) -> dict:
        condition: dict = {"a": 1}
        for _ in range(depth - 1):
            condition = {"$and": [condition]}
        return condition
    field = "f" * 256
    works = {
        "64 tests": where({"$or": [{f"f{number}": number} for number in range(64)]}),
        "$in of 1,000": where({"a": {"$in": list(range(1_000))}}), "16 deep": where(nested(16)),
        "a field of 256 bytes": where({field: 1}), "16 segments": where({".".join("a" * 16): 1}),
        "sort by 8": where({}, sort=[f"f{number}" for number in range(8)]),
        "64 fields": where({}, fields=[f"f{number}" for number in range(64)]),
        "16 aggregates": session.ask("GET", "/b/", {"aggregate": {f"a{number}": "count" for number in range(16)}}),
        "a string of 900 KB": where({"a": "x" * 900_000}), "limit 1,000": session.ask("GET", "/b/?limit=1000"),
    }
    refused = {
        "65 tests": where({"$or": [{f"f{number}": number} for number in range(65)]}),
        "$in of 1,001": where({"a": {"$in": list(range(1_001))}}), "nested too deep": where(nested(40)),
        "a field of 257 bytes": where({field + "f": 1}), "17 segments": where({".".join("a" * 17): 1}),
        "sort by 9": where({}, sort=[f"f{number}" for number in range(9)]),
        "65 fields": where({}, fields=[f"f{number}" for number in range(65)]),
        "17 aggregates": session.ask("GET", "/b/", {"aggregate": {f"a{number}": "count" for number in range(17)}}),
        "limit 1,001": session.ask("GET", "/b/?limit=1001"),
    }
    bad = [f"{name}: {answer['code']}" for name, answer in works.items() if answer["code"] != 200]
    bad += [f"{name}: {answer['code']}" for name, answer in refused.items() if answer["code"] != 400]
    yield Result("queries at their bounds", f"{len(works)} at, {len(refused)} beyond", "200; 400", "; ".join(bad) or "all so",
                 not bad)


def _depths(session: wire.Session) -> Iterator[Result]:
    def put(depth: int) -> dict:
        session.send(b'{"method":"PUT","path":"/deep/1","data":' + b"[" * depth + b"]" * depth + b"}\0")
        return session.receive()

    def batch(depth: int) -> dict:
        session.send(b'{"method":"POST","path":"/_batch","data":{"requests":[{"method":"PUT","path":"/deep/2","data":'
                     + b"[" * depth + b"]" * depth + b"}]}}\0")
        return session.receive()
    codes = [put(128)["code"], put(129)["code"], put(100_000)["code"], batch(125)["code"], batch(126)["code"]]
    merge = session.ask("PATCH", "/deep/1", json.loads('{"a":' * 120 + "1" + "}" * 120))["code"]
    yield Result("depth", "128, 129, 100,000; in batches 125, 126", "422 beyond", ", ".join(map(str, codes + [merge])),
                 codes[0] in (200, 201) and codes[1:3] == [422, 422] and codes[3] == 200 and codes[4] == 422 and merge in (200, 422))


def _sizes(session: wire.Session) -> Iterator[Result]:
    exact = session.ask("PUT", "/size/1", "x" * (MIB - 2))
    more = session.ask("PUT", "/size/1", "x" * (MIB - 1))
    grown = session.ask("PUT", "/size/2", {"a": "x" * (MIB - 20)})
    patched = session.ask("PATCH", "/size/2", {"b": "x" * 100})
    codes = [exact["code"], more["code"], grown["code"], patched["code"]]
    yield Result("documents of 1 MiB", "at, beyond, patched beyond", "413 document_too_large", ", ".join(map(str, codes)),
                 codes == [201, 413, 201, 413] and _says(more, 413, "document_too_large"))


def many_collections(bench: Bench) -> Iterator[Result]:
    """Each document in a collection of its own."""
    count = bench.pick(1_000_000, 20_000)
    served = bench.serve()
    fill_honest(served)
    before = honest(bench, served, bench.pick(3, 1))
    base = served.memory()
    served.forget_peak()
    begin = time.monotonic()
    with wire.Session(served.port) as session:
        waiting = 0
        for start in range(0, count, 1_000):
            parts = ",".join('{"method":"PUT","path":"/many-%07d/1","data":1}' % number for number in range(start, start + 1_000))
            session.send(b'{"method":"POST","path":"/_batch","data":{"requests":[' + parts.encode() + b']}}\0')
            waiting += 1
            if waiting == 4:
                expect({"code": int(session.receive_bytes()[9:12])}, 200)
                waiting -= 1
        for _ in range(waiting):
            expect({"code": int(session.receive_bytes()[9:12])}, 200)
        written = time.monotonic() - begin
        after = honest(bench, served, bench.pick(3, 1))
        begin, seen, cursor, last = time.monotonic(), 0, "", ""
        while cursor is not None:
            page = expect(session.ask("GET", "/_collections/?count=true&limit=1000" + (f"&after={cursor}" if cursor else "")),
                          200)
            names = [item["collection"] for item in page["data"]["items"]]
            if names != sorted(names) or (names and names[0] <= last):
                raise AssertionError("collections are out of order")
            seen += sum(name.startswith("/many-") for name in names)
            last = names[-1] if names else last
            cursor = page["data"]["next"]
        listed = time.monotonic() - begin
        good = session.ask("GET", f"/many-{count - 1:07}/1")["data"] == 1 and len(
            session.ask("GET", f"/many-{count // 2:07}/")["data"]["items"]) == 1
    yield Result("collections", f"{count:,}", f"written in {written:.0f} s, all listed in order in {listed:.1f} s: {seen:,}",
                 f"honest p99 {milliseconds(before.p99)} before, {milliseconds(after.p99)} with them; memory {mebibytes(base)} before, "
                 f"{mebibytes(served.peak())} at most; file {mebibytes(served.database_bytes())}",
                 good and seen == count and served.peak() < base + 192 * MIB and after.wrong == 0)
    yield from ended(served, "many collections")
