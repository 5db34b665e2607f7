"""Frames: JSON objects with a NUL behind each."""

from __future__ import annotations

import json
from typing import Mapping, Optional, Union

HeaderValue = Union[str, int]


def encode_request(
    method: str,
    path: str,
    data: Optional[bytes] = None,
    headers: Optional[Mapping[str, HeaderValue]] = None,
    id: Optional[str] = None,
) -> bytes:
    """A request without the NUL behind it, as in a batch. ``headers`` stand before ``data``, so that a server which wants a token
    first can read it before the rest has come."""
    parts = [b'{"method": ', json.dumps(method).encode(), b', "path": ', json.dumps(path).encode()]
    if id is not None:
        parts += [b', "id": ', json.dumps(id).encode()]
    if headers is not None:
        parts += [b', "headers": ', json.dumps(dict(headers)).encode()]
    if data is not None:
        parts += [b', "data": ', data]
    parts.append(b"}")
    return b"".join(parts)


class FrameTooLong(Exception):
    """What comes is longer than a frame may be."""


class FrameSplitter:
    """Cuts what comes at NULs. It holds one frame at most, and what one read has brought."""

    def __init__(self, maximum_bytes: int) -> None:
        self._maximum_bytes = maximum_bytes
        self._bytes = bytearray()
        #: Up to where there is no NUL.
        self._searched = 0

    def append(self, data: bytes) -> None:
        self._bytes += data

    def next(self) -> Optional[bytes]:
        """The next frame, without its NUL; none until more has come.

        Raises:
            FrameTooLong: also while its end has not come.
        """
        end = self._bytes.find(0, self._searched)
        if (end if end >= 0 else len(self._bytes)) > self._maximum_bytes:
            raise FrameTooLong()
        if end < 0:
            self._searched = len(self._bytes)
            return None
        frame = bytes(self._bytes[:end])
        # Cheap: a bytearray gives its front away without moving the rest.
        del self._bytes[: end + 1]
        self._searched = 0
        return frame

    @property
    def beginning(self) -> bytes:
        """How that begins which stands behind the last NUL."""
        return bytes(self._bytes[:32])

    def rest(self) -> bytes:
        """What came behind the last NUL."""
        return bytes(self._bytes)
