"""What a store is: documents with revisions from one counter, as docs/PROTOCOL.md promises it.

A state is `(floor, documents)`. `floor` is the least that the counter can be; a document is None, or `(value, low, high)`,
where its revision lies between `low` and `high`: they are equal once somebody was told it. A write whose answer was lost
leaves them apart.

An action is a tuple; `document` is an index into the state's documents, `condition` None or a pair:

    ("get", document, condition)            condition: ("none-match", revision)
    ("put", document, value, condition)     ("match", revision), ("match", "*"), ("none-match", "*")
    ("patch", document, patch, condition)
    ("delete", document, condition)
    ("batch", (action, …))
    ("page",)                               all documents of the state at once

A value is `(number, patch)`: a PUT writes both, a PATCH the second one. An outcome is what was answered:

    ("found", value, revision)  ("missing",)  ("same",)  ("refused", revision or None)
    ("created", revision)  ("replaced", revision)  ("written", revision)  ("deleted",)
    ("batch", (outcome, …))  ("failed", index, outcome)
    ("page", ((value, revision) or None, …))
"""
from __future__ import annotations

from collections.abc import Iterator

INFINITY = 1 << 62

State = tuple
Action = tuple
Outcome = tuple


def empty(count: int) -> State:
    return (0, (None,) * count)


def answered(state: State, action: Action, outcome: Outcome) -> Iterator[State]:
    """The states in which an action may leave the store when this was its answer; none: it cannot have been."""
    kind = action[0]
    if kind == "batch":
        yield from _batch(state, action[1], outcome)
    elif kind == "page":
        for number, seen in enumerate(outcome[1]):
            state = _see(state, number, ("missing",) if seen is None else ("found", *seen))
            if state is None:
                return
        yield state
    else:
        result = _single(state, action, outcome)
        if result is not None:
            yield result


def unanswered(state: State, action: Action) -> Iterator[State]:
    """The states in which a write leaves the store that was carried out, and whose answer nobody got."""
    if action[0] == "batch":
        states = [state]
        for part in action[1]:
            states = [after for before in states for after in (unanswered(before, part) if _writes(part) else (before,))]
        yield from states
        return
    if not _writes(action):
        return
    floor, documents = state
    document = documents[action[1]]
    if action[0] in ("patch", "delete") and document is None:
        return
    condition = action[-1]
    if condition is not None:
        state = _hold(state, action[1], condition)
        if state is None:
            return
    yield _write(state, action, None)


def _batch(state: State, parts: tuple, outcome: Outcome) -> Iterator[State]:
    before = state
    answers = outcome[1] if outcome[0] == "batch" else ()
    if outcome[0] == "batch":
        for part, answer in zip(parts, answers, strict=True):
            state = _single(state, part, answer)
            if state is None:
                return
        yield state
        return
    # What a batch that fails had written is undone, and nobody is told its revisions.
    _, index, answer = outcome
    states = [state]
    for part in parts[:index]:
        states = [after for one in states for after in (unanswered(one, part) if _writes(part) else (one,))]
    for one in states:
        # A revision that the batch itself had made may be told here, and is undone.
        if _single(one, parts[index], answer) is not None:
            yield before
            return


def _writes(action: Action) -> bool:
    return action[0] in ("put", "patch", "delete")


def _single(state: State, action: Action, outcome: Outcome) -> State | None:
    kind, number, condition = action[0], action[1], action[-1]
    result = outcome[0]
    document = state[1][number]
    if result == "refused":
        # 412 tells the revision that did not fit.
        state = _see(state, number, ("missing",) if outcome[1] is None else ("at", outcome[1]))
        return None if state is None or _holds(state, number, condition) else state
    if kind == "get":
        if result == "same":
            return _see(state, number, ("at", condition[1]))
        state = _see(state, number, outcome)
        return state if state is not None and (condition is None or _holds(state, number, condition)) else None
    if result == "missing":
        # A condition that a missing document does not meet would have been told as such.
        fits = document is None and kind != "put" and (condition is None or condition[0] == "none-match")
        return state if fits else None
    if condition is not None:
        state = _hold(state, number, condition)
        if state is None:
            return None
        document = state[1][number]
    if (result == "created" and document is not None) or (result in ("replaced", "deleted") and document is None):
        return None
    if kind == "patch" and document is None:
        return None
    if kind == "delete":
        return _write(state, action, None) if result == "deleted" else None
    if result not in ("created", "replaced", "written"):
        return None
    return _write(state, action, outcome[1])


def _write(state: State, action: Action, revision: int | None) -> State | None:
    floor, documents = state
    if revision is not None and revision <= floor:
        return None
    kind, number = action[0], action[1]
    old = documents[number]
    low, high = (floor + 1, INFINITY) if revision is None else (revision, revision)
    if kind == "delete":
        new = None
    elif kind == "put":
        new = (action[2], low, high)
    else:
        new = ((old[0][0], action[2]), low, high)
    if revision is not None and any(one and one[2] == INFINITY for one in documents):
        # What was written before has a smaller one.
        documents = tuple((one[0], one[1], revision - 1) if one and one[2] == INFINITY else one for one in documents)
    return (low, documents[:number] + (new,) + documents[number + 1:])


def _see(state: State, number: int, seen: Outcome) -> State | None:
    """The state, given that somebody saw this of a document."""
    document = state[1][number]
    if seen[0] == "missing":
        return state if document is None else None
    if document is None or (seen[0] == "found" and document[0] != seen[1]):
        return None
    return _bind(state, number, seen[-1])


def _bind(state: State, number: int, revision: int) -> State | None:
    floor, documents = state
    value, low, high = documents[number]
    if not low <= revision <= high:
        return None
    if low == high:
        return state
    return (max(floor, revision), documents[:number] + ((value, revision, revision),) + documents[number + 1:])


def _hold(state: State, number: int, condition: tuple) -> State | None:
    """The state, given that a write's condition held."""
    kind, revision = condition
    document = state[1][number]
    if kind == "match":
        if document is None:
            return None
        return state if revision == "*" else _bind(state, number, revision)
    return state if document is None else None


def _holds(state: State, number: int, condition: tuple | None) -> bool:
    """Whether a condition holds for a document whose revision, if there is one, is known."""
    document = state[1][number]
    if condition is None:
        return True
    kind, revision = condition
    if kind == "match":
        return document is not None and (revision == "*" or document[1] == revision)
    return document is None or (revision != "*" and document[1] != revision)
