"""A persistent session of the native protocol, for a client that waits for each answer."""
from __future__ import annotations

import json
import socket
from typing import Any

TIMEOUT = 30
"""Seconds."""


def frame(method: str, path: str, data: object = None, **headers: str) -> bytes:
    """A request. Underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return json.dumps({"method": method, "path": path, "headers": {"Connection": "keep-alive", **named},
                       "data": data}).encode() + b"\0"


class Session:
    """Answers come as the objects that they are."""

    def __init__(self, port: int, timeout: float = TIMEOUT) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), timeout)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()

    def ask(self, method: str, path: str, data: object = None, **headers: str) -> dict[str, Any]:
        """- Raises: OSError where no answer came."""
        self.send(frame(method, path, data, **headers))
        return self.answer()

    def send(self, request: bytes) -> None:
        self.connection.sendall(request)

    def answer(self) -> dict[str, Any]:
        while (end := self._received.find(0)) < 0:
            part = self.connection.recv(1 << 20)
            if not part:
                raise ConnectionError("the server closed a session")
            self._received += part
        answer = json.loads(self._received[:end])
        del self._received[:end + 1]
        return answer

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
