"""Clients that come in crowds: silent, dripping, deaf, coming and going, flooding. Others must not notice."""
from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import wire
from pages import changes
from patience import eventually
from tools import (MIB, Bench, Result, ended, expect, fill, fill_honest, get_request, honest, mebibytes, median, milliseconds,
                   put_request)


def idle_and_dripping(bench: Bench) -> Iterator[Result]:
    """Without, with, without, with: so that what else the machine does falls on both."""
    idle, dripping = bench.pick((10_000, 5_000), (1_000, 500))
    rounds, seconds = bench.pick((4, 4), (1, 1.5))
    # The default for connections is 10,000; the short form has no time to wait for the default deadline of 10 s.
    deadline = bench.pick(10.0, 2.0)
    served = bench.serve("--max-connections", "16000", "--frame-timeout", str(deadline))
    fill_honest(served)
    honest(bench, served, bench.pick(1, 0.3))
    before, descriptors, pairs, wrong = served.memory(), served.descriptors(), [], 0
    longest, told, lives, still = 0.0, 0, 0, 0
    memory = 0
    for _ in range(rounds):
        without = honest(bench, served, seconds)
        crowd = bench.crowd("idle", served.port, connections=idle, greet=True)
        drips = bench.crowd("drip", served.port, connections=dripping)
        begin = time.monotonic()
        time.sleep(0.5)
        with_them = honest(bench, served, seconds)
        memory = max(memory, served.memory())
        # Long enough for each to meet its deadline.
        time.sleep(max(0.0, deadline + 2.5 - (time.monotonic() - begin)))
        silent, dripped = crowd.finish(), drips.finish()
        eventually(lambda: served.descriptors() <= descriptors + 12)
        pairs.append((without, with_them))
        wrong += without.wrong + with_them.wrong
        still += silent["open"]
        longest = max(longest, dripped["lives"]["max"], dripped["longestOpen"])
        told += dripped["told408"]
        lives += dripped["lives"]["count"]
    limit = bench.pick(2.0, 20.0)
    for kind, place in (("reads", "p99_reads"), ("writes", "p99_writes")):
        times = [(getattr(without, place), getattr(with_them, place)) for without, with_them in pairs]
        ratio = median([after / first for first, after in times])
        yield Result(f"idle and dripping clients, honest {kind}", f"{idle:,} idle, {dripping:,} dripping, {rounds} rounds",
                     f"their p99 at most doubles; {wrong} honest requests went wrong; {mebibytes(memory - before)} more memory",
                     f"{milliseconds(median([first for first, _ in times]))} without, "
                     f"{milliseconds(median([after for _, after in times]))} with: ratio {ratio:.2f}, medians of {rounds}",
                     ratio <= limit and wrong == 0)
    yield Result("drippers are gone at the deadline", f"{lives:,} connections", f"each told 408: {told:,}",
                 f"the longest was there for {longest:.1f} s of {deadline:.0f} s",
                 lives > 0 and told == lives and longest < deadline + bench.pick(2, 20))
    yield Result("idle clients stay", f"{idle * rounds:,}", "none is ended", f"{still:,} open at the end",
                 still == idle * rounds)
    left = served.descriptors() - descriptors
    yield Result("no descriptor is left", "", "before and after", f"{left:+} descriptors", left <= 2)
    yield from ended(served, "idle and dripping clients")


RESET = 512 * MIB
"""How much more memory may be taken for the moment in which all reset, whose last requests are answered to nobody."""
RESTING = 128 * MIB
"""How much more is kept behind all of them, by caches that have filled up too."""


def mute(bench: Bench) -> Iterator[Result]:
    """A client that does not read keeps up to `--send-buffer-bytes` waiting, and one answer besides; all together
    `--answer-total-bytes`, and what is being made when that is reached."""
    for what, request, answer, count in (
            ("GET of 1 MB again and again", '{"method":"GET","path":"/big/1"}\\0', 1.0, bench.pick(1_000, 100)),
            ("a write, and a GET of 1 MB behind it",
             '{"method":"PUT","path":"/small/1","data":1}\\0{"method":"GET","path":"/big/1"}\\0', 1.0, bench.pick(1_000, 100)),
            ("batches of four GETs of 1 MB", '{"method":"POST","path":"/_batch","data":{"requests":['
             + ",".join(['{"method":"GET","path":"/big/1"}'] * 4) + "]}}\\0", 4.0, bench.pick(300, 30)),
            ("pages of 4 MB", '{"method":"GET","path":"/pages/?limit=1000"}\\0', 4.2, bench.pick(100, 10)),
            ("the whole list of 30 MB", '{"method":"GET","path":"/list"}\\0', 32.0, bench.pick(30, 3))):
        if bench.short and "list" in what:
            continue
        served = bench.serve()
        fill_honest(served)
        fill(served, ((f"/pages/{number:05}", "x" * 4_000) for number in range(1_100)), per_batch=100)
        with wire.Session(served.port) as session:
            expect(session.ask("PUT", "/big/1", "x" * 1_000_000), 201)
            if "list" in what:
                for number in range(30):
                    expect(session.ask("PUT", f"/item/{number:05}", "x" * 1_000_000), 201)
            expect(session.ask("GET", "/pages/?limit=1000"), 200)
        honest(bench, served, bench.pick(1, 0.3))
        base = served.memory()
        served.forget_peak()
        crowd = bench.crowd("mute", served.port, connections=count, greet=True, receive_buffer=4096, request=request)
        seconds = bench.pick(4, 1)
        during = honest(bench, served, seconds)
        if not bench.short:
            honest(bench, served, seconds)
        peak, descriptors = served.peak(), served.descriptors()
        # What OPERATIONS.md names for each connection and for all, the answers that are being made and handed over, and the caches
        # filling up.
        room = min(count * ((256 << 10) + int(answer * MIB)), 256 * MIB)
        cap = room + 8 * int(answer * MIB) + 128 * MIB
        yield Result(f"clients that never read: {what}", f"{count:,} clients, {descriptors:,} descriptors",
                     f"others are served: p99 {milliseconds(during.p99)}, {during.wrong} wrong",
                     f"{mebibytes(base)} before, {mebibytes(peak)} at most, {mebibytes((peak - base) / count)} each; "
                     f"cap {mebibytes(base + cap)}",
                     peak <= base + cap and during.wrong == 0)
        served.forget_peak()
        crowd.finish()
        eventually(lambda: served.descriptors() < 100)
        honest(bench, served, bench.pick(1, 0.3))
        yield Result(f"they all reset at once: {what}", f"{count:,} clients", "memory",
                     f"{mebibytes(served.peak())} at most; cap {mebibytes(base + cap + RESET)}",
                     served.peak() <= base + cap + RESET)
        # What glibc keeps goes back within ten seconds (`MemoryReturn`).
        rests = eventually(lambda: served.memory() <= base + RESTING)
        yield Result(f"memory behind them: {what}", f"{count:,} clients", f"goes back to {mebibytes(base + RESTING)} or less",
                     mebibytes(served.memory()), rests)
        yield from ended(served, "clients that never read")


def deaf_watchers(bench: Bench) -> Iterator[Result]:
    """Watches whose frames nobody takes: 64 MiB wait for all together, and 16 KiB or a frame for each; one that listens
    misses nothing, and nobody waits."""
    count, size = bench.pick(100, 30), 10_000
    served = bench.serve()
    fill_honest(served)
    honest(bench, served, bench.pick(1, 0.3))
    base = served.memory()
    served.forget_peak()
    crowd = bench.crowd("mute", served.port, connections=count, greet=True, once=True, receive_buffer=4096,
                        request='{"method":"GET","path":"/_changes?watch=true","id":"w"}\\0')
    with wire.Session(served.port) as listener:
        listener.send(wire.frame("GET", "/loud/?watch=true", identifier="w"))
        listener.receive()
        heard: list[dict] = []

        def listen() -> None:
            # Until the last change, or what ends the watch.
            while "path" in (event := listener.receive()["data"]):
                heard.append(event)
                if event["path"] == "/loud/last":
                    return
            heard.append(event)
        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        writing = bench.crowd("rate", served.port, connections=4, seconds=bench.pick(6, 1.5), rate=200, keys=100, size=size,
                              request=put_request("/loud/"))
        beside = honest(bench, served, bench.pick(6, 1.5))
        written = writing.finish()
        expect(wire.one_shot(served.port, wire.frame("PUT", "/loud/last", 1)), 201)
        listening.join(30)
        told = len(heard) - 1 if heard and heard[-1].get("path") == "/loud/last" else -1
        watches = wire.one_shot(served.port, wire.frame("GET", "/_stats"))["data"]["watches"]
        newest = heard[-1]["sequence"] if heard else 0
        # Nobody else writes: the numbers that it was told of are all that there were, but for those of the honest.
        missed = _untold(served, {event["sequence"] for event in heard if "path" in event}, newest)
    cap = 64 * MIB + count * ((16 << 10) + 2 * size) + 128 * MIB
    yield Result("watches whose frames nobody takes",
                 f"{count:,} clients, {watches:,} watches, {written['issued']:,} writes of {size:,} bytes",
                 f"one that listens was told of {told:,}, and missed {len(missed)}; {beside.wrong} honest requests went wrong, p99 {milliseconds(beside.p99)}",
                 f"{mebibytes(base)} before, {mebibytes(served.peak())} at most; cap {mebibytes(base + cap)}",
                 told > 0 and not missed and served.peak() < base + cap and beside.wrong == 0 and watches == count + 1)
    crowd.finish()
    eventually(lambda: served.descriptors() < 60)
    yield from ended(served, "deaf watches")


def snapshot_watchers(bench: Bench) -> Iterator[Result]:
    """Watches that begin with all of a large collection, of which their condition wants nothing: others' come in their turn."""
    served = bench.serve()
    fill_honest(served)
    documents, each, clients = bench.pick(60_000, 5_000), bench.pick(1_000, 100), bench.pick(98, 10)
    fill(served, ((f"/large/{number}", number) for number in range(documents)))
    wide = {f"k{number:03}": "v" * 8 for number in range(100)}
    fill(served, ((f"/wide/{number}", wide) for number in range(bench.pick(20_000, 4_000))), per_batch=400)
    honest(bench, served, bench.pick(1, 0.3))
    many = b"".join(wire.frame("GET", "/large/?watch=true&snapshot=true&where[a]=1", identifier=number) for number in range(each))
    past = b"".join(wire.frame("GET", "/wide/?watch=true&since=0&where[a]=1", identifier=number) for number in range(20))
    with wire.Session(served.port) as greedy, wire.Session(served.port) as other:
        greedy.send(many)
        _watching(served, each)
        waits = sorted(_snapshot(other, number) for number in range(20))
    _watching(served, 0)
    with wire.Session(served.port) as greedy, wire.Session(served.port) as other:
        greedy.send(past)
        _watching(served, 20)
        waits += [_snapshot(other, number) for number in range(20)]
        waits.sort()
    yield Result("one client's watches of all of a collection, or of its past", f"{each:,} of {documents:,} documents, 20 of the past",
                 "the small collection of another is told in its turn", f"within {milliseconds(waits[-1])}",
                 waits[-1] < bench.pick(0.5, 5))
    _watching(served, 0)
    sessions = [wire.Session(served.port) for _ in range(clients)]
    timing = bench.pick(4, 1)
    crowd = threading.Thread(target=lambda: [session.send(many) for session in sessions], daemon=True)
    crowd.start()
    beside = honest(bench, served, timing)
    crowd.join()
    count = _watching(served, clients * each)
    for session in sessions:
        session.close()
    gone = honest(bench, served, timing)
    left = _watching(served, 0)
    yield Result("clients that begin watches, all at once", f"{clients} clients, {count:,} watches",
                 f"{beside.wrong} honest requests went wrong, p99 {milliseconds(beside.p99)}; when all end {gone.wrong}, p99 {milliseconds(gone.p99)}",
                 f"{left} watches left behind them", beside.wrong + gone.wrong == 0 and count == clients * each and left == 0)
    yield from ended(served, "watches of all of a collection")


def _watching(served, count: int) -> int:
    """How many watches there are, once it is so many or a while has passed."""
    def now() -> int:
        return wire.one_shot(served.port, wire.frame("GET", "/_stats"))["data"]["watches"]
    eventually(lambda: now() == count)
    return now()


def _snapshot(session: wire.Session, number: int) -> float:
    """How long the first thousand documents of the honest take to be told to a watch."""
    began = time.monotonic()
    session.send(wire.frame("GET", "/honest/?watch=true&snapshot=true", identifier=number))
    while session.receive()["data"]["change"] != "live":
        pass
    taken = time.monotonic() - began
    session.send(wire.frame("DELETE", f"/_watches/{number}", identifier="end"))
    while session.receive().get("id") != "end":
        pass
    return taken


def _untold(served, told: set[int], newest: int) -> list[int]:
    """The changes of /loud/ that the history still has, up to the newest, and that a watch was not told of."""
    with wire.Session(served.port) as session:
        oldest = session.ask("GET", "/_stats")["data"]["oldestRevision"]
        return [change["sequence"] for change in changes(session, oldest) if change["path"].startswith("/loud/")
                and change["sequence"] <= newest and change["sequence"] not in told]


def storm(bench: Bench) -> Iterator[Result]:
    served = bench.serve()
    fill_honest(served)
    honest(bench, served, bench.pick(1, 0.3))
    descriptors, memory = served.descriptors(), served.memory()
    request = '{"method":"PUT","path":"/storm/%ld","data":1}\\0'
    for way, what in (("close", "connect and close"), ("half", "connect and shut down"), ("reset", "connect, send, reset"),
                      ("part", "connect, send a part, close")):
        count = bench.pick(30_000, 2_000)
        crowd = bench.crowd("storm", served.port, count=count, way=way, request=request)
        beside = honest(bench, served, bench.pick(2, 0.7))
        done = crowd.finish()
        eventually(lambda: served.descriptors() <= descriptors)
        left = served.descriptors() - descriptors
        yield Result(f"storm: {what}", f"{done['count']:,}",
                     f"{done['failed']} not let in; beside it {beside.wrong} honest requests went wrong, p99 {milliseconds(beside.p99)}",
                     f"{done['count'] / done['seconds']:,.0f} a second; {left:+} descriptors behind it",
                     done["failed"] == 0 and beside.wrong == 0 and left <= 2)
    # More than there is room for: those beyond get 503, and there is room again when they go.
    served_small = bench.serve("--max-connections", "100")
    fill_honest(served_small)
    crowd = bench.crowd("idle", served_small.port, connections=100, greet=True)
    answers = [wire.one_shot(served_small.port, wire.frame("GET", "/"))["code"] for _ in range(20)]
    crowd.finish()
    again = eventually(lambda: wire.one_shot(served_small.port, wire.frame("GET", "/"))["code"] == 200)
    yield Result("more connections than --max-connections", "20 beyond 100", "each is told 503", f"{answers.count(503)} were; "
                 f"room again behind them: {again}", answers.count(503) == 20 and again)
    yield from ended(served_small, "--max-connections")
    growth = served.memory() - memory
    yield Result("memory behind the storms", "", "", f"{growth / MIB:+.0f} MiB", growth < 100 * MIB)
    yield from ended(served, "storms")


def floods(bench: Bench) -> Iterator[Result]:
    """Thousands of requests at once, read slowly or never, of which each is carried out or waits."""
    http_get = "GET /honest/%ld HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
    http_put = "PUT /flood/%ld HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 1\\r\\n\\r\\n1"
    count = bench.pick(200, 5)
    for what, request in (
            ("GET", get_request()), ("PUT", '{"method":"PUT","path":"/flood/%ld","data":1}\\0'),
            ("batches", '{"method":"POST","path":"/_batch","data":{"requests":['
             + ",".join(['{"method":"PUT","path":"/flood/%d","data":1}' % n for n in range(50)]) + ']}}\\0'),
            ("queries", '{"method":"GET","path":"/honest/","data":{"where":{"text":"y"}}}\\0'),
            ("HTTP GET", http_get), ("HTTP PUT", http_put)):
        if bench.short and what not in ("PUT", "batches", "HTTP PUT"):
            continue
        served = bench.serve("--frame-timeout", "2", http=True)
        fill_honest(served)
        honest(bench, served, 0.5)
        base = served.memory()
        served.forget_peak()
        over_http = what.startswith("HTTP")
        crowd = bench.crowd("flood", served.http_port if over_http else served.port, connections=count, request=request,
                            **({} if over_http else {"greet": True}))
        drips = bench.crowd("drip", served.port, connections=50) if what == "batches" else None
        beside = honest(bench, served, bench.pick(3, 2))
        if drips:
            time.sleep(bench.pick(5, 2.5))
            dripped = drips.finish()
            longest = max(dripped["lives"]["max"], dripped["longestOpen"])
            yield Result("deadlines beside a flood of batches", f"{dripped['lives']['count']} dripping clients",
                         "--frame-timeout 2",
                         f"the longest was there for {longest:.1f} s", longest < bench.pick(4, 10))
        peak = served.peak()
        done = crowd.finish()
        eventually(lambda: served.descriptors() < 100)
        cap = count * (4 * MIB + (512 << 10)) + 224 * MIB
        yield Result(f"flood of {what}", f"{count} clients, {mebibytes(done['bytes'])} sent",
                     f"{beside.wrong} honest requests went wrong, p99 {milliseconds(beside.p99)}, "
                     f"{beside.good:.0f} a second of 900",
                     f"{mebibytes(base)} before, {mebibytes(peak)} at most, {mebibytes(served.peak())} when all reset; cap {mebibytes(base + cap)}",
                     beside.wrong == 0 and served.peak() < base + cap and beside.good >= bench.pick(90, 1))
        yield from ended(served, f"a flood of {what}")
