"""The documents that are imported, found and exported: those that `docket bench --workload query` asks for, with their ids."""
from __future__ import annotations

import dataclasses
import pathlib

COLLECTION = "/bench/"
FIELD = "group"
DATABASE = "queries"
"""The name of the server that has them."""
SIZE = 300
"""Of each, in bytes."""
IN_GROUP = 20
"""So many have the same value of the field, as `docket bench` has it."""


@dataclasses.dataclass(frozen=True)
class QueryDocuments:
    count: int
    lines: pathlib.Path
    """NDJSON, for `docket import`."""
    rows: pathlib.Path
    """Number, id and document, with tabs between them, for `sqlite3`."""

    @property
    def groups(self) -> int:
        return max(self.count // IN_GROUP, 1)


def written(folder: pathlib.Path, count: int) -> QueryDocuments:
    """Writes them to files."""
    documents = QueryDocuments(count, folder / "documents.ndjson", folder / "documents.tsv")
    with open(documents.lines, "w") as lines, open(documents.rows, "w") as rows:
        for key in range(count):
            name = f"{key:010}"
            document = f'{{"id":"{name}","title":"hello","n":42,"{FIELD}":{key % documents.groups},"text":"'
            document += "x" * (SIZE - len(document) - 2) + '"}'
            lines.write(f"{document}\n")
            rows.write(f"{key + 1}\t{name}\t{document}\n")
    return documents
