"""Histories of one database: made by random clients on a server that is killed now and then, and checked."""
from __future__ import annotations

import dataclasses
import pathlib
import random
import shutil
import time

import clients
import feed
import mutations
import search
import speech
import wire
from pages import changes
from search import Operation
from served import Served

KINDS = (
    ("native", clients.Client, speech.Native), ("pipelining", clients.Pipeliner, speech.Native),
    ("one-shot", clients.Client, speech.OneShot), ("http", clients.Client, speech.HTTP),
    ("insistent", clients.Insistent, speech.Native), ("insistent-http", clients.Insistent, speech.HTTP),
    ("impatient", clients.Impatient, speech.Native), ("sqlite", clients.Neighbour, None))

OPTIONS = (
    (), ("--threads", "2"), ("--threads", "2", "--http-threads", "2"), ("--document-cache-bytes", "0"),
    ("--checkpoint-pages", "20"), ("--threads", "2", "--checkpoint-pages", "50", "--document-cache-bytes", "2000"))


@dataclasses.dataclass
class Tally:
    histories: int = 0
    operations: int = 0
    unknown: int = 0
    undone: int = 0
    undecided: int = 0
    steps: int = 0
    kills: int = 0
    stops: int = 0
    with_deaths: int = 0
    lies: dict[str, int] = dataclasses.field(default_factory=dict)
    missed: int = 0
    events: int = 0
    breaks: int = 0
    batches: int = 0
    past: int = 0
    problems: list[str] = dataclasses.field(default_factory=list)


def life(binary: str, folder: pathlib.Path, seed: str, histories: int, tally: Tally) -> None:
    """Makes and checks so many histories on a new database."""
    randomness = random.Random(seed)
    options = randomness.choice(OPTIONS)
    served = Served.in_folder(binary, folder, *options, http=True)
    problems_before = len(tally.problems)
    try:
        watchers = [feed.Watcher(served), feed.EventStream(served)]
        scenes = []
        for number in range(histories):
            scenes.append(_history(served, f"/h{number}/", f"{seed} {number}", tally))
            if scenes[-1].problems or tally.problems[problems_before:]:
                break
        _compare(served, watchers, scenes, randomness, tally, seed)
        if (status := served.stop()) != 0:
            tally.problems.append(f"{seed}: docket ended with {status}")
        tally.problems += [f"{seed}: the log has: {line}" for line in served.complaints()]
    finally:
        if served.is_running:
            served.kill()
    if len(tally.problems) > problems_before:
        tally.problems.append(f"{seed}: options {options}; its files are in {folder}")
    else:
        shutil.rmtree(folder)


def _history(served: Served, collection: str, seed: str, tally: Tally) -> clients.Scene:
    randomness = random.Random(seed)
    documents = randomness.randrange(1, 4)
    scene = clients.Scene(served, collection, documents)
    first_death = len(served.deaths)
    steps = randomness.randrange(6, 14)
    staff = [kind(scene, f"{name}-{number}", voice, steps, f"{seed} {number}")
             for number, (name, kind, voice) in enumerate(randomness.choices(KINDS, k=randomness.randrange(3, 7)))]
    deaths = sorted(randomness.choices(range(len(staff) * steps), k=randomness.choice((0, 0, 1, 1, 2))))
    for client in staff:
        client.start()
    for at in deaths:
        while len(scene.history) < at and any(client.is_alive() and client.voice for client in staff):
            time.sleep(0.0002)
        time.sleep(randomness.random() * 0.002)
        if randomness.random() < 0.15:
            tally.stops += 1
            if (status := served.stop()) != 0:
                scene.problems.append(f"docket ended with {status}")
        else:
            tally.kills += 1
            served.kill()
        served.start()
    scene.over.set()
    for client in staff:
        client.join(60)
        if client.is_alive():
            scene.problems.append(f"{client.name} hangs")
    for voice in (speech.Native, speech.HTTP):
        _look(scene, voice)
    clients.settle(scene, first_death)
    _check(scene, documents, randomness, tally, seed, len(served.deaths) > first_death)
    return scene


def _look(scene: clients.Scene, voice: type) -> None:
    """Reads everything when all is quiet, so that nothing that was acknowledged can have been lost unseen."""
    if scene.problems:
        return
    speaker = voice(scene.served, scene.collection, scene.documents)
    for action in [("get", number, None) for number in range(scene.documents)] + [("page",)]:
        invoked = time.monotonic_ns()
        speaker.send(action)
        outcome = speaker.receive(action)
        scene.record(Operation("last look", action, invoked, time.monotonic_ns(), outcome))
    speaker.close()


def _check(scene: clients.Scene, documents: int, randomness: random.Random, tally: Tally, seed: str, died: bool) -> None:
    verdict = search.check(scene.history, documents)
    tally.histories += 1
    tally.operations += len(scene.history)
    tally.unknown += scene.unknown
    tally.undone += scene.undone
    tally.steps += verdict.steps
    tally.with_deaths += died
    tally.undecided += verdict.is_linearizable is None
    if verdict.is_linearizable is False:
        scene.problems.append("not linearizable: " + verdict.explanation + "\nthe whole of it:\n" + "\n".join(
            search.describe(one) for one in sorted(scene.history, key=lambda one: one.invoked)))
    elif verdict.is_linearizable:
        for name, lie in mutations.mutations(scene.history, randomness):
            tally.lies[name] = tally.lies.get(name, 0) + 1
            if search.check(lie, documents).is_linearizable is not False:
                tally.missed += 1
                scene.problems.append(f"the checker misses {name}")
    tally.problems += [f"{seed}: {problem}" for problem in scene.problems]


def _compare(served: Served, watchers: list, scenes: list, randomness: random.Random, tally: Tally, seed: str) -> None:
    """The history that the server tells, against what clients did, and what watches were told."""
    with wire.Session(served.port) as session:
        told = changes(session)
        faults = feed.faults(told)
        for watcher in watchers:
            watcher.catch_up(told[-1]["sequence"] if told else 0)
            tally.events += len(watcher.seen)
            tally.breaks += watcher.breaks
            if watcher.problem:
                faults.append(f"{type(watcher).__name__}: {watcher.problem}")
            elif watcher.seen != told:
                place = next((index for index, pair in enumerate(zip(watcher.seen, told)) if pair[0] != pair[1]),
                             min(len(watcher.seen), len(told)))
                faults.append(f"{type(watcher).__name__} was told {len(watcher.seen)} of {len(told)} changes; number {place} is "
                              f"{watcher.seen[place:place + 1]} and in the history {told[place:place + 1]}")
        by_revision = {change["revision"]: change for change in told}
        for scene in scenes:
            faults += _kept(scene, by_revision)
            faults += _asked(scene, told)
        for scene in randomness.sample(scenes, min(5, len(scenes))):
            sequence = randomness.randrange(1, len(told) + 1)
            tally.past += 1
            faults += feed.as_of(session, told, scene.collection, sequence)
    tally.batches += len({change["batch"] for change in told if "batch" in change})
    tally.problems += [f"{seed}: {fault}" for fault in faults[:20]]


def _singles(history: list[Operation]):
    """Each action of one document with its outcome, those within batches too."""
    for one in history:
        if one.action[0] == "batch":
            if one.outcome is None:
                yield from ((part, None) for part in one.action[1])
            elif one.outcome[0] == "batch":
                yield from zip(one.action[1], one.outcome[1])
        else:
            yield one.action, one.outcome


def _kept(scene: clients.Scene, by_revision: dict[int, dict]) -> list[str]:
    """Each write that was acknowledged stands in the history, under the revision that its client was told."""
    result = []
    for action, outcome in _singles(scene.history):
        if outcome is None or outcome[0] not in ("created", "replaced", "written"):
            continue
        change = by_revision.get(outcome[1])
        path = speech.path(scene.collection, action[1])
        kept = change is not None and change["path"] == path and change["document"] is not None and (
            change["document"].get("n") == action[2][0] if action[0] == "put" else change["document"].get("p") == action[2])
        if not kept:
            result.append(f"{path} {action} was acknowledged with {outcome}, and the history has {change}")
    return result


def _asked(scene: clients.Scene, told: list[dict]) -> list[str]:
    """Nothing stands in the history that nobody asked for, and nothing twice."""
    result = []
    puts = {(action[1], action[2][0]) for action, _ in _singles(scene.history) if action[0] == "put"}
    once: set[tuple] = set()
    for change in told:
        if not change["path"].startswith(scene.collection) or change["document"] is None:
            continue
        document = change["document"]
        place = int(change["path"].removeprefix(scene.collection))
        key = (place, document.get("n"), document.get("p"))
        if key in once:
            result.append(f"{change} was carried out twice")
        once.add(key)
        if (place, document.get("n")) not in puts:
            result.append(f"nobody asked for {change}")
    return result
