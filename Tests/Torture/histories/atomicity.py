"""Batches beside everything that reads several documents: nothing ever shows half of one.

Writers set all documents of a collection to one number by a batch. Whatever is read at one moment then holds one number.
"""
from __future__ import annotations

import dataclasses
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
    batches: int = 0
    kills: int = 0
    looks: dict[str, int] = dataclasses.field(default_factory=dict)
    halves: dict[str, int] = dataclasses.field(default_factory=dict)
    problems: list[str] = dataclasses.field(default_factory=list)


def run(binary: str, folder: pathlib.Path, seed: int, seconds: float) -> Outcome:
    outcome = Outcome()
    randomness = random.Random(seed)
    served = Served.in_folder(binary, folder, "--threads", "2", http=True)
    ending = threading.Event()
    numbers = iter(range(1, 1 << 60))
    lock = threading.Lock()

    def batch(ask: Callable) -> None:
        with lock:
            number = next(numbers)
        places = list(range(DOCUMENTS))
        random.Random(number).shuffle(places)
        parts = [{"method": "PUT", "path": f"{COLLECTION}{place:03}", "data": {"n": number}} for place in places]
        code, data = ask("POST", "/_batch", {"requests": parts})
        if code == 200:
            outcome.batches += 1
        elif code != 503:
            outcome.problems.append(f"a batch was answered {code} {data}")

    def look(what: str, ask: Callable) -> None:
        numbers = _READS[what](ask)
        if numbers is None:
            return
        with lock:
            outcome.looks[what] = outcome.looks.get(what, 0) + 1
            if len(set(numbers)) > 1:
                outcome.halves[what] = outcome.halves.get(what, 0) + 1
                outcome.problems.append(f"{what} showed {sorted(set(numbers))}")

    def work(port: str, steps: list[Callable]) -> None:
        choose = random.Random(f"{seed} {port} {len(steps)} {threading.get_ident()}")
        while not ending.is_set():
            try:
                ask = _native(served) if port == "native" else _http(served)
                while not ending.is_set():
                    choose.choice(steps)(ask)
            except BROKEN:
                time.sleep(0.005)
            except Exception as error:
                outcome.problems.append(f"{type(error).__name__}: {error}")
                return

    batch(_native(served))
    reads = {name: (lambda ask, name=name: look(name, ask)) for name in _READS}
    native = [reads[name] for name in _READS]
    over_http = [reads[name] for name in _READS]
    threads = [threading.Thread(target=work, args=arguments, daemon=True) for arguments in (
        ("native", [batch]), ("http", [batch]), ("native", native), ("native", native), ("http", over_http))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and not outcome.problems:
        time.sleep(min(randomness.uniform(0.3, 1), max(0.0, end - time.monotonic())))
        served.kill()
        outcome.kills += 1
        served.start()
        for name in _READS:
            look(name, _native(served))
    ending.set()
    for thread in threads:
        thread.join(30)
        if thread.is_alive():
            outcome.problems.append("a client hangs")
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


def _items(answer: tuple[int, dict]) -> list | None:
    code, data = answer
    return None if code == 503 else [item["document"]["n"] for item in data["items"]] if code == 200 else [code, -1]


def _page(ask: Callable) -> list | None:
    return _items(ask("GET", f"{COLLECTION}?limit=1000"))


def _all(ask: Callable) -> list | None:
    return _items(ask("GET", "/_documents"))


def _query(ask: Callable) -> list | None:
    return _items(ask("GET", COLLECTION, {"sort": "-n", "limit": 1000, "recursive": True}))


def _groups(ask: Callable) -> list | None:
    code, data = ask("GET", COLLECTION, {"aggregate": {"least": {"min": "n"}, "most": {"max": "n"}}})
    if code != 200:
        return None if code == 503 else [code, -1]
    group = data["groups"][0]
    return [group["least"], group["most"]]


def _batch(ask: Callable) -> list | None:
    parts = [{"method": "GET", "path": f"{COLLECTION}{place:03}"} for place in (0, 39, 7, 20)]
    code, data = ask("POST", "/_batch", {"requests": parts + [{"method": "GET", "path": f"{COLLECTION}?limit=1000"}]})
    if code != 200:
        return None if code == 503 else [code, -1]
    answers = data["responses"]
    return [one["data"]["n"] for one in answers[:-1]] + [item["document"]["n"] for item in answers[-1]["data"]["items"]]


def _past(ask: Callable) -> list | None:
    """The end of a batch is a moment; the page of it comes in pieces, and other batches meanwhile."""
    code, data = ask("GET", f"{COLLECTION}039?history=true&limit=1")
    if code != 200:
        return None if code == 503 else [code, -1]
    code, data = ask("GET", f"/_changes?since={data['versions'][0]['revision'] - 1}&limit=1")
    if code != 200:
        return None if code == 503 else [code, -1]
    moment = data["items"][0]["batch"] + DOCUMENTS - 1
    numbers, after = [], ""
    while after is not None:
        code, data = ask("GET", f"{COLLECTION}?asOf={moment}&limit=15" + (f"&after={after}" if after else ""))
        if code != 200:
            return None if code == 503 else [code, -1]
        numbers += [item["document"]["n"] for item in data["items"]]
        after = data["next"] and urllib.parse.quote(data["next"])
    return numbers


_READS = {"pages of a collection": _page, "/_documents": _all, "queries": _query, "groups": _groups,
          "batches of reads": _batch, "pages of the past": _past}
