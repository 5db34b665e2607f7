"""Watches that are held open over the deaths of their server, and the history that they are to agree with."""
from __future__ import annotations

import http.client
import json
import threading
import time

import wire
from patience import eventually

BROKEN = (*wire.BROKEN, ValueError)


class Watcher(threading.Thread):
    """Watches everything from the beginning, and goes on behind what it saw last whenever it is cut off."""

    def __init__(self, served) -> None:
        super().__init__(daemon=True)
        self.served = served
        self.seen: list[dict] = []
        self.breaks = 0
        self.problem = ""
        self.ending = False
        self.start()

    @property
    def last(self) -> int:
        return self.seen[-1]["sequence"] if self.seen else 0

    def run(self) -> None:
        while not self.ending:
            try:
                self.watch()
            except ConnectionRefusedError:
                time.sleep(0.003)
            except BROKEN:
                self.breaks += 1
            except Exception as error:
                self.problem = f"{type(error).__name__}: {error}"
                return

    def take(self, event: dict) -> None:
        event.pop("history", None)  # The first frame has it.
        if event["change"] not in ("live", "heartbeat"):
            self.seen.append(event)

    def watch(self) -> None:
        with wire.Session(self.served.port, patience=0.5) as session:
            session.send(wire.frame("GET", f"/_changes?watch=true&since={self.last}", identifier="w"))
            while not self.ending:
                try:
                    answer = session.receive()
                except TimeoutError:
                    continue
                if not answer.get("continues"):
                    if answer["code"] == 503:  # The server is ending in order.
                        return
                    raise RuntimeError(f"the watch ended with {answer}")
                self.take(answer["data"])

    def catch_up(self, sequence: int) -> None:
        """Waits until it was told of a change."""
        eventually(lambda: self.last >= sequence or self.problem)
        self.ending = True
        self.finish()

    def finish(self) -> None:
        self.join()


class EventStream(Watcher):
    """The same over HTTP, as server-sent events."""

    def watch(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.served.http_port, timeout=0.5)
        try:
            headers = {"Accept": "text/event-stream"}
            if self.seen:
                headers["Last-Event-ID"] = str(self.last)
            connection.request("GET", "/_changes?watch=true&since=0", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                raise OSError("not now") if response.status == 503 else RuntimeError(f"the stream began with {response.status}")
            connection.sock.settimeout(20)  # Comments come meanwhile.
            kind = ""
            while not self.ending:
                line = response.readline()
                if not line:
                    raise ConnectionError("the stream was cut off")
                name, _, text = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = text
                elif name == "data" and kind != "problem":
                    self.take(json.loads(text))
        finally:
            connection.close()

    def finish(self) -> None:
        """It waits in a line that may be long in coming, so it is not waited for."""


def faults(told: list[dict]) -> list[str]:
    """What is wrong with a history by itself: each number once and without a gap, each change fitting what was before."""
    result, live = [], {}
    for number, change in enumerate(told, 1):
        kind, path = change["change"], change["path"]
        if change["sequence"] != number or change["revision"] != number:
            result.append(f"change {number} has sequence {change['sequence']} and revision {change['revision']}")
        there = path in live
        if (kind == "created") == there or kind not in ("created", "updated", "deleted", "expired"):
            result.append(f"change {number}: {path} was {kind} and {'was' if there else 'was not'} there")
        if kind in ("created", "updated"):
            live[path] = change["document"]
        else:
            live.pop(path, None)
            if change["document"] is not None:
                result.append(f"change {number}: {path} is gone, yet has a document")
    batch = None
    for number, change in enumerate(told, 1):
        # The changes of a batch stand together, and are marked with the first one's number.
        mark = change.get("batch")
        if mark is not None and mark != number and mark != batch:
            result.append(f"change {number} is of batch {mark}, and stands apart from it")
        batch = mark
    return result


def as_of(session: wire.Session, told: list[dict], collection: str, sequence: int) -> list[str]:
    """Whether a collection as it was at a revision is what the history says."""
    expected: dict[str, tuple] = {}
    for change in told[:sequence]:
        if change["path"].startswith(collection):
            if change["change"] in ("created", "updated"):
                expected[change["path"]] = (change["document"], change["revision"])
            else:
                expected.pop(change["path"], None)
    page = session.ask("GET", f"{collection}?asOf={sequence}&limit=1000")
    shown = {item["path"]: (item["document"], item["revision"]) for item in page["data"]["items"]}
    return [] if shown == expected else [f"{collection} as of {sequence} is {shown}, by the history {expected}"]
