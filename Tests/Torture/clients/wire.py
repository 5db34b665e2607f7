"""The native protocol and HTTP, as plainly as they can be spoken."""
from __future__ import annotations

import json
import socket
import struct

PATIENCE = 60
"""Seconds."""


def frame(method: str, path: str, data: object = None, headers: dict | None = None, identifier: object = None) -> bytes:
    request: dict[str, object] = {"method": method, "path": path}
    if data is not None:
        request["data"] = data
    if headers is not None:
        request["headers"] = headers
    if identifier is not None:
        request["id"] = identifier
    return json.dumps(request).encode() + b"\0"


def connect(port: int, source: str = "127.0.0.1", patience: float = PATIENCE) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), patience, source_address=(source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def reset(connection: socket.socket) -> None:
    """Closes it so that the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def one_shot(port: int, request: bytes, patience: float = PATIENCE) -> dict:
    """Sends a request on a connection of its own and returns the answer."""
    with connect(port, patience=patience) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(1 << 20):
            answer += part
        return json.loads(answer)


class Session:
    """A persistent session."""

    def __init__(self, port: int, source: str = "127.0.0.1", patience: float = PATIENCE) -> None:
        self.connection = connect(port, source, patience)
        self.waiting = b""
        self.ask("GET", "/", headers={"Connection": "keep-alive"})

    def send(self, request: bytes) -> None:
        self.connection.sendall(request)

    def receive_bytes(self) -> bytes:
        """The next answer, without its NUL."""
        parts = [self.waiting]
        while b"\0" not in parts[-1]:
            part = self.connection.recv(1 << 18)
            if not part:
                raise ConnectionError("the server closed a session")
            parts.append(part)
        answer, _, self.waiting = b"".join(parts).partition(b"\0")
        return answer

    def receive(self) -> dict:
        return json.loads(self.receive_bytes())

    def ask(self, method: str, path: str, data: object = None, headers: dict | None = None,
            identifier: object = None) -> dict:
        self.send(frame(method, path, data, headers, identifier))
        return self.receive()

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
