"""Death at any moment: kill -9 while clients write."""
from __future__ import annotations

import time

from ground import Ground
from promises import Fault, Shown
from verification import check, verify
from writers import Writers


def kill(ground: Ground, count: int) -> Shown:
    """- Raises: Violation."""
    ledger, again = ground.ledger(), 0
    writers = Writers(ledger, ground.random, count=12)
    database = ground.database_folder() / "docket.db"
    for cycle in range(count + 1):
        # The weaker durability promises as much where a process dies.
        options = ["--checkpoint-pages", str(ground.random.choice([8, 60, 400, 16_000])),
                   "--durability", ground.random.choice(["full", "full", "normal"]), "--idempotency-bytes", "1048576"]
        # Now and then as the dead one has left it, before it is recovered.
        if cycle % 10 == 9:
            check(ground.binary, database)
        with ground.serve(database, *options) as server:
            again += verify(server, ledger, ground.random)
            check(ground.binary, database)
            if cycle < count:
                writers.connect(server.port)
                writers.write(ground.random.uniform(0, 0.15))
                time.sleep(ground.random.uniform(0, 0.002))
                server.kill()
                writers.close()
        ground.progress(f"cycle {cycle}, {ledger.acknowledged} acknowledged")
    check(ground.binary, database)
    return Shown(
        f"{ledger.acknowledged} acknowledged writes, 0 lost; {again} sent again under their keys, each applied once",
        {"acknowledged": ledger.acknowledged, "lost": 0, "sentAgain": again})


FAULTS = [Fault("kill", kill, short=30, long=1_000)]
