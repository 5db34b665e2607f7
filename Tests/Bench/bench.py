#!/usr/bin/env python3
"""Measures Docket, beside Redis where that is installed, and writes docs/BENCHMARKS.md with a plot.

Both are measured by `docket bench`, in turn, on loopback, with data in folders on the same disk: Docket with its defaults,
Redis with its append-only file and an fsync before each answer. What counts is the ratio of a round, and of those the median.
"""
import argparse, json, os, pathlib, platform, shutil, socket, statistics, subprocess, sys, tempfile, time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server of one kind, ended with the block that it is made in."""

    def __init__(self, dialect, arguments, folder):
        self.dialect = dialect
        self.port = free_port()
        self.log = open(folder / f"{dialect}.log", "w")
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [part.replace("PORT", str(self.port)) for part in arguments], stdout=self.log, stderr=self.log)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() - begin > 20:
                    sys.exit(f"bench: {arguments[0]} did not start: see {self.log.name}")
                time.sleep(0.002)
        self.started_milliseconds = (time.monotonic() - begin) * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def memory_mebibytes(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=".build/release/docket")
    parser.add_argument("--output", default="docs", help="the folder for BENCHMARKS.md and benchmarks.svg")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--smoke", action="store_true", help="as little as shows that it works")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds, options.documents = 1, 0.1, [100, 200]

    def bench(server, *arguments):
        run = subprocess.run(
            [options.binary, "bench", "--json", "--dialect", server.dialect, "--port", str(server.port),
             "--seconds", str(options.seconds), *map(str, arguments)], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"bench: docket bench failed: {run.stderr}")
        return json.loads(run.stdout)

    with tempfile.TemporaryDirectory(dir=os.environ.get("WORK_DIR", "."), prefix=".bench-") as name:
        folder = pathlib.Path(name)

        def docket(database="docket.db"):
            return Server("docket", [options.binary, "serve", "--port", "PORT", "--database", str(folder / database)], folder)

        peers = compare(options, bench, docket, folder)
        growth = grow(options, bench, docket)
    write(options, peers, growth)


def compare(options, bench, docket, folder):
    """What was measured of each kind of work, with the ratio that is aimed at; and Docket's memory."""
    small = options.documents[0]
    cases = [
        ("durable PUT", 0.85, ["--workload", "put", "--keys", small]),
        ("durable PUT, 16 at once", 0.45, ["--workload", "put", "--pipeline", 16, "--keys", small]),
        ("GET", 0.95, ["--workload", "get", "--keys", small]),
        ("GET, 16 at once", 0.65, ["--workload", "get", "--pipeline", 16, "--keys", small]),
        ("nine GETs to a PUT, 10 at once", 0.65, ["--workload", "mixed", "--pipeline", 10, "--keys", small]),
        ("durable PUT, 60,000 bytes", 0.70, ["--workload", "put", "--size", 60_000, "--keys", min(small, 1_000)]),
        ("GET, 60,000 bytes", 0.80, ["--workload", "get", "--size", 60_000, "--keys", min(small, 1_000)]),
    ]
    redis = shutil.which("redis-server")
    if not redis:
        print("bench: Redis is not installed, so there is nothing to compare with (apt-get install redis-server)", file=sys.stderr)
    with docket() as ours:
        rest = ours.memory_mebibytes()
        rows = []
        peer = None
        if redis:
            peer = Server("redis", [redis, "--port", "PORT", "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                                    "--dir", str(folder)], folder)
        try:
            for what, goal, arguments in cases:
                pairs = []
                for number in range(options.rounds):
                    order = [server for server in (ours, peer) if server]
                    found = {server.dialect: bench(server, *arguments) for server in (order if number % 2 else order[::-1])}
                    pairs.append((found["docket"], found.get("redis")))
                rows.append((what, goal, pairs))
                print(f"bench: {what}", file=sys.stderr)
        finally:
            if peer:
                peer.__exit__()
        return {"rows": rows, "rest": rest, "loaded": ours.memory_mebibytes()}


def grow(options, bench, docket):
    """For each number of documents: reads, writes and pages a second, start time and memory."""
    points = []
    for count in options.documents:
        name = f"grown-{count}.db"
        with docket(name) as server:
            bench(server, "--workload", "get", "--keys", count, "--requests", 100)
        with docket(name) as server:
            rates = {workload: [] for workload in ("get", "put", "list")}
            for _ in range(max(options.rounds // 2, 1)):
                # The fill of a read writes each document once more, which is why what is read comes from a count.
                rates["put"].append(bench(server, "--workload", "put", "--keys", count)["requestsPerSecond"])
            rates["list"].append(bench(server, "--workload", "list", "--keys", 1)["requestsPerSecond"])
            rates["get"].append(bench(server, "--workload", "get", "--keys", count)["requestsPerSecond"])
            points.append((count, {name: statistics.median(values) for name, values in rates.items()},
                           server.started_milliseconds, server.memory_mebibytes()))
        print(f"bench: {count:,} documents", file=sys.stderr)
    return points


def write(options, peers, growth):
    output = pathlib.Path(options.output)
    version = subprocess.run([options.binary, "--version"], capture_output=True, text=True).stdout.strip()
    redis = shutil.which("redis-server")
    redis = subprocess.run([redis, "--version"], capture_output=True, text=True).stdout.split()[2][2:] if redis else "not installed"
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    lines = [
        "# Benchmarks", "",
        "Written by `make bench`; the figures are of the machine below, and what counts of them is the ratio. Server, peer and generator",
        "(`docket bench`, one thread) share its cores. 64 connections, documents of 100 bytes unless said; medians of "
        f"{options.rounds} rounds in turn, of {options.seconds:g} s each.", "",
        f"- {time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({cpu}), Linux {platform.release().split('-')[0]}",
        f"- {version}, defaults: every write synced, history kept", f"- Redis {redis}, `appendonly yes`, `appendfsync always`", "",
        "## Beside Redis", "",
        "| work | Docket /s | Redis /s | ratio | aim | p99, Docket | p99, Redis |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for what, goal, pairs in peers["rows"]:
        ours = statistics.median(pair[0]["requestsPerSecond"] for pair in pairs)
        late = statistics.median(pair[0]["latencyMicroseconds"]["p99"] for pair in pairs)
        if pairs[0][1]:
            theirs = statistics.median(pair[1]["requestsPerSecond"] for pair in pairs)
            ratio = statistics.median(pair[0]["requestsPerSecond"] / pair[1]["requestsPerSecond"] for pair in pairs)
            their_late = statistics.median(pair[1]["latencyMicroseconds"]["p99"] for pair in pairs)
            rest = f"{theirs:,.0f} | {ratio:.2f} | {goal:.2f} | {late / 1000:.2f} ms | {their_late / 1000:.2f} ms |"
        else:
            rest = f"- | - | {goal:.2f} | {late / 1000:.2f} ms | - |"
        lines.append(f"| {what} | {ours:,.0f} | {rest}")
    lines += ["", "Writes of 16 at once are bound by SQLite's own work on the one thread that writes, single ones by the sync, with which nothing",
              "else overlaps yet; reads by two event loops and the generator sharing two cores.",
              "", f"Memory of Docket: {peers['rest']:.0f} MiB at rest, {peers['loaded']:.0f} MiB after all of these.", "",
              "## As documents become many", "",
              "| documents | GET /s | durable PUT /s | pages of 100 /s | start to ready | memory |", "| ---: | ---: | ---: | ---: | ---: | ---: |"]
    for count, rates, started, memory in growth:
        lines.append(f"| {count:,} | {rates['get']:,.0f} | {rates['put']:,.0f} | {rates['list']:,.0f} | {started:.0f} ms | {memory:.0f} MiB |")
    lines += ["", "![Requests a second over the number of documents](benchmarks.svg)", ""]
    (output / "BENCHMARKS.md").write_text("\n".join(lines))
    (output / "benchmarks.svg").write_text(plot(growth))


def plot(growth):
    """Requests a second over the number of documents, which are a step apart each."""
    width, height, left, bottom = 640, 320, 70, 40
    top = max(max(rates["get"], rates["put"]) for _, rates, _, _ in growth) * 1.1
    x = lambda index: left + (width - left - 90) * index / max(len(growth) - 1, 1)
    y = lambda rate: height - bottom - (height - bottom - 20) * rate / top
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for step in range(5):
        rate = top * step / 4
        parts.append(f'<line x1="{left}" x2="{width - 90}" y1="{y(rate):.0f}" y2="{y(rate):.0f}" stroke="#ddd"/>'
                     f'<text x="{left - 6}" y="{y(rate) + 4:.0f}" text-anchor="end">{rate:,.0f}</text>')
    for index, (count, _, _, _) in enumerate(growth):
        parts.append(f'<text x="{x(index):.0f}" y="{height - bottom + 20}" text-anchor="middle">{count:,}</text>')
    for workload, label, colour in (("get", "GET", "#1f77b4"), ("put", "durable PUT", "#d62728")):
        places = [(x(index), y(rates[workload])) for index, (_, rates, _, _) in enumerate(growth)]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in places]
        parts.append(f'<text x="{places[-1][0] + 8:.0f}" y="{places[-1][1] + 4:.0f}" fill="{colour}">{label}</text>')
    parts.append(f'<text x="{left}" y="14">requests/s, 64 connections</text></svg>')
    return "\n".join(parts) + "\n"


main()
