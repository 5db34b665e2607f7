"""Batches beside everything that reads several documents: nothing ever shows half of one.

Writers set all documents of a collection to one number by a batch. Whatever is read at one moment then holds one number.
"""
from __future__ import annotations

import dataclasses
import functools
import http.client
import json
import pathlib
import random
import shutil
import threading
import time
import urllib.parse
from collections.abc import Callable

import wire
from patience import PATIENCE
from served import Served
from wire import BROKEN

DOCUMENTS = 40
COLLECTION = "/whole/"


@dataclasses.dataclass
class Outcome:
    batches: dict[str, int] = dataclasses.field(default_factory=dict)
    """By port."""
    kills: int = 0
    looks: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)
    """By what was looked at and by port."""
    halves: dict[str, int] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)


def run(binary: str, folder: pathlib.Path, seed: int, seconds: float) -> Outcome:
    outcome = Outcome()
    randomness = random.Random(seed)
    served = Served.in_folder(binary, folder, "--threads", "2", http=True)
    ending = threading.Event()
    numbers = iter(range(1, 1 << 60))
    lock = threading.Lock()

    def batch(port: str, ask: Callable) -> None:
        with lock:
            number = next(numbers)
        places = list(range(DOCUMENTS))
        random.Random(number).shuffle(places)
        parts = [{"method": "PUT", "path": f"{COLLECTION}{place:03}", "data": {"n": number}} for place in places]
        code, data = ask("POST", "/_batch", {"requests": parts})
        if code == 200:
            with lock:
                outcome.batches[port] = outcome.batches.get(port, 0) + 1
        elif code != 503:
            outcome.problems.append(f"a batch was answered {code} {data}")

    def look(what: str, port: str, ask: Callable) -> None:
        try:
            numbers = _READS[what](ask)
        except _Refused as refusal:
            numbers = refusal.numbers
        if numbers is None:
            return
        with lock:
            outcome.looks[what, port] = outcome.looks.get((what, port), 0) + 1
            if len(set(numbers)) > 1:
                outcome.halves[what] = outcome.halves.get(what, 0) + 1
                outcome.problems.append(f"{what} showed {sorted(set(numbers))}")

    def work(port: str, steps: list[Callable]) -> None:
        choose = random.Random(f"{seed} {port} {len(steps)} {threading.get_ident()}")
        while not ending.is_set():
            try:
                ask = _native(served) if port == "native" else _http(served)
                while not ending.is_set():
                    choose.choice(steps)(port, ask)
            except BROKEN:
                time.sleep(0.005)
            except Exception as error:
                outcome.problems.append(f"{type(error).__name__}: {error}")
                return

    batch("native", _native(served))
    reads = [functools.partial(look, name) for name in _READS]
    threads = [threading.Thread(target=work, args=arguments, daemon=True) for arguments in (
        ("native", [batch]), ("http", [batch]), ("native", reads), ("native", reads), ("http", reads))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and not outcome.problems:
        time.sleep(min(randomness.uniform(0.3, 1), max(0.0, end - time.monotonic())))
        served.kill()
        outcome.kills += 1
        served.start()
        for name in _READS:
            look(name, "native", _native(served))
    ending.set()
    for thread in threads:
        thread.join(30)
        if thread.is_alive():
            outcome.problems.append("a client hangs")
    for port in ("native", "http"):
        unseen = [name for name in _READS if not outcome.looks.get((name, port))]
        if unseen or not outcome.batches.get(port):
            outcome.problems.append(f"over {port} there were {outcome.batches.get(port, 0)} batches, and no looks at {unseen}")
    if served.stop() != 0 or served.complaints():
        outcome.problems += ["docket complains", *served.complaints()]
    if not outcome.problems:
        shutil.rmtree(folder)
    return outcome


def _native(served: Served) -> Callable:
    session = wire.Session(served.port)

    def ask(method: str, path: str, data: object = None) -> tuple[int, object]:
        answer = session.ask(method, path, data)
        return answer["code"], answer["data"]
    return ask


def _http(served: Served) -> Callable:
    connection = http.client.HTTPConnection("127.0.0.1", served.http_port, timeout=PATIENCE)
    connection.connect()

    def ask(method: str, path: str, data: object = None) -> tuple[int, object]:
        body = None if data is None else json.dumps(data)
        if method == "GET" and data is not None:
            # HTTP has no data with GET: the same stands behind the `?`.
            path, body = f"{path}?{_parameters(data)}", None
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    return ask


def _parameters(data: dict) -> str:
    parameters = {}
    for name, value in data.items():
        parameters[name] = value if isinstance(value, str) else json.dumps(value)
    return urllib.parse.urlencode(parameters)


class _Refused(Exception):
    """An answer that shows no documents: no numbers where it is 503, otherwise some that no batch has."""

    def __init__(self, code: int) -> None:
        self.numbers = None if code == 503 else [code, -1]


def _shown(answer: tuple[int, dict]) -> dict:
    """- Raises: _Refused."""
    code, data = answer
    if code != 200:
        raise _Refused(code)
    return data


def _numbers(page: dict) -> list:
    return [item["document"]["n"] for item in page["items"]]


def _page(ask: Callable) -> list:
    return _numbers(_shown(ask("GET", f"{COLLECTION}?limit=1000")))


def _all(ask: Callable) -> list:
    return _numbers(_shown(ask("GET", "/_documents")))


def _query(ask: Callable) -> list:
    return _numbers(_shown(ask("GET", COLLECTION, {"sort": "-n", "limit": 1000, "recursive": True})))


def _groups(ask: Callable) -> list:
    aggregate = {"least": {"min": "n"}, "most": {"max": "n"}}
    group = _shown(ask("GET", COLLECTION, {"aggregate": aggregate}))["groups"][0]
    return [group["least"], group["most"]]


def _batch(ask: Callable) -> list:
    paths = [f"{COLLECTION}{place:03}" for place in (0, 39, 7, 20)] + [f"{COLLECTION}?limit=1000"]
    answers = _shown(ask("POST", "/_batch", {"requests": [{"method": "GET", "path": path} for path in paths]}))["responses"]
    return [one["data"]["n"] for one in answers[:-1]] + _numbers(answers[-1]["data"])


def _past(ask: Callable) -> list:
    """The end of a batch is a moment; the page of it comes in pieces, and other batches meanwhile."""
    newest = _shown(ask("GET", f"{COLLECTION}039?history=true&limit=1"))["versions"][0]["revision"]
    change = _shown(ask("GET", f"/_changes?since={newest - 1}&limit=1"))["items"][0]
    moment = change["batch"] + DOCUMENTS - 1
    numbers, after = [], ""
    while after is not None:
        page = _shown(ask("GET", f"{COLLECTION}?asOf={moment}&limit=15" + (f"&after={after}" if after else "")))
        numbers += _numbers(page)
        after = page["next"] and urllib.parse.quote(page["next"])
    return numbers


_READS = {"pages of a collection": _page, "/_documents": _all, "queries": _query, "groups": _groups,
          "batches of reads": _batch, "pages of the past": _past}
