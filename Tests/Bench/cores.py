"""What a second event loop brings to reads."""
from __future__ import annotations

import os

from bench_setup import Setup
from loads import Load, in_turn
from report import Section, at_least

PIPELINE = 16


def measure(setup: Setup) -> Section:
    section = Section("Both cores")
    load = Load("get", min(setup.documents[0], 1_000), pipeline=PIPELINE)
    with setup.docket("threads-1", "--threads", "1") as one, setup.docket("threads-2", "--threads", "2") as two:
        rounds = in_turn(setup.few, {
            "1": lambda: setup.generator.run(one, load, watched=True),
            "2": lambda: setup.generator.run(two, load, watched=True)})
    ratio, aim = section.figure("GET, 16 at once, two event loops ÷ one", rounds.ratio("2", "1"), at_least(1.5))
    rows = []
    for subject, cells in (("1", ["", ""]), ("2", [ratio, aim])):
        server = rounds.median(subject, lambda sample: sample.server_cores)
        generator = rounds.median(subject, lambda sample: sample.generator_cores)
        each = rounds.median(subject, lambda sample: sample.rate / max(sample.server_cores, 0.01))
        rows.append([subject, f"{rounds.rate(subject):,.0f}", *cells, _share(server), _share(generator), f"{each:,.0f}"])
    section.table(["event loops (`--threads`)", "GET, 16 at once /s", "ratio", "aim", "CPU, server", "CPU, generator",
                   "GETs in a second of the server's CPU time"], rows)
    section.say(f"Shares are of the machine's {os.cpu_count()} cores, in the middle third of each run; what the generator takes, "
                "the server cannot have.")
    setup.tell("both cores")
    return section


def _share(cores: float) -> str:
    return f"{100 * cores / (os.cpu_count() or 1):.0f} %"
