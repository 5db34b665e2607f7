"""Clients that write without a pause, each its own documents, and have everything in the ledger."""
from __future__ import annotations

import json
import random
import selectors
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from ledger import Ledger, Write, body
from patience import PATIENCE
from promises import Violation, demand
from wire import KEEP_ALIVE, connect, frame

NOTHING_CHANGED = frozenset({
    "disk_full", "busy", "overloaded", "no_room", "closing", "deadline_exceeded", "store_failed", "batch_failed"})
"""The errors that say that a write is not there, and will not be."""
SINGLE, BATCH, POSTS = 6, 3, 4
"""How many documents a client has of each kind."""


class Writers:
    """All clients, in one thread: nothing happens but within the calls."""

    def __init__(self, ledger: Ledger, seed: random.Random, count: int = 8, depth: int = 4,
                 errors: frozenset[str] = frozenset(), name: str = "c") -> None:
        """
        - Parameters:
          - name: what the names of clients, and their collections, begin with. Who writes beside or behind others that
            were not compared with the database yet needs a name of its own.
          - depth: how many requests of a client wait for their answers, at most.
          - errors: the codes of errors that may come.
        """
        self.ledger = ledger
        self.refusals: Counter[str] = Counter()
        """The errors that came."""
        self._clients = [
            _Client(f"{name}{index}", ledger, seed, depth, errors, self.refusals) for index in range(count)]
        self._selector = selectors.DefaultSelector()

    def connect(self, port: int) -> None:
        """- Raises: OSError."""
        self.ledger.begin_session()
        for client in self._clients:
            client.connect(port)
            self._selector.register(client.connection, selectors.EVENT_READ, client)

    def write(self, seconds: float, acknowledgements: int = 1 << 62,
              until: Callable[[], object] = lambda: False) -> None:
        """Writes for so long, until so many more are acknowledged, something holds, or no connection is left."""
        end = time.monotonic() + seconds
        goal = self.ledger.acknowledged + acknowledgements
        for client in self._connected():
            client.fill()
        while self._pump(end - time.monotonic(), writes=True):
            if time.monotonic() >= end or self.ledger.acknowledged >= goal or until():
                return

    def settle(self, seconds: float = PATIENCE) -> None:
        """Takes the answers to all that was sent on connections that are there.

        - Raises: Violation where they are not there within so many seconds.
        """
        end = time.monotonic() + seconds
        while self.waiting and time.monotonic() < end:
            self._pump(end - time.monotonic(), writes=False)
        demand(not self.waiting, f"{self.waiting} requests had no answer within {seconds} s")

    def take_what_came(self) -> None:
        """Takes the answers that have arrived."""
        while self._pump(0, writes=False):
            pass

    def close(self) -> None:
        """Takes the answers that have arrived, and closes the connections."""
        self.take_what_came()
        for client in self._connected():
            self._drop(client)

    @property
    def waiting(self) -> int:
        """How many requests have no answer on connections that are there."""
        return sum(client.waits for client in self._connected())

    @property
    def connected(self) -> int:
        return len(self._connected())

    def _connected(self) -> list[_Client]:
        return [key.data for key in list(self._selector.get_map().values())]

    def _pump(self, seconds: float, writes: bool) -> bool:
        """Returns whether something came; while writing, whether a connection is left."""
        events = self._selector.select(max(seconds, 0)) if self._selector.get_map() else []
        for key, _ in events:
            client: _Client = key.data
            if not client.receive():
                self._drop(client)
            elif writes:
                try:
                    client.fill()
                except OSError:
                    # Answers that came before the end are still to be read.
                    client.cannot_send = True
        return bool(self._selector.get_map()) if writes else bool(events)

    def _drop(self, client: _Client) -> None:
        self._selector.unregister(client.connection)
        client.disconnect()


class _Client:
    def __init__(self, name: str, ledger: Ledger, seed: random.Random, depth: int, errors: frozenset[str],
                 refusals: Counter[str]) -> None:
        self.name, self.cannot_send = name, False
        self._ledger, self._random, self._depth = ledger, random.Random(seed.random()), depth
        self._errors, self._refusals = errors, refusals
        self._sent: deque[tuple[Write | None, str, int]] = deque()
        """Each request without an answer: the write; or what a read asks for, behind how many writes."""
        self._received = bytearray()
        self._posts: deque[str] = deque()

    @property
    def waits(self) -> int:
        return len(self._sent)

    def connect(self, port: int) -> None:
        self.connection = connect(port)
        self.cannot_send = False
        # Found or not, those of the run before are in the ledger's documents.
        prefix = f"/{self.name}/posts/"
        self._posts = deque(path for path in self._ledger.documents if path.startswith(prefix))

    def disconnect(self) -> None:
        self.connection.close()
        self._sent.clear()
        self._received.clear()

    def fill(self) -> None:
        """Sends as many requests as may wait."""
        if self.cannot_send:
            return
        frames = [self._next() for _ in range(self._random.randint(1, self._depth) - len(self._sent))]
        if frames:
            self.connection.sendall(b"".join(frames))

    def _next(self) -> bytes:
        chance = self._random.random()
        if chance < 0.15:
            path = f"/{self.name}/{self._random.randrange(SINGLE)}"
            self._sent.append((None, path, self._ledger.count(path)))
            return _request("GET", path)
        if chance < 0.3:
            write = self._ledger.send(self.name, *(f"/{self.name}/b{index}" for index in range(BATCH)))
            data = {"requests": [{"method": "PUT", "path": path, "data": body(write.number)} for path in write.paths]}
            return self._requested(write, "POST", "/_batch", data)
        if chance < 0.38:
            write = self._ledger.send(self.name, f"/{self.name}/{self._random.randrange(SINGLE)}", deletes=True)
            return self._requested(write, "DELETE", write.paths[0])
        if chance < 0.45:
            if len(self._posts) >= POSTS:
                write = self._ledger.send(self.name, self._posts.popleft(), deletes=True)
                return self._requested(write, "DELETE", write.paths[0])
            write = self._ledger.send(self.name, f"/{self.name}/posts/", key=self._key())
            return self._requested(write, "POST", write.paths[0], body(write.number))
        path = f"/{self.name}/{self._random.randrange(SINGLE)}"
        write = self._ledger.send(self.name, path, key=self._key() if chance < 0.6 else None)
        return self._requested(write, "PUT", path, body(write.number))

    def _key(self) -> str:
        return f"{self.name}-{self._random.getrandbits(64):x}"

    def _requested(self, write: Write, method: str, path: str, data: object = None) -> bytes:
        self._sent.append((write, path, 0))
        write.request = _request(method, path, data, write.key)
        return write.request

    def receive(self) -> bool:
        """Takes what has come. Returns whether the connection is still there."""
        try:
            part = self.connection.recv(1 << 18)
        except ConnectionError:
            return False
        self._received += part
        *answers, rest = self._received.split(b"\0")
        self._received = bytearray(rest)
        for answer in answers:
            try:
                self._take(json.loads(answer))
            except ValueError:
                raise Violation(f"{self.name} got what is no JSON: {answer[:200]!r}") from None
        return bool(part)

    def _take(self, answer: dict[str, Any]) -> None:
        demand(self._sent, f"{self.name} got an answer to nothing: {answer}")
        write, path, sent = self._sent.popleft()
        code, data = answer["code"], answer["data"]
        if write is None:
            if code in (200, 404):
                self._ledger.check_read(path, sent, data["n"] if code == 200 else None)
                demand(code == 404 or data == body(data["n"]), f"a read of {path} found another document than was sent")
            else:
                self._refused(answer)
            return
        if write.deletes and code == 404:
            # Nothing was there, so nothing was done; there was nothing if the writes before it left nothing.
            self._ledger.check_read(path, self._before(write), None)
            self._ledger.refuse(write, "404")
        elif code in (200, 201, 204):
            if path.endswith("/posts/"):
                self._posts.append(data["path"])
            self._ledger.acknowledge(write, *_revisions(code, data))
        else:
            error = self._refused(answer)
            if error in NOTHING_CHANGED:
                self._ledger.refuse(write, error)
            else:
                self._ledger.leave_open(write)

    def _before(self, write: Write) -> int:
        return self._ledger.position(write)

    def _refused(self, answer: dict[str, Any]) -> str:
        error = (answer["data"] or {}).get("error", "") if isinstance(answer["data"], dict) else ""
        demand(error in self._errors, f"{self.name} was answered {json.dumps(answer)[:400]}")
        self._refusals[error] += 1
        return error


def _request(method: str, path: str, data: object = None, key: str | None = None) -> bytes:
    return frame(method, path, data, {**KEEP_ALIVE, **({"Idempotency-Key": key} if key else {})})


def _revisions(code: int, data: Any) -> list[int]:
    if code == 204 or data is None:
        return []
    if "responses" in data:
        return [response["data"]["revision"] for response in data["responses"]]
    return [data["revision"]]
