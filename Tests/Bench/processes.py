"""What Linux tells of a process (https://man7.org/linux/man-pages/man5/proc.5.html)."""
from __future__ import annotations

import os
import pathlib


def cpu_seconds(pid: int) -> float:
    """The CPU time of all its threads, in steps of 10 ms."""
    # The name, in parentheses, may hold anything.
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(pid: int) -> float:
    """The same of a process and those that it has begun."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_seconds(pid) + sum(tree_cpu_seconds(int(child)) for child in children)


def exact_cpu_seconds(pid: int) -> dict[str, float]:
    """The CPU time of each thread, as the scheduler counts it (https://docs.kernel.org/scheduler/sched-stats.html)."""
    threads = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return {thread.name: int((thread / "schedstat").read_text().split()[0]) / 1e9 for thread in threads}


def memory_kibibytes(pid: int) -> int:
    """What it has in memory (VmRSS)."""
    return _status(pid, "VmRSS")


def peak_kibibytes(pid: int) -> int:
    """The most that it had in memory (VmHWM), since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> int:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(f"{name} of process {pid}")
