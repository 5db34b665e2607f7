"""The operations of Docket's protocol. Both clients have each of them as a method, and a batch takes them::

    from docket_client import Client, operations

    with Client() as client:
        client.batch([operations.put("/accounts/a", {"sum": 70}), operations.put("/accounts/b", {"sum": 30})])

A ``path`` is as the protocol writes it: percent-encoded where a segment holds ``%`` or ``?``, see ``document_path``. What a document is
may be any value that ``json.dumps`` takes, or a ``JSONText``. Where the server says no, a ``Refused`` is raised; where a collection is
needed and a document is named, a ``ValueError``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Union

from .answer import Answer
from .errors import BadAnswer, NotModified, refusal
from .fields import Fields
from .frames import HeaderValue
from .json_text import elements, encode, members
from .operation import Condition, Lifetime, Moment, Operation, moment_text, on_success, with_parameters, write_headers
from .results import ChangePage, Document, NewToken, Page, Receipt, VersionPage

#: The scope of a query that looks at all documents of the database.
EVERYWHERE = "/_documents"

Names = Union[str, Sequence[str], None]


def request(
    method: str, path: str, data: Any = None, headers: Optional[Mapping[str, HeaderValue]] = None
) -> Operation[Answer]:
    """Any request of the protocol, and its answer, whatever its code. The answer has headers where the request had some; empty
    ones will do."""
    return Operation(method, path, None if data is None else encode(data), headers, lambda answer: answer)


# Documents


def get(path: str, *, as_of: Optional[Moment] = None) -> Operation[Any]:
    """The value of a document, or of whatever else a path answers GET with.

    Raises:
        NotFound: there is none.
    """
    return Operation("GET", _as_of(path, as_of), None, None, on_success(lambda answer: answer.data))


def read(
    path: str, *, as_of: Optional[Moment] = None, if_match: Condition = None, if_none_match: Condition = None
) -> Operation[Document]:
    """A document: its value, its text byte for byte as it was written, and its revision.

    Raises:
        NotFound: there is none.
        NotModified: it has the revision that ``if_none_match`` names.
    """
    # Empty headers ask for those of the answer.
    headers = write_headers(if_match, if_none_match) or {}
    return Operation("GET", _as_of(path, as_of), None, headers, on_success(Document.of))


def put(
    path: str,
    document: Any,
    *,
    if_match: Condition = None,
    if_none_match: Condition = None,
    expires_in: Lifetime = None,
    dry_run: bool = False,
    idempotency_key: Optional[str] = None,
) -> Operation[Receipt]:
    """Creates the document or replaces it.

    Args:
        if_match: only if the document has this revision, or one of these; ``"*"``: only if there is one.
        if_none_match: only if it has none of them; ``"*"``: only if there is none.
        expires_in: after how many seconds the document ends by itself.
        dry_run: answers as if the write were made, and changes nothing.
        idempotency_key: is used in the place of the client's own; under one key a request is carried out once.
    Raises:
        PreconditionFailed: the document is not as the condition demands.
        Conflict: ``duplicate``, another document has the same in fields that are unique.
    """
    headers = write_headers(if_match, if_none_match, expires_in, dry_run, idempotency_key)
    return Operation("PUT", path, encode(document), headers, on_success(Receipt.of))


def post(
    collection: str,
    document: Any,
    *,
    expires_in: Lifetime = None,
    dry_run: bool = False,
    idempotency_key: Optional[str] = None,
) -> Operation[Receipt]:
    """Creates a document under a new id. The collection ends with a slash; the rest is as with ``put``."""
    headers = write_headers(None, None, expires_in, dry_run, idempotency_key)
    return Operation("POST", collection, encode(document), headers, on_success(Receipt.of))


def patch(
    path: str,
    patch: Any,
    *,
    if_match: Condition = None,
    if_none_match: Condition = None,
    expires_in: Lifetime = None,
    dry_run: bool = False,
    idempotency_key: Optional[str] = None,
) -> Operation[Receipt]:
    """Changes parts of a document that exists: a dict is a JSON Merge Patch (RFC 7396), a list a JSON Patch (RFC 6902).

    Raises:
        NotFound: there is no document.
        Conflict: ``patch_test_failed``, a ``test`` does not hold.
        Unprocessable: it is no patch, or does not fit the document.
    """
    headers = write_headers(if_match, if_none_match, expires_in, dry_run, idempotency_key)
    return Operation("PATCH", path, encode(patch), headers, on_success(Receipt.of))


def delete(
    path: str,
    *,
    if_match: Condition = None,
    if_none_match: Condition = None,
    dry_run: bool = False,
    idempotency_key: Optional[str] = None,
) -> Operation[None]:
    """Deletes a document.

    Raises:
        NotFound: there is none.
    """
    headers = write_headers(if_match, if_none_match, None, dry_run, idempotency_key)
    return Operation("DELETE", path, None, headers, on_success(lambda answer: None))


def echo(value: Any) -> Operation[Any]:
    """Sends a value there and back."""
    return Operation("GET", "/echo", encode(value), None, on_success(lambda answer: answer.data))


def batch(
    requests: Iterable[Operation[Any]], *, dry_run: bool = False, idempotency_key: Optional[str] = None
) -> Operation[List[Any]]:
    """Carries out operations in their order as one, all of them or none. Reads among them see the writes before them.

    Returns:
        What each operation brings by itself; None for a read that is not modified.
    Raises:
        Refused: with the code of the first request that failed, which ``failed`` names; then nothing was changed.
    """
    held = [*requests]
    data = b'{"requests": [' + b", ".join(operation.encoded() for operation in held) + b"]}"

    def results(answer: Answer) -> List[Any]:
        try:
            responses = next(part for part in members(answer.text)[0] if part.key == "responses")
            answers = [Answer.read(answer.text, part.start)[0] for part in elements(answer.text, responses.start)[0]]
        except (ValueError, StopIteration) as error:
            raise BadAnswer("no 'responses' in the answer") from error
        if len(answers) != len(held):
            raise BadAnswer(f"{len(answers)} responses to {len(held)} requests")
        return [_result_in_batch(operation, answer) for operation, answer in zip(held, answers)]

    headers = write_headers(None, None, None, dry_run, idempotency_key)
    return Operation("POST", "/_batch", data, headers, on_success(results))


def _result_in_batch(operation: Operation[Any], answer: Answer) -> Any:
    try:
        return operation.finish(answer)
    except NotModified:
        # It fails no batch, so it must not look as if it did.
        return None


# Collections and queries


def list(
    collection: str, *, limit: Optional[int] = None, after: Optional[str] = None, as_of: Optional[Moment] = None
) -> Operation[Page]:
    """One page of a collection, in the byte order of the ids. ``documents`` goes through all pages.

    Args:
        collection: ends with a slash.
        limit: how many documents at most; the server has a limit of its own.
        after: the ``next`` of the page before, which was of the same moment.
        as_of: of which moment the page is; none: as it stands.
    """
    path = with_parameters(_as_of(_collection(collection), as_of), limit=limit, after=after)
    return Operation("GET", path, None, None, on_success(Page.of))


def query(
    scope: str,
    *,
    where: Any = None,
    sort: Names = None,
    fields: Names = None,
    limit: Optional[int] = None,
    after: Optional[str] = None,
    as_of: Optional[Moment] = None,
    recursive: bool = False,
    count: bool = False,
    explain: bool = False,
) -> Operation[Page]:
    """One page of what a query finds. ``results`` goes through all pages.

    Args:
        scope: a collection's path, which ends with a slash, or ``EVERYWHERE``.
        where: what must hold: ``{"state": "open", "priority": {"$gte": 2}}``, see docs/PROTOCOL.md, *Queries*.
        sort: names of fields, the first one first; with a dash before it descending.
        fields: names of the fields that are told of each document; none: the document as it was written.
        limit: how many documents a page has at most; the server has a limit of its own.
        after: the ``next`` of the page before, which was of the same query.
        as_of: of which moment the documents are; none: as they stand.
        recursive: whether collections below this one are looked at, too.
        count: whether the page tells how many documents the query finds in all.
        explain: whether the page tells how they are found.
    """
    terms = _query(where=where, sort=sort, fields=fields, limit=limit, after=after, asOf=as_of)
    terms.update(_query(recursive=recursive or None, count=count or None, explain=explain or None))
    return Operation("GET", _collection(scope), _object(terms), None, on_success(Page.of))


def count(
    scope: str, *, where: Any = None, recursive: bool = False, as_of: Optional[Moment] = None
) -> Operation[int]:
    """How many documents there are for which a condition holds."""
    terms = _query(where=where, recursive=recursive or None, asOf=as_of, count=True, limit=0)
    return Operation("GET", _collection(scope), _object(terms), None, on_success(lambda answer: Fields(answer.data).integer("count")))


def aggregate(
    scope: str,
    aggregate: Mapping[str, Any],
    *,
    group_by: Optional[str] = None,
    where: Any = None,
    recursive: bool = False,
    as_of: Optional[Moment] = None,
) -> Operation[List[Dict[str, Any]]]:
    """Sums, averages and the like of the documents for which a condition holds.

    Args:
        aggregate: names them: ``{"n": "count", "total": {"sum": "price"}}``.
        group_by: the field by whose values they are told apart; none: all documents are one group.
    Returns:
        A dict for each group: ``[{"group": "open", "n": 3, "total": 12.5}]``.
    """
    terms = _query(where=where, recursive=recursive or None, asOf=as_of, aggregate=dict(aggregate), groupBy=group_by)
    return Operation("GET", _collection(scope), _object(terms), None, on_success(lambda answer: Fields(answer.data).array("groups")))


# The past, and what has changed


def history(path: str, *, limit: Optional[int] = None, after: Optional[str] = None) -> Operation[VersionPage]:
    """One page of a document's versions, newest first. ``versions`` goes through all pages."""
    path = with_parameters(path, history="true", limit=limit, after=after)
    return Operation("GET", path, None, None, on_success(VersionPage.of))


def restore(
    path: str,
    to: Moment,
    *,
    if_match: Condition = None,
    if_none_match: Condition = None,
    expires_in: Lifetime = None,
    dry_run: bool = False,
    idempotency_key: Optional[str] = None,
) -> Operation[Receipt]:
    """Writes what a document was as a new revision, also where it was deleted since."""
    headers = write_headers(if_match, if_none_match, expires_in, dry_run, idempotency_key)
    path = with_parameters(path, restore=moment_text(to))
    return Operation("POST", path, None, headers, on_success(Receipt.of))


def changes(
    since: int = 0, *, limit: Optional[int] = None, where: Any = None, history: Optional[str] = None
) -> Operation[ChangePage]:
    """One page of what has changed behind a revision, oldest first, in all collections. A watch tells it as it comes.

    Args:
        since: the ``next`` or the ``sequence`` of the page before.
        where: only documents for which this holds, or held before.
        history: the ``history`` of the page before: refuses with 409 ``other_history`` where ``since`` is of another one.
    Raises:
        Gone: history does not reach back so far.
    """
    terms = _query(since=since, limit=limit, where=where, history=history)
    return Operation("GET", "/_changes", _object(terms), None, on_success(ChangePage.of))


def newest_revision() -> Operation[int]:
    """The number of the last change to any document."""
    return Operation("GET", "/_stats", None, None, on_success(lambda answer: Fields(answer.data).integer("revision")))


def stats() -> Operation[Dict[str, Any]]:
    """The history's name, the newest and the oldest readable revision, the file's size, and so on."""
    return Operation("GET", "/_stats", None, None, on_success(_dict))


def health() -> Operation[Dict[str, Any]]:
    """``{"status": "ok"}``"""
    return Operation("GET", "/_health", None, None, on_success(_dict))


# Settings of collections


def settings(collection: str) -> Operation[Optional[Dict[str, Any]]]:
    """What is set for a collection, such as ``{"indexes": [["status", "-priority"]], "unique": [["email"]]}``; None where nothing is.
    The collection ends with a slash."""

    def finish(answer: Answer) -> Optional[Dict[str, Any]]:
        if _is_not_found(answer):
            return None
        value: Dict[str, Any] = on_success(lambda answer: Fields(answer.data).value("settings"))(answer)
        return value

    return Operation("GET", f"/_collections{_collection(collection)}", None, None, finish)


def all_settings() -> Operation[Dict[str, Dict[str, Any]]]:
    """What is set, by collection."""

    def read(answer: Answer) -> Dict[str, Dict[str, Any]]:
        items = [Fields(item) for item in Fields(answer.data).array("items")]
        return {item.text("collection"): item.value("settings") for item in items}

    return Operation("GET", "/_collections/", None, None, on_success(read))


def set_settings(collection: str, settings: Any) -> Operation[None]:
    """Sets what holds for a collection, in the place of all that was set before. Making an index takes seconds for each million
    documents, in which other writes wait.

    Raises:
        BadRequest: the settings do not fit.
        Conflict: ``not_unique``, the documents that are there do not fit.
    """
    return Operation("PUT", f"/_collections{_collection(collection)}", encode(settings), None, on_success(lambda answer: None))


def remove_settings(collection: str) -> Operation[None]:
    """Sets nothing any more for a collection, for which something may have been set."""

    def finish(answer: Answer) -> None:
        if not answer.is_success and not _is_not_found(answer):
            raise refusal(answer)

    return Operation("DELETE", f"/_collections{_collection(collection)}", None, None, finish)


# Access


def create_token(
    name: str, allow: Sequence[str], *, expires_in: Union[int, timedelta, None] = None
) -> Operation[NewToken]:
    """Makes an access token. It is told this once, and the request is never sent twice: who has lost the answer revokes the token and
    makes another.

    Args:
        allow: rules such as ``read:/notes/``, ``write:/``, ``stats`` and ``admin``.
        expires_in: after how many seconds it holds no longer; none: never.
    Raises:
        Conflict: ``token_exists``.
    """
    seconds = int(expires_in.total_seconds()) if isinstance(expires_in, timedelta) else expires_in
    data = _object(_query(name=name, allow=[*allow], expiresIn=seconds))
    return Operation("POST", "/_tokens/", data, None, on_success(NewToken.of))


def tokens() -> Operation[List[Dict[str, Any]]]:
    """The tokens, without their secrets, the oldest first."""
    return Operation("GET", "/_tokens/", None, None, on_success(lambda answer: Fields(answer.data).array("items")))


def revoke_token(name: str) -> Operation[None]:
    """Revokes a token, by its name or its id; its watches end within a second.

    Raises:
        NotFound: there is none.
    """
    return Operation("DELETE", f"/_tokens/{name}", None, None, on_success(lambda answer: None))


def _collection(path: str) -> str:
    """The path of a collection, or of something of the service itself. The server takes another one for a document's, and may find it."""
    if not path.startswith("/_") and not path.partition("?")[0].endswith("/"):
        raise ValueError(f"{path!r} is a document's path: a collection's ends with a slash")
    return path


def _as_of(path: str, moment: Optional[Moment]) -> str:
    return path if moment is None else with_parameters(path, asOf=moment_text(moment))


def _query(**terms: Any) -> Dict[str, bytes]:
    """The terms that are given, as JSON text."""
    return {
        name: encode(moment_text(value) if name == "asOf" else value) for name, value in terms.items() if value is not None
    }


def _object(terms: Mapping[str, bytes]) -> bytes:
    return b"{" + b", ".join(encode(name) + b": " + text for name, text in terms.items()) + b"}"


def _is_not_found(answer: Answer) -> bool:
    return answer.code == 404 and refusal(answer).error == "not_found"


def _dict(answer: Answer) -> Dict[str, Any]:
    Fields(answer.data)
    value: Dict[str, Any] = answer.data
    return value
