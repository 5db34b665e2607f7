"""Clients that do what comes to their mind, and write down what they did, when, and what they were told."""
from __future__ import annotations

import dataclasses
import json
import random
import sqlite3
import threading
import time
import uuid

import model
import speech
from search import INFINITY, Operation
from wire import BROKEN


class Scene:
    """What the clients of a history share."""

    def __init__(self, served, collection: str, documents: int) -> None:
        self.served, self.collection, self.documents = served, collection, documents
        self.history: list[Operation] = []
        self.lock = threading.Lock()
        self.numbers = 0
        self.revisions: list[int] = [0] * documents
        """What somebody was last told of each, for conditions."""
        self.undone = 0
        self.unknown = 0
        self.problems: list[str] = []
        self.over = threading.Event()

    def number(self) -> int:
        with self.lock:
            self.numbers += 1
            return self.numbers

    def record(self, operation: Operation) -> int:
        with self.lock:
            self.history.append(operation)
            self.unknown += operation.outcome is None
            return len(self.history) - 1

    def learn(self, action: model.Action, outcome: model.Outcome) -> None:
        if outcome[0] == "batch":
            for part, answer in zip(action[1], outcome[1]):
                self.learn(part, answer)
        elif outcome[0] == "page":
            for number, seen in enumerate(outcome[1]):
                if seen is not None:
                    self.revisions[number] = seen[1]
        elif outcome[0] in ("found", "refused", "created", "replaced", "written") and outcome[-1] is not None:
            self.revisions[action[1]] = outcome[-1]


def invent(scene: Scene, randomness: random.Random, batches: bool = True) -> model.Action:
    """An action that is likely to meet others."""
    document = randomness.randrange(scene.documents)
    seen = scene.revisions[document]
    kind = randomness.choices(("get", "same", "put", "cas", "create", "patch", "delete", "batch", "page"),
                              (28, 3, 16, 22, 7, 8, 6, 6 if batches else 0, 4 if batches else 0))[0]
    if kind == "get":
        return "get", document, None
    if kind == "same":
        return "get", document, ("none-match", seen)
    if kind == "put":
        return "put", document, (scene.number(), None), None
    if kind == "cas":
        return "put", document, (scene.number(), None), ("match", seen)
    if kind == "create":
        return "put", document, (scene.number(), None), randomness.choice((("none-match", "*"), ("match", "*")))
    if kind == "patch":
        return "patch", document, scene.number(), randomness.choice((None, ("match", seen)))
    if kind == "delete":
        return "delete", document, randomness.choice((None, None, ("match", seen)))
    if kind == "page":
        return ("page",)
    parts = [invent(scene, randomness, batches=False) for _ in range(randomness.randrange(1, 4))]
    # A write for each document besides, most of the time, so that there are halves to be seen.
    if randomness.random() < 0.7:
        parts = [("put", number, (scene.number(), None), None) for number in range(scene.documents)] + parts[:1]
    return "batch", tuple(parts)


class Client(threading.Thread):
    """Talks to the server, connects again when it was cut off, and lets nobody die for an answer."""

    def __init__(self, scene: Scene, name: str, voice: type, steps: int, seed: str) -> None:
        super().__init__(daemon=True)
        self.scene, self.name, self.voice, self.steps = scene, name, voice, steps
        self.randomness = random.Random(seed)
        self.speaker = None
        self.life = 0
        """How many servers had died when this connection was made: it is to the one after these."""

    def run(self) -> None:
        try:
            while self.steps > 0:
                self.step()
        except Exception as error:  # A thread's end must not be a silent one.
            self.scene.problems.append(f"{self.name}: {type(error).__name__}: {error}")
        finally:
            if self.speaker is not None:
                self.speaker.close()

    def connect(self) -> None:
        deaths = self.scene.served.deaths
        end = time.monotonic() + 30
        while True:
            before = len(deaths)
            try:
                speaker = self.voice(self.scene.served, self.scene.collection, self.scene.documents)
            except BROKEN:
                if time.monotonic() > end:
                    raise
                time.sleep(0.003)
                continue
            if len(deaths) == before:
                self.speaker, self.life = speaker, before
                return
            speaker.close()

    def step(self) -> None:
        action = invent(self.scene, self.randomness)
        self.exchange(action)
        # Looks what became of a batch, most of the time: halves of it show before others have written over them.
        if action[0] == "batch" and self.steps > 0 and self.randomness.random() < 0.7:
            self.exchange(("page",))

    def exchange(self, action: model.Action) -> None:
        invoked = self.begin()
        try:
            self.speaker.send(action)
            outcome = self.speaker.receive(action)
        except speech.Undone:
            self.scene.undone += 1
        except BROKEN as error:
            self.unanswered(action, invoked, self.death(error))
        else:
            self.answered(action, invoked, outcome)

    def begin(self, steps: int = 1) -> int:
        """Sees to a connection for so many steps, and returns when they begin."""
        if self.speaker is None or self.voice is speech.OneShot:
            self.connect()
        self.steps -= steps
        return time.monotonic_ns()

    def answered(self, action: model.Action, invoked: int, outcome: model.Outcome, behind: tuple[int, ...] = ()) -> int:
        """Writes down what was answered just now, and returns its place in the history."""
        place = self.scene.record(Operation(self.name, action, invoked, time.monotonic_ns(), outcome, behind))
        self.scene.learn(action, outcome)
        return place

    def unanswered(self, action: model.Action, invoked: int, death: int, behind: tuple[int, ...] = ()) -> int:
        """Writes down what may have been carried out, before the death of its server at the latest."""
        return self.scene.record(Operation(self.name, action, invoked, death, None, behind))

    def death(self, error: BaseException) -> int:
        """When the server died that this connection was to."""
        self.speaker.close()
        self.speaker = None
        deaths = self.scene.served.deaths
        end = time.monotonic() + 10
        while len(deaths) <= self.life:
            if time.monotonic() > end:
                raise RuntimeError(f"cut off by a server that did not end: {error!r}")
            time.sleep(0.001)
        return deaths[self.life]


class Pipeline:
    """What was sent on a connection without waiting, and what of it a request must see.

    A read of one document may be carried out before writes of others that were sent before it (docs/ARCHITECTURE.md, *The
    way of a request*): it sees its own document as those before it on its connection have left it.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[model.Action, int]] = []

    def of(self, action: model.Action) -> tuple[int, ...]:
        return tuple(place for other, place in self.sent if action[0] != "get" or other[0] not in ("put", "patch", "delete")
                     or other[1] == action[1])

    def add(self, action: model.Action, place: int) -> None:
        self.sent.append((action, place))


class Pipeliner(Client):
    """Sends several at once."""

    def step(self) -> None:
        actions = [invent(self.scene, self.randomness) for _ in range(self.randomness.randrange(2, 5))]
        invoked, sent, answered, before = self.begin(len(actions)), 0, 0, Pipeline()
        try:
            for action in actions:
                # What was not sent whole is not carried out, but who knows how much was sent.
                sent += 1
                self.speaker.send(action)
            for action in actions:
                try:
                    outcome = self.speaker.receive(action)
                except speech.Undone:
                    self.scene.undone += 1
                    answered += 1
                    continue
                answered += 1
                before.add(action, self.answered(action, invoked, outcome, before.of(action)))
        except BROKEN as error:
            death = self.death(error)
            for action in actions[answered:sent]:
                before.add(action, self.unanswered(action, invoked, death, before.of(action)))


class Insistent(Client):
    """Sends each write under a key, and again under it until there is an answer: so it is carried out once."""

    def exchange(self, action: model.Action) -> None:
        self.steps -= 1
        writes = action[0] not in ("get", "page")
        more = {"Idempotency-Key": str(uuid.UUID(int=self.randomness.getrandbits(128)))} if writes else {}
        first = None
        while True:
            if self.speaker is None:
                self.connect()
            invoked = time.monotonic_ns()
            first = first or invoked
            try:
                self.speaker.send(action, more)
                outcome = self.speaker.receive(action)
                break
            except speech.Undone:
                time.sleep(0.001)
            except BROKEN as error:
                self.death(error)
        # A read that was lost has done nothing.
        self.answered(action, first if writes else invoked, outcome)


class Impatient(Client):
    """Goes without waiting for the answer, now and then."""

    def exchange(self, action: model.Action) -> None:
        if self.randomness.random() < 0.7 or action[0] in ("get", "page"):
            super().exchange(action)
            return
        invoked = self.begin()
        try:
            self.speaker.send(action)
            self.speaker.vanish()
        except BROKEN as error:
            self.unanswered(action, invoked, self.death(error))
            return
        self.speaker = None
        # Its server may take it up at any time, as long as it lives: `settle`.
        self.unanswered(action, invoked, INFINITY)


class Neighbour(Client):
    """Writes into the file with SQLite, through the view that is the door for people."""

    def run(self) -> None:
        try:
            with_file = sqlite3.connect(self.scene.served.database, timeout=20, isolation_level=None)
            # docs/SQL.md: nobody but the server should write the log back.
            with_file.execute("PRAGMA wal_autocheckpoint = 0")
            for _ in range(self.steps):
                self.write(with_file)
            # Closed when no server is being killed, by the history's end.
            self.scene.over.wait()
            with_file.close()
        except Exception as error:
            self.scene.problems.append(f"{self.name}: {type(error).__name__}: {error}")

    def write(self, file: sqlite3.Connection) -> None:
        document = self.randomness.randrange(self.scene.documents)
        place = (self.scene.collection, str(document))
        kind = self.randomness.choice(("get", "put", "put", "delete"))
        select = "SELECT data, revision FROM documents WHERE collection = ? AND id = ?"
        invoked = time.monotonic_ns()
        if kind == "get":
            found = file.execute(select, place).fetchone()
            action = ("get", document, None)
            outcome = ("missing",) if found is None else ("found", speech.value(json.loads(found[0])), found[1])
        else:
            action = ("delete", document, None) if kind == "delete" else ("put", document, (self.scene.number(), None), None)
            file.execute("BEGIN IMMEDIATE")
            there = file.execute(select, place).fetchone() is not None
            if kind == "delete":
                file.execute("DELETE FROM documents WHERE collection = ? AND id = ?", place)
                outcome = ("deleted",) if there else ("missing",)
            else:
                file.execute("INSERT OR REPLACE INTO documents (collection, id, data) VALUES (?, ?, ?)",
                             (*place, '{"n": %d}' % action[2][0]))
                outcome = ("replaced" if there else "created", file.execute(select, place).fetchone()[1])
            file.execute("COMMIT")
        self.answered(action, invoked, outcome)
        time.sleep(self.randomness.random() * 0.003)


def settle(scene: Scene, first: int) -> None:
    """Ends what a dead server cannot do any more: of a history that begins with the death number `first`."""
    deaths = scene.served.deaths[first:]
    scene.history = [
        dataclasses.replace(one, returned=next((death for death in deaths if death > one.invoked), INFINITY))
        if one.outcome is None and one.returned == INFINITY else one for one in scene.history]
