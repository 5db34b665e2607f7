"""Three times the load that it can bear, from clients that do not wait: it goes on as well as it can, and soon refuses the rest."""
from __future__ import annotations

from collections.abc import Iterator

import wire
from crowds import _ended
from tools import Bench, Result, expect, fill_honest, get_request, mebibytes, median, milliseconds, put_request

FACTOR = 3
SHARE = 0.9
"""Of the best throughput, less what it takes to refuse the rest."""
REFUSAL = 15e-6
"""Seconds of the server's CPU for a 503, with all that a request costs; a GET takes 6e-6 (64 connections, one at once)."""


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
            ("writes of 16 KB", 6_000, 1, {"request": large, "size": 16_000}, "beyond --write-queue-bytes 503"),
            ("pages", 700, 1, {"request": page}, "beyond --scan-queue-length 503"),
            ("queries that look at 5,000 documents", 700, 1, {"request": query}, "beyond --scan-queue-length 503")):
        if bench.short and what not in ("reads", "writes of 16 KB", "pages"):
            continue
        yield from _one(bench, served, what, connections, unanswered, options, expected)
    yield from _ended(served, "overload")


def _one(bench: Bench, served, what: str, connections: int, unanswered: int, options: dict,
         expected: str) -> Iterator[Result]:
    rounds, seconds = bench.pick((5, 2.5), (1, 0.6))
    # What it can bear: the best of closed loops, few and many at once.
    loops = ((8, 1), (64, 1), (200, 1)) if unanswered == 1 else ((64, 2), (64, 8), (64, 64))
    if bench.short:
        loops = loops[1:2]
    bests, overs, costs, refusing, wrong, peak = [], [], [], [], 0, 0

    def load(**more: object) -> tuple[dict, float]:
        nonlocal wrong
        before = served.cpu_seconds()
        result = bench.crowd("rate", served.port, seconds=seconds, keys=1000, **options, **more).finish()
        wrong += result["others"] + result["broken"]
        return result, served.cpu_seconds() - before
    # Which of them is found out once, so that afterwards one measurement stands beside one.
    many, deep = max(loops, key=lambda loop: load(connections=loop[0], unanswered=loop[1])[0]["goodPerSecond"])
    for _ in range(rounds):
        best, best_cpu = load(connections=many, unanswered=deep)
        served.forget_peak()
        over, cpu = load(connections=connections, unanswered=unanswered, rate=max(1.0, best["goodPerSecond"] * FACTOR))
        peak = max(peak, served.peak())
        bests.append(best["goodPerSecond"])
        overs.append(over)
        # What a second of the server's CPU is good for, whatever else the machine does meanwhile.
        costs.append((over["goodPerSecond"] / max(cpu, 0.01)) / max(1.0, best["goodPerSecond"] / max(best_cpu, 0.01)))
        # What is refused has been received and read, at some 1 GB a second.
        cost = REFUSAL + int(options.get("size", 0)) * 1e-9
        refusing.append(over["refusedPerSecond"] * seconds * cost / max(cpu, 0.01))
    share = median([over["goodPerSecond"] / max(1.0, best) for over, best in zip(overs, bests)])
    by_cpu = median(costs)
    refused = [over["refused"] for over in overs if over["refused"]["count"]]
    p99 = median([one["p99"] for one in refused])
    told = "none was refused" if not refused else \
        f"503 after {milliseconds(median([one['p50'] for one in refused]))} (p50), {milliseconds(p99)} (p99), " \
        f"{median([over['refusedPerSecond'] for over in overs]):,.0f} a second"
    # What others do on a machine meanwhile falls on one of two measurements, so the short form only tells of it.
    least = SHARE * (1 - min(0.5, median(refusing)))
    enough = bench.short or max(share, by_cpu) >= least
    slow = bool(refused) and p99 > bench.pick(2.0, 10.0)
    met = bool(refused) or not expected.startswith("beyond") or bench.short
    yield Result(f"{FACTOR} times the load: {what}", f"{connections:,} connections, {rounds} rounds",
                 f"at least {least:.0%} of the best throughput in good answers; {expected}; {wrong} wrong answers; "
                 f"memory {mebibytes(peak)} at most",
                 f"{median([over['goodPerSecond'] for over in overs]):,.0f} good answers a second of {median(bests):,.0f}: {share:.0%}, "
                 f"for each second of the server's CPU {by_cpu:.0%}; {told}",
                 enough and not slow and wrong == 0 and met)
