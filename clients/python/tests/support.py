"""What the tests stand on: real servers, servers that do what a test tells them, and certificates."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any, Awaitable, Callable, Coroutine, List, Optional, Tuple, TypeVar

PACKAGE = Path(__file__).resolve().parent.parent
REPOSITORY = PACKAGE.parent.parent
sys.path.insert(0, str(PACKAGE / "src"))

from docket_client import AsyncClient, Client

#: How long a test waits for what must come, in seconds. It is long since the machine may be busy.
PATIENCE = 120.0

T = TypeVar("T")


def binary() -> str:
    """The ``docket`` that the tests run."""
    named = os.environ.get("DOCKET_BINARY")
    built = [str(REPOSITORY / ".build" / kind / "docket") for kind in ("debug", "release")]
    for path in [named] if named else built:
        if os.access(path, os.X_OK):
            return os.path.abspath(path)
    raise FileNotFoundError(
        f"there is no docket at {named or ' or '.join(built)}: build one with `make build` or `swift build`, or name one with DOCKET_BINARY"
    )


class Server:
    """A running ``docket serve`` on a free port."""

    def __init__(self, folder: str, *arguments: str, port: int = 0) -> None:
        self.folder = folder
        self._arguments = arguments
        self.port = port
        self.start()

    def start(self) -> None:
        """Starts it, again on the port that it had."""
        self._log = open(os.path.join(self.folder, "log"), "a")
        command = [binary(), "serve", "--port", str(self.port), "--database", os.path.join(self.folder, "docket.db")]
        self.process = subprocess.Popen(
            [*command, *self._arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        found = re.search(r":(\d+)\b", ready)
        if found is None:
            self.process.wait()
            raise RuntimeError(f"no server: {ready}{Path(self._log.name).read_text()}")
        self.port = int(found[1])

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


class ServerTest(unittest.TestCase):
    """A test with a server of its own class."""

    arguments: Tuple[str, ...] = ()
    server: Server

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="docket-python-")
        cls.addClassCleanup(folder.cleanup)
        cls.server = Server(folder.name, *cls.arguments)
        cls.addClassCleanup(lambda: cls.server.stop())


class AnyClient:
    """A blocking client or one for asyncio, to be awaited in either case, so that a test is written once for both."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.client: Any = Client(**options) if kind == "blocking" else AsyncClient(**options)
        self.kind = kind

    def __getattr__(self, name: str) -> Any:
        return _awaited(getattr(self.client, name), self.kind)

    async def all(self, name: str, *args: Any, **kwargs: Any) -> List[Any]:
        """What an iterating method tells in all."""
        values = getattr(self.client, name)(*args, **kwargs)
        if self.kind == "blocking":
            return await asyncio.to_thread(lambda: [*values])
        return [value async for value in values]

    def watch(self, path: str, **options: Any) -> "AnyWatch":
        return AnyWatch(self.client.watch(path, **options), self.kind)

    async def __aenter__(self) -> "AnyClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AnyWatch:
    """A watch of an ``AnyClient``."""

    def __init__(self, watch: Any, kind: str) -> None:
        self.watch = watch
        self.kind = kind

    def __getattr__(self, name: str) -> Any:
        return _awaited(getattr(self.watch, name), self.kind)

    async def take(self, count: int) -> List[Any]:
        """So many events."""
        return [await self.next() for _ in range(count)]

    async def __aenter__(self) -> "AnyWatch":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _awaited(method: Callable[..., Any], kind: str) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if kind == "blocking":
            return await asyncio.to_thread(method, *args, **kwargs)
        return await method(*args, **kwargs)

    return call


Body = Callable[[Callable[..., AnyClient]], Coroutine[Any, Any, None]]


def run_async(body: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a body that is awaited, for as long as the tests have patience."""

    async def patient() -> T:
        return await asyncio.wait_for(body(), PATIENCE)

    return asyncio.run(patient())


def with_both(test: unittest.TestCase, port: int, body: Body) -> None:
    """Runs a test with a client of either kind; ``body`` is given what makes one."""
    for kind in ("blocking", "async"):
        with test.subTest(kind):
            run_async(lambda: body(lambda **options: AnyClient(kind, **{"port": port, **options})))


def with_script(test: unittest.TestCase, script: Callable[["ScriptedServer"], None], body: Body) -> None:
    """The same, beside a server that does what the test tells it."""
    for kind in ("blocking", "async"):
        with test.subTest(kind), ScriptedServer(script) as server:
            run_async(lambda: body(lambda **options: AnyClient(kind, **{"port": server.port, **options})))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError("what is waited for did not come")
        time.sleep(0.01)


class ScriptedConnection:
    """One connection of a scripted server."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        self._socket = connection
        self._bytes = b""

    def request(self) -> Any:
        """The next request; raises EOFError when the client has gone."""
        while b"\0" not in self._bytes:
            data = self._socket.recv(65536)
            if not data:
                raise EOFError()
            self._bytes += data
        frame, _, self._bytes = self._bytes.partition(b"\0")
        return json.loads(frame)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self, data: str = "null", code: int = 200, message: str = "OK", more: str = "") -> None:
        self.send(frame(data, code, message, more) + b"\0")

    def wait_for_end(self) -> None:
        """Waits until the client has closed."""
        try:
            while self._socket.recv(65536):
                pass
        except OSError:
            pass

    def close(self) -> None:
        self._socket.close()


def frame(data: str = "null", code: int = 200, message: str = "OK", more: str = "") -> bytes:
    return f'{{"code": {code}, "message": "{message}", "data": {data}{more}}}'.encode()


class ScriptedServer:
    """A server that does what a test tells it, on a thread of its own::

        with ScriptedServer(script) as server:
            …

    What the script raises is raised at the block's end.
    """

    def __init__(self, script: Callable[["ScriptedServer"], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port: int = self._listener.getsockname()[1]
        self._script = script
        self._failure: Optional[BaseException] = None
        self._connections: List[ScriptedConnection] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def accept(self) -> ScriptedConnection:
        connection = ScriptedConnection(self._listener.accept()[0])
        self._connections.append(connection)
        return connection

    def _run(self) -> None:
        try:
            self._script(self)
        except BaseException as failure:
            self._failure = failure

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(self, kind: object, value: Optional[BaseException], traceback: object) -> None:
        if value is None:
            # The client's part has ended: a script that still waits for a connection is told that none will come.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join(PATIENCE)
            assert not self._thread.is_alive(), "the script has not ended"
        for connection in self._connections:
            connection.close()
        self._listener.close()
        if value is None and self._failure is not None:
            raise self._failure


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class CertificateAuthority:
    """Signs certificates for a test, by the ``openssl`` command."""

    def __init__(self, folder: str, name: str = "authority") -> None:
        self._folder = folder
        self.certificate = os.path.join(folder, f"{name}.pem")
        self._key = os.path.join(folder, f"{name}.key")
        self._openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj", f"/CN={name}", "-addext",
            "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self._key, "-out", self.certificate,
        )

    def issue(self, name: str, names: str = "DNS:localhost,IP:127.0.0.1") -> Tuple[str, str]:
        """Makes a key and signs its certificate.

        Returns:
            The files of both.
        """
        certificate, key, request, extensions = (
            os.path.join(self._folder, f"{name}.{ending}") for ending in ("pem", "key", "csr", "ext")
        )
        Path(extensions).write_text(f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        self._openssl(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj", f"/CN={name}", "-keyout", key, "-out", request
        )
        self._openssl(
            "x509 -req -days 30 -CAcreateserial -in", request, "-CA", self.certificate, "-CAkey", self._key, "-extfile", extensions, "-out", certificate
        )
        return certificate, key

    @staticmethod
    def _openssl(words: str, *more: str) -> None:
        subprocess.run(["openssl", *words.split(), *more], check=True, capture_output=True)
