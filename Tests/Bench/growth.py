"""What becomes of Docket as documents become many, and of Redis."""
from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import statistics

import beside_redis
import pages
from bench_setup import Setup
from loads import Load, Rounds, Sample, in_turn
from report import Section, at_least, at_most
from servers import LeftOut, Server

POSTS = 30_000
"""Documents that are added in a round: few beside the largest collection."""


@dataclasses.dataclass(frozen=True)
class Growth:
    """The subjects of rounds are numbers of documents, and "redis" with the largest of them."""
    documents: list[int]
    rounds: dict[str, Rounds]
    """For each workload."""
    memory: dict[str, float]
    peak: float
    """The most memory that Docket had, in MiB."""
    starts: dict[int, float]
    """Milliseconds from the start of the process to its first answer."""
    ends: tuple[float, float]
    """Milliseconds for a page at the start and one at the end of the largest collection."""

    def rate(self, workload: str, count: int) -> float:
        return self.rounds[workload].rate(str(count))

    def ratio(self, workload: str) -> float:
        """Of the largest number of documents to the smallest."""
        return self.rounds[workload].ratio(str(self.documents[-1]), str(self.documents[0]))


def measure(setup: Setup) -> Growth:
    with contextlib.ExitStack() as stack:
        servers = {str(count): stack.enter_context(setup.docket(_name(count))) for count in setup.documents}
        with contextlib.suppress(LeftOut):
            servers["redis"] = stack.enter_context(setup.redis("redis-grown"))
        rounds = {workload: _load(setup, servers, workload) for workload in ("get", "put")}
        memory = {subject: server.memory_mebibytes for subject, server in servers.items()}
        rounds["list"] = _load(setup, {subject: server for subject, server in servers.items() if subject != "redis"}, "list")
        largest = servers[str(setup.documents[-1])]
        ends = pages.milliseconds(largest, setup.documents[-1])
        peak = max(server.peak_mebibytes for subject, server in servers.items() if subject != "redis")
    starts = {count: statistics.median(_start(setup, count) for _ in range(setup.few)) for count in setup.documents}
    rounds["post"] = in_turn(
        setup.rounds, {str(count): lambda count=count: _post(setup, count) for count in setup.documents})
    for name in ["redis-grown", *map(_name, setup.documents)]:
        setup.forget(name)
    return Growth(setup.documents, rounds, memory, peak, starts, ends)


def _name(count: int) -> str:
    return f"grown-{count}"


def _load(setup: Setup, servers: dict[str, Server], workload: str) -> Rounds:
    """In turn on all servers. (Before each round of reads `docket bench` writes every document.)"""
    def run(subject: str) -> Sample:
        # What a page costs does not depend on how many documents are written before: one will do.
        keys = 1 if workload == "list" else setup.documents[-1] if subject == "redis" else int(subject)
        sample = setup.generator.run(servers[subject], Load(workload, keys))
        setup.tell(f"{workload} {subject}")
        return sample

    return in_turn(setup.few, {subject: lambda subject=subject: run(subject) for subject in servers})


def _start(setup: Setup, count: int) -> float:
    with setup.docket(_name(count)) as server:
        return server.start_milliseconds


def _post(setup: Setup, count: int) -> Sample:
    """Adds documents to a copy of the file, so that each round begins with as many as said."""
    with open(setup.folder / f"{_name(count)}.db", "rb") as source, open(setup.folder / "post.db", "wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
        copy.flush()
        os.fsync(copy.fileno())
    with setup.docket("post") as server:
        sample = setup.generator.run(server, Load("post", 1, requests=min(POSTS, 3 * count)))
    setup.forget("post")
    setup.tell(f"post {count}")
    return sample


def sections(growth: Growth) -> list[Section]:
    return [_many(growth), _series(growth)]


def _many(growth: Growth) -> Section:
    """The largest collection beside Redis."""
    largest = str(growth.documents[-1])
    section = Section(f"Beside Redis, {int(largest):,} documents")
    section.table(beside_redis.HEADS, [
        beside_redis.row(section, f"{what}, {int(largest):,} documents", at_least(bound), growth.rounds[workload], largest)
        for what, bound, workload in (("durable PUT", 0.85, "put"), ("GET", 0.95, "get"))])
    theirs = growth.memory.get("redis")
    ratio, aim = section.figure(
        f"memory, {int(largest):,} documents, Docket ÷ Redis", growth.memory[largest] / theirs if theirs else None, at_most(1))
    section.table(["memory (VmRSS)", "Docket, MiB", "Redis, MiB", "ratio", "aim"], [
        ["after these", f"{growth.memory[largest]:,.0f}", f"{theirs:,.0f}" if theirs else "-", ratio, aim]])
    return section


def _series(growth: Growth) -> Section:
    section = Section("As documents become many")
    section.table(
        ["documents", "GET /s", "durable PUT /s", "POST /s", "pages of 100 /s", "start to ready", "memory"],
        [[f"{count:,}", *(f"{growth.rate(workload, count):,.0f}" for workload in ("get", "put", "post", "list")),
          f"{growth.starts[count]:.0f} ms", f"{growth.memory[str(count)]:.0f} MiB"] for count in growth.documents])
    section.say("![Requests a second over the number of documents](benchmarks.svg)")
    smallest, largest = growth.documents[0], growth.documents[-1]
    both = f"at {largest:,} ÷ at {smallest:,}"
    start, end = growth.ends
    figures = [
        (f"GET {both}", growth.ratio("get"), at_least(0.8), 2),
        (f"durable PUT {both}", growth.ratio("put"), at_least(0.5), 2),
        (f"POST {both}", growth.ratio("post"), at_least(0.9), 2),
        (f"time of a page of {pages.DOCUMENTS} at the end ÷ at the start of {largest:,}", end / start, at_most(1.1), 2),
        (f"milliseconds from start to ready with {largest:,}", growth.starts[largest], at_most(100), 0),
    ]
    section.table(["growth", "figure", "aim"], [
        [what, *section.figure(what, value, aim, places)] for what, value, aim, places in figures])
    section.say(
        "Memory is after GET and PUT. POST adds "
        f"{min(POSTS, 3 * smallest):,} documents, whose ids are in time order, to a copy of the file in each round. Pages at the "
        f"start and at the end are read by one client, {pages.COUNT} of each in turn: {start:.2f} and {end:.2f} ms; that they cost "
        "the same means within a tenth. Ready is when the first request is answered.")
    return section
