"""Clients that are there to see one thing, not to load a server."""
from __future__ import annotations

import json
import socket

TIMEOUT = 60
"""Seconds."""


def frame(method: str, path: str, data: object = None, **headers: str) -> bytes:
    request: dict[str, object] = {"method": method, "path": path, "data": data}
    if headers:
        request["headers"] = headers
    return json.dumps(request).encode() + b"\0"


def one_shot(port: int, request: bytes) -> bytes:
    """Sends a request on a connection of its own and returns the answer."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


class Session:
    """A persistent session."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), TIMEOUT, source_address=(source, 0))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask(frame("GET", "/", Connection="keep-alive"))

    def ask(self, request: bytes) -> bytes:
        self.connection.sendall(request)
        answer = self.connection.recv(1 << 20)
        while not answer.endswith(b"\0"):
            part = self.connection.recv(1 << 20)
            if not part:
                raise ConnectionError("the server closed a session")
            answer += part
        return answer[:-1]

    def close(self) -> None:
        self.connection.close()
