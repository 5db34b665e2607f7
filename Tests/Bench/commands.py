"""Commands that do one thing and end, and how long they take."""
from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import time

from servers import LeftOut


def sqlite3() -> str:
    """- Raises: LeftOut where it is not installed."""
    program = shutil.which("sqlite3")
    if program is None:
        raise LeftOut("the sqlite3 command is not installed (apt-get install sqlite3)")
    return program


def run(command: list[str], text: str = "", output: pathlib.Path | None = None) -> float:
    """Runs a command, which must succeed and have nothing to complain of, and returns how many seconds it took.

    - Parameter text: what it reads.
    - Parameter output: what it writes goes to this file.
    """
    with open(output or "/dev/null", "w") as file:
        begin = time.monotonic()
        done = subprocess.run(command, input=text, stdout=file, stderr=subprocess.PIPE, text=True)
        seconds = time.monotonic() - begin
    if done.returncode != 0 or done.stderr:
        sys.exit(f"bench: {pathlib.Path(command[0]).name} failed: {done.stderr}")
    return seconds
