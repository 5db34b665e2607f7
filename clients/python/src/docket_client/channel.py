"""A connection of the blocking client: a socket that waits only where it is told to."""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from typing import Optional

from .configuration import Configuration
from .errors import ConnectionFailed, NotSecured
from .tls_failure import reason


class Channel:
    """Writes what it is given and reads what comes, both at once: a server that is sent more than it can answer reads no more until
    its answers are taken."""

    _PIECE = 64 << 10

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._output = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)

    @classmethod
    def open(cls, configuration: Configuration, timeout: float) -> Channel:
        """Connects, with TLS where the configuration has it; takes ``timeout`` seconds at most, but for the name's look-up.

        Raises:
            ConnectionFailed: also ``NotSecured``.
        """
        deadline = time.monotonic() + timeout
        try:
            connection = _connect(configuration, deadline)
        except (OSError, ValueError) as error:
            raise ConnectionFailed(configuration.address, reason(error)) from error
        if configuration.tls is None:
            return cls(connection)
        try:
            connection.settimeout(_left(deadline))
            secured = configuration.tls.wrap_socket(connection, server_hostname=configuration.expected_name)
        except (OSError, ValueError) as error:
            connection.close()
            raise NotSecured(configuration.address, reason(error)) from error
        return cls(secured)

    def send(self, data: bytes) -> None:
        """Takes what the next steps are to write."""
        self._output += data

    @property
    def waiting_bytes(self) -> int:
        """What was taken and is not written yet."""
        return len(self._output)

    def step(self, timeout: float) -> Optional[bytes]:
        """Writes what can be written, and reads what is there; where neither can be done it waits, ``timeout`` seconds at most.

        Returns:
            What has come, which may be nothing; None behind the end.
        Raises:
            OSError: the connection has failed.
        """
        has_written = self._write()
        try:
            return self._socket.recv(self._PIECE) or None
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            events = selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            events = selectors.EVENT_READ | selectors.EVENT_WRITE
        if timeout > 0 and not has_written:
            if self._output:
                events |= selectors.EVENT_WRITE
            self._selector.modify(self._socket, events)
            self._selector.select(timeout)
        return b""

    def _write(self) -> bool:
        if not self._output:
            return False
        try:
            with memoryview(self._output) as output:
                count = self._socket.send(output[: self._PIECE])
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            # The other side takes nothing more; it may have said why, and reading tells that.
            self._output.clear()
            return False
        del self._output[:count]
        return True

    def interrupt(self) -> None:
        """Ends the connection from another thread: who waits for it comes to its end."""
        try:
            # An SSLSocket's own forgets TLS besides, so that who reads meanwhile would see ciphertext.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        self._selector.close()
        self._socket.close()

    def drop(self) -> None:
        """Closes what this process has of it, while its parent goes on with it: neither side of the connection is told anything."""
        self._socket.close()
        try:
            self._selector.close()
        except OSError:
            # Not every system's selectors are inherited.
            pass


def _left(deadline: float) -> float:
    # A timeout of 0 would make the socket one that does not wait.
    return max(deadline - time.monotonic(), 0.001)


def _connect(configuration: Configuration, deadline: float) -> socket.socket:
    if configuration.unix_socket is not None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        return _connected(connection, configuration.unix_socket, deadline)
    failure: Optional[OSError] = None
    found = socket.getaddrinfo(configuration.host, configuration.port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, address in found:
        try:
            connection = _connected(socket.socket(family, kind, protocol), address, deadline)
        except OSError as error:
            # All addresses of a name may fail; the first one speaks for them.
            failure = failure or error
            continue
        # Requests are small, and none is to wait for the answer to another.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    raise failure or OSError("the name has no addresses")


def _connected(connection: socket.socket, address: object, deadline: float) -> socket.socket:
    try:
        connection.settimeout(_left(deadline))
        connection.connect(address)  # type: ignore[arg-type]
    except BaseException:
        connection.close()
        raise
    return connection
