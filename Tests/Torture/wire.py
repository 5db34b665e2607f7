"""The native protocol, as plainly as it can be spoken; and what is the same for HTTP."""
from __future__ import annotations

import http.client
import json
import socket
import struct
from typing import Any

from patience import PATIENCE

KEEP_ALIVE = {"Connection": "keep-alive"}
"""A request with this makes a connection a persistent session."""
BROKEN = (OSError, http.client.HTTPException, EOFError)
"""What a client meets whose connection is cut off."""


def frame(method: str, path: str, data: object = None, headers: dict[str, Any] | None = None,
          identifier: object = None) -> bytes:
    request: dict[str, object] = {"method": method, "path": path}
    if data is not None:
        request["data"] = data
    if headers is not None:
        request["headers"] = headers
    if identifier is not None:
        request["id"] = identifier
    return json.dumps(request).encode() + b"\0"


def connect(port: int, patience: float = PATIENCE) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), patience)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def reset(connection: socket.socket) -> None:
    """Closes it so that the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def rest(connection: socket.socket) -> bytes:
    """What comes until the other side closes the connection."""
    parts = []
    while part := connection.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def one_shot(port: int, request: bytes) -> dict[str, Any]:
    """Sends a request on a connection of its own and returns the answer."""
    with connect(port) as connection:
        connection.sendall(request)
        return json.loads(rest(connection))


class Session:
    """A persistent session. Answers come as the objects that they are."""

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        """- Raises: OSError, as all that is asked of it, where no answer comes."""
        self.connection = connect(port, patience)
        self._received = bytearray()
        self.ask("GET", "/", headers=KEEP_ALIVE)

    def ask(self, method: str, path: str, data: object = None, headers: dict[str, Any] | None = None) -> dict[str, Any]:
        self.send(frame(method, path, data, headers))
        return self.receive()

    def send(self, request: bytes) -> None:
        self.connection.sendall(request)

    def receive(self) -> dict[str, Any]:
        return json.loads(self.receive_bytes())

    def receive_bytes(self) -> bytes:
        """The next answer, without its NUL. What has come of one is kept where the rest of it is long in coming."""
        searched = 0
        while (end := self._received.find(0, searched)) < 0:
            searched = len(self._received)
            part = self.connection.recv(1 << 18)
            if not part:
                raise ConnectionError("the server closed a session")
            self._received += part
        answer = bytes(self._received[:end])
        del self._received[:end + 1]
        return answer

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
