"""The HTTP port: GET beside a web server that serves a file, PUT beside the native port."""
from __future__ import annotations

import contextlib
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import processes
import servers
from bench_setup import Setup
from loads import Load, Rounds, Sample, in_turn
from report import Section, at_least
from servers import LeftOut, Server

KEYS = 10_000
BYTES = 96
INSTALL = "apt-get install wrk nginx"


def measure(setup: Setup) -> Section:
    """- Raises: LeftOut where wrk or nginx is not installed."""
    section = Section("HTTP")
    for program in ("wrk", "nginx"):
        if shutil.which(program) is None:
            raise LeftOut(f"{program} is not installed ({INSTALL})")
    body = b'"' + b"x" * (BYTES - 2) + b'"'
    port = servers.free_port()
    with setup.docket("http", "--http-port", str(port)) as ours, _nginx(setup, body) as theirs:
        setup.generator.fill(ours, KEYS)
        with ours.awake():
            request = urllib.request.Request(f"http://127.0.0.1:{port}/bench/file", body, method="PUT")
            urllib.request.urlopen(request, timeout=30).close()
        get = in_turn(setup.rounds, {
            "docket": lambda: _wrk(setup, ours, f"http://127.0.0.1:{port}/bench/file"),
            "nginx": lambda: _wrk(setup, theirs, f"http://127.0.0.1:{theirs.port}/file")})
        setup.tell("HTTP GET")
        script = str(pathlib.Path(__file__).with_name("http_put.lua"))
        put = in_turn(setup.rounds, {
            "http": lambda: _wrk(setup, ours, f"http://127.0.0.1:{port}/", script),
            "native": lambda: setup.generator.run(ours, Load("put", KEYS, size=BYTES))})
        setup.tell("HTTP PUT")
    section.table(["work", "Docket /s", "beside it /s", "ratio", "aim"], [
        ["GET by HTTP, beside nginx", f"{get.rate('docket'):,.0f}", f"{get.rate('nginx'):,.0f}",
         *section.figure("GET by HTTP ÷ nginx", get.ratio("docket", "nginx"), at_least(0.5))],
        ["CPU of the server for one GET, µs", f"{_cost(get, 'docket'):.1f}", f"{_cost(get, 'nginx'):.1f}", "", ""],
        ["durable PUT by HTTP, beside the native port", f"{put.rate('http'):,.0f}", f"{put.rate('native'):,.0f}",
         *section.figure("durable PUT by HTTP ÷ by the native port", put.ratio("http", "native"), at_least(0.5))]])
    section.say(
        f"`wrk -t1 -c64`, {BYTES} bytes. nginx {_version()} has one worker, writes no log and serves a file of the same bytes. PUTs go to "
        f"{KEYS:,} documents; those of the native port are made by `docket bench`, not pipelined.")
    return section


def _cost(rounds: Rounds, subject: str) -> float:
    """Microseconds of CPU time for a request."""
    return rounds.median(subject, lambda sample: sample.server_cores / max(sample.rate, 1e-9) * 1e6)


def _wrk(setup: Setup, server: Server, url: str, script: str | None = None) -> Sample:
    seconds = max(1, round(setup.seconds))
    with server.awake():
        before = processes.tree_cpu_seconds(server.pid)
        output = subprocess.run(
            ["wrk", "-t1", "-c64", f"-d{seconds}s", *(["-s", script] if script else []), url],
            capture_output=True, text=True, check=True).stdout
        spent = processes.tree_cpu_seconds(server.pid) - before
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"bench: wrk failed on {server.name}: {output}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])
    return Sample(rate, server_cores=spent / seconds)


@contextlib.contextmanager
def _nginx(setup: Setup, body: bytes) -> Iterator[Server]:
    folder = setup.folder / "nginx"
    folder.mkdir()
    (folder / "file").write_bytes(body)
    # Its worker stays root's where root runs this, so that it may read the folder.
    user = "user root;\n" if subprocess.run(["id", "-u"], capture_output=True).stdout.strip() == b"0" else ""
    configuration = (
        f"{user}daemon off; master_process off; worker_processes 1; error_log stderr; pid {folder}/pid;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; sendfile on; tcp_nodelay on; open_file_cache max=100; keepalive_requests 100000000;\n"
        f"  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n"
        f"  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
        f"  server {{ listen 127.0.0.1:PORT; root {folder}; }} }}\n")
    # Its port stands in a file, which there is only once the port is known.
    start = f'printf %s "$1" > "{folder}/conf" && exec nginx -p "{folder}" -c "{folder}/conf"'
    with Server("nginx", ["sh", "-c", start, "sh", configuration], setup.folder / "nginx.log", "http") as server:
        yield server


def _version() -> str:
    return subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.rpartition("/")[2].strip()
