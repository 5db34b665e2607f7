"""Three times the load that it can bear, from clients that do not wait: it goes on as well as it can, and refuses the rest soon."""
from __future__ import annotations

from collections.abc import Iterator

import wire
from crowds import _ended
from tools import Bench, Result, expect, fill_honest, get_request, mebibytes, median, milliseconds, put_request

FACTOR = 3
SHARE = 0.9


def overload(bench: Bench) -> Iterator[Result]:
    served = bench.serve()
    fill_honest(served)
    with wire.Session(served.port) as session:
        for start in range(0, 5_000, 1_000):
            parts = [{"method": "PUT", "path": f"/query/{number}", "data": {"n": number, "text": "x" * 50}}
                     for number in range(start, start + 1_000)]
            expect(session.ask("POST", "/_batch", {"requests": parts}), 200)
    large = '{"method":"PUT","path":"/large/%ld","data":"%s"}\\0'
    page = '{"method":"GET","path":"/query/?limit=100"}\\0'
    query = '{"method":"GET","path":"/query/","data":{"where":{"n":7},"limit":10}}\\0'
    # What a load may have unanswered is what so many clients would have: beyond it they send no more, as nobody would.
    for what, connections, unanswered, options, expected in (
            ("reads", 64, 64, {"request": get_request()}, "they wait their turn"),
            ("writes of 100 bytes", 64, 64, {"request": put_request(), "size": 100}, "they wait their turn"),
            ("writes of 16 KB", 1_000, 8, {"request": large, "size": 16_000}, "beyond --write-queue-bytes 503"),
            ("pages", 700, 1, {"request": page}, "beyond --scan-queue-length 503"),
            ("queries that look at 5,000 documents", 700, 1, {"request": query}, "beyond --scan-queue-length 503")):
        yield from _one(bench, served, what, connections, unanswered, options, expected)
    yield from _ended(served, "overload")


def _one(bench: Bench, served, what: str, connections: int, unanswered: int, options: dict, expected: str) -> Iterator[Result]:
    rounds, seconds = bench.pick((3, 3), (1, 0.6))
    best_rates, over_rates, refusals, p99s, unanswered_share, wrong, peak = [], [], [], [], [], 0, 0
    refused = 0
    # What it can bear: the best of closed loops, few and many at once.
    loops = ((8, 1), (64, 1), (200, 1)) if unanswered == 1 else ((64, 2), (64, 8),
                                                                 (64, 64)) if unanswered == 64 else ((16, 2), (64, 4), (64, 16))
    for _ in range(rounds):
        tries = [bench.crowd("rate", served.port, connections=many, unanswered=deep, seconds=seconds, keys=1000,
                             **options).finish()
                 for many, deep in loops]
        wrong += sum(one["others"] + one["broken"] for one in tries)
        best = max(tries, key=lambda one: one["goodPerSecond"])
        served.forget_peak()
        over = bench.crowd("rate", served.port, connections=connections, unanswered=unanswered, seconds=seconds, keys=1000,
                           rate=max(1.0, best["goodPerSecond"] * FACTOR), **options).finish()
        peak = max(peak, served.peak())
        best_rates.append(best["goodPerSecond"])
        over_rates.append(over["goodPerSecond"])
        if over["refused"]["count"]:
            refusals.append(over["refused"]["p50"])
            p99s.append(over["refused"]["p99"])
        refused += over["refused"]["count"]
        wrong += over["others"] + over["broken"]
    share = median([over / best for over, best in zip(over_rates, best_rates)])
    told = f"503 after {milliseconds(median(refusals))} (p50), {milliseconds(median(p99s))} (p99), {refused:,} of them" \
        if refusals else "none was refused"
    # What others do on a machine meanwhile falls on one of two measurements, so the short form only tells of it.
    least = bench.pick(SHARE, 0.0)
    slow = bool(p99s) and median(p99s) > bench.pick(2.0, 10.0)
    yield Result(f"{FACTOR} times the load: {what}", f"{connections} connections, {rounds} rounds",
                 f"at least {SHARE:.0%} of the best throughput; {expected}; {wrong} wrong answers; memory {mebibytes(peak)} at most",
                 f"{median(over_rates):,.0f} good answers a second of {median(best_rates):,.0f}: {share:.0%}; {told}",
                 share >= least and not slow and wrong == 0 and (not expected.startswith("beyond") or refused > 0 or bench.short))
