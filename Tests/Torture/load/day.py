"""A day's work in an hour: a steady mix, and nothing that grows but by what it is documented to keep.

Samples are taken all the time. Behind the warm-up, the first quarter, a line is laid through each kind of them; what it rises
over the rest must be small beside what there is.
"""
from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Iterator

import wire
from tools import MIB, Bench, Result, ended, expect, fill, mebibytes, milliseconds

SECONDS = (3600.0, 20.0)
COLLECTION = "/day/"


class Worker(threading.Thread):
    """Does one thing again and again, and counts what went wrong."""

    def __init__(self, ending: threading.Event, problems: list[str], pause: float, make, step) -> None:
        super().__init__(daemon=True)
        self.ending, self.problems, self.pause, self.make, self.step = ending, problems, pause, make, step
        self.count = 0
        self.start()

    def run(self) -> None:
        try:
            tool = self.make()
            while not self.ending.wait(self.pause):
                self.step(tool)
                self.count += 1
        except Exception as error:
            self.problems.append(f"{self.step.__name__}: {type(error).__name__}: {error}")


def day(bench: Bench) -> Iterator[Result]:
    seconds = bench.pick(*SECONDS)
    # The short form cannot wait for 8 MiB of history to fill up.
    options = bench.pick((), ("--history-floor-bytes", "500000", "--checkpoint-pages", "500"))
    served = bench.serve(*options, http=True)
    randomness = random.Random(1)
    ending, problems = threading.Event(), []

    def session() -> wire.Session:
        return wire.Session(served.port)

    def good(answer: dict, *codes: int) -> dict:
        if answer["code"] not in codes:
            raise AssertionError(str(answer)[:300])
        return answer

    def delete(tool: wire.Session) -> None:
        good(tool.ask("DELETE", f"{COLLECTION}{randomness.randrange(5000):09}"), 204, 404)

    def expire(tool: wire.Session) -> None:
        good(tool.ask("POST", "/day/short/", {"text": "x" * 200}, {"Expires-In": randomness.randrange(1, 4)}), 201)

    def query(tool: wire.Session) -> None:
        good(tool.ask("GET", COLLECTION, {"where": {"text": {"$prefix": "y"}}, "limit": 10, "count": True}), 200)
        good(tool.ask("GET", f"{COLLECTION}?limit=200"), 200)
        good(tool.ask("GET", f"/_changes?since={max(0, tool.ask('GET', '/_stats')['data']['revision'] - 50)}"), 200)

    def batch(tool: wire.Session) -> None:
        parts = [{"method": "PUT", "path": f"/day/batch/{randomness.randrange(500)}", "data": "x" * 300} for _ in range(20)]
        good(tool.ask("POST", "/_batch", {"requests": parts}), 200)

    def patch(tool: wire.Session) -> None:
        good(tool.ask("PUT", "/day/patch/1", {"n": 0}), 200, 201)
        good(tool.ask("PATCH", "/day/patch/1", {"n": randomness.random()}), 200)

    def come_and_go(_: None) -> None:
        with wire.Session(served.port) as tool:
            tool.send(wire.frame("GET", f"{COLLECTION}?watch=true&snapshot={'true' if randomness.random() < 0.3 else 'false'}", identifier="w"))
            tool.receive_bytes()  # It says that it has begun.
            tool.connection.settimeout(2)
            end = time.monotonic() + randomness.random()
            while time.monotonic() < end and not ending.is_set():
                with contextlib.suppress(TimeoutError):  # Nobody may be writing.
                    tool.receive_bytes()
        wire.one_shot(served.port, wire.frame("GET", "/"))

    def over_http(_: None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", served.http_port, timeout=30)
        for _ in range(20):
            connection.request("PUT", f"/day/http/{randomness.randrange(100)}", json.dumps("x" * 500))
            response = connection.getresponse()
            response.read()
            if response.status not in (200, 201):
                raise AssertionError(f"HTTP {response.status}")
        connection.close()

    def sit(sockets: list) -> None:
        sockets.append(wire.connect(served.port))
        if len(sockets) > 100:
            sockets.pop(0).close()

    write = '{"method":"PUT","path":"/day/%ld","data":{"text":"%s"}}\\0'
    read = '{"method":"GET","path":"/day/%ld"}\\0'
    fill(served, ((f"{COLLECTION}{number:09}", {"text": "x" * 300}) for number in range(5_000)))
    loads = [bench.crowd("rate", served.port, connections=8, seconds=seconds, rate=800, keys=5000, size=300, request=write),
             bench.crowd("rate", served.port, connections=8, seconds=seconds, rate=2000, keys=5000, request=read)]
    workers = [Worker(ending, problems, pause, make, step) for pause, make, step in (
        (0.02, session, delete), (0.02, session, expire), (0.1, session, query), (0.1, session, batch), (0.05, session, patch),
        (0.05, lambda: None, come_and_go), (0.1, lambda: None, over_http), (0.05, list, sit))]
    samples: list[tuple] = []
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        time.sleep(min(1.0, seconds / 100))
        samples.append((time.monotonic() - start, served.memory(), served.log_bytes(), served.descriptors(),
                        served.database_bytes()))
    done = [load.finish() for load in loads]
    ending.set()
    for worker in workers:
        worker.join(30)
        if worker.is_alive() or not worker.count:
            problems.append(f"{worker.step.__name__}: {'it hangs' if worker.is_alive() else 'nothing was done'}")
    with wire.Session(served.port) as tool:
        stats = tool.ask("GET", "/_stats")["data"]
        live = tool.ask("GET", "/_documents?limit=0", {"count": True, "limit": 0})["data"]["count"]
    refused = sum(one["refused"]["count"] for one in done)
    # A machine that is busy may not bear the rate; that is judged where it has the time.
    dropped = bench.pick(sum(one["dropped"] for one in done), 0)
    wrong = sum(one["others"] + one["broken"] for one in done) + refused + dropped + len(problems)
    writes = stats["revision"]
    yield Result("a steady mix", f"{seconds:,.0f} s, {writes:,} writes, {done[1]['good']['count']:,} reads, "
                 + ", ".join(f"{worker.count:,} × {worker.step.__name__}" for worker in workers),
                 "nothing goes wrong", f"{wrong} did, {refused} of them refused and {dropped} not sent in time" + "".join("; " + one[:200] for one in problems[:3]), wrong == 0)
    warm = [sample for sample in samples if sample[0] > seconds / 4]
    slack = bench.pick(1.0, 3.0)
    for place, name, room in ((1, "memory", 12 * MIB), (2, "the log", 8 * MIB), (3, "descriptors", 12),
                              (4, "the database", 6 * MIB)):
        values = [sample[place] for sample in warm]
        slope = _slope([sample[0] for sample in warm], values)
        rise = slope * (warm[-1][0] - warm[0][0])
        show = (lambda value: f"{value:.0f}") if place == 3 else mebibytes
        mean = sum(values) / len(values)
        yield Result(f"{name} does not grow", f"{len(values)} samples behind the warm-up",
                     f"from {show(min(values))} to {show(max(values))}, mean {show(mean)}",
                     f"the line rises by {rise:+.1f}" if place == 3 else f"the line rises by {rise / MIB:+.2f} MiB, {slope * 3600 / MIB:+.1f} MiB an hour",
                     rise < slack * max(room, mean * 0.1))
    history = writes - stats["oldestRevision"]
    yield Result("history is dropped as it ages", f"{live:,} documents, {history:,} changes kept of {writes:,}",
                 "--history-share, --history-floor-bytes",
                 f"file {mebibytes(stats['databaseBytes'])}", bench.short or history < writes)
    # With so short a log any query may hold it up for a moment; `queries_and_log` looks at that.
    yield from ended(served, "the day", forgiven="could not be written back" if bench.short else None)


def queries_and_log(bench: Bench) -> Iterator[Result]:
    """Queries that follow one another without a gap, beside writes: the log begins anew all the same."""
    seconds, documents, pages = bench.pick(45, 5), bench.pick(50_000, 20_000), 1_000
    served = bench.serve("--checkpoint-pages", str(pages))
    fill(served, ((f"/queried/{number}", {"text": "x" * 300}) for number in range(documents)))
    ending, took = threading.Event(), []

    def query() -> None:
        with wire.Session(served.port) as tool:
            while not ending.is_set():
                begin = time.monotonic()
                expect(tool.ask("GET", "/queried/", {"where": {"text": {"$contains": "y"}}, "limit": 1}), 200)
                took.append(time.monotonic() - begin)
    threads = [threading.Thread(target=query, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    writing = bench.crowd("rate", served.port, connections=4, seconds=seconds, rate=1000, keys=1000, size=3000,
                          request='{"method":"PUT","path":"/written/%ld","data":"%s"}\\0')
    sizes = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(seconds / 50)
        sizes.append(served.log_bytes())
    done = writing.finish()
    ending.set()
    for thread in threads:
        thread.join(30)
    # Half a second is waited for readers when it is ten times as long as it should be.
    bound = bench.pick(40, 200) * pages * 4096
    yield Result("the log beside queries without a gap",
                 f"{len(took):,} queries of {milliseconds(sum(took) / max(1, len(took)))}, four at once; "
                 f"{done['goodPerSecond']:,.0f} writes of 3 KB a second for {seconds} s",
                 f"--checkpoint-pages {pages}: {mebibytes(pages * 4096)}",
                 f"{mebibytes(sizes[len(sizes) // 2])} at half time, {mebibytes(max(sizes))} at most; cap {mebibytes(bound)}",
                 max(sizes) < bound and done["others"] + done["broken"] == 0)
    if served.stop() != 0:
        yield Result("the end behind queries", "", "it ends in order", f"exit {served.process.returncode}", False)


def _slope(times: list[float], values: list[float]) -> float:
    """Of the line with the least squares, a second."""
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    return sum((time - middle) * (value - mean) for time,
               value in zip(times, values)) / sum((time - middle) ** 2 for time in times)
