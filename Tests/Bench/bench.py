#!/usr/bin/env python3
"""Measures Docket, beside Redis, SQLite and the like where they are installed, and writes docs/BENCHMARKS.md with a plot.

Servers are measured by `docket bench`, in turn, on loopback, with data in folders on the same disk: Docket with its
defaults, Redis with its append-only file and an fsync before each answer. What counts is the ratio of a round, and of
those the median. A whole run takes about fourteen minutes.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import signal
import sys
import tempfile
from collections.abc import Callable

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import beside_redis
import beside_sqlite
import command_line
import cores
import feeds
import growth
import http_port
import memory
import one_shot
import queries
from bench_setup import Setup
from plot import plot
from report import Section, page
from servers import LeftOut


def main() -> None:
    options = _options()
    # Ends the servers, too, which stand still and would never end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))
    with tempfile.TemporaryDirectory(dir=os.environ.get("WORK_DIR", "."), prefix=".bench-") as folder:
        setup = Setup(
            options.binary, pathlib.Path(folder).absolute(), options.rounds, options.seconds, options.documents, options.quick)
        sections, picture = _measure(setup, options.parts)
        output = pathlib.Path(options.output)
        (output / "BENCHMARKS.md").write_text(page(setup, sections))
        if picture:
            (output / "benchmarks.svg").write_text(picture)


PARTS = ["redis", "growth", "sqlite", "one-shot", "cores", "memory", "queries", "feeds", "http"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=".build/release/docket")
    parser.add_argument("--output", default="docs", help="the folder for BENCHMARKS.md and benchmarks.svg")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure; the page has no more")
    parser.add_argument("--rounds", type=command_line.positive, default=5)
    parser.add_argument("--seconds", type=command_line.seconds, default=1.5, help="how long a run is")
    parser.add_argument("--documents", type=command_line.positive, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--quick", "--smoke", action="store_true", help="as little as shows that it works")
    options = parser.parse_args()
    command_line.need_docket(parser, options.binary)
    command_line.need_folder(parser, os.environ.get("WORK_DIR"))
    command_line.make_folder(parser, options.output)
    if options.quick:
        options.rounds, options.seconds, options.documents = 1, 0.1, [100, 200]
    return options


def _measure(setup: Setup, parts: list[str]) -> tuple[list[Section], str | None]:
    sections, picture, peaks = [], None, []
    if "redis" in parts:
        section, peak = beside_redis.measure(setup)
        sections.append(section)
        peaks.append(peak)
    if "growth" in parts:
        found = growth.measure(setup)
        sections += growth.sections(found)
        peaks.append(found.peak)
        picture = plot(found)
    if "sqlite" in parts:
        sections.append(_or_left_out("Against raw SQLite", lambda: beside_sqlite.measure(setup)))
    if "one-shot" in parts:
        sections.append(_or_left_out("One-shot sessions", lambda: one_shot.measure(setup)))
    if "cores" in parts:
        sections.append(cores.measure(setup))
    if "memory" in parts:
        sections.append(memory.measure(setup, peaks))
    if "queries" in parts:
        sections.append(queries.measure(setup))
    if "feeds" in parts:
        sections.append(_or_left_out("Feeds of changes", lambda: feeds.measure(setup)))
    if "http" in parts:
        sections.append(_or_left_out("HTTP", lambda: http_port.measure(setup)))
    return sections, picture


def _or_left_out(title: str, measure: Callable[[], Section]) -> Section:
    try:
        return measure()
    except LeftOut as reason:
        print(f"bench: left out: {reason}", file=sys.stderr)
        section = Section(title)
        section.say(f"Not measured here: {reason}.")
        return section


main()
