"""Going through all pages, whoever fetches them."""

from __future__ import annotations

from typing import Any, Callable, Generic, Optional, Protocol, Sequence, TypeVar

from . import operations
from .operation import Moment, Operation
from .results import Item, Page, Version, VersionPage

E = TypeVar("E", covariant=True)


class _Page(Protocol[E]):
    @property
    def items(self) -> Sequence[E]: ...

    @property
    def next(self) -> Optional[str]: ...


class Paging(Generic[E]):
    """Asks for one page after the other. A page may be empty and yet not the last."""

    def __init__(self, make: Callable[[Optional[str]], Operation[Any]], after: Optional[str] = None) -> None:
        """
        Args:
            make: the operation that brings the page which begins at a cursor.
        """
        self._make = make
        self._cursor = after
        self._is_over = False

    def next(self) -> Optional[Operation[_Page[E]]]:
        """What brings the next page; None behind the last."""
        return None if self._is_over else self._make(self._cursor)

    def take(self, page: _Page[E]) -> Sequence[E]:
        self._cursor = page.next
        self._is_over = page.next is None
        return page.items


def documents(
    collection: str, page_size: Optional[int] = None, after: Optional[str] = None, as_of: Optional[Moment] = None
) -> Paging[Item]:
    def page(cursor: Optional[str]) -> Operation[Page]:
        return operations.list(collection, limit=page_size, after=cursor, as_of=as_of)

    return Paging(page, after)


def results(scope: str, terms: dict[str, Any], after: Optional[str] = None) -> Paging[Item]:
    def page(cursor: Optional[str]) -> Operation[Page]:
        return operations.query(scope, after=cursor, **terms)

    return Paging(page, after)


def versions(path: str, page_size: Optional[int] = None) -> Paging[Version]:
    def page(cursor: Optional[str]) -> Operation[VersionPage]:
        return operations.history(path, limit=page_size, after=cursor)

    return Paging(page)
