"""What a page of a collection costs at its start and at its end."""
from __future__ import annotations

import json
import statistics
import time
import urllib.parse

from client import Session, frame
from servers import Server

COLLECTION = "/bench/"
DOCUMENTS = 100
"""On a page."""
COUNT = 200
"""Pages that are read at each place."""


def milliseconds(server: Server, count: int) -> tuple[float, float]:
    """The median time of a page at the start and of one at the end of a collection, on one connection, in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    with server.awake():
        session = Session(server.port)
        requests = [_page(DOCUMENTS, None), _page(DOCUMENTS, _cursor(session, count - DOCUMENTS))]
        for _ in range(COUNT):
            for request, spent in zip(requests, times):
                begin = time.perf_counter()
                answer = session.ask(request)
                spent.append((time.perf_counter() - begin) * 1000)
                if len(json.loads(answer)["data"]["items"]) != DOCUMENTS:
                    raise ValueError(f"a page of {COLLECTION} is not full")
        session.close()
    return statistics.median(times[0]), statistics.median(times[1])


def _page(limit: int, after: str | None) -> bytes:
    query = {"limit": str(limit)} | ({"after": after} if after else {})
    return frame("GET", f"{COLLECTION}?{urllib.parse.urlencode(query)}")


def _cursor(session: Session, position: int) -> str | None:
    """The cursor behind so many documents, which takes a walk."""
    cursor = None
    while position > 0:
        limit = min(position, 1_000)
        cursor = json.loads(session.ask(_page(limit, cursor)))["data"]["next"]
        position -= limit
    return cursor
