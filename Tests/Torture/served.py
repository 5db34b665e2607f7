"""A server that serves a database file, in a process of its own."""
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

from promises import Violation

PATIENCE = 30
"""Seconds after which something hangs."""

KEEPING_HISTORY = ["--history-floor-bytes", "1000000000"]
"""For whoever compares all changes only after very many."""


class NotServing(Exception):
    """A server that ended before it took connections."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"it ended with {status} before it served: {said.strip() or 'it said nothing'}")
        self.status, self.said = status, said


class Served:
    """`docket serve` on a free port, from when it takes connections until it has ended."""

    def __init__(self, binary: str, database: pathlib.Path, log: pathlib.Path, *options: str,
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
        self._log_start = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                [*under, binary, "serve", "--port", "0", "--database", str(database), *options],
                stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, preexec_fn=before,
                env=dict(os.environ, SWIFT_BACKTRACE="enable=no", **(environment or {})))
        self.pid = self.process.pid
        line = self._first_line()
        found = re.search(rb"listening on 127\.0\.0\.1:(\d+)", line)
        if not found:
            status = self.process.wait(PATIENCE)
            self.close()
            raise NotServing(status, self.said())
        self.port = int(found[1])

    def _first_line(self) -> bytes:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.kill()
            raise Violation(f"the server neither served nor ended within {PATIENCE} s; it said {self.said()!r}")
        return self.process.stdout.readline()

    def said(self) -> str:
        """What it has said on standard error."""
        with open(self.log, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

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
        self.close()
        return status

    def kill(self) -> None:
        """Ends it by SIGKILL, if it has not ended."""
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.close()

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.process.poll() is None:
                self.process.send_signal(number)

    def close(self) -> None:
        if self.process.stdout:
            self.process.stdout.close()

    def halt(self) -> None:
        """Stops it by SIGSTOP, and returns when each of its threads stands still: on a busy machine that takes a while,
        and until then they go on."""
        self.signal(signal.SIGSTOP)
        if not eventually(lambda: set(self._thread_states()) <= set("TtZX"), PATIENCE, pause=0.002):
            raise Violation(f"the threads of the server do not stop: {self._thread_states()}")

    def _thread_states(self) -> list[str]:
        """The letters of proc(5)."""
        states = []
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                states.append((task / "stat").read_text().rpartition(")")[2].split()[0])
        return states

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def docket(binary: str, *arguments: str, under: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Runs a command of docket."""
    return subprocess.run([*under, binary, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, SWIFT_BACKTRACE="enable=no"), timeout=10 * PATIENCE)


def eventually(holds: Callable[[], object], within: float, pause: float = 0.01) -> bool:
    """Waits until something holds."""
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
