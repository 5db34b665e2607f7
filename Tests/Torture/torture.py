"""Breaks the machine under a server in many ways, and looks whether it keeps what it promises (docs/RELIABILITY.md).

    python3 Tests/Torture/torture.py --binary .build/release/docket [--short] [--only NAME…] [--report FILE]

The first promise that is not kept ends it with status 1; the files of that fault stay.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import allocation
import beside
import clock
import command_line
import death_at_call
import descriptors
import disk_full
import files
import io_errors
import kill
import memory
import power_loss
from ground import Ground, with_own_mounts
from promises import Fault, Skipped, demand

MODULES = (power_loss, kill, death_at_call, io_errors, disk_full, files, memory, descriptors, clock, beside, allocation)
FAULTS: list[Fault] = [fault for module in MODULES for fault in module.FAULTS]


def main() -> int:
    with_own_mounts()
    options = _options()
    faults = [fault for fault in FAULTS if not options.only or fault.name in options.only]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="docket-torture-", dir=options.folder))
    rows: list[dict[str, object]] = []
    print(f"torture: seed {options.seed}, files in {folder}", flush=True)
    status = 0
    for fault in faults:
        row = _made(fault, options, folder / fault.name)
        rows.append(row)
        print(f"{fault.name:<18} {row['count']:>5} {fault.unit:<7} {row['verdict']:<8} {row['shown']} "
              f"({row['seconds']} s)", flush=True)
        if row["verdict"] == "violated":
            print(f"torture: to see it again: --seed {options.seed} --only {fault.name}; files: {folder / fault.name}")
            status = 1
            break
        shutil.rmtree(folder / fault.name, ignore_errors=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    skipped = [str(row["fault"]) for row in rows if row["verdict"] == "SKIPPED"]
    kept = sum(row["verdict"] == "kept" for row in rows)
    named = ": " + ", ".join(skipped) if skipped else ""
    print(f"torture: {kept} of {len(faults)} kept, {len(skipped)} SKIPPED{named}")
    if options.report:
        _report(options, rows)
    return status




def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Break the machine under docket.")
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--short", action="store_true", help="a few cycles of each fault, three minutes in all")
    parser.add_argument("--only", nargs="+", choices=[fault.name for fault in FAULTS], metavar="NAME",
                        help="these faults: %(choices)s")
    parser.add_argument("--count", type=command_line.positive, help="how often each fault is made, instead of its own count")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(1 << 32)))
    parser.add_argument("--folder", help="where files are made (default: the system's folder for temporary files)")
    parser.add_argument("--report", type=pathlib.Path, help="write the figures there, as JSON")
    options = parser.parse_args()
    command_line.need_docket(parser, options.binary)
    command_line.need_folder(parser, options.folder)
    command_line.need_folder(parser, options.report and options.report.parent)
    return options


def _made(fault: Fault, options: argparse.Namespace, folder: pathlib.Path) -> dict[str, object]:
    count = options.count or (fault.short if options.short else fault.long)
    ground = Ground(options.binary, folder, fault.name, options.seed, options.short)
    begin = time.monotonic()
    row: dict[str, object] = {"fault": fault.name, "count": count, "unit": fault.unit}
    try:
        shown = fault.make(ground, count)
        demand(shown.figures.get("acknowledged") != 0, "no write was acknowledged, so none was kept")
        row |= {"verdict": "kept", "shown": shown.sentence, "figures": shown.figures}
        row["count"] = shown.figures.get("count", count)
    except Skipped as reason:
        row |= {"verdict": "SKIPPED", "shown": str(reason), "count": 0}
    except Exception as error:  # Whatever is not expected is a violation: a check must never pass silently.
        row |= {"verdict": "violated", "shown": f"{type(error).__name__}: {error}"}
        traceback.print_exc()
    row["seconds"] = round(time.monotonic() - begin)
    return row


def _report(options: argparse.Namespace, rows: list[dict[str, object]]) -> None:
    version = subprocess.run([options.binary, "--version"], capture_output=True, text=True).stdout.strip()
    options.report.write_text(json.dumps({
        "date": time.strftime("%Y-%m-%d", time.gmtime()), "binary": version, "seed": options.seed,
        "form": "short" if options.short else "long", "machine": f"{os.cpu_count()} cores, {platform.release()}",
        "faults": rows}, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
