"""Docket's memory: at rest, with many idle connections, under loads, and with large documents on their way."""
from __future__ import annotations

import resource
import statistics
import time

import processes
from bench_setup import Setup
from client import Session
from loads import Load
from report import Section, at_most
from servers import Server

IDLE = 10_000
LARGE = 1 << 20
CLIENTS = 16
WITHOUT_CACHES = ["--document-cache-bytes", "0", "--cache-bytes", "65536"]


def measure(setup: Setup, peaks: list[float]) -> Section:
    """- Parameter peaks: the most memory under the loads of other parts, in MiB."""
    section = Section("Memory")
    with setup.docket("idle") as server:
        rest = at_rest(server)
        connections = room(100 if setup.quick else IDLE)
        each = _idle(server, connections, rest)
    setup.tell("idle connections")
    figures = [
        ("MiB at rest", rest / 1024, at_most(30), 0),
        (f"KiB for each of {connections:,} idle connections", each, at_most(16), 1),
        ("MiB at most under the loads above", max(peaks, default=None), at_most(128), 0),
        *((f"times the size of documents of 1 MiB in flight, {CLIENTS} clients, {method}", _in_flight(setup, method), at_most(3), 2)
          for method in ("PUT", "GET")),
    ]
    section.table(["memory (VmRSS)", "figure", "aim"], [
        [what, *section.figure(what, value, aim, places)] for what, value, aim, places in figures])
    section.say(
        "The most is VmHWM. In flight: the most during the load less what was there at rest, divided by "
        f"{CLIENTS} MiB, with `{' '.join(WITHOUT_CACHES)}`; what the allocator holds back counts in it.")
    setup.tell("memory")
    return section


def at_rest(server: Server) -> int:
    with server.awake():
        time.sleep(0.5)
        return processes.memory_kibibytes(server.pid)


def room(wanted: int) -> int:
    """So many connections as this process may open, up to those wanted."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    return wanted if limit == resource.RLIM_INFINITY else min(wanted, limit - 100)


def _idle(server: Server, count: int, rest: int) -> float:
    """Opens persistent sessions and lets them be; KiB for each."""
    with server.awake():
        # A port is one of some 28,000 for each address.
        sessions = [Session(server.port, f"127.0.0.{1 + number // 5_000}") for number in range(count)]
        time.sleep(1)
        memory = processes.memory_kibibytes(server.pid)
        for session in sessions:
            session.close()
    return (memory - rest) / count


def _in_flight(setup: Setup, method: str) -> float:
    return statistics.median(_growth(setup, method) for _ in range(setup.few))


def _growth(setup: Setup, method: str) -> float:
    """By how much the memory of a new server grows while clients write or read large documents, in units of their size."""
    name = f"large-{method}"
    load = Load(method.lower(), keys=4, connections=CLIENTS, size=LARGE)
    with setup.docket(name, *WITHOUT_CACHES) as server:
        rest = at_rest(server)
        processes.forget_peak(server.pid)
        setup.generator.run(server, load)
        growth = processes.peak_kibibytes(server.pid) - rest
    setup.forget(name)
    return growth * 1024 / (CLIENTS * LARGE)
