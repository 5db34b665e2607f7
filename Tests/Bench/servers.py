"""Servers that are measured: each a process of its own on a free port, ended with the block that it is made in."""
from __future__ import annotations

import contextlib
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import processes

INSTALL_REDIS = "apt-get install redis-server"


class LeftOut(Exception):
    """Why a part cannot be measured here, and how to mend it."""


class Server:
    """A server, which stands still (SIGSTOP) but within `awake`: one that waits, and tidies up meanwhile, must not
    disturb the measurement of another."""

    def __init__(self, name: str, arguments: list[str], log: pathlib.Path, dialect: str = "docket") -> None:
        """PORT in an argument becomes the port."""
        self.name, self.dialect, self.port = name, dialect, free_port()
        self.filled: tuple[int, int] | None = None
        """How many documents of which size are there, if they were written by a load."""
        begin = time.monotonic()
        with open(log, "a") as output:
            self.process = subprocess.Popen(
                [part.replace("PORT", str(self.port)) for part in arguments], stdout=output, stderr=output)
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - begin > 30:
                self.process.kill()
                sys.exit(f"bench: {name} did not start: {log.read_text().strip()}")
            time.sleep(0.001)
        self.start_milliseconds = (time.monotonic() - begin) * 1000
        self.pid = self.process.pid
        self.process.send_signal(signal.SIGSTOP)

    def _answers(self) -> bool:
        greeting = {"redis": b"PING\r\n", "http": b"GET / HTTP/1.0\r\n\r\n"}.get(
            self.dialect, b'{"method": "GET", "path": "/", "data": null}\0')
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.settimeout(5)
                connection.sendall(greeting)
                return connection.recv(1) != b""
        except OSError:
            return False

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Goes on, finishes what it was about to tidy up, and stands still again behind the block."""
        self.process.send_signal(signal.SIGCONT)
        self._wait_until_quiet()
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGSTOP)

    def _wait_until_quiet(self) -> None:
        end = time.monotonic() + 5
        before = processes.cpu_seconds(self.pid)
        while time.monotonic() < end:
            time.sleep(0.1)
            now = processes.cpu_seconds(self.pid)
            if now - before < 0.02:
                return
            before = now

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def memory_mebibytes(self) -> float:
        return processes.memory_kibibytes(self.pid) / 1024

    @property
    def peak_mebibytes(self) -> float:
        return processes.peak_kibibytes(self.pid) / 1024


def docket(binary: str, database: pathlib.Path, *options: str) -> Server:
    """Docket with its defaults, but for `options`."""
    return Server("docket", [binary, "serve", "--port", "PORT", "--database", str(database), *options],
                  database.with_suffix(".log"))


def redis(folder: pathlib.Path) -> Server:
    """Redis with an fsync before each answer. Its log is never rewritten, which would slow it down now and then.

    - Raises: LeftOut where it is not installed.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise LeftOut(f"Redis is not installed ({INSTALL_REDIS})")
    folder.mkdir(exist_ok=True)
    return Server("redis", [program, "--port", "PORT", "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                            "--auto-aof-rewrite-percentage", "0", "--dir", str(folder)], folder / "redis.log", "redis")


def compiled(source: pathlib.Path, folder: pathlib.Path, *libraries: str) -> str:
    """Compiles a C program and returns its path.

    - Raises: LeftOut where there is no compiler, or no library.
    """
    program = folder / source.stem
    try:
        subprocess.run(["cc", "-O2", "-o", str(program), str(source), *libraries], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise LeftOut(f"{source.name} does not compile (apt-get install gcc libc6-dev libsqlite3-dev)") from error
    return str(program)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
