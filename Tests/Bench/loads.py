"""Loads: what `docket bench` is told to ask a server for, and what comes of it; several of them in turn."""
from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import processes
from servers import Server


@dataclasses.dataclass(frozen=True)
class Load:
    workload: str
    keys: int
    connections: int = 64
    pipeline: int = 1
    size: int = 100
    requests: int | None = None
    """In the place of seconds."""

    @property
    def needs_documents(self) -> bool:
        """Whether `docket bench` writes each document before it measures, unless told that they are there."""
        return self.workload not in ("put", "post")


@dataclasses.dataclass(frozen=True)
class Sample:
    rate: float
    p99_milliseconds: float = 0
    server_cores: float = 0
    """How many cores the server has kept busy, where it was watched."""
    generator_cores: float = 0


@dataclasses.dataclass(frozen=True)
class Generator:
    binary: str
    seconds: float

    def run(self, server: Server, load: Load, watched: bool = False) -> Sample:
        """Loads a server.

        - Parameter watched: whether to look where the CPU time goes, in the midst of the run.
        """
        with server.awake():
            process = subprocess.Popen(self._arguments(server, load), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            cores = self._watch(server.pid, process.pid) if watched else (0.0, 0.0)
            output, error = process.communicate()
        if process.returncode != 0:
            sys.exit(f"bench: docket bench failed on {server.name}: {error.decode()}")
        if load.needs_documents:
            server.filled = (load.keys, load.size)
        found = json.loads(output)
        return Sample(found["requestsPerSecond"], found["latencyMicroseconds"]["p99"] / 1000, *cores)

    def fill(self, server: Server, keys: int) -> None:
        """Writes each document once. (`docket bench` does so before it reads.)"""
        self.run(server, Load("get", keys, requests=1))

    def _arguments(self, server: Server, load: Load) -> list[str]:
        end = ["--seconds", str(self.seconds)] if load.requests is None else ["--requests", str(load.requests)]
        if load.needs_documents and server.filled == (load.keys, load.size):
            end.append("--filled")
        return [self.binary, "bench", "--json", "--dialect", server.dialect, "--port", str(server.port), *end,
                "--workload", load.workload, "--keys", str(load.keys), "--size", str(load.size),
                "--connections", str(load.connections), "--pipeline", str(load.pipeline)]

    def _watch(self, *pids: int) -> tuple[float, ...]:
        """The cores that processes keep busy from a third of the run to two thirds of it."""
        time.sleep(self.seconds / 3)
        begin, before = time.monotonic(), [processes.cpu_seconds(pid) for pid in pids]
        time.sleep(self.seconds / 3)
        after, elapsed = [processes.cpu_seconds(pid) for pid in pids], time.monotonic() - begin
        return tuple((late - early) / elapsed for early, late in zip(before, after))


class Rounds:
    """What several subjects have shown that were measured in turn."""

    def __init__(self, samples: dict[str, list[Sample]]) -> None:
        self.samples = samples

    def __contains__(self, subject: str) -> bool:
        return subject in self.samples

    def rate(self, subject: str) -> float:
        return self.median(subject, lambda sample: sample.rate)

    def p99(self, subject: str) -> float:
        return self.median(subject, lambda sample: sample.p99_milliseconds)

    def median(self, subject: str, figure: Callable[[Sample], float]) -> float:
        return statistics.median(map(figure, self.samples[subject]))

    def ratio(self, subject: str, other: str, figure: Callable[[Sample], float] = lambda sample: sample.rate) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(
            figure(one) / max(figure(two), 1e-9) for one, two in zip(self.samples[subject], self.samples[other]))


def in_turn(count: int, runs: Mapping[str, Callable[[], Sample]]) -> Rounds:
    """Makes each run once a round, and every second round in the opposite order."""
    samples: dict[str, list[Sample]] = {subject: [] for subject in runs}
    for number in range(count):
        for subject in list(runs)[::1 if number % 2 else -1]:
            samples[subject].append(runs[subject]())
    return Rounds(samples)
