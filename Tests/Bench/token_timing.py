"""Measures whether a token that is unknown and one whose secret is wrong take as long to refuse. It reports, and judges nothing.

    python3 Tests/Bench/token_timing.py .build/release/docket [rounds]

Wrong tokens are slowed from the sixth a minute on, so each try comes from an address of its own in 127.0.0.0/8.
"""

import argparse
import json
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import command_line

SECRET_LENGTH = 43


def ask(connection, request):
    connection.sendall(json.dumps(request).encode() + b"\0")
    answer = b""
    while not answer.endswith(b"\0"):
        piece = connection.recv(65536)
        if not piece:
            break
        answer += piece
    return json.loads(answer.rstrip(b"\0"))


def connect(port, number):
    address = f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
    connection = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ask(connection, {"method": "GET", "path": "/_health", "headers": {"Connection": "keep-alive"}})
    return connection


def measure(port, number, token):
    """Microseconds until the refusal of one token."""
    request = {"method": "GET", "path": "/n/1", "headers": {"Authorization": f"Bearer {token}"}}
    with connect(port, number) as connection:
        begin = time.perf_counter_ns()
        code = ask(connection, request)["code"]
        end = time.perf_counter_ns()
    assert code == 401, code
    return (end - begin) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("rounds", nargs="?", type=command_line.positive, default=5000)
    options = parser.parse_args()
    command_line.need_docket(parser, options.binary)
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [options.binary, "serve", "--port", "0", "--database", f"{folder}/docket.db"], stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline().split(",")[0].split(":")[-1])
            with connect(port, 0) as connection:
                data = {"name": "known", "allow": ["read:/"]}
                token = ask(connection, {"method": "POST", "path": "/_tokens/", "data": data})["data"]["token"]
            wrong = token[:-SECRET_LENGTH] + "A" * SECRET_LENGTH
            # Nearly right: of a comparison that ends at the first difference this would be the slowest.
            near = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
            unknown = "docket_" + "0" * 12 + "_" + "A" * SECRET_LENGTH
            tokens = {"unknown id": unknown, "wrong secret": wrong, "nearly right secret": near, "no token at all": "no"}
            times = {name: [] for name in tokens}
            number = 1
            for _ in range(options.rounds):
                for name in random.sample(list(tokens), len(tokens)):
                    times[name].append(measure(port, number, tokens[name]))
                    number += 1
        finally:
            server.terminate()
            server.wait(20)
    for name, found in times.items():
        found.sort()
        print(f"{name:20} median {statistics.median(found):8.2f} us, first tenth {found[len(found) // 10]:8.2f} us")


if __name__ == "__main__":
    main()
