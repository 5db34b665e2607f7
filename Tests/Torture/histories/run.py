"""Linearizability: histories of concurrent clients over the deaths of their server, checked; batches, pages and watches.

    python3 Tests/Torture/histories/run.py --binary .build/release/docket [--short] [--seed N] [--histories N]

Prints a line for each promise, and exits with 1 where one is broken. `python3 -m unittest` beside it tries the checker.
"""
from __future__ import annotations

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

import atomicity  # noqa: E402
import command_line  # noqa: E402
import lives  # noqa: E402

PER_DATABASE = 25


def line(what: str, count: str, shown: str, figure: str, good: bool) -> None:
    print(f"{'ok  ' if good else 'FAIL'} {what}: {count}; {shown}; {figure}", flush=True)


def prove_the_checker() -> bool:
    """A checker that finds nothing planted is not worth running."""
    suite = unittest.defaultTestLoader.discover(str(HERE), "test_*.py")
    result = unittest.TextTestRunner(stream=open("/dev/null", "w")).run(suite)
    for _, text in result.failures + result.errors:
        print(text)
    line("checker", f"{result.testsRun} tests", "finds planted violations and takes true histories", "", result.wasSuccessful())
    return result.wasSuccessful()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--short", action="store_true", help="about 40 histories, for every change")
    parser.add_argument("--histories", type=command_line.positive, help="how many (1,000; 40 with --short)")
    parser.add_argument("--seconds", type=command_line.seconds, help="how long batches and pages are tried (60; 3 with --short)")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--folder", type=pathlib.Path, help="where databases are made, and stay when something is wrong")
    arguments = parser.parse_args()
    command_line.need_docket(parser, arguments.binary)
    command_line.need_folder(parser, arguments.folder)
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    wanted = arguments.histories or (40 if arguments.short else 1_000)
    folder = arguments.folder or pathlib.Path(tempfile.mkdtemp(prefix="docket-histories-"))
    print(f"seed {seed}; files in {folder}", flush=True)
    good = prove_the_checker()

    tally = lives.Tally()
    begin = time.monotonic()
    number = 0
    while tally.histories < wanted and len(tally.problems) < 10:
        lives.life(arguments.binary, folder / f"life-{number}", f"{seed} {number}",
                   min(PER_DATABASE, wanted - tally.histories), tally)
        number += 1
    for problem in tally.problems[:10]:
        print(problem)
    seconds = time.monotonic() - begin
    fine = not tally.problems
    line("linearizable", f"{tally.histories} histories of {tally.operations} operations, {tally.with_deaths} with deaths",
         f"{tally.kills} kill -9 and {tally.stops} stops within; {tally.unknown} operations without an answer",
         f"{tally.undecided} undecided, {tally.undone} refused with 503, {seconds:.0f} s", fine and tally.undecided == 0)
    line("lies found", f"{sum(tally.lies.values())} planted",
         ", ".join(f"{count} × {name}" for name, count in sorted(tally.lies.items())),
         f"{tally.missed} missed", tally.missed == 0 and len(tally.lies) == 6)
    line("watches", f"{tally.events} events", "each change once, in order, equal to the history, over restarts",
         f"{tally.breaks} times cut off; {tally.batches} batches whole; {tally.past} looks at the past", fine)
    good = good and fine and tally.undecided == 0 and tally.missed == 0 and len(tally.lies) == 6

    outcome = atomicity.run(arguments.binary, folder / "atomicity", seed,
                            arguments.seconds or (3 if arguments.short else 60))
    for problem in outcome.problems[:10]:
        print(problem)
    for what in dict.fromkeys(what for what, _ in outcome.looks):
        native, http = (outcome.looks.get((what, port), 0) for port in ("native", "http"))
        line(f"batches are whole in {what}", f"{native} looks, and {http} over HTTP",
             f"beside {outcome.batches.get('native', 0)} batches, and {outcome.batches.get('http', 0)} over HTTP, {outcome.kills} kill -9",
             f"{outcome.halves.get(what, 0)} halves", not outcome.halves.get(what) and native > 0 and http > 0)
    good = good and not outcome.problems and not outcome.halves
    if good and arguments.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    print("all promises were kept" if good else f"a promise was broken: seed {seed}, files in {folder}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
