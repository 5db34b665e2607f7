"""Load, and clients that mean no good, against `docket serve` with its defaults, or the flags that are named.

    python3 Tests/Torture/load/run.py --binary .build/release/docket [--short] [--only NAME…] [--report FILE]

Prints a line for each promise, and exits with 1 where one is broken. With --short what is timed fails only where
something hangs, goes wrong, or grows without bound.
"""
from __future__ import annotations

import argparse
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

import bounds  # noqa: E402
import command_line  # noqa: E402
import crowds  # noqa: E402
import day  # noqa: E402
import garbage  # noqa: E402
import large  # noqa: E402
import overload  # noqa: E402
import tools  # noqa: E402

SCENARIOS: dict[str, tools.Scenario] = {
    "idle": crowds.idle_and_dripping, "mute": crowds.mute, "watches": crowds.deaf_watchers, "snapshots": crowds.snapshot_watchers,
    "storm": crowds.storm, "floods": crowds.floods,
    "overload": overload.overload, "large": large.large, "collections": large.many_collections, "garbage": garbage.garbage,
    "bounds": bounds.bounds, "log": day.queries_and_log, "day": day.day}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--short", action="store_true", help="three minutes, for every change")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--seconds", type=command_line.seconds, help="how long `day` lasts (3,600; 20 with --short)")
    parser.add_argument("--report", type=pathlib.Path, help="write the lines there as a table, too")
    parser.add_argument("--folder", type=pathlib.Path, help="where databases are made, and stay when something is wrong")
    arguments = parser.parse_args()
    command_line.need_docket(parser, arguments.binary)
    command_line.need_folder(parser, arguments.folder)
    command_line.need_folder(parser, arguments.report and arguments.report.parent)
    folder = arguments.folder or pathlib.Path(tempfile.mkdtemp(prefix="docket-load-"))
    hostile = tools.compiled(folder)
    if arguments.seconds:
        day.SECONDS = (arguments.seconds, arguments.seconds)
    results: list[tuple[str, tools.Result]] = []
    for name in arguments.only or SCENARIOS:
        bench = tools.Bench(arguments.binary, folder / name, hostile, arguments.short)
        begin = time.monotonic()
        try:
            for result in SCENARIOS[name](bench):
                results.append((name, result))
                print(f"{'ok  ' if result.good else 'FAIL'} {name}: {result.what}: {result.count}; {result.shown}; {result.figure}",
                      flush=True)
        except Exception:
            traceback.print_exc()
            results.append((name, tools.Result("the scenario itself", "", "", traceback.format_exc(limit=1), False)))
        finally:
            bench.clear()
        print(f"     {name} took {time.monotonic() - begin:.0f} s", flush=True)
        if all(result.good for where, result in results if where == name):
            shutil.rmtree(folder / name, ignore_errors=True)
    if arguments.report:
        arguments.report.write_text(_table(results, arguments))
    good = all(result.good for _, result in results)
    if good and arguments.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    print("all promises were kept" if good else f"a promise was broken; files in {folder}")
    return 0 if good else 1


def _table(results: list[tuple[str, tools.Result]], arguments: argparse.Namespace) -> str:
    form = "--short" if arguments.short else "long form"
    lines = [f"{time.strftime('%Y-%m-%d')}, {form}, {os.cpu_count()} cores, {platform.system()} {platform.release()}", "",
             "| scenario | what | how many | what was shown | figure | |", "| --- | --- | --- | --- | --- | --- |"]
    for name, one in results:
        cells = [f"`{name}`", one.what, one.count, one.shown, one.figure, "kept" if one.good else "**broken**"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
