"""Whether a history is linearizable: Wing and Gong's search, with Lowe's memory of what was tried.

J. M. Wing, C. Gong: Testing and verifying concurrent objects (1993); G. Lowe: Testing for linearizability (2017).
The store is checked as one object, since its revisions come from one counter and batches touch several documents.
"""
from __future__ import annotations

import dataclasses

import model

INFINITY = model.INFINITY
MOST_STEPS = 2_000_000


@dataclasses.dataclass(frozen=True)
class Operation:
    """What a client asked, and what it was told. Times are nanoseconds of one clock."""
    client: str
    action: model.Action
    invoked: int
    returned: int
    """When the answer was there. Where there was none, the last moment at which it can have been carried out: the death of
    the server that was asked, or `INFINITY`."""
    outcome: model.Outcome | None
    """None: unknown; it may have been carried out, or not."""
    behind: tuple[int, ...] = ()
    """Those that were sent before it on the same connection without waiting, and that it must see, by their places in the
    history."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    is_linearizable: bool | None
    """None: not decided within `MOST_STEPS`."""
    steps: int
    explanation: str = ""


def told_revision(operation: Operation) -> int | None:
    """The first revision that an answered operation made, where it was told."""
    outcome = operation.outcome
    if outcome is None:
        return None
    if outcome[0] == "batch":
        return next((one[1] for one in outcome[1] if one[0] in ("created", "replaced", "written")), None)
    return outcome[1] if outcome[0] in ("created", "replaced", "written") else None


def check(history: list[Operation], documents: int) -> Verdict:
    """Looks for an order of the operations that the model allows and that no two of them contradict which did not overlap."""
    order = sorted(range(len(history)), key=lambda number: history[number].invoked)
    place = {number: index for index, number in enumerate(order)}
    operations = [history[number] for number in order]
    behind = [sum(1 << place[number] for number in set(one.behind)) for one in operations]
    mandatory = 0
    for index, one in enumerate(operations):
        if one.outcome is not None:
            mandatory |= 1 << index
    lost = [(index, one) for index, one in enumerate(operations) if one.outcome is None]
    # Revisions rise, so of the writes that were told theirs only the one with the least can be next.
    by_revision = sorted((revision, index) for index, one in enumerate(operations)
                         if (revision := told_revision(one)) is not None)
    rank = {index: number for number, (_, index) in enumerate(by_revision)}

    stack = [(0, model.empty(documents), 0, 0)]
    seen = {(0, stack[0][1])}
    steps, deepest = 0, (0, 0, stack[0][1])
    while stack:
        done, state, latest, ranked = stack.pop()
        if done & mandatory == mandatory:
            return Verdict(True, steps)
        steps += 1
        if steps > MOST_STEPS:
            return Verdict(None, steps, "too many orders")
        if (count := (done & mandatory).bit_count()) > deepest[0]:
            deepest = (count, done, state)
        successors = []
        for index in _candidates(operations, done):
            one = operations[index]
            if one.returned < latest or rank.get(index, ranked) != ranked:
                continue
            if behind[index] & ~done & mandatory:
                continue
            # What was to be before it, and has no answer, now never will be.
            after = done | behind[index] | 1 << index
            results = model.unanswered(state, one.action) if one.outcome is None else model.answered(
                state, one.action, one.outcome)
            results = list(results)
            step = (max(latest, one.invoked), ranked + (index in rank))
            if one.outcome is not None and results == [state] and after == done | 1 << index and not any(
                    other.returned < one.invoked and not done >> place & 1 for place, other in lost):
                # It changed nothing, and keeps nothing out, so whatever order there is, there is one with it here.
                successors = [(after, state, *step)]
                break
            successors += [(after, result, *step) for result in results]
        for successor in successors:
            if (key := successor[:2]) not in seen:
                seen.add(key)
                stack.append(successor)
    return Verdict(False, steps, _explain(operations, *deepest))


def _candidates(operations: list[Operation], done: int) -> list[int]:
    """Those that may be next: none that is left had returned before they began."""
    horizon = INFINITY
    result = []
    for index, one in enumerate(operations):
        if done >> index & 1:
            continue
        if one.invoked > horizon:
            break
        result.append(index)
        if one.outcome is not None and one.returned < horizon:
            horizon = one.returned
    # Writes that were lost are tried last, which is to say pushed first.
    result.sort(key=lambda index: operations[index].outcome is not None)
    return [index for index in result if operations[index].invoked <= horizon]


def _explain(operations: list[Operation], count: int, done: int, state: model.State) -> str:
    stuck = [operations[index] for index in _candidates(operations, done)]
    lines = [f"{count} operations can be put in order; the store is then {state}; none of these can be next:"]
    return "\n".join(lines + [f"  {describe(one)}" for one in stuck])


def describe(one: Operation) -> str:
    end = "?" if one.outcome is None else one.returned
    return f"{one.client} {one.invoked}…{end} {one.action} -> {one.outcome or 'unknown'}"
