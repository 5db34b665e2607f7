"""System calls that do not do what they are asked for, by strace's injection (`man strace`, "Tampering")."""
from __future__ import annotations

import pathlib

from ground import Ground
from promises import Skipped
from served import docket
from writers import Writers

OPTIONS = ["--checkpoint-pages", "12", "--idempotency-bytes", "65536"]
"""Of a server that soon makes all of its calls."""


class Tampering:
    """What is to happen at the k-th call of a kind, counted in each thread."""

    def __init__(self, trace: pathlib.Path, call: str, what: str, when: str, file: pathlib.Path | None = None) -> None:
        """
        - Parameters:
          - what: `signal=KILL`, or `error=EIO`.
          - when: `3` at the third call, `3+` from then on.
          - file: only calls on this file count.
        """
        self._trace = trace
        trace.unlink(missing_ok=True)
        # `-D`: the process that is started is the server, and strace looks on from behind.
        self.under = ["strace", "-D", "-f", "-qq", "-o", str(trace),
                      *(["-P", str(file)] if file else []), "-e", f"trace={call}",
                      "-e", f"inject={call}:{what}:when={when}"]

    @property
    def happened(self) -> bool:
        """Whether there were so many calls."""
        said = self._trace.read_text(errors="replace") if self._trace.exists() else ""
        return "(INJECTED)" in said or "killed by SIGKILL" in said


def need_strace(ground: Ground) -> None:
    """- Raises: Skipped."""
    strace = ground.need("strace", "strace")
    trial = Tampering(ground.folder / "trial.trace", "write", "error=EIO", "1")
    result = docket("true", under=[strace, *trial.under[1:]])
    if "ptrace" in result.stderr.lower() or "not permitted" in result.stderr.lower():
        raise Skipped(f"strace may not look at processes here: {result.stderr.strip()[:200]}")


def begin_with_a_log(ground: Ground, database: pathlib.Path, writers: Writers) -> None:
    """Half of the servers find what one has left that was killed, and recover it under what happens at the call."""
    if ground.random.random() < 0.5:
        with ground.serve(database, *OPTIONS) as server:
            writers.connect(server.port)
            writers.write(5, acknowledgements=60)
            server.kill()
            writers.close()
