"""Documents in great number: imported, found by an index, exported."""
from __future__ import annotations

import exports
import imports
import index_queries
import indexed
from bench_setup import Setup
from query_documents import DATABASE, SIZE, written
from report import Section


def measure(setup: Setup) -> Section:
    count = setup.documents[-1]
    section = Section(f"Import, queries and export, {count:,} documents of {SIZE} bytes")
    documents = written(setup.folder, count)
    imports.measure(setup, section, documents)
    with setup.docket(DATABASE) as server:
        indexed.measure(setup, section, server, documents)
        index_queries.measure(setup, section, server, documents)
        exports.measure(setup, section, server, documents)
    setup.forget(DATABASE)
    return section
