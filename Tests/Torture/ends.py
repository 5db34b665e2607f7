"""How a server may end under a fault: it goes on until it is told to end, or ends with 1 and says why."""
from __future__ import annotations

import signal

from promises import demand
from served import NotServing, Served
from writers import Writers

END_SECONDS = 20


def end(server: Served, writers: Writers) -> str:
    """Has a server end that goes on, and its clients take what it has told them.

    - Returns: which of the two it did.
    - Raises: Violation.
    """
    if writers.refusals["outcome_unknown"]:
        status = server.ended(END_SECONDS)
        demand(status is not None, f"it told outcome_unknown and still runs after {END_SECONDS} s: {server.said()}")
        demand(status == 1, f"it told outcome_unknown and ended with {status}: {server.said()}")
    elif server.ended(0) is None:
        server.signal(signal.SIGTERM)
    status = server.ended(END_SECONDS)
    demand(status is not None, f"it hung: {server.said()}")
    writers.close()
    demand(status in (0, 1), f"it ended with {status}: {server.said()}")
    demand(status == 0 or "docket: " in server.said(), "it ended with 1 and did not say why")
    return "went on" if status == 0 else "ended with 1"


def did_not_start(refusal: NotServing) -> str:
    """- Raises: Violation where it did not say why."""
    demand(refusal.status == 1 and refusal.said.startswith("docket: "), f"at the start {refusal}")
    return "did not start"
