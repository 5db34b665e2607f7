"""A connection of the client for asyncio."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Callable, Optional

from .configuration import Configuration
from .errors import ConnectionFailed, NotSecured
from .tls_failure import is_of_tls, is_refusal_of_certificate, reason


class Connection(asyncio.Protocol):
    """Tells its owner what comes."""

    def __init__(
        self, received: Callable[[bytes], None], ended: Callable[[Connection, Optional[Exception]], None]
    ) -> None:
        self._received = received
        self._ended = ended
        self._transport: Optional[asyncio.Transport] = None
        self._output: list[bytes] = []
        #: Whether nothing that it still tells counts.
        self._is_left = False
        self._is_closed = asyncio.get_running_loop().create_future()
        #: With what it has ended.
        self.error: Optional[Exception] = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a stream has such a transport"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._is_left:
            self._received(data)

    def connection_lost(self, error: Optional[Exception]) -> None:
        self.error = error
        self._is_closed.set_result(None)
        if not self._is_left:
            self._is_left = True
            self._ended(self, error)

    def send(self, data: bytes) -> None:
        """What is sent in one turn of the loop leaves in one piece."""
        if not self._output:
            asyncio.get_running_loop().call_soon(self._flush)
        self._output.append(data)

    def _flush(self) -> None:
        if self._transport is not None and not self._is_left:
            self._transport.write(b"".join(self._output))
        self._output.clear()

    def pause(self) -> None:
        """Takes nothing more for now, so that the server is held back."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def leave(self) -> None:
        """Closes; nothing that it still tells counts."""
        self._is_left = True
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Closes what this process has of it, while its parent goes on with it: neither side of the connection is told anything."""
        self._is_left = True
        connection = None if self._transport is None else self._transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return
        # The transport's own way out would have the loop of the parent, with which this one shares its selector, forget the socket. It
        # keeps its number until it is collected.
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, connection.fileno(), inheritable=False)
        os.close(nothing)

    def shut_down(self) -> None:
        """Ends it where its loop is closed, so that the transport can do nothing any more."""
        self._is_left = True
        connection = None if self._transport is None else self._transport.get_extra_info("socket")
        try:
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    @property
    def is_ending(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._is_closed.done() or (self._transport is not None and self._transport.is_closing())

    async def closed(self) -> None:
        """Waits until it is closed; not for long, since the other side of TLS may say nothing any more."""
        await asyncio.wait([self._is_closed], timeout=1)
        if not self._is_closed.done() and self._transport is not None:
            self._transport.abort()


async def open_connection(configuration: Configuration, make: Callable[[], Connection]) -> Connection:
    """Connects, with TLS where the configuration has it. What has ended before its owner heard of it has failed.

    Raises:
        ConnectionFailed: also ``NotSecured``.
    """
    loop = asyncio.get_running_loop()
    try:
        if configuration.unix_socket is not None:
            opening = loop.create_unix_connection(make, configuration.unix_socket)
            _, connection = await asyncio.wait_for(opening, configuration.connect_timeout)
        else:
            opened = loop.create_connection(
                make,
                configuration.host,
                configuration.port,
                ssl=configuration.tls,
                server_hostname=configuration.expected_name,
            )
            _, connection = await asyncio.wait_for(opened, configuration.connect_timeout)
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        kind = NotSecured if configuration.tls is not None and is_of_tls(error) else ConnectionFailed
        raise kind(configuration.address, reason(error)) from error
    if not connection.is_ending:
        return connection
    await connection.closed()
    connection.leave()
    end = connection.error
    if end is not None and is_refusal_of_certificate(end):
        raise NotSecured(configuration.address, reason(end)) from end
    raise ConnectionFailed(configuration.address, "the other side has closed it at once") from end
