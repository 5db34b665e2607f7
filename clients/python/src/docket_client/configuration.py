"""Where the server is, and how a client waits, repeats and holds back."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Optional, Union


def tls_context(
    ca_file: Optional[str] = None,
    *,
    certificate_file: Optional[str] = None,
    key_file: Optional[str] = None,
    verify: bool = True,
) -> ssl.SSLContext:
    """TLS, 1.2 or 1.3, as Docket's servers speak it. Reads the files, which are PEM.

    Args:
        ca_file: the authorities that may have signed the server's certificate; none: those that this machine trusts.
        certificate_file: what is shown to a server that wants to know who its clients are, with its key in ``key_file``.
        verify: false: whoever answers is believed. Nobody who merely listens reads along, but anybody on the way may be the server.
    Raises:
        OSError: also ``ssl.SSLError``: a file cannot be read, or is not what it should be; names it.
    """
    for file in (ca_file, certificate_file, key_file):
        if file is not None:
            # OpenSSL names no files.
            open(file, "rb").close()
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise ssl.SSLError(error.errno, f"{ca_file}: no certificate in PEM is there") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate_file is not None:
        try:
            context.load_cert_chain(certificate_file, key_file)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise ssl.SSLError(error.errno, f"{key_file or certificate_file}: the key is not that of {certificate_file}") from error
            files = certificate_file if key_file is None else f"{certificate_file} and {key_file}"
            raise ssl.SSLError(error.errno, f"{files}: no certificate with its key, both in PEM, is there") from error
    return context


def _context(tls: Union[ssl.SSLContext, bool, None]) -> Optional[ssl.SSLContext]:
    if tls is None or isinstance(tls, ssl.SSLContext):
        return tls
    if isinstance(tls, bool):
        return tls_context() if tls else None
    raise TypeError(f"tls is True or an ssl.SSLContext, of tls_context('authority.pem') say, not {tls!r}")


@dataclass(frozen=True)
class Configuration:
    """What a client was made with; see ``Client``."""

    host: str
    port: int
    unix_socket: Optional[str]
    token: Optional[str] = field(repr=False)
    tls: Optional[ssl.SSLContext]
    server_name: Optional[str]
    timeout: float
    connect_timeout: float
    attempts: int
    idempotency_keys: bool
    in_flight: int
    maximum_pause: float
    maximum_answer_bytes: int

    def __post_init__(self) -> None:
        if min(self.timeout, self.connect_timeout, self.attempts, self.in_flight, self.maximum_answer_bytes) <= 0:
            raise ValueError("timeouts, attempts, in_flight and maximum_answer_bytes must be greater than 0")
        if self.tls is not None and self.unix_socket is not None:
            raise ValueError("a Unix socket is always plain: leave tls out")

    @property
    def address(self) -> str:
        """As in messages: ``127.0.0.1:12000``, ``[::1]:12000``, or the path of the socket."""
        if self.unix_socket is not None:
            return self.unix_socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def repeats_by_keys(self) -> bool:
        """Whether writes get idempotency keys."""
        return self.idempotency_keys and self.attempts > 1

    @property
    def expected_name(self) -> Optional[str]:
        """The name in the server's certificate; none without TLS."""
        return None if self.tls is None else self.server_name or self.host


class Configured:
    """What the blocking client and that for asyncio are made with."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 12000,
        *,
        unix_socket: Optional[str] = None,
        token: Optional[str] = None,
        tls: Union[ssl.SSLContext, bool, None] = None,
        server_name: Optional[str] = None,
        timeout: float = 30,
        connect_timeout: float = 5,
        attempts: int = 10,
        idempotency_keys: bool = True,
        in_flight: int = 128,
        maximum_pause: float = 2,
        maximum_answer_bytes: int = 65 << 20,
    ) -> None:
        """Connects to nothing yet: the first call does.

        Args:
            unix_socket: the path of a Unix socket, in the place of host and port.
            token: the access token that each connection shows with its first request.
            tls: how TLS is spoken, see ``tls_context``; true: as by ``tls_context()``; none or false: not at all.
            server_name: the name in the server's certificate, where that is not the one it is connected to by.
            timeout: how long a call may take in all, repetitions included, in seconds.
            connect_timeout: how long one attempt to connect may take, in seconds.
            attempts: how often a request is tried in all, attempts to connect included. One that was sent is tried again only if
                it has an idempotency key or changes nothing the second time. By the default a server may be away for some seconds.
            idempotency_keys: whether writes are sent with an ``Idempotency-Key``, so that they can be tried again, whatever they do.
                The server keeps its answers for that, which costs it something.
            in_flight: how many requests may be on their way without an answer; more of them wait their turn.
            maximum_pause: the longest pause before connecting again, in seconds. It starts at a twentieth of a second and doubles
                with each failure.
            maximum_answer_bytes: the longest answer that is taken.
        """
        self.configuration = Configuration(
            host=host,
            port=port,
            unix_socket=unix_socket,
            token=token,
            tls=_context(tls),
            server_name=server_name,
            timeout=timeout,
            connect_timeout=connect_timeout,
            attempts=attempts,
            idempotency_keys=idempotency_keys,
            in_flight=in_flight,
            maximum_pause=maximum_pause,
            maximum_answer_bytes=maximum_answer_bytes,
        )
        self._prepare()

    def _prepare(self) -> None:
        """Makes what the client needs besides."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.configuration.address}>"
