"""Feeds of changes: many watchers of few writes, few watchers of many, and what has changed read from the start."""
from __future__ import annotations

import contextlib
import dataclasses
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import memory
import processes
from bench_setup import Setup
from loads import Load, Sample, in_turn
from report import Section, at_least, at_most
from servers import Server

WATCHERS = 10_000
IDLE = 1_000
CHANGES = 500_000
KEYS = 10_000
ELSEWHERE = "/elsewhere/"
"""A collection that nobody writes to."""
FLIGHTS = [1, 16]
"""How many writes are on their way to the watchers at once."""


@dataclasses.dataclass(frozen=True)
class Client:
    """watch_load.c beside one server."""
    program: str
    server: Server

    def run(self, mode: str, **options: object) -> dict:
        with self.server.awake():
            done = subprocess.run(self._command(mode, options), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench: watch_load {mode} failed: {done.stderr}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def holding(self, watchers: int) -> Iterator[None]:
        """Watches that are told nothing."""
        command = self._command("hold", {"watchers": watchers, "collection": ELSEWHERE})
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            with self.server.awake():
                if not process.stdout.readline():
                    sys.exit("bench: watch_load hold failed")
            yield
            process.stdin.close()

    def _command(self, mode: str, options: dict[str, object]) -> list[str]:
        return [self.program, mode, "--port", str(self.server.port),
                *(part for name, value in options.items() for part in (f"--{name}", str(value)))]


def measure(setup: Setup) -> Section:
    """- Raises: LeftOut where C does not compile."""
    section = Section("Feeds of changes")
    program = setup.compiled("watch_load.c")
    watchers = memory.room(100 if setup.quick else WATCHERS)
    with setup.docket("feeds", "--max-connections", str(watchers + 100)) as server:
        client = Client(program, server)
        # Before there is anything to tidy up.
        busy = _idle_percent(setup, client)
        setup.tell("CPU time at rest")
        rest = memory.at_rest(server)
        with client.holding(watchers):
            each = (memory.at_rest(server) - rest) / watchers
        setup.tell("idle watchers")
        _fan(setup, section, client, watchers)
        _rest(setup, section, client, busy, watchers, each)
    setup.forget("feeds")
    _history(setup, section, program)
    return section


def _fan(setup: Setup, section: Section, client: Client, watchers: int) -> None:
    runs = {flight: [] for flight in FLIGHTS}
    for _ in range(setup.few):
        for flight, found in runs.items():
            found.append(client.run("fan", watchers=watchers, seconds=2 * setup.seconds, unanswered=flight, behind=flight))
            setup.tell(f"{watchers:,} watchers, {flight} at once")
    rows = []
    for flight, found in runs.items():
        rate = _median(found, lambda one: one["eventsPerSecond"])
        cells = (f"{rate:,.0f}", "")
        if flight == max(FLIGHTS):
            cells = section.figure(f"events a second, {watchers:,} watchers, {flight} writes at once", rate, at_least(300_000), 0)
        rows.append([f"{flight}", *cells, *(_milliseconds(found, *times) for times in (
            ("event", "p50"), ("event", "p99"), ("lastWatcher", "p50"), ("answer", "p50")))])
    section.table([f"{watchers:,} watchers; writes at once", "events /s", "aim", "to a watcher, p50", "p99", "to the last one, p50",
                   "to the writer, p50"], rows)
    section.say(
        "Each watcher is a connection that watches the collection to which one client writes documents of 100 bytes. A write is on "
        "its way until all have seen it. `Tests/Bench/watch_load.c` is all of the clients in one thread, and only counts; it waits until "
        "every watcher has seen every write. Times are from when a write is sent.")


def _rest(setup: Setup, section: Section, client: Client, busy: float, watchers: int, each: float) -> None:
    """What there is besides, in one table."""
    alone = [client.run("wake", seconds=setup.seconds) for _ in range(setup.few)]
    setup.tell("one watcher")
    rounds = in_turn(setup.rounds, {"none": lambda: _put(setup, client), "idle": lambda: _put_beside_idle(setup, client)})
    setup.tell("PUT beside idle watchers")
    idle = f"{IDLE:,} watchers that are told nothing"
    section.table(["watches", "figure", "aim"], [
        [what, *section.figure(what, value, aim, places)] if aim else [what, f"{value:,.{places}f}", ""]
        for what, value, aim, places in [
            ("one writer, one watcher: ms from the answer to the event, p50",
             _median(alone, lambda one: one["behindAnswer"]["p50"]) / 1000, at_most(2), 3),
            ("ms from the request to the event, p50", _median(alone, lambda one: one["event"]["p50"]) / 1000, None, 2),
            ("p99", _median(alone, lambda one: one["event"]["p99"]) / 1000, None, 2),
            (f"durable PUT beside {idle} ÷ without", rounds.ratio("idle", "none"), at_least(0.95), 2),
            ("durable PUT /s without", rounds.rate("none"), None, 0),
            ("% of a core with one watcher and no writes", busy, at_most(0.1), 3),
            (f"KiB for each of {watchers:,} connections with a watch", each, None, 1),
        ]])
    section.say(
        "The answer and the event mostly arrive together; less than 0 is an event that was there first. CPU time is what the kernel's "
        "scheduler counts of all threads. The last is VmRSS, less what it is without connections.")


def _put(setup: Setup, client: Client) -> Sample:
    return setup.generator.run(client.server, Load("put", KEYS))


def _put_beside_idle(setup: Setup, client: Client) -> Sample:
    with client.holding(min(IDLE, 100) if setup.quick else IDLE):
        return _put(setup, client)


def _idle_percent(setup: Setup, client: Client) -> float:
    server = client.server
    with client.holding(1), server.awake():
        begin, before = time.monotonic(), processes.exact_cpu_seconds(server.pid)
        time.sleep(6 * setup.seconds)
        # Threads that have ended meanwhile are not there any more to be asked.
        spent = sum(seconds - before.get(thread, 0) for thread, seconds in processes.exact_cpu_seconds(server.pid).items())
        return 100 * spent / (time.monotonic() - begin)


def _history(setup: Setup, section: Section, program: str) -> None:
    """Reads all that has changed."""
    count, rows = 2_000 if setup.quick else CHANGES, []
    for what, load in (
        (f"{count:,} documents, each written once", Load("post", KEYS, pipeline=64, requests=count)),
        (f"{KEYS:,} documents, written {count:,} times", Load("put", KEYS, pipeline=64, requests=count)),
    ):
        with setup.docket("feeds", "--history-share", "100") as server:
            setup.generator.run(server, load)
            client = Client(program, server)
            found = {mode: [client.run(mode) for _ in range(setup.few)] for mode in ("replay", "pages")}
        setup.forget("feeds")
        if any(one["events"] != count for runs in found.values() for one in runs):
            sys.exit(f"bench: there are {count:,} changes, and not all were told: {found}")
        rate = {mode: _median(runs, lambda one: one["eventsPerSecond"]) for mode, runs in found.items()}
        rows.append([what, *section.figure(f"replay of {what}, changes a second", rate["replay"], at_least(200_000), 0),
                     f"{rate['pages']:,.0f}", _milliseconds(found["pages"], "page", "p50")])
        setup.tell(f"history of {what}")
    section.table(["history", "by a watch, changes /s", "aim", "by pages of 1,000, changes /s", "a page, p50"], rows)
    section.say("A watch of `/_changes` since 0 until it is live; `GET /_changes` page by page. One client, documents of 100 bytes.")


def _median(found: list[dict], figure: Callable[[dict], float]) -> float:
    return statistics.median(map(figure, found))


def _milliseconds(found: list[dict], of: str, percentile: str) -> str:
    return f"{_median(found, lambda one: one[of][percentile]) / 1000:,.2f} ms"
