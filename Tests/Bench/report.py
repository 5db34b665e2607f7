"""The page: sections of tables in which a figure stands beside its aim, and what the figures are of."""
from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import shutil
import subprocess
import textwrap
import time
from collections.abc import Iterable, Iterator

from bench_setup import Setup
from servers import INSTALL_REDIS, LeftOut

WIDTH = 130


@dataclasses.dataclass(frozen=True)
class Aim:
    """A bound that a figure is to keep."""
    bound: float
    is_lower: bool

    def is_met(self, figure: float) -> bool:
        return figure >= self.bound if self.is_lower else figure <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_lower else '≤'} {self.bound:,g}"


def at_least(bound: float) -> Aim:
    return Aim(bound, True)


def at_most(bound: float) -> Aim:
    return Aim(bound, False)


@dataclasses.dataclass
class Section:
    title: str
    lines: list[str] = dataclasses.field(default_factory=list)
    missed: list[str] = dataclasses.field(default_factory=list)
    judged: int = 0

    def say(self, *paragraphs: str) -> None:
        for paragraph in paragraphs:
            self.lines += [*textwrap.wrap(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False), ""]

    def table(self, heads: list[str], rows: Iterable[list[str]]) -> None:
        """A table; all columns but the first are numbers."""
        self.lines += [_row(heads), _row(["---"] + ["---:"] * (len(heads) - 1)), *map(_row, rows), ""]

    def figure(self, what: str, value: float | None, aim: Aim, places: int = 2) -> tuple[str, str]:
        """A figure and its aim as cells; notes whether it was met. None was not measured."""
        if value is None:
            return "-", str(aim)
        text = f"{value:,.{places}f}"
        self.judged += 1
        # What the page shows is what is judged.
        if not aim.is_met(float(text.replace(",", ""))):
            self.missed.append(f"{what}: {text} ({aim})")
        return text, str(aim)

    @contextlib.contextmanager
    def leaving_out(self) -> Iterator[None]:
        """Says why the block cannot be measured here, if it cannot."""
        try:
            yield
        except LeftOut as reason:
            self.say(f"Not measured here: {reason}.")

    def either(self, what: str, *figures: tuple[str, float | None, Aim, int]) -> list[str]:
        """Figures of which one is to meet its aim, each with a name and its places, as pairs of cells."""
        apart = [Section(what) for _ in figures]
        cells = [cell for section, (name, value, aim, places) in zip(apart, figures)
                 for cell in section.figure(name, value, aim, places)]
        if any(section.judged for section in apart):
            self.judged += 1
            if not any(section.judged and not section.missed for section in apart):
                self.missed.append(f"{what}: {'; '.join(text for section in apart for text in section.missed)}")
        return cells


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def page(setup: Setup, sections: list[Section]) -> str:
    head = Section("Benchmarks")
    head.say(*_head(setup))
    head.lines += [*_facts(setup), ""]
    if not setup.quick:
        head.lines += [*_verdict(sections), ""]
    lines = [f"# {head.title}", "", *head.lines]
    for section in sections:
        lines += [f"## {section.title}", "", *section.lines]
    return "\n".join(lines).rstrip() + "\n"


def _head(setup: Setup) -> list[str]:
    if setup.quick:
        return ["**Written by a quick run, which shows that it works; its figures mean nothing.**"]
    return [
        "Written by `make bench`; the figures are of the machine below, and what counts of them is the ratio. Servers and generator "
        "(`docket bench`, one thread) share its cores; while one server is measured the others stand still. 64 connections and "
        "documents of 100 bytes unless said. A figure is the median of what was measured in turn, a ratio the median of the rounds' "
        f"ratios: {setup.rounds} rounds in the first table and for POST, {setup.few} elsewhere, of {setup.seconds:g} s each; "
        f"{setup.fewest} of imports and exports, which are whole. `≥` and `≤` stand before what is aimed at."
    ]


def _facts(setup: Setup) -> list[str]:
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    facts = [
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({cpu}), {_memory()}, Linux {platform.release().split('-')[0]}",
        f"{_output(setup.binary, '--version')}, defaults: `docket serve --database FILE`, every write synced, history kept",
    ]
    facts.append("`docket bench --workload get --connections 64 --pipeline 1 --size 100 "
                 f"--keys {setup.documents[0]} --seconds {setup.seconds:g}`, and so on; `--dialect redis` for Redis")
    if shutil.which("redis-server"):
        version = _output("redis-server", "--version").split()[2][2:]
        facts.append(f"Redis {version}: `redis-server --save '' --appendonly yes --appendfsync always "
                     "--auto-aof-rewrite-percentage 0`")
    else:
        facts.append(f"Redis is not installed, so nothing stands beside Docket (`{INSTALL_REDIS}`)")
    if shutil.which("cc"):
        facts.append(f"the loops in C: {_output('cc', '--version').splitlines()[0]}, `-O2`")
    return [f"- {fact}" for fact in facts]


def _memory() -> str:
    kibibytes = int(open("/proc/meminfo").readline().split()[1])
    return f"{kibibytes / 2**20:.0f} GiB"


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _verdict(sections: list[Section]) -> list[str]:
    judged = sum(section.judged for section in sections)
    missed = [text for section in sections for text in section.missed]
    if not missed:
        return [f"All of {judged} aims are met."]
    return [f"Of {judged} aims {judged - len(missed)} are met. The others:", "", *(f"- {text}" for text in missed)]
