"""The making of an index, and what is counted by it."""
from __future__ import annotations

import contextlib
import json
import statistics
import time

from bench_setup import Setup
from client import Session, frame
from query_documents import COLLECTION, FIELD, IN_GROUP, QueryDocuments
from report import Section, at_most
from servers import Server

MATCHES = 10_000
"""That are counted."""
COUNTS = 200


def measure(setup: Setup, section: Section, server: Server, documents: QueryDocuments) -> None:
    with server.awake():
        making = _make(server)
        setup.tell("an index made")
        matches = min(MATCHES, documents.count // 2)
        counting = _count(server, matches)
        setup.tell("counts by an index")
    figure, aim = section.figure(f"milliseconds of a count of {matches:,} by an index", counting, at_most(5))
    section.table(["index", "figure", "aim"], [
        [f"milliseconds of a count of {matches:,} documents by it, one client", figure, aim],
        [f"seconds in which it is made of {documents.count:,} documents", f"{making:.1f}", ""]])
    section.say(f"The index has the one field, and is made once. The count is of a range of its values, {COUNTS} times.")


def _make(server: Server) -> float:
    """Seconds for the index."""
    begin = time.monotonic()
    _ask(server, "PUT", f"/_collections{COLLECTION}", {"indexes": [FIELD]})
    return time.monotonic() - begin


def _count(server: Server, matches: int) -> float:
    """The median time, in milliseconds, of a count of so many documents."""
    path = f"{COLLECTION}?where[{FIELD}][$lt]={matches // IN_GROUP}&count=true&limit=0"
    explained = _ask(server, "GET", f"{path}&explain=true")
    if explained["count"] != matches or explained["explain"]["index"] != [FIELD]:
        raise ValueError(f"a count of {matches} by an index comes to {explained}")
    request, spent = frame("GET", path), []
    with contextlib.closing(Session(server.port)) as session:
        for _ in range(COUNTS):
            begin = time.perf_counter()
            session.ask(request)
            spent.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spent)


def _ask(server: Server, method: str, path: str, data: object = None) -> dict:
    with contextlib.closing(Session(server.port)) as session:
        answer = json.loads(session.ask(frame(method, path, data)))
    if answer["code"] >= 300:
        raise ValueError(f"{method} {path}: {answer}")
    return answer["data"]
