"""What the scenarios share: the server they are for, the crowd in C, honest clients whose answers are timed, and results."""
from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
import statistics
import subprocess
from collections.abc import Callable, Iterable, Iterator

import wire
from served import Served

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1 << 20


@dataclasses.dataclass
class Result:
    what: str
    count: str
    shown: str
    figure: str
    good: bool


@dataclasses.dataclass
class Bench:
    """Where a scenario works."""
    binary: str
    folder: pathlib.Path
    hostile: str
    short: bool
    begun: list = dataclasses.field(default_factory=list)

    def serve(self, *options: str, http: bool = False) -> Served:
        number = sum(isinstance(one, Served) for one in self.begun)
        served = Served.in_folder(self.binary, self.folder / f"server-{number}", *options, http=http)
        self.begun.append(served)
        return served

    def clear(self) -> None:
        """Ends what a scenario that failed has left, crowds first."""
        for one in self.begun:
            if isinstance(one, Crowd):
                one.process.kill()
                one.process.wait()
            elif one.is_running:
                one.kill()

    def pick(self, long: object, short: object) -> object:
        return short if self.short else long

    def crowd(self, mode: str, port: int, **options: object) -> Crowd:
        crowd = Crowd(self.hostile, mode, port, options)
        self.begun.insert(0, crowd)
        return crowd


def compiled(folder: pathlib.Path) -> str:
    program = folder / "hostile"
    subprocess.run(["cc", "-O2", "-o", str(program), str(HERE / "hostile.c")], check=True)
    return str(program)


class Crowd:
    """A run of `hostile.c`: what it says first is `ready`, what it says last comes from `finish`."""

    def __init__(self, program: str, mode: str, port: int, options: dict) -> None:
        arguments = [program, mode, "--port", str(port)]
        for name, value in options.items():
            arguments.append("--" + name.replace("_", "-"))
            if value is not True:
                arguments.append(str(value))
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline()) if mode in ("idle", "drip", "mute", "flood") else {}

    def finish(self) -> dict:
        self.process.stdin.close()
        lines = self.process.stdout.read().splitlines()
        self.process.wait()
        return json.loads(lines[-1])


@dataclasses.dataclass
class Timing:
    """What honest clients got."""
    p50: float
    p99_reads: float
    p99_writes: float
    good: float
    """A second."""
    wrong: int

    @property
    def p99(self) -> float:
        """Of the kind that waits longer."""
        return max(self.p99_reads, self.p99_writes)


def get_request(collection: str = "/honest/") -> str:
    return '{"method":"GET","path":"%s%%ld"}\\0' % collection


def put_request(collection: str = "/honest/") -> str:
    return '{"method":"PUT","path":"%s%%ld","data":{"text":"%%s"}}\\0' % collection


def honest(bench: Bench, served: Served, seconds: float) -> Timing:
    """Eight clients that read and two that write, at a rate that is easily borne: and what they got."""
    reading = bench.crowd("rate", served.port, connections=8, seconds=seconds, rate=600, keys=1000, request=get_request())
    writing = bench.crowd("rate", served.port, connections=2, seconds=seconds, rate=300, keys=1000, size=100,
                          request=put_request())
    reads, writes = reading.finish(), writing.finish()
    wrong = sum(one["others"] + one["broken"] + one["dropped"] for one in (reads, writes))
    wrong += sum(one["refused"]["count"] for one in (reads, writes))
    return Timing(reads["good"]["p50"], reads["good"]["p99"], writes["good"]["p99"],
                  reads["goodPerSecond"] + writes["goodPerSecond"], wrong)


def fill(served: Served, documents: Iterable[tuple[str, object]], per_batch: int = 1_000) -> None:
    """Writes documents to their paths, in batches."""
    rest = iter(documents)
    with wire.Session(served.port) as session:
        while parts := [{"method": "PUT", "path": path, "data": data} for path, data in itertools.islice(rest, per_batch)]:
            expect(session.ask("POST", "/_batch", {"requests": parts}), 200)


def fill_honest(served: Served) -> None:
    fill(served, ((f"/honest/{number:09}", {"text": "x" * 100}) for number in range(1_000)), per_batch=500)


def expect(answer: dict, code: int) -> dict:
    if answer["code"] != code:
        raise AssertionError(f"expected {code}, got {str(answer)[:300]}")
    return answer


def ended(served: Served, what: str, forgiven: str | None = None) -> Iterator[Result]:
    """Ends a server, and tells what is wrong with how it ended, if anything is.

    - Parameter forgiven: complaints with these words are none.
    """
    if not served.is_running:
        problems = [f"docket ended by itself with {served.process.returncode}: {served.log.read_text()[-500:]}"]
    else:
        status = served.stop()
        problems = [] if status == 0 else [f"docket ended with {status}"]
        problems += [line for line in served.complaints() if forgiven is None or forgiven not in line]
    if problems:
        yield Result(f"the end behind {what}", "", "it ends in order, and the log has no complaint",
                     "; ".join(problems)[:500], False)


def median(values: list[float]) -> float:
    return statistics.median(values) if values else 0.0


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def mebibytes(count: float) -> str:
    return f"{count / MIB:.0f} MiB"


Scenario = Callable[[Bench], Iterator[Result]]
