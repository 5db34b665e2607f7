"""Speaks to a server with an empty list as the original project's clients do: Python's standard library alone.

Each request goes over a connection of its own, one read takes the answer, and it must be what json.dumps prints for the
expected dictionary. Usage: original_exchange.py PORT
"""

import argparse
import json
import pathlib
import socket
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import command_line

PHRASES = {
    200: "OK",
    201: "Created",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
    422: "Unprocessable Entity",
}

# What is sent, the expected code, and the expected data.
EXCHANGE = [
    ({"method": "GET", "path": "/", "data": None}, 200, "Hello, World!"),
    ({"method": "GET", "path": "/echo", "data": "Hi"}, 200, "Hi"),
    ({"method": "GET", "path": "/echo", "data": {"a": [1, 2.5, None, True, "é", "\x00"]}}, 200,
     {"a": [1, 2.5, None, True, "é", "\x00"]}),
    ({"method": "GET", "path": "/list", "data": None}, 200, []),
    ({"method": "POST", "path": "/item", "data": "one"}, 201, None),
    ({"method": "POST", "path": "/item", "data": "two"}, 201, None),
    ({"method": "POST", "path": "/item", "data": {"b": 1, "a": [2, "three"]}}, 201, None),
    ({"method": "GET", "path": "/list", "data": None}, 200, ["one", "two", {"b": 1, "a": [2, "three"]}]),
    ({"method": "PUT", "path": "/item", "data": "one,uno"}, 200, None),
    ({"method": "PUT", "path": "/item", "data": "one,uno"}, 404, None),
    ({"method": "PUT", "path": "/item", "data": "no comma"}, 404, None),
    ({"method": "PUT", "path": "/item", "data": ["one", "uno"]}, 400, None),
    ({"method": "GET", "path": "/list", "data": None}, 200, ["uno", "two", {"b": 1, "a": [2, "three"]}]),
    ({"method": "DELETE", "path": "/item", "data": {"a": [2.0, "three"], "b": 1}}, 204, None),
    ({"method": "DELETE", "path": "/item", "data": "three"}, 404, None),
    ({"method": "GET", "path": "/list", "data": None}, 200, ["uno", "two"]),
    ({"method": "DELETE", "path": "/item", "data": "uno"}, 204, None),
    ({"method": "DELETE", "path": "/item", "data": "two"}, 204, None),
    ({"method": "GET", "path": "/list", "data": None}, 200, []),
    ({"method": "GET", "path": "/unknown", "data": None}, 400, None),
    ({"method": "HEAD", "path": "/", "data": None}, 400, None),
    ({"method": "GET", "path": None, "data": None}, 400, None),
    ({"data": None}, 400, None),
    (["GET", "/"], 422, None),
    (b"{'method': 'GET'}", 422, None),
    (b"\xff\xfe", 422, None),
]


def ask(port, request):
    body = request if isinstance(request, bytes) else json.dumps(request).encode("utf-8")
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(body + b"\x00")
        return connection.recv(65536)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=command_line.port)
    port = parser.parse_args().port
    for request, code, data in EXCHANGE:
        expected = json.dumps({"code": code, "message": PHRASES[code], "data": data}).encode("utf-8")
        try:
            answer = ask(port, request)
        except OSError as error:
            sys.exit(f"{request!r}\n  brought no answer on port {port}: {error.strerror or error}")
        if answer != expected:
            sys.exit(f"{request!r}\n  answered {answer!r}\n  expected {expected!r}")
    print(f"{len(EXCHANGE)} requests answered as expected")


if __name__ == "__main__":
    main()
