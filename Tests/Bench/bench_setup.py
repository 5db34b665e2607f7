"""What all parts of a benchmark share."""
from __future__ import annotations

import dataclasses
import pathlib
import shutil
import sys

import servers
from loads import Generator
from servers import Server


@dataclasses.dataclass(frozen=True)
class Setup:
    binary: str
    folder: pathlib.Path
    """For data, on the disk that is meant."""
    rounds: int
    seconds: float
    documents: list[int]
    quick: bool

    @property
    def few(self) -> int:
        """How many rounds there are of what differs less."""
        return min(self.rounds, 3)

    @property
    def fewest(self) -> int:
        """How many rounds there are of what takes long."""
        return min(self.rounds, 2)

    @property
    def generator(self) -> Generator:
        return Generator(self.binary, self.seconds)

    def database(self, name: str) -> pathlib.Path:
        """The file of a server, or of another who has the same tables."""
        return self.folder / f"{name}.db"

    def docket(self, name: str, *options: str) -> Server:
        return servers.docket(self.binary, self.database(name), *options)

    def redis(self, name: str) -> Server:
        return servers.redis(self.folder / name)

    def forget(self, name: str) -> None:
        """Removes the data of a server that has ended."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        for path in self.folder.glob(f"{name}.db*"):
            path.unlink()

    def compiled(self, source: str, *libraries: str) -> str:
        return servers.compiled(pathlib.Path(__file__).with_name(source), self.folder, *libraries)

    def tell(self, text: str) -> None:
        print(f"bench: {text}", file=sys.stderr, flush=True)
