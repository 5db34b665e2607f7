"""Three times the load that it can bear, from clients that do not wait: it goes on as well as it can, and soon refuses the rest."""
from __future__ import annotations

from collections.abc import Iterator

from tools import Bench, Result, ended, fill, fill_honest, get_request, mebibytes, median, milliseconds, put_request

FACTOR = 3
SHARE = 0.9
"""Of the good answers that a second of the server's CPU time gives at the best throughput. That is the one figure that
judges. By the clock, the generator takes from the server's share of the same cores, and under overload it has three times
as much to do: that figure is told beside the other."""


def overload(bench: Bench) -> Iterator[Result]:
    served = bench.serve()
    fill_honest(served)
    fill(served, ((f"/query/{number}", {"n": number, "text": "x" * 50}) for number in range(5_000)))
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
    yield from ended(served, "overload")


def _one(bench: Bench, served, what: str, connections: int, unanswered: int, options: dict,
         expected: str) -> Iterator[Result]:
    rounds, seconds = bench.pick((5, 2.5), (1, 0.6))
    # What it can bear: the best of closed loops, few and many at once.
    loops = ((8, 1), (64, 1), (200, 1)) if unanswered == 1 else ((64, 2), (64, 8), (64, 64))
    if bench.short:
        loops = loops[1:2]
    bests, overs, wrong, peak = [], [], 0, 0

    def load(**more: object) -> dict:
        nonlocal wrong
        result = bench.crowd("rate", served.port, server=served.pid, seconds=seconds, keys=1000, **options, **more).finish()
        wrong += result["others"] + result["broken"]
        return result
    # Which of them is found out once, so that afterwards one measurement stands beside one.
    many, deep = max(loops, key=lambda loop: load(connections=loop[0], unanswered=loop[1])["goodPerSecond"])
    for _ in range(rounds):
        bests.append(load(connections=many, unanswered=deep))
        served.forget_peak()
        overs.append(load(connections=connections, unanswered=unanswered,
                          rate=max(1.0, bests[-1]["goodPerSecond"] * FACTOR)))
        peak = max(peak, served.peak())
    by_clock = median([over["goodPerSecond"] / max(1.0, best["goodPerSecond"]) for over, best in zip(overs, bests)])
    by_cpu = median([_good_for_cpu(over) / max(1.0, _good_for_cpu(best)) for over, best in zip(overs, bests)])
    refused = [over["refused"] for over in overs if over["refused"]["count"]]
    p99 = median([one["p99"] for one in refused])
    told = "none was refused" if not refused else \
        f"503 after {milliseconds(median([one['p50'] for one in refused]))} (p50), {milliseconds(p99)} (p99), " \
        f"{median([over['refusedPerSecond'] for over in overs]):,.0f} a second"
    # What was really asked: beyond what clients may have unanswered nobody asks.
    asked = median([(over["issued"] - over["dropped"]) / seconds / max(1.0, best["goodPerSecond"])
                    for over, best in zip(overs, bests)])
    waited = median([over["good"]["p99"] for over in overs])
    is_kept = by_cpu >= SHARE
    # One short round is too little to judge by: there only what hangs, goes wrong or is not answered fails.
    is_answered = all(over["goodPerSecond"] for over in overs)
    slow = bool(refused) and p99 > bench.pick(2.0, 10.0)
    met = bool(refused) or not expected.startswith("beyond") or bench.short
    yield Result(f"{FACTOR} times the load: {what}", f"{connections:,} connections, {rounds} rounds",
                 f"for each second of the server's CPU at least {SHARE:.0%} of the good answers that the best throughput has; "
                 f"{expected}; {wrong} wrong answers; memory {mebibytes(peak)} at most",
                 f"{by_cpu:.0%}{'' if bench.short else ', kept' if is_kept else ', not kept'} "
                 f"({median([_good_for_cpu(over) for over in overs]):,.0f} of "
                 f"{median([_good_for_cpu(best) for best in bests]):,.0f}); by the clock {by_clock:.0%} "
                 f"({median([over['goodPerSecond'] for over in overs]):,.0f} a second of "
                 f"{median([best['goodPerSecond'] for best in bests]):,.0f}); asked for {asked:.1f} times the best; "
                 f"good answers' p99 {milliseconds(waited)}; {told}",
                 (is_kept or bench.short) and is_answered and not slow and wrong == 0 and met)


def _good_for_cpu(result: dict) -> float:
    """Good answers for each second of the server's CPU time."""
    return result["goodPerSecond"] / max(result["cpuPerSecond"], 0.001)
