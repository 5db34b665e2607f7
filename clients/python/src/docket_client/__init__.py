"""A client for Docket, a persistent document service: ``Client`` for programs that wait, ``AsyncClient`` for asyncio.

docs/PROTOCOL.md of Docket says what the operations mean.
"""

from . import operations
from .aio import AsyncClient
from .aio_watch import AsyncWatch
from .answer import Answer
from .client import Client
from .configuration import tls_context
from .errors import (
    BadAnswer,
    BadRequest,
    ClientClosed,
    Conflict,
    ConnectionFailed,
    ConnectionLost,
    DiskFull,
    DocketError,
    Forbidden,
    FrameTimedOut,
    Gone,
    InvalidDocument,
    MethodNotAllowed,
    NotFound,
    NotModified,
    NotSecured,
    OutcomeUnknown,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    Refused,
    ServerFailed,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unavailable,
    Unprocessable,
    WatchInterrupted,
)
from .json_text import JSONText
from .operation import Operation, document_path
from .operations import EVERYWHERE
from .pending import Pending, Pipeline
from .results import Change, ChangePage, Document, Item, NewToken, Page, Receipt, Version, VersionPage
from .watch import Watch
from .watch_state import Event, Heartbeat, Interrupted, Live, Reset, WatchOptions

__all__ = [
    "EVERYWHERE",
    "Answer",
    "AsyncClient",
    "AsyncWatch",
    "BadAnswer",
    "BadRequest",
    "Change",
    "ChangePage",
    "Client",
    "ClientClosed",
    "Conflict",
    "ConnectionFailed",
    "ConnectionLost",
    "DiskFull",
    "DocketError",
    "Document",
    "Event",
    "Forbidden",
    "FrameTimedOut",
    "Gone",
    "Heartbeat",
    "Interrupted",
    "InvalidDocument",
    "Item",
    "JSONText",
    "Live",
    "MethodNotAllowed",
    "NewToken",
    "NotFound",
    "NotModified",
    "NotSecured",
    "Operation",
    "OutcomeUnknown",
    "Page",
    "Pending",
    "Pipeline",
    "PreconditionFailed",
    "PreconditionRequired",
    "RateLimited",
    "Receipt",
    "Refused",
    "Reset",
    "ServerFailed",
    "TimedOut",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unprocessable",
    "Version",
    "VersionPage",
    "Watch",
    "WatchInterrupted",
    "WatchOptions",
    "document_path",
    "operations",
    "tls_context",
]
