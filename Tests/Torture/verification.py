"""Whether a server that was started again has what its clients were told, by what it says and by `docket check`."""
from __future__ import annotations

import pathlib
import random

from ground import Ground
from ledger import Ledger, Outcome, Write
from pages import changes, documents
from promises import demand
from served import Served, docket
from wire import Session

ANSWERED_AGAIN = 3
"""Of the acknowledged writes with a key so many are sent once more."""


def compare(server: Served, ledger: Ledger) -> None:
    """Compares all with the ledger.

    - Raises: Violation.
    """
    with Session(server.port) as session:
        ledger.settle(changes(session, ledger.sequence), documents(session))


def verify(server: Served, ledger: Ledger, seed: random.Random) -> int:
    """Compares all with the ledger, and sends again under their keys the writes that had no answer.

    - Returns: how many were sent again.
    - Raises: Violation.
    """
    with Session(server.port) as session:
        unanswered = [write for write in ledger.open_writes() if write.key]
        answered = ledger.kept_with_key()
        again = unanswered + seed.sample(answered, min(ANSWERED_AGAIN, len(answered)))
        ledger.settle(changes(session, ledger.sequence), documents(session))
        for write in again:
            _send_again(session, ledger, write)
        if again:
            ledger.settle(changes(session, ledger.sequence), documents(session))
        return len(again)


def _send_again(session: Session, ledger: Ledger, write: Write) -> None:
    """- Raises: Violation where a request under a key is not carried out exactly once."""
    # The server may die before it answers.
    made = None if write.outcome is Outcome.KEPT else ledger.send_again(write)
    session.send(write.request)
    answer = session.receive()
    demand(answer["code"] in (200, 201), f"sent again, {write.request!r} was answered {answer}")
    revision = answer["data"]["revision"]
    is_replayed = answer.get("headers", {}).get("Idempotency-Replayed") == "true"
    if made is None:
        demand(is_replayed and revision == write.found[0],
               f"write {write.number} was made as {write.found}; sent again under its key it was answered {answer}")
    else:
        demand(not is_replayed,
               f"write {write.number} was not there; sent again under its key it was answered {answer}")
        ledger.acknowledge(made, revision)


def check(binary: str, database: pathlib.Path) -> None:
    """- Raises: Violation where `docket check` finds faults."""
    result = docket(binary, "check", "--database", str(database))
    demand(result.returncode == 0, f"docket check ended with {result.returncode}: {result.stdout}{result.stderr}")


def recover(ground: Ground, database: pathlib.Path, ledger: Ledger, *options: str) -> None:
    """Starts a server on what is there, compares it with the ledger, and kills it.

    - Raises: Violation, or NotServing.
    """
    with ground.serve(database, *options) as server:
        verify(server, ledger, ground.random)
        check(ground.binary, database)
