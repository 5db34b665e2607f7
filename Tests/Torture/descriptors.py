"""Descriptors that are used up (prlimit on the running server): clients that are there are served, and within a second
of one being free again new ones are."""
from __future__ import annotations

import resource
import select
import time

from ground import Ground
from patience import eventually
from promises import Fault, Shown, demand
from served import KEEPING_HISTORY
from verification import check, verify
from wire import KEEP_ALIVE, Session, connect, frame
from writers import Writers

RESUMED_SECONDS = 1.0
SPARE = 3
"""So many descriptors are left at first."""


def use_up(ground: Ground, count: int) -> Shown:
    """- Raises: Violation."""
    ledger, slowest = ground.ledger(), 0.0
    database = ground.database_folder() / "docket.db"
    writers = Writers(ledger, ground.random, count=4)
    with ground.serve(database, "--checkpoint-pages", "100", *KEEPING_HISTORY) as server:
        writers.connect(server.port)
        writers.write(0.05)
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        at_rest = server.descriptors()
        for cycle in range(count):
            demand(eventually(lambda: server.descriptors() <= at_rest, 10), "connections that were closed stay open")
            # The limit is on the number of a descriptor, and numbers that are free below it count as well.
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (server.descriptors() + SPARE, limits[1]))
            crowd = [connect(server.port, patience=5) for _ in range(SPARE + 5)]
            time.sleep(0.1)
            with connect(server.port, patience=5) as late:
                late.sendall(frame("GET", "/_health", headers=KEEP_ALIVE))
                demand(not select.select([late], [], [], 0.2)[0], "with no descriptor left a connection was served")
                kept = ledger.acknowledged
                writers.write(10, acknowledgements=20)
                demand(ledger.acknowledged >= kept + 20, "with no descriptor left clients that are there are not served")
                if cycle % 2:
                    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
                    free = time.monotonic()
                else:
                    for connection in crowd:
                        connection.close()
                    free = time.monotonic()
                demand(select.select([late], [], [], 10)[0], "with descriptors free again a connection was not served")
                slowest = max(slowest, time.monotonic() - free)
                demand(slowest < RESUMED_SECONDS, f"with descriptors free again a connection waited {slowest:.2f} s")
            for connection in crowd:
                connection.close()
            resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
            writers.settle()
            verify(server, ledger, ground.random)
            check(ground.binary, database)
            ground.progress(f"cycle {cycle}")
        with Session(server.port) as session:
            demand(session.ask("GET", "/_health")["code"] == 200, "it is healthy")
        demand(server.stop() == 0, f"it ended badly: {server.said()}")
    return Shown(f"new connections were served again {slowest:.2f} s after descriptors were free, at most; "
                 f"{ledger.acknowledged} acknowledged writes, 0 lost",
                 {"slowestSeconds": round(slowest, 3), "acknowledged": ledger.acknowledged})


FAULTS = [Fault("descriptors", use_up, short=4, long=100)]
