"""JSON text: values written as it, values read from it, and where in it they stand."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Callable, NamedTuple

from .errors import InvalidDocument


@dataclass(frozen=True)
class JSONText:
    """A document as text, to be kept byte for byte: ``client.put("/prices/1", JSONText('{"each": 1.10}'))``.

    It stands in the place of a whole value, and not within one.
    """

    text: str


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"JSON has no {name}", name, 0)


def _exact_integer(digits: str) -> Any:
    try:
        return int(digits)
    except ValueError:
        return Decimal(digits)


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
# Python reads no integer of more than 4,300 digits (sys.set_int_max_str_digits), since that takes long; Decimal reads it exactly,
# and in time that grows with its length. This decoder is slower, so it is for what the other one does not read.
_decoder_of_long_integers = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_exact_integer)
_space = re.compile(r"[ \t\n\r]*")


def encode(value: Any) -> bytes:
    """A value as ``json.dumps`` writes it, with characters beyond ASCII as they are.

    Raises:
        InvalidDocument: JSON cannot say it.
    """
    if isinstance(value, JSONText):
        return _checked(value.text)
    try:
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair has no UTF-8; JSON can say it as an escape.
            return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidDocument(str(error)) from error


def _checked(text: str) -> bytes:
    """A text that is no JSON, or holds a NUL, could be taken for a request of its own."""
    try:
        decode(text)
        return text.encode()
    except (ValueError, TypeError) as error:
        raise InvalidDocument(str(error)) from error


def decode(text: str) -> Any:
    """The value of a JSON text. Integers are exact; other numbers are floats, nearest to what is written.

    Raises:
        ValueError: it is not JSON.
    """
    value, end = _value(text, _after_space(text, 0))
    if _after_space(text, end) != len(text):
        raise json.JSONDecodeError("something stands behind the value", text, end)
    return value


class Part(NamedTuple):
    """A value within a text."""

    key: str
    value: Any
    #: Where it begins in the text, and where it ends.
    start: int
    end: int


def members(text: str, start: int = 0) -> tuple[list[Part], int]:
    """The members of an object that begins at ``start``, in their order, and where it ends.

    Raises:
        ValueError: it is not an object, or not JSON.
    """
    return _parts(text, start, "{", "}", _member)


def elements(text: str, start: int = 0) -> tuple[list[Part], int]:
    """The elements of an array that begins at ``start``, in their order, and where it ends; their keys are empty.

    Raises:
        ValueError: it is not an array, or not JSON.
    """
    return _parts(text, start, "[", "]", _element)


def _parts(
    text: str, start: int, opening: str, closing: str, take: Callable[[str, int], Part]
) -> tuple[list[Part], int]:
    parts: list[Part] = []
    if text[start : start + 1] != opening:
        raise json.JSONDecodeError(f"'{opening}' is expected", text, start)
    at = _after_space(text, start + 1)
    if text[at : at + 1] == closing:
        return parts, at + 1
    while True:
        parts.append(take(text, at))
        at = _after_space(text, parts[-1].end)
        if text[at : at + 1] == closing:
            return parts, at + 1
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError(f"',' or '{closing}' is expected", text, at)
        at = _after_space(text, at + 1)


def _member(text: str, start: int) -> Part:
    if text[start : start + 1] != '"':
        raise json.JSONDecodeError("a key is expected", text, start)
    key, end = _value(text, start)
    colon = _after_space(text, end)
    if text[colon : colon + 1] != ":":
        raise json.JSONDecodeError("a colon is expected", text, colon)
    begin = _after_space(text, colon + 1)
    value, end = _value(text, begin)
    return Part(key, value, begin, end)


def _element(text: str, start: int) -> Part:
    value, end = _value(text, start)
    return Part("", value, start, end)


def _after_space(text: str, start: int) -> int:
    match = _space.match(text, start)
    assert match is not None, "an empty match is one"
    return match.end()


def _value(text: str, start: int) -> tuple[Any, int]:
    try:
        try:
            return _decoder.raw_decode(text, start)
        except json.JSONDecodeError:
            raise
        except ValueError:
            return _decoder_of_long_integers.raw_decode(text, start)
    except RecursionError as error:
        raise json.JSONDecodeError("it nests too deep", text, start) from error
