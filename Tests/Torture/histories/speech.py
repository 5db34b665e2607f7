"""What the model's actions are on the wire, and what answers mean."""
from __future__ import annotations

import http.client
import json

import model
import wire
from patience import PATIENCE

ALL = 100
"""More documents than a history has."""


class Unexpected(Exception):
    """An answer that no request of a history should get."""


class Undone(Exception):
    """An answer that says that nothing was changed: 503."""


def path(collection: str, number: int) -> str:
    return f"{collection}{number}"


def request(collection: str, action: model.Action) -> tuple[str, str, object, dict]:
    """Method, path, data and headers."""
    kind = action[0]
    if kind == "page":
        return "GET", collection + f"?limit={ALL}", None, {}
    if kind == "batch":
        parts = [dict(zip(("method", "path", "data", "headers"), request(collection, part))) for part in action[1]]
        return "POST", "/_batch", {"requests": parts}, {}
    data = None
    if kind == "put":
        data = {"n": action[2][0]}
    elif kind == "patch":
        data = {"p": action[2]}
    headers = {}
    if action[-1] is not None:
        condition, revision = action[-1]
        headers = {"If-Match" if condition == "match" else "If-None-Match": revision if revision == "*" else f'"{revision}"'}
    return {"get": "GET", "put": "PUT", "patch": "PATCH", "delete": "DELETE"}[kind], path(collection, action[1]), data, headers


def value(document: object) -> tuple:
    """A document as the model has it."""
    if not isinstance(document, dict) or set(document) - {"n", "p"}:
        raise Unexpected(f"a document that nobody wrote: {document}")
    return document.get("n"), document.get("p")


def outcome(action: model.Action, code: int, data: object, headers: dict, collection: str, count: int) -> model.Outcome:
    """What an answer says of an action.

    - Raises: Undone, Unexpected.
    """
    kind = action[0]
    if code == 503:
        raise Undone(str(data))
    if code == 200 and kind == "page":
        documents: list = [None] * count
        for item in data["items"]:
            documents[int(item["id"])] = (value(item["document"]), item["revision"])
        return "page", tuple(documents)
    if kind == "batch":
        if code == 200:
            return "batch", tuple(outcome(part, one["code"], one["data"], one.get("headers", {}), collection, count)
                                  for part, one in zip(action[1], data["responses"], strict=True))
        if isinstance(data, dict) and data.get("error") == "batch_failed":
            one = data["response"]
            return "failed", data["failed"], outcome(
                action[1][data["failed"]], one["code"], one["data"], one.get("headers", {}), collection, count)
    elif code == 412:
        return "refused", data["revision"]
    elif code == 404:
        return ("missing",)
    elif kind == "get" and code == 304:
        return ("same",)
    elif kind == "get" and code == 200:
        return "found", value(data), int(headers["ETag"].strip('"'))
    elif kind == "delete" and code == 204:
        return ("deleted",)
    elif kind in ("put", "patch") and code in (200, 201):
        return "created" if code == 201 else "replaced", data["revision"]
    raise Unexpected(f"{action} was answered {code} {data}")


class _Voice:
    """Speaks for a client that asks for actions on the documents of a collection."""

    def __init__(self, served, collection: str, count: int) -> None:
        self.served, self.collection, self.count = served, collection, count
        self.connect()

    def frame(self, action: model.Action, more: dict | None) -> bytes:
        method, where, data, headers = request(self.collection, action)
        return wire.frame(method, where, data, {**headers, **(more or {})})

    def outcome(self, action: model.Action, answer: dict) -> model.Outcome:
        return outcome(action, answer["code"], answer["data"], answer.get("headers", {}), self.collection, self.count)


class Native(_Voice):
    """On one persistent session of the native protocol."""

    def connect(self) -> None:
        self.session = wire.Session(self.served.port)

    def send(self, action: model.Action, more: dict | None = None) -> None:
        self.session.send(self.frame(action, more))

    def receive(self, action: model.Action) -> model.Outcome:
        return self.outcome(action, self.session.receive())

    def vanish(self) -> None:
        wire.reset(self.session.connection)

    def close(self) -> None:
        self.session.close()


class OneShot(_Voice):
    """On a connection for each request, as a client of the original protocol does."""

    def connect(self) -> None:
        self.connection = wire.connect(self.served.port)

    def send(self, action: model.Action, more: dict | None = None) -> None:
        self.connection.sendall(self.frame(action, more))

    def receive(self, action: model.Action) -> model.Outcome:
        text = wire.rest(self.connection)
        self.connection.close()
        if not text:
            raise ConnectionError("no answer")
        self.connection = None
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise ConnectionError("half an answer") from error
        return self.outcome(action, answer)

    def vanish(self) -> None:
        wire.reset(self.connection)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()


class HTTP(_Voice):
    """On one connection of HTTP."""

    def connect(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.served.http_port, timeout=PATIENCE)
        self.connection.connect()

    def send(self, action: model.Action, more: dict | None = None) -> None:
        method, where, data, headers = request(self.collection, action)
        self.connection.request(method, where, None if data is None else json.dumps(data), {**headers, **(more or {})})

    def receive(self, action: model.Action) -> model.Outcome:
        response = self.connection.getresponse()
        body = response.read()
        return self.outcome(action, {"code": response.status, "data": json.loads(body) if body else None,
                                     "headers": dict(response.getheaders())})

    def vanish(self) -> None:
        wire.reset(self.connection.sock)

    def close(self) -> None:
        self.connection.close()
