"""What a fault works with: the binary, a folder, chance that can be repeated, and what the machine can do."""
from __future__ import annotations

import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, TypeVar

from ledger import Ledger
from promises import Skipped
from served import Served

Case = TypeVar("Case")
SOURCES = pathlib.Path(__file__).parent


class Ground:
    """Of one fault."""

    def __init__(self, binary: str, folder: pathlib.Path, name: str, seed: str, short: bool) -> None:
        self.binary, self.folder, self.short = binary, folder, short
        self.seed = f"{seed}:{name}"
        self.random = random.Random(self.seed)
        self._name, self._ledgers = name, 0
        self._told = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)

    def ledger(self) -> Ledger:
        """A new one, with a journal in the folder."""
        self._ledgers += 1
        return Ledger(self.folder / f"ledger-{self._ledgers}.txt")

    @property
    def log(self) -> pathlib.Path:
        """What the servers say."""
        return self.folder / "servers.log"

    def serve(self, database: pathlib.Path, *options: str, **more: Any) -> Served:
        """- Raises: NotServing."""
        return Served(self.binary, database, self.log, *options, **more)

    def database_folder(self) -> pathlib.Path:
        """An empty folder for a database."""
        folder = self.folder / "database"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def some(self, cases: list[Case], count: int) -> list[Case]:
        """All of them, or so many by chance."""
        return cases if len(cases) <= count else self.random.sample(cases, count)

    def progress(self, what: str) -> None:
        """Tells now and then how far it is."""
        if time.monotonic() - self._told > 30:
            self._told = time.monotonic()
            print(f"  {self._name}: {what}", file=sys.stderr, flush=True)

    # What the machine can do.

    def need_root(self) -> None:
        if os.geteuid() != 0 or not os.environ.get(NAMESPACE):
            raise Skipped("it needs root, and mounts of its own (unshare -m)")

    def need(self, program: str, package: str) -> str:
        found = shutil.which(program)
        if not found:
            raise Skipped(f"{program} is missing (apt-get install {package})")
        return found

    def compiled(self, source: str, *libraries: str) -> pathlib.Path:
        """A library for LD_PRELOAD, made of a file beside this one."""
        self.need("cc", "gcc libc6-dev")
        library = self.folder / pathlib.Path(source).with_suffix(".so").name
        subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, SOURCES / source, "-ldl", *libraries],
                       check=True)
        return library


NAMESPACE = "DOCKET_TORTURE_MOUNTS"
"""Set in the environment where the mounts of this process are its own."""


def with_own_mounts() -> None:
    """Begins this program again in a mount namespace of its own, if that is allowed: otherwise others could hold a file
    system that is to be unmounted."""
    command = ["unshare", "-m", "--propagation", "private"]
    if os.environ.get(NAMESPACE) or os.geteuid() != 0 or not shutil.which("unshare"):
        return
    if subprocess.run([*command, "true"], capture_output=True).returncode == 0:
        os.environ[NAMESPACE] = "1"
        os.execvp(command[0], [*command, sys.executable, *sys.argv])


def mount(*arguments: str | os.PathLike[str]) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def unmount(folder: pathlib.Path) -> None:
    subprocess.run(["umount", folder], check=True, capture_output=True)


@contextlib.contextmanager
def mounted(folder: pathlib.Path, *arguments: str | os.PathLike[str]) -> Iterator[None]:
    """A file system that is there for a block, and goes with it in any case."""
    folder.mkdir(exist_ok=True)
    mount(*arguments, folder)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True)
