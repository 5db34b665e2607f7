"""What calls bring: documents, receipts of writes, and pages of these."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, List, Optional, Tuple

from .answer import Answer
from .errors import BadAnswer
from .fields import Fields
from .json_text import elements, members


@dataclass(frozen=True)
class Document:
    """A document, and what a write on a condition needs to know of it."""

    #: Integers are exact; other numbers are floats, nearest to what ``text`` says.
    value: Any
    #: JSON text, byte for byte as it was written.
    text: str
    revision: int
    #: When it was written last, as HTTP writes times.
    modified: Optional[str] = None
    #: When it ends by itself: RFC 3339, UTC; none: never.
    expires: Optional[str] = None

    @classmethod
    def of(cls, answer: Answer) -> Document:
        tag = re.fullmatch(r'"(\d{1,19})"', answer.header("ETag") or "")
        if tag is None:
            raise BadAnswer("it has no revision, as documents have")
        return cls(
            value=answer.data,
            text=answer.text,
            revision=int(tag[1]),
            modified=answer.header("Last-Modified"),
            expires=answer.header("Expires-At"),
        )


@dataclass(frozen=True)
class Receipt:
    """What the server tells of a write that is as durable as it promises."""

    path: str
    id: str
    #: None after a dry run.
    revision: Optional[int]
    #: Whether the document was not there before. Without idempotency keys, a PUT whose connection was lost may have been sent twice,
    #: and then this tells of the second time.
    created: bool
    #: Whether this is the answer to the same request under the same idempotency key, which was carried out before.
    replayed: bool = False

    @classmethod
    def of(cls, answer: Answer) -> Receipt:
        fields = Fields(answer.data)
        return cls(
            path=fields.text("path"),
            id=fields.text("id"),
            revision=fields.optional_integer("revision"),
            created=answer.code == 201,
            replayed=answer.header("Idempotency-Replayed") == "true",
        )


class _DocumentTexts:
    """The texts of the documents of a page. They are looked for in the page's text when the first one is asked for, since most ask
    for values alone."""

    def __init__(self, page: str) -> None:
        self._page = page
        self._texts: Optional[List[str]] = None

    def __getitem__(self, index: int) -> str:
        if self._texts is None:
            self._texts = [self._text(item.start) for item in elements(self._page, self._items())[0]]
        return self._texts[index]

    def _items(self) -> int:
        return next(part.start for part in members(self._page)[0] if part.key == "items")

    def _text(self, item: int) -> str:
        document = [part for part in members(self._page, item)[0] if part.key == "document"][-1]
        return self._page[document.start : document.end]


@dataclass(frozen=True)
class Item:
    """A document as a page shows it."""

    path: str
    id: str
    revision: int
    #: When it was written first and last: RFC 3339, UTC.
    created: str
    updated: str
    #: When it ends by itself; none: never.
    expires: Optional[str]
    #: The document's value; where a query names fields, an object with those.
    document: Any
    #: Of what a search for words has found, the best first: how well it fits, greater is better.
    score: Optional[float]
    #: Of what a search for words has found: the piece of its texts that fits best, matches between ``**`` and ``**``.
    snippet: Optional[str]
    _texts: _DocumentTexts = field(repr=False, compare=False)
    _index: int = field(repr=False, compare=False)

    @property
    def text(self) -> str:
        """The document's JSON text, byte for byte as it was written. (As long as an item is kept, so is the text of its page.)"""
        return self._texts[self._index]

    @classmethod
    def of(cls, value: Any, texts: _DocumentTexts, index: int) -> Item:
        fields = Fields(value)
        score = fields.optional("score")
        return cls(
            path=fields.text("path"),
            id=fields.text("id"),
            revision=fields.integer("revision"),
            created=fields.text("created"),
            updated=fields.text("updated"),
            expires=fields.optional_text("expires"),
            document=fields.value("document"),
            score=float(score) if isinstance(score, (int, float)) else None,
            snippet=fields.optional_text("snippet"),
            _texts=texts,
            _index=index,
        )


@dataclass(frozen=True)
class Page:
    """A part of a collection, or of what a query finds."""

    #: In the byte order of the ids, or as a query sorts them.
    items: List[Item]
    #: Where the next page begins; none when this is the last one.
    next: Optional[str]
    #: How many documents the query finds in all, where it asks for that.
    count: Optional[int]
    #: How the documents were found, where the query asks for that.
    explain: Any
    #: That many documents were looked through, and what index would help.
    warning: Any
    #: All of this as the server told it.
    text: str = field(repr=False)

    @classmethod
    def of(cls, answer: Answer) -> Page:
        fields = Fields(answer.data)
        texts = _DocumentTexts(answer.text)
        return cls(
            items=[Item.of(item, texts, index) for index, item in enumerate(fields.array("items"))],
            next=fields.optional_text("next"),
            count=fields.optional_integer("count"),
            explain=fields.optional("explain"),
            warning=fields.optional("warning"),
            text=answer.text,
        )


@dataclass(frozen=True)
class Version:
    """A document from one of its changes to the next."""

    revision: int
    #: RFC 3339, UTC.
    time: str
    #: ``created``, ``updated``, ``deleted`` or ``expired``; none where the server no longer knows.
    kind: Optional[str]
    #: In bytes; none where there was no document from then on.
    size: Optional[int]

    @classmethod
    def of(cls, value: Any) -> Version:
        fields = Fields(value)
        return cls(
            revision=fields.integer("revision"),
            time=fields.text("time"),
            kind=fields.optional_text("kind"),
            size=fields.optional_integer("size"),
        )


@dataclass(frozen=True)
class VersionPage:
    """A part of a document's history."""

    #: Newest first.
    items: List[Version]
    #: Where the next page begins; none when this is the last one.
    next: Optional[str]

    @classmethod
    def of(cls, answer: Answer) -> VersionPage:
        fields = Fields(answer.data)
        return cls([Version.of(version) for version in fields.array("versions")], fields.optional_text("next"))


@dataclass(frozen=True)
class Change:
    """A change of one document, in a page of changes or in a watch."""

    #: ``created``, ``updated``, ``deleted``, ``expired``; ``left`` where the condition no longer holds for it; in a watch also
    #: ``snapshot``: nothing has changed, the document is one of those that were there.
    kind: str
    #: The change's number, greater than that of the one before; none in a snapshot. With ``history`` it is where another watch can
    #: go on: ``watch(path, since=change.sequence, history=change.history)``.
    sequence: Optional[int]
    #: The document's path, as a request may name it.
    path: str
    revision: int
    #: The document's value as it was after this change; none when it is gone.
    document: Any
    #: When it was written: RFC 3339, UTC.
    time: str
    #: Of a change in a batch: the sequence of the batch's first change.
    batch: Optional[int]
    #: The name of the history that the sequence is of.
    history: str
    #: ``invalid_document`` where the document is there and is no JSON, since somebody wrote past the view; ``document`` is none then.
    error: Optional[str]
    _texts: _DocumentTexts = field(repr=False, compare=False)
    _index: int = field(repr=False, compare=False)

    kinds = ("created", "updated", "deleted", "expired", "left", "snapshot")

    @property
    def text(self) -> str:
        """The document's JSON text, byte for byte as it was written."""
        return self._texts[self._index]

    @classmethod
    def of(cls, value: Any, history: str, texts: _DocumentTexts, index: int) -> Change:
        fields = Fields(value)
        kind = fields.text("change")
        if kind not in cls.kinds:
            raise BadAnswer(f"no change is called '{kind}'")
        return cls(
            kind=kind,
            sequence=None if kind == "snapshot" else fields.integer("sequence"),
            path=fields.text("path"),
            revision=fields.integer("revision"),
            document=fields.value("document"),
            time=fields.text("at"),
            batch=fields.optional_integer("batch"),
            history=history,
            error=fields.optional_text("error"),
            _texts=texts,
            _index=index,
        )

    @classmethod
    def of_frame(cls, answer: Answer, history: str) -> Change:
        """The change that a frame of a watch tells."""
        return cls.of(answer.data, history, _TextOfOne(answer.text), 0)


class _TextOfOne(_DocumentTexts):
    """The text of the document of one change."""

    def __getitem__(self, index: int) -> str:
        return self._text(0)


@dataclass(frozen=True)
class ChangePage:
    """A part of what has changed."""

    #: Oldest first.
    items: List[Change]
    #: The ``since`` of the next page; none at the end.
    next: Optional[int]
    #: The ``since`` with which to ask again later, also at the end.
    sequence: int
    #: The name of the history that these numbers are of.
    history: str

    @classmethod
    def of(cls, answer: Answer) -> ChangePage:
        fields = Fields(answer.data)
        history = fields.text("history")
        texts = _DocumentTexts(answer.text)
        return cls(
            items=[Change.of(item, history, texts, index) for index, item in enumerate(fields.array("items"))],
            next=fields.optional_integer("next"),
            sequence=fields.integer("sequence"),
            history=history,
        )


@dataclass(frozen=True)
class NewToken:
    """A token that was made."""

    name: str
    id: str
    allow: Tuple[str, ...]
    #: None: it does not expire.
    expires: Optional[str]
    #: What a client shows. It is told this once.
    token: str = field(repr=False)

    @classmethod
    def of(cls, answer: Answer) -> NewToken:
        fields = Fields(answer.data)
        return cls(
            name=fields.text("name"),
            id=fields.text("id"),
            allow=tuple(str(rule) for rule in fields.array("allow")),
            expires=fields.optional_text("expiresAt"),
            token=fields.text("token"),
        )
