"""A `docket serve` of its own, on ports that stay the same over restarts, and what Linux tells of it."""
from __future__ import annotations

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

PATIENCE = 60
"""Seconds after which a step that should end at once has failed."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """Runs from `start` to `kill` or `stop`, as often as one likes, on the same file."""

    def __init__(self, binary: str, folder: pathlib.Path, *options: str, http: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "docket.db"
        self.log = folder / "log"
        self.binary, self.options = binary, list(options)
        self.port, self.http_port = free_port(), free_port() if http else 0
        self.deaths: list[int] = []
        """When each process had ended for certain, on the clock of `time.monotonic_ns`."""
        self.start()

    def start(self) -> None:
        arguments = [self.binary, "serve", "--database", str(self.database), "--port", str(self.port)]
        if self.http_port:
            arguments += ["--http-port", str(self.http_port)]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(arguments + self.options, stdout=subprocess.PIPE, stderr=log,
                                            env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
        line = self.process.stdout.readline()
        if b"listening" not in line:
            self.process.wait()
            raise RuntimeError(f"docket did not start: {self.log.read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        """Ends it in order, and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        self._ended()
        return self.process.returncode

    def _ended(self) -> None:
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.deaths.append(time.monotonic_ns())

    def complaints(self) -> list[str]:
        """Lines of the log that somebody should look at; the one about SQLite's version, which is told once, is not."""
        return [line for line in self.log.read_text(errors="replace").splitlines()
                if re.search(r" (warning|error|critical) |[Ff]atal", line)]

    # What Linux tells (https://man7.org/linux/man-pages/man5/proc.5.html).

    def memory(self) -> int:
        """Bytes in memory (VmRSS)."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most bytes it had in memory since `forget_peak` (VmHWM)."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_bytes(self) -> int:
        return _size(f"{self.database}-wal")

    def database_bytes(self) -> int:
        return _size(self.database)

    def _status(self, name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+) kB", pathlib.Path(f"/proc/{self.pid}/status").read_text(), re.M)
        return int(found[1]) * 1024


def _size(path: str | pathlib.Path) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
