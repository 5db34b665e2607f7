"""All that a server has, page by page."""
from __future__ import annotations

from typing import Any

from promises import demand
from wire import Session


def changes(session: Session, since: int = 0) -> list[dict[str, Any]]:
    """All changes behind a sequence."""
    found: list[dict[str, Any]] = []
    while True:
        answer = session.ask("GET", f"/_changes?since={since}&limit=1000")
        demand(answer["code"] == 200, f"the changes behind {since} were answered {answer}")
        found += answer["data"]["items"]
        if answer["data"]["next"] is None:
            return found
        since = answer["data"]["next"]


def documents(session: Session) -> dict[str, tuple[int, int, object]]:
    """Number, revision and document of each path."""
    found: dict[str, tuple[int, int, object]] = {}
    after = ""
    while True:
        answer = session.ask("GET", f"/_documents?limit=1000{after}")
        demand(answer["code"] == 200, f"the documents were answered {answer}")
        for item in answer["data"]["items"]:
            demand(item["path"] not in found, f"{item['path']} is there twice")
            found[item["path"]] = (item["document"]["n"], item["revision"], item["document"])
        if answer["data"]["next"] is None:
            return found
        after = f"&after={answer['data']['next']}"
