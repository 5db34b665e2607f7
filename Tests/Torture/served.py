"""A server that serves a database file, in a process of its own, again and again if one likes."""
from __future__ import annotations

import contextlib
import os
import pathlib
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from patience import PATIENCE, eventually
from process import Process
from promises import Violation

KEEPING_HISTORY = ["--history-floor-bytes", "1000000000"]
"""For whoever compares all changes only after very many."""
QUIET = {"SWIFT_BACKTRACE": "enable=no"}


class NotServing(Exception):
    """A server that ended before it took connections."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"it ended with {status} before it served: {said.strip() or 'it said nothing'}")
        self.status, self.said = status, said


class Served(Process):
    """`docket serve` on free ports, from when it takes connections until it has ended. `start` begins another one, on
    the same file and ports."""

    def __init__(self, binary: str, database: pathlib.Path, log: pathlib.Path, *options: str, http: bool = False,
                 under: Sequence[str] = (), environment: dict[str, str] | None = None,
                 before: Callable[[], object] | None = None) -> None:
        """
        - Parameters:
          - log: where its standard error goes to, on another file system than the database.
          - under: a command that runs it, as `strace -D`; the server is to be the process that was started.
          - before: called in the new process before the server's program begins.
        - Raises: NotServing.
        """
        self.database, self.log = database, log
        self.port = self.http_port = 0
        self.deaths: list[int] = []
        """When each process had ended for certain, on the clock of `time.monotonic_ns`."""
        self._command = [*under, binary, "serve", "--database", str(database), *options]
        self._has_http, self._before = http, before
        self._environment = {**os.environ, **QUIET, **(environment or {})}
        self.start()

    @classmethod
    def in_folder(cls, binary: str, folder: pathlib.Path, *options: str, http: bool = False) -> Served:
        """One whose files are in a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(binary, folder / "docket.db", folder / "log", *options, http=http)

    def start(self) -> None:
        """- Raises: NotServing."""
        self._log_start = _size(self.log)
        ports = ["--port", str(self.port), *(["--http-port", str(self.http_port)] if self._has_http else [])]
        with open(self.log, "ab") as errors:
            self.process = subprocess.Popen(
                [*self._command, *ports], stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL,
                preexec_fn=self._before, env=self._environment)
        self.pid = self.process.pid
        line = self._first_line()
        found = re.search(rb"listening on 127\.0\.0\.1:(\d+)(?: and http://127\.0\.0\.1:(\d+))?", line)
        if not found:
            self._ended()
            raise NotServing(self.process.returncode, self.said())
        self.port, self.http_port = int(found[1]), int(found[2] or 0)

    def _first_line(self) -> bytes:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.kill()
            raise Violation(f"the server neither served nor ended within {PATIENCE} s; it said {self.said()!r}")
        return self.process.stdout.readline()

    def said(self) -> str:
        """What it has said on standard error since it was started last."""
        with open(self.log, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def complaints(self) -> list[str]:
        """Lines of the log that somebody should look at; the one about SQLite's version, which is told once, is not."""
        return [line for line in self.log.read_text(errors="replace").splitlines()
                if re.search(r" (warning|error|critical) |[Ff]atal", line)]

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def ended(self, within: float) -> int | None:
        """The exit status (negative: the signal), or None if it still runs."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> int:
        """Ends it by SIGTERM.

        - Raises: Violation if it does not end.
        """
        self.signal(signal.SIGTERM)
        status = self.ended(PATIENCE)
        if status is None:
            self.kill()
            raise Violation(f"the server did not end within {PATIENCE} s of SIGTERM")
        self._ended()
        return status

    def kill(self) -> None:
        """Ends it by SIGKILL, if it has not ended."""
        self.signal(signal.SIGKILL)
        self._ended()

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.is_running:
                self.process.send_signal(number)

    def _ended(self) -> None:
        self.process.wait(PATIENCE)
        if self.process.stdout and not self.process.stdout.closed:
            self.process.stdout.close()
            self.deaths.append(time.monotonic_ns())

    def halt(self) -> None:
        """Stops it by SIGSTOP, and returns when each of its threads stands still: on a busy machine that takes a while,
        and until then they go on."""
        self.signal(signal.SIGSTOP)
        if not eventually(lambda: set(self.thread_states()) <= set("TtZX"), pause=0.002):
            raise Violation(f"the threads of the server do not stop: {self.thread_states()}")

    def log_bytes(self) -> int:
        """Of the log of the database."""
        return _size(self.database.with_name(self.database.name + "-wal"))

    def database_bytes(self) -> int:
        return _size(self.database)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def docket(binary: str, *arguments: str, under: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a command of docket."""
    return subprocess.run([*under, binary, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, **QUIET}, timeout=10 * PATIENCE)


def _size(file: pathlib.Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
