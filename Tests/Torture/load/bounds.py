"""Each bound of docs/OPERATIONS.md, *Limits*: which test meets it. The table there is read, so that a new line needs an entry here.

An entry is the name of a test elsewhere, which must be there, or a function below, which is run.
"""
from __future__ import annotations

import base64
import contextlib
import pathlib
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator

import wire
from patience import eventually
from tools import MIB, Bench, Result, ended, expect, fill, mebibytes

ROOT = pathlib.Path(__file__).resolve().parents[3]


def bounds(bench: Bench) -> Iterator[Result]:
    rows = _rows()
    missing = [what for what in rows if what not in MEETS]
    gone = [what for what in MEETS if what not in rows]
    sources = {path: path.read_text(errors="replace") for kind in ("*.swift", "*.py")
               for path in (ROOT / "Tests").rglob(kind)}
    untrue = []
    for what, tests in MEETS.items():
        for test in tests:
            if isinstance(test, str) and not _exists(test, sources):
                untrue.append(f"{what}: {test}")
    yield Result("each bound of OPERATIONS.md, Limits, has a test", f"{len(rows)} bounds", "by name, and the test is there",
                 "; ".join([f"no test: {one}" for one in missing] + [f"no such bound: {one}" for one in gone]
                           + [f"no such test: {one}" for one in untrue]) or "all have", not (missing or gone or untrue))
    yield _defaults(bench, rows)
    yield _pages(rows)
    for function in dict.fromkeys(test for tests in MEETS.values() for test in tests if not isinstance(test, str)):
        yield from function(bench)


def _rows() -> dict[str, tuple[str, str]]:
    """What is bounded, with its default and its flag."""
    text = (ROOT / "docs/OPERATIONS.md").read_text()
    section = text[text.index("\n## Limits"):]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| .+ \|$", section[:section.index("\nMemory under load")], re.M)
    return {what: (default, flag) for what, default, flag in rows if what not in ("what", "---")}


def _exists(test: str, sources: dict[pathlib.Path, str]) -> bool:
    """`Suite/test` in Swift, `file.py/function or class` in Python."""
    place, _, name = test.partition("/")
    if place.endswith(".py"):
        return any(path.name == place and re.search(rf"(def|class) {name}\(", text) for path, text in sources.items())
    return any(re.search(rf"(struct|class|enum) {place}\b|extension {place}\b", text) and f"func {name}(" in text
               for text in sources.values())


UNITS = {"KiB": 1 << 10, "MiB": MIB, "s": 1, "h": 1, "bytes": 1, "": 1}


def _defaults(bench: Bench, rows: dict[str, tuple[str, str]]) -> Result:
    """The defaults that the page tells are those that the program tells."""
    text = re.sub(r"\s+", " ", subprocess.run([bench.binary, "serve", "--help"], capture_output=True, text=True).stdout)
    wrong, compared = [], 0
    for what, (default, flags) in rows.items():
        names = re.findall(r"`--([a-z-]+)`", flags)
        numbers = re.findall(r"(\d[\d,]*)\s*(KiB|MiB|s|h)?\b", default)
        for name, (number, unit) in zip(names, numbers if len(numbers) >= len(names) else []):
            # Up to the next option: a default behind that is another's.
            found = re.search(rf"--{name} <[^>]+>((?!--[a-z-]+ <).)*?\(default: (?P<value>[\d.]+)\)", text)
            if not found or f"--{name} " not in text:
                wrong.append(f"--{name} is not told by --help")
                continue
            compared += 1
            if float(found["value"]) != float(number.replace(",", "")) * UNITS[unit]:
                wrong.append(f"--{name}: {number} {unit} here, {found['value']} there")
    return Result("the defaults that are documented are the program's", f"{compared} flags", "",
                  "; ".join(wrong) or "all equal", not wrong)


def _pages(rows: dict[str, tuple[str, str]]) -> Result:
    """What *Sizes* says of pages in memory is the sum of what *Limits* says."""
    text = (ROOT / "docs/OPERATIONS.md").read_text()
    found = re.search(r"pages: for reads (\d+), queries (\d+), the writer and two scanning threads (\d+) each \| (\d+) MiB", text)
    told = [int(number) for number in found.groups()] if found else []
    flags = ("--read-cache-bytes", "--query-cache-bytes", "--cache-bytes")
    limits = [int(default.split()[0]) for flag in flags for default, name in rows.values() if name == f"`{flag}`"]
    return Result("the memory for pages is what the bounds come to", "", "",
                  f"{told} where the bounds are {limits}",
                  len(limits) == 3 and told == [*limits, limits[0] + limits[1] + 3 * limits[2]])


def _together(port: int, requests: list[bytes], sessions: list[wire.Session] | None = None) -> list[dict]:
    """Each on a session of its own, all at once."""
    sessions = sessions or [wire.Session(port) for _ in requests]
    for session, request in zip(sessions, requests):
        session.send(request)
    answers = [session.receive() for session in sessions]
    for session in sessions:
        session.close()
    return answers


def _fill(served, count: int, size: int) -> None:
    fill(served, ((f"/fill/{number:07}", {"n": number, "text": "x" * size}) for number in range(count)),
         per_batch=max(1, min(1000, 900_000 // (size + 80))))


def _tally(answers: list[dict]) -> tuple[int, int, list]:
    """How many are good, how many 503 `overloaded` or `deadline_exceeded`, and what is neither."""
    good = sum(answer["code"] == 200 for answer in answers)
    refused = sum(answer["code"] == 503 and answer["data"]["error"] in ("overloaded", "deadline_exceeded")
                  and "retryAfter" in answer["data"] for answer in answers)
    return good, refused, [answer for answer in answers if answer["code"] not in (200, 503)]


def queries(bench: Bench) -> Iterator[Result]:
    """--query-threads run, --scan-queue-length wait, the next is refused; --query-timeout ends those that take long."""
    documents = bench.pick(100_000, 8_000)
    slow = wire.frame("GET", "/fill/", {"where": {"text": {"$contains": "y"}}, "count": True})
    for threads, waiting in ((1, 1), (3, 2)):
        served = bench.serve("--query-threads", str(threads), "--scan-queue-length", str(waiting))
        _fill(served, documents, 200)
        good, refused, others = _tally(_together(served.port, [slow] * 12))
        yield Result("--query-threads and --scan-queue-length", f"12 queries at once, {threads} run and {waiting} wait",
                     "503 overloaded for the others",
                     f"{good} good, {refused} refused", good + refused == 12 and good >= waiting and refused >= 1)
        if threads == 3:
            pages = [wire.frame("GET", "/fill/?limit=1000")] * 60
            good, refused, others = _tally(_together(served.port, pages))
            yield Result("--scan-queue-length of collections", "60 pages at once, two are read and 2 wait",
                         "503 overloaded for the others",
                         f"{good} good, {refused} refused", good + refused == 60 and good >= 2 and refused >= 1)
        yield from ended(served, "queues of queries")
    served = bench.serve("--query-timeout", "0.01")
    _fill(served, documents, 200)
    with wire.Session(served.port) as session:
        begin = time.monotonic()
        session.send(slow)
        answer = session.receive()
        took = time.monotonic() - begin
        after = session.ask("GET", "/fill/0000007")
    yield Result("--query-timeout", "a query that takes longer than 10 ms", "503 deadline_exceeded, and when to try again",
                 f"{answer['code']} {answer['data'].get('error')} after {took * 1000:.0f} ms",
                 answer["code"] == 503 and answer["data"]["error"] == "deadline_exceeded" and after["code"] == 200)
    yield from ended(served, "--query-timeout")


def groups(bench: Bench) -> Iterator[Result]:
    served = bench.serve("--page-bytes", "5000")
    _fill(served, 3000, 10)
    with wire.Session(served.port) as session:
        few = session.ask("GET", "/fill/", {"aggregate": {"n": "count"}, "groupBy": "text"})
        many = session.ask("GET", "/fill/", {"aggregate": {"n": "count"}, "groupBy": "n", "where": {"n": {"$lt": 3000}}})
    yield Result("--page-bytes for groups", "3,000 groups, 5,000 bytes", "400 too_many_groups",
                 f"{few['code']}, {many['code']} {many['data'].get('error')}",
                 few["code"] == 200 and many["code"] == 400 and many["data"]["error"] == "too_many_groups")
    yield from ended(served, "--page-bytes")


def caches(bench: Bench) -> Iterator[Result]:
    """Memory that is filled with pages and documents stays below what the flags say. A file of 160 MB is read through."""
    if bench.short:
        return
    count = 80_000
    small, large = {}, {}
    for sizes, store in ((("1000000", "1000000", "1000000", "0"), small),
                         (("64000000", "64000000", "8000000", "16000000"), large)):
        served = bench.serve("--read-cache-bytes", sizes[0], "--query-cache-bytes", sizes[1], "--cache-bytes", sizes[2],
                             "--document-cache-bytes", sizes[3])
        _fill(served, count, 1800)
        store["filled"] = served.memory()
        read = '{"method":"GET","path":"/fill/%ld"}\\0'
        # Ids here have seven digits, those of the generator nine: so they are written once more under such.
        bench.crowd("rate", served.port, connections=8, seconds=6, unanswered=16, keys=count, size=1800,
                    request='{"method":"PUT","path":"/fill/%ld","data":"%s"}\\0').finish()
        bench.crowd("rate", served.port, connections=8, seconds=6, unanswered=16, keys=count,
                    request=read).finish()
        store["read"] = served.memory()
        with wire.Session(served.port) as session:
            store["documents"] = session.ask("GET", "/_stats")["data"]["documentCacheBytes"]
            for _ in range(4):
                expect(session.ask("GET", "/fill/", {"where": {"n": -1}, "count": True}), 200)
            cursor = ""
            for _ in range(10):
                page = expect(session.ask("GET", "/fill/?limit=1000" + (f"&after={cursor}" if cursor else "")), 200)["data"]
                cursor = page["next"] or ""
        store["all"] = served.memory()
        yield from ended(served, "caches")
    yield Result("--read-cache-bytes, --query-cache-bytes, --cache-bytes, --document-cache-bytes",
                 f"{count:,} documents of 1.8 KB read through",
                 "memory follows the flags",
                 f"with little {mebibytes(small['all'])}, with much {mebibytes(large['all'])}; documents at hand "
                 f"{small['documents']:,} and {large['documents']:,} bytes",
                 small["documents"] == 0 and 0 < large["documents"] <= 16_000_000 and small["all"] < 110 * MIB
                 and large["all"] < 110 * MIB + 152_000_000 + 32_000_000)


def idempotency(bench: Bench) -> Iterator[Result]:
    """An answer is kept for so many hours, over a restart; the clock is turned by making it older in the file."""
    served = bench.serve("--idempotency-hours", "1")

    def ask() -> dict:
        with wire.Session(served.port) as session:
            return session.ask("POST", "/keys/", 1, {"Idempotency-Key": "once"})

    def older(minutes: int) -> None:
        served.stop()
        with contextlib.closing(sqlite3.connect(served.database)) as file, file:
            file.execute("UPDATE kept_answers SET ends_at = ends_at - ?", (minutes * 60_000,))
        served.start()
    first, at_once = ask(), ask()
    older(50)
    later = ask()
    older(20)
    forgotten = eventually(lambda: ask()["data"]["id"] != first["data"]["id"], 10)
    same = first["data"] == at_once["data"] == later["data"] and later["headers"].get("Idempotency-Replayed") == "true"
    yield Result("--idempotency-hours", "1 hour, over restarts", "kept for 50 minutes, and gone after 70",
                 f"kept: {same}, gone: {forgotten}",
                 first["code"] == 201 and same and forgotten)
    yield from ended(served, "--idempotency-hours")


def shutdown(bench: Bench) -> Iterator[Result]:
    served = bench.serve("--shutdown-timeout", "1")
    _fill(served, 1000, 4000)
    crowd = bench.crowd("mute", served.port, connections=20, greet=True, receive_buffer=4096,
                        request='{"method":"GET","path":"/fill/?limit=1000"}\\0')
    time.sleep(1)
    begin = time.monotonic()
    status = served.stop()
    took = time.monotonic() - begin
    crowd.finish()
    yield Result("--shutdown-timeout", "20 clients that do not read, 1 s", "the server ends all the same",
                 f"exit {status} after {took:.1f} s",
                 status == 0 and took < 6 and not served.complaints())


def tokens(bench: Bench) -> Iterator[Result]:
    served = bench.serve()
    rules = [f"read:/c{number}/" for number in range(101)]
    with wire.Session(served.port) as session:
        beyond = session.ask("POST", "/_tokens/", {"name": "many", "allow": rules})
        at = session.ask("POST", "/_tokens/", {"name": "many", "allow": rules[:99] + ["admin"]})
    yield Result("rules of a token", "100, 101", "400 invalid_token_request beyond",
                 f"{at['code']}, {beyond['code']} {beyond['data'].get('error')}",
                 at["code"] == 201 and beyond["code"] == 400 and beyond["data"]["error"] == "invalid_token_request")
    yield from ended(served, "rules of a token")


def backups(bench: Bench) -> Iterator[Result]:
    served = bench.serve("--scan-queue-length", "1")
    _fill(served, 5_000, 400)
    with wire.Session(served.port) as session:
        made = session.ask("POST", "/_backups/", {})
        second = session.ask("POST", "/_backups/", {})
        name, pieces, offset = made["data"]["name"], [], 0
        while offset is not None:
            piece = session.ask("GET", f"/_backups/{name}?offset={offset}")["data"]
            pieces.append(len(base64.b64decode(piece["data"])))
            offset = piece["next"]
        whole = sum(pieces) == made["data"]["bytes"]
        answers = _together(served.port, [wire.frame("GET", f"/_backups/{name}?offset=0")] * 60)
        good, refused, others = _tally(answers)
    yield Result("pieces of a backup, one copy at a time",
                 f"{len(pieces)} pieces of {max(pieces):,} bytes at most, whole: {whole}",
                 "384 KiB; a second copy is 409 backup_running",
                 f"{made['code']}, {second['code']} {second['data'].get('error')}",
                 whole and max(pieces) <= 384 << 10 and second["code"] == 409 and second["data"]["error"] == "backup_running")
    yield Result("--scan-queue-length of backups", "60 pieces at once, one waits", "503 overloaded for the others",
                 f"{good} good, {refused} refused",
                 good + refused == 60 and good >= 1 and refused >= 1)
    yield from ended(served, "backups")


def unread(bench: Bench) -> Iterator[Result]:
    """Of a connection whose answers nobody takes no more is read: what it can send comes to an end."""
    for options in (("--max-pipelined-requests", "2"), ("--max-pipelined-bytes", "10000"), ("--send-buffer-bytes", "10000")):
        served = bench.serve(*options)
        with wire.Session(served.port) as session:
            expect(session.ask("PUT", "/big/1", "x" * 100_000), 201)
        served.forget_peak()
        before = served.memory()
        crowd = bench.crowd("mute", served.port, connections=20, greet=True, receive_buffer=4096,
                            request='{"method":"GET","path":"/big/1"}\\0')
        time.sleep(1)
        cpu = served.cpu_seconds()
        time.sleep(0.5)
        idle = served.cpu_seconds() - cpu
        peak = served.peak()
        crowd.finish()
        yield Result(f"{options[0]} {options[1]}", "20 clients that never read, 100 KB an answer",
                     "requests wait, and nothing is done for them",
                     f"{mebibytes(peak - before)} more memory, {idle:.2f} s of CPU in half a second",
                     peak - before < 40 * MIB and idle < 0.2)
        yield from ended(served, options[0])


MEETS: dict[str, tuple] = {
    "connections": ("HostileClientTests/tooManyConnections", "crowds.py/storm"),
    "HTTP connections": ("test_hostile.py/test_the_sixth_connection_is_told_so",),
    "the headers of an HTTP request": ("test_hostile.py/test_huge_headers",),
    "a document": ("LimitTests/documents", "large.py/_sizes"),
    "its depth": ("LimitTests/documents", "large.py/_depths"),
    "a TLS handshake, from the beginning of the connection": ("TLSServerTests/handshakeTimeout", "TLSServerTests/placesAreFreed"),
    "a request, from its first byte to its NUL": ("HostileClientTests/frameNeverEnds", "crowds.py/idle_and_dripping"),
    "silence on a connection without a watch, or not taking what waits on any": ("LimitTests/idle",),
    "before a token is known, once there are some: a request": ("StrangerTests/tokenFirst",),
    "its time, from its first byte to its NUL": ("StrangerTests/timeouts",),
    "silence on such a connection": ("StrangerTests/timeouts",),
    "such a connection in all, without `--allow-anonymous`": ("StrangerTests/wholeTime", "StrangerTests/places"),
    "requests of a token, of an address": ("StrangerTests/rates",),
    "wrong tokens from an address": ("StrangerTests/wrongTokens",),
    "addresses that are remembered for these": ("AllowanceTests/bound",),
    "rules of a token": (tokens,),
    "tokens that hold": ("TokenFileTests/limit", "TokenCommandTests/limit"),
    "tokens that were revoked or have expired": ("TokenFileTests/clearing",),
    "unanswered requests of a connection": ("LimitTests/pipelining", unread),
    "their bytes": ("LimitTests/pipelining", unread),
    "what one turn takes up of a connection's requests, before others have theirs": ("LoopContextTests/turns", "crowds.py/floods"),
    "what is taken up of all requests before the sockets are looked at again": ("LoopContextTests/ticks", "LoopTurnsTests/looks"),
    "answers that wait for a client": ("LimitTests/pipelining", unread, "crowds.py/mute"),
    "input after the last answer": ("LimitTests/linger", "LimitTests/lingerBehindAnswers"),
    "writes that wait": ("LimitTests/writeQueue", "LimitTests/smallestWriteQueue", "overload.py/overload"),
    "of one native connection, where more than 4 MiB of writes wait (each request counts 256 bytes besides its data)":
        ("LimitTests/crowd", "ConnectionStateTests/crowdedWrites", "ConnectionStateTests/crowdedSmallWrites"),
    "reading a collection": ("LimitTests/scans",),
    "a query": (queries,),
    "queries that run at once": (queries,),
    "readings that wait, and queries that wait": (queries, "overload.py/overload"),
    "documents that a query looks at without an index": ("QueryTests/refusedScans",),
    "a page of a collection or a query, or the values of groups": ("LimitTests/pages", groups),
    "requests of a batch": ("BatchTests/refusals", "large.py/_batches"),
    "what they answer in all": ("BatchTests/refusals", "large.py/_batches"),
    "the time of a batch, or of looking for an element of `/item`, during which other writes wait": ("BatchTests/timeout",),
    "answers kept under an `Idempotency-Key`": ("IdempotencyTests/bounded", idempotency),
    "watches of a connection, watches in all": ("WatchTests/refusals",),
    "frames of watches that wait on a connection, on all": ("WatchTests/stalling", "crowds.py/deaf_watchers"),
    "conditions of watches, together, as JSON": ("WatchTests/conditionSizes",),
    "answers that wait for clients, on all connections": ("AnswerRoomTests/memory", "AnswerRoomTests/waiting", "test_hostile.py/Room", "crowds.py/mute"),
    "the rows of documents that are not at hand, for all threads together, 8 bytes each, rounded down to a power of two":
        ("RowKeysTests/bounded",),
    "documents kept at hand, by each thread that serves and by the one that writes": (caches,),
    "pages of the file in memory, for the threads that serve together": (caches,),
    "the same for the threads that query together": (caches,),
    "the same for the writer, and for each of the two threads that scan": (caches,),
    "the log, in pages, before it is written back": ("LimitTests/history", "day.py/day"),
    "backups that are made at once, and copies that are there to be fetched": (backups,),
    "a copy for fetching, after its last piece was asked for": ("BackupServerTests/lostFetcher",),
    "a piece of a backup": (backups,),
    "what is asked of backups and waits": (backups,),
    "room on the database's own disk that a backup leaves": ("BackupServerTests/fullDisk",),
    "room that `/_ready` wants in the file system of the database": ("test_metrics.py/test_without_room_it_is_not_ready_and_with_room_it_is_again",),
    "the end of the server, for clients that do not read": (shutdown,),
    "`GET /list`": ("LimitTests/pages",),
    "a path": ("PathGrammarTests/length",),
    "parameters behind its `?`": ("PathGrammarTests/manyParameters",),
    "members in the data of a query": ("QueryLanguageTests/refuses", "QueryLanguageTests/most"),
    "tests in a condition, how deep they nest, values of `$in`": ("QueryLanguageTests/refuses", "QueryLanguageTests/most"),
    "a field's name, its segments": ("QueryLanguageTests/refuses", "QueryLanguageTests/most"),
    "what `$text` looks for, in words": ("QueryLanguageTests/refuses", "QueryLanguageTests/most"),
    "keys of `sort`, `fields`, values that are computed": ("QueryLanguageTests/refuses", "QueryLanguageTests/most"),
    "groups": ("AggregationTests/refusals",),
    "indexes of a collection, fields of one": ("QueryLanguageTests/manyIndexes", "SettingsRequestTests/counted"),
    "fields whose words are indexed": ("QueryLanguageTests/manyIndexes", "SettingsRequestTests/counted"),
    "revisions in `If-Match` and `If-None-Match`": ("QueryLanguageTests/manyRevisions",),
    "steps of a pointer in a patch": ("JSONPatchTests/manySteps",),
    "the work of a patch": ("JSONPatchTests/bounded",),
    "the reading of one page of what a watch has missed": ("PageEndTests/time", "crowds.py/snapshot_watchers"),
    "what conditions of watches look through of one change, once for each test": ("WatchTableTests/examined",),
    "the compression of an answer over HTTP": ("test_web.py/test_long_answers_are_compressed_in_pieces_and_keep_their_order",),
    "writes that wait when the server ends": ("WriterTests/closing",),
}
