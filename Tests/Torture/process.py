"""What Linux tells of a process (https://man7.org/linux/man-pages/man5/proc.5.html)."""
from __future__ import annotations

import contextlib
import os
import pathlib
import re


class Process:
    """One that runs."""

    pid: int

    def memory(self) -> int:
        """Bytes in memory (VmRSS)."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most bytes it had in memory since `forget_peak` (VmHWM)."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        (self._folder / "clear_refs").write_text("5")

    def descriptors(self) -> int:
        return len(os.listdir(self._folder / "fd"))

    def cpu_seconds(self) -> float:
        fields = _behind_the_name(self._folder / "stat")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def thread_states(self) -> list[str]:
        """The letters of the threads."""
        states = []
        for task in (self._folder / "task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                states.append(_behind_the_name(task / "stat")[0])
        return states

    @property
    def _folder(self) -> pathlib.Path:
        return pathlib.Path(f"/proc/{self.pid}")

    def _status(self, name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+) kB", (self._folder / "status").read_text(), re.M)
        return int(found[1]) * 1024


def _behind_the_name(stat: pathlib.Path) -> list[str]:
    """The fields behind the second one, which may have spaces and brackets in it."""
    return stat.read_text().rpartition(")")[2].split()
