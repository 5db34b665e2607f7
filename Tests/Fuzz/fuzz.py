#!/usr/bin/env python3
"""Builds the fuzzer and runs its targets, one line for each; `make fuzz` calls it.

Corpora that grow lie in .build-fuzz/corpus, and what breaks a promise in .build-fuzz/crashes. Before anything new is tried, what
Tests/Fuzz/Corpus and Tests/Fuzz/Regressions hold is run again.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(HERE.parent))

from command_line import need_folder, positive  # noqa: E402

SCRATCH = ROOT / ".build-fuzz"
UNGUARDED = ROOT / ".build-fuzz-unguarded"

# The longest input of each target, in bytes: long enough for what it looks at, and short enough to be quick.
LONGEST = {
    "frames": 512,
    "json": 1024,
    "requests": 1024,
    "paths": 512,
    "patches": 1024,
    "cursors": 256,
    "strangers": 2048,
    "http": 4096,
    "queries": 512,
    "store": 512,
}


@dataclass
class Outcome:
    runs: int = 0
    seconds: float = 0
    coverage: int = 0
    status: int = 0
    crash: Path | None = None
    output: str = ""


def environment(target: str, planted: bool = False) -> dict[str, str]:
    values = dict(os.environ, DOCKET_FUZZ_TARGET=target, SWIFT_BACKTRACE="enable=no")
    # What Swift's runtime keeps for good is no leak of ours. Three things take most of the time and find little in runs as short
    # as these: to note where each allocation came from, to fill it, and to keep tens of megabytes that were freed out of the cache.
    options = ["detect_leaks=0", "allocator_may_return_null=1", "malloc_context_size=1", "max_malloc_fill_size=0"]
    options += ["quarantine_size_mb=1", "thread_local_quarantine_size_kb=64"]
    values["ASAN_OPTIONS"] = ":".join([*options, os.environ.get("ASAN_OPTIONS", "")])
    if planted:
        values["DOCKET_FUZZ_PLANT"] = "1"
    return values


def build(configuration: str, folder: Path, sanitizer: str) -> bool:
    command = [os.environ.get("SWIFT", "swift"), "build", "-c", configuration, "--scratch-path", str(folder)]
    try:
        done = subprocess.run([*command, "--product", "DocketFuzz"], cwd=ROOT, env=dict(os.environ, DOCKET_FUZZ=sanitizer))
    except OSError as error:
        print(f"fuzz.py: cannot run {command[0]}: {error.strerror}; name Swift in SWIFT", file=sys.stderr)
        return False
    return done.returncode == 0


def memory() -> tempfile.TemporaryDirectory[str]:
    """A folder for stores, in memory where the machine has a file system there."""
    return tempfile.TemporaryDirectory(prefix="docket-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)


def run(fuzzer: Path, target: str, corpus: Path, crashes: Path, limits: list[str], planted: bool = False) -> Outcome:
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(fuzzer), f"-artifact_prefix={crashes}/{target}-", f"-max_len={LONGEST[target]}"]
    command += ["-timeout=20", "-detect_leaks=0", "-rss_limit_mb=3000", "-malloc_limit_mb=1000", "-print_final_stats=1", *limits]
    dictionary = HERE / "Corpus" / f"{target}.dict"
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    given = [folder / target for folder in (HERE / "Corpus", HERE / "Regressions")]
    command += [str(folder) for folder in [corpus, *given] if folder.exists()]
    before = set(crashes.glob(f"{target}-*"))
    began = time.monotonic()
    with memory() as folder:
        values = dict(environment(target, planted), DOCKET_FUZZ_FOLDER=folder)
        done = subprocess.run(command, env=values, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    outcome = Outcome(seconds=time.monotonic() - began, status=done.returncode)
    outcome.output = done.stdout.decode(errors="replace")
    found = re.findall(r"number_of_executed_units: (\d+)|^#(\d+)\t", outcome.output, re.M)
    outcome.runs = max((int(total or line) for total, line in found), default=0)
    outcome.coverage = max((int(number) for number in re.findall(r"cov: (\d+)", outcome.output)), default=0)
    outcome.crash = next(iter(sorted(set(crashes.glob(f"{target}-*")) - before)), None)
    return outcome


def speed(outcome: Outcome) -> str:
    return f"{outcome.runs:>12,} runs  {outcome.runs / max(outcome.seconds, 0.001):>9,.0f}/s"


def fuzz(fuzzer: Path, targets: list[str], limits: list[str], jobs: int, as_built: str) -> bool:
    def one(target: str) -> bool:
        outcome = run(fuzzer, target, SCRATCH / "corpus" / target, SCRATCH / "crashes", limits)
        broken = outcome.status != 0
        print(f"{target:<10} {speed(outcome)}  coverage {outcome.coverage:>6}  crashes {int(broken)}", flush=True)
        if broken:
            print(tail(outcome.output), file=sys.stderr)
            if outcome.crash:
                print(f"replay it: python3 Tests/Fuzz/fuzz.py {as_built}--replay {target} {outcome.crash}", file=sys.stderr)
        return not broken

    return all(side_by_side(one, targets, jobs))


def prove(fuzzer: Path, targets: list[str], seconds: int, jobs: int) -> bool:
    """Every target has a fault planted, and must find it from the seeds alone."""
    def one(target: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            limits = [f"-max_total_time={seconds}"]
            outcome = run(fuzzer, target, Path(folder) / "corpus", Path(folder) / "crashes", limits, planted=True)
        found = outcome.status != 0 and "Fatal error" in outcome.output
        print(f"{target:<10} {speed(outcome)}  {'found' if found else 'NOT FOUND'} the planted fault", flush=True)
        return found

    return all(side_by_side(one, targets, jobs))


def side_by_side(work: Callable[[str], bool], targets: list[str], jobs: int) -> list[bool]:
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(work, targets))


def replay(fuzzer: Path, target: str, files: list[str]) -> bool:
    with memory() as folder:
        values = dict(environment(target), DOCKET_FUZZ_FOLDER=folder)
        done = subprocess.run([str(fuzzer), "-timeout=20", *files], env=values)
    return done.returncode == 0


def tail(output: str) -> str:
    lines = output.splitlines()
    fatal = next((number for number, line in enumerate(lines) if "Fatal error" in line or "ERROR: " in line), 0)
    end = next((number for number in range(fatal + 1, len(lines)) if "ERROR: " in lines[number]), fatal + 1)
    return "\n".join(lines[fatal : end + 12])


def known(text: str) -> list[str]:
    """The targets of which these are the names."""
    targets = text.split()
    if unknown := [target for target in targets if target not in LONGEST]:
        raise argparse.ArgumentTypeError(f"there is no target {unknown[0]}; there are {' '.join(LONGEST)}")
    if not targets:
        raise argparse.ArgumentTypeError("no target is named")
    return targets


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--runs", type=positive, default=10_000_000, help="of each target (default: 10,000,000)")
    limit.add_argument("--seconds", type=positive, help="of each target, in the place of --runs")
    parser.add_argument("--targets", type=known, default=" ".join(LONGEST), help="some of: " + " ".join(LONGEST))
    task = parser.add_mutually_exclusive_group()
    task.add_argument("--prove", action="store_true", help="plant a fault in each target, and see that it is found")
    task.add_argument("--replay", nargs="+", metavar=("TARGET", "FILE"), help="run files once")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1,
                        help="so many targets at a time (default: one for each core)")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--beside-tests", nargs="?", type=Path, const=ROOT / ".build", metavar="FOLDER",
                       help="not optimized, and built where the tests were built (.build): only the modules that are watched "
                            "are built anew; they are so once more for the next tests")
    place.add_argument("--unguarded", action="store_true",
                       help="without the address sanitizer: 2.4 times as many runs of the targets that ask a store")
    parser.add_argument("--no-build", action="store_true", help="take the binary that is there")
    arguments = parser.parse_args()
    if arguments.replay:
        target, *files = arguments.replay
        if target not in LONGEST or not files:
            parser.error(f"--replay takes a target and files; targets are {' '.join(LONGEST)}")
        if missing := [file for file in files if not Path(file).is_file()]:
            parser.error(f"there is no file {missing[0]}")
    # Swift would make the folder, and build all of it there.
    need_folder(parser, arguments.beside_tests)
    configuration, folder = ("debug", arguments.beside_tests) if arguments.beside_tests else ("release", SCRATCH)
    sanitizer = "address"
    if arguments.unguarded:
        folder, sanitizer = UNGUARDED, "none"
    fuzzer = folder.resolve() / configuration / "DocketFuzz"
    if not arguments.no_build and not build(configuration, folder.resolve(), sanitizer):
        return 1
    if not fuzzer.exists():
        parser.error(f"there is no {fuzzer}; leave --no-build out")
    if arguments.replay:
        return 0 if replay(fuzzer, target, files) else 1
    if arguments.prove:
        return 0 if prove(fuzzer, arguments.targets, arguments.seconds or 120, arguments.jobs) else 1
    limits = [f"-max_total_time={arguments.seconds}"] if arguments.seconds else [f"-runs={arguments.runs}"]
    as_built = f"--beside-tests {folder} " if arguments.beside_tests else "--unguarded " if arguments.unguarded else ""
    return 0 if fuzz(fuzzer, arguments.targets, limits, arguments.jobs, as_built) else 1


if __name__ == "__main__":
    sys.exit(main())
