#!/usr/bin/env python3
"""A stand-in for the server that Docket is compatible with: it serves one connection after the other, each for one
request. It has no other route than GET /. Usage: original_server.py PORT
"""
from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import socket
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import command_line


def answer(frame: bytes) -> dict:
    try:
        request = json.loads(frame)
    except ValueError:
        return {"code": 422, "message": "Unprocessable Entity", "data": None}
    if isinstance(request, dict) and request.get("method") == "GET" and request.get("path") == "/":
        return {"code": 200, "message": "OK", "data": "Hello, World!"}
    return {"code": 400, "message": "Bad Request", "data": None}


def serve(connection: socket.socket) -> None:
    received = b""
    while b"\0" not in received:
        part = connection.recv(4096)
        if not part:
            return
        received += part
    connection.sendall(json.dumps(answer(received.partition(b"\0")[0])).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=command_line.port)
    port = parser.parse_args().port
    try:
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    except OSError as error:
        parser.error(f"cannot listen on port {port}: {error.strerror}")
    with listener:
        while True:
            connection, _ = listener.accept()
            # A client that has gone meanwhile misses its answer.
            with connection, contextlib.suppress(ConnectionError):
                serve(connection)


main()
