"""One-shot sessions, a connection for each request, beside a loop in C and beside what the original server does."""
from __future__ import annotations

import pathlib
import sys
import time

import servers
from bench_setup import Setup
from client import frame, one_shot
from loads import Load, Rounds, Sample, in_turn
from report import Section, at_least
from servers import Server

KEYS = 1


def measure(setup: Setup) -> Section:
    """- Raises: LeftOut where C does not compile."""
    section = Section("One-shot sessions")
    program = setup.compiled("accept_loop.c")
    with setup.docket("one-shot") as ours:
        setup.generator.fill(ours, KEYS)
        many = _many(setup, ours, program)
        one = _one(setup, ours, program)
    what = "one-shot sessions, Docket ÷ loop in C, 64 connections"
    ratio = section.figure(what, many.ratio("docket", "loop"), at_least(0.8))
    section.table(["connections", "Docket /s", "loop in C /s", "original /s", "Docket ÷ loop", "aim"], [
        ["64, GET of a document", f"{many.rate('docket'):,.0f}", f"{many.rate('loop'):,.0f}", "-", *ratio],
        ["1, GET /", *(f"{one.rate(subject):,.0f}" for subject in ("docket", "loop", "original")),
         f"{one.ratio('docket', 'loop'):.2f}", ""]])
    section.say(
        "`Tests/Bench/accept_loop.c` accepts, reads, sends an answer of the same bytes, and closes, in one thread. The original "
        "server is a stand-in, `Tests/Bench/original_server.py`. At one connection the client is a blocking one.")
    setup.tell("one-shot sessions")
    return section


def _many(setup: Setup, ours: Server, program: str) -> Rounds:
    """64 clients of `docket bench`."""
    with ours.awake():
        answer = one_shot(ours.port, frame("GET", "/bench/0000000000")).decode()
    load = Load("one-shot", KEYS)
    with _loop(setup, program, answer) as loop:
        return in_turn(setup.few, {"docket": lambda: setup.generator.run(ours, load),
                                   "loop": lambda: setup.generator.run(loop, load)})


def _one(setup: Setup, ours: Server, program: str) -> Rounds:
    """One client, which waits."""
    with ours.awake():
        answer = one_shot(ours.port, frame("GET", "/")).decode()
    script = pathlib.Path(__file__).with_name("original_server.py")
    with _loop(setup, program, answer) as loop, Server(
        "original_server.py", [sys.executable, str(script), "PORT"], setup.folder / "original.log") as original:
        return in_turn(setup.few, {
            name: lambda server=server: _ask(setup, server)
            for name, server in (("docket", ours), ("loop", loop), ("original", original))})


def _loop(setup: Setup, program: str, answer: str) -> Server:
    return servers.Server("accept_loop", [program, "PORT", answer], setup.folder / "accept_loop.log")


def _ask(setup: Setup, server: Server) -> Sample:
    """One request after the other."""
    request, count = frame("GET", "/"), 0
    with server.awake():
        begin = time.monotonic()
        while time.monotonic() - begin < setup.seconds:
            if not one_shot(server.port, request):
                sys.exit(f"bench: {server.name} gave no answer")
            count += 1
        return Sample(count / (time.monotonic() - begin))
