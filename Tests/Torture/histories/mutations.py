"""Lies put into a true history, each of which must be found: a checker that has found nothing may look at nothing."""
from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

from search import Operation

WRITTEN = ("created", "replaced", "written")


def mutations(history: list[Operation], randomness: random.Random) -> Iterator[tuple[str, list[Operation]]]:
    """Each kind of lie that this history has room for."""
    for name, make in (("a value never written", _invented), ("a stale read", _stale), ("a write that vanished", _vanished),
                       ("a revision going back", _backwards), ("a condition that held twice", _twice),
                       ("half a batch", _halved)):
        if (lie := make(history, randomness)) is not None:
            yield name, lie


def _replaced(history: list[Operation], index: int, **changes: object) -> list[Operation]:
    return history[:index] + [dataclasses.replace(history[index], **changes)] + history[index + 1:]


def _choose(randomness: random.Random, places: list):
    return randomness.choice(places) if places else None


def _reads(history: list[Operation]) -> list[int]:
    return [index for index, one in enumerate(history) if one.action[0] == "get" and one.outcome and one.outcome[0] == "found"]


def _invented(history: list[Operation], randomness: random.Random) -> list[Operation] | None:
    index = _choose(randomness, _reads(history))
    if index is None:
        return None
    return _replaced(history, index, outcome=("found", (-1, None), history[index].outcome[2]))


def _successions(history: list[Operation]) -> list[tuple[int, int, int]]:
    """A PUT, a later write to the same document, and a read behind both, all of them answered."""
    puts = [index for index, one in enumerate(history)
            if one.action[0] == "put" and one.outcome and one.outcome[0] in WRITTEN]
    writes = [index for index, one in enumerate(history) if one.action[0] in ("put", "patch", "delete")
              and one.outcome and one.outcome[0] in (*WRITTEN, "deleted")]
    reads = [index for index, one in enumerate(history) if one.action[0] == "get" and one.action[-1] is None
             and one.outcome and one.outcome[0] in ("found", "missing")]
    return [(first, second, read) for first in puts for second in writes for read in reads
            if history[first].action[1] == history[second].action[1] == history[read].action[1]
            and history[first].returned < history[second].invoked and history[second].returned < history[read].invoked]


def _stale(history: list[Operation], randomness: random.Random) -> list[Operation] | None:
    found = _choose(randomness, _successions(history))
    if found is None:
        return None
    first, _, read = found
    return _replaced(history, read, outcome=("found", history[first].action[2], history[first].outcome[1]))


def _vanished(history: list[Operation], randomness: random.Random) -> list[Operation] | None:
    """A document is gone that was written, and that nobody can have removed since."""
    places = []
    for write in history:
        if write.action[0] != "put" or not write.outcome or write.outcome[0] not in WRITTEN:
            continue
        removing = [one for one in history if _may_remove(one, write.action[1])]
        if all(one.outcome and one.returned < write.invoked for one in removing):
            places += [read for read in _reads(history) if history[read].action[1:] == (write.action[1], None)
                       and history[read].invoked > write.returned]
    index = _choose(randomness, places)
    return None if index is None else _replaced(history, index, outcome=("missing",))


def _may_remove(one: Operation, document: int) -> bool:
    parts = one.action[1] if one.action[0] == "batch" else (one.action,)
    return any(part[0] == "delete" and part[1] == document for part in parts)


def _is_apart(one: Operation, since: float, until: float) -> bool:
    """Whether it was over before a time, or began after another."""
    return one.invoked > until or one.returned < since


def _backwards(history: list[Operation], randomness: random.Random) -> list[Operation] | None:
    writes = [index for index, one in enumerate(history) if one.outcome and one.outcome[0] in WRITTEN]
    pair = _choose(randomness, [(first, second) for first in writes for second in writes
                                if history[first].returned < history[second].invoked])
    if pair is None:
        return None
    first, second = pair
    earlier, later = history[first].outcome, history[second].outcome
    lie = _replaced(history, first, outcome=(earlier[0], later[1]))
    return _replaced(lie, second, outcome=(later[0], earlier[1]))


def _twice(history: list[Operation], randomness: random.Random) -> list[Operation] | None:
    index = _choose(randomness, [
        index for index, one in enumerate(history) if one.action[0] in ("put", "patch") and one.outcome
        and one.outcome[0] in WRITTEN and one.action[-1] is not None and one.action[-1][0] == "match"
        and one.action[-1][1] != "*"])
    if index is None:
        return None
    end = max(one.returned for one in history if one.outcome) + 1
    beyond = 1_000_000 + max(one.outcome[1] for one in history if one.outcome and one.outcome[0] in WRITTEN)
    once_more = dataclasses.replace(history[index], client="liar", invoked=end, returned=end + 1, behind=(),
                                    outcome=("replaced", beyond))
    return history + [once_more]


def _halved(history: list[Operation], randomness: random.Random) -> list[Operation] | None:
    """A page shows one document as a batch has written it, and not another of that batch, which nobody can have removed between."""
    places = []
    for batch in history:
        if batch.action[0] != "batch" or not batch.outcome or batch.outcome[0] != "batch":
            continue
        puts = [(part[1], (part[2], answer[1])) for part, answer in zip(batch.action[1], batch.outcome[1])
                if part[0] == "put"]
        for page, other in enumerate(history):
            if other.action[0] != "page" or other.outcome is None:
                continue
            shown = {document for document, written in puts if other.outcome[1][document] == written}
            places += [(page, document) for document, _ in puts if shown - {document}
                       and not any(_may_remove(one, document) for one in history
                                   if not _is_apart(one, batch.invoked, other.returned))]
    found = _choose(randomness, places)
    if found is None:
        return None
    page, document = found
    answer = list(history[page].outcome[1])
    answer[document] = None
    return _replaced(history, page, outcome=("page", tuple(answer)))
