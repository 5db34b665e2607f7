"""A docket server with an HTTP port, and the plainest client there is: bytes."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

BINARY = os.environ.get("DOCKET_BINARY", os.path.join(os.path.dirname(__file__), "../../.build/debug/docket"))
# A step that hangs fails; no test measures time.
PATIENCE = 60


class Server:
    """Runs on free ports and a new database until it is stopped."""

    def __init__(self, *arguments, folder=None):
        if not (os.path.isfile(BINARY) and os.access(BINARY, os.X_OK)):
            raise SystemExit(f"There is no docket at {BINARY}: name one with DOCKET_BINARY.")
        self.owns_folder = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="docket-http-")
        self.database = os.path.join(self.folder, "docket.db")
        environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--database", self.database, "--port", "0", "--http-port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"listening on (\S+) and (https?)://(\S+):(\d+)/,", line)
        if not found:
            self.stop()
            said = self.logged()
            self.log.close()
            raise RuntimeError(f"no server: {line!r} {said!r}")
        self.native = found[1].replace("[", "").replace("]", "").rsplit(":", 1)
        self.scheme, self.host, self.port = found[2], found[3], int(found[4])
        self.url = f"{self.scheme}://{self.host}:{self.port}"

    def logged(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def stop(self, kill=False):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        return status

    def remove(self):
        if self.process.poll() is None:
            self.stop(kill=True)
        self.log.close()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def docket(self, *arguments):
        """Runs a command of docket on the database file."""
        return subprocess.run(
            [BINARY, *arguments, "--database", self.database], capture_output=True, text=True, timeout=PATIENCE,
            check=True).stdout

    def request(self, method, path, body=None, **headers):
        """One request on a connection of its own: status, headers, body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=PATIENCE)

    def exchange(self, sent):
        """Sends bytes on a connection of its own, and returns all that comes until its end."""
        with self.connect() as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # It was refused before all was sent; the answer says why.
            return receive_all(connection)


def receive_all(connection):
    received = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece


class ServerTestCase(unittest.TestCase):
    """One server for the tests of a class."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.arguments)

    @classmethod
    def tearDownClass(cls):
        try:
            status = cls.server.stop()
            assert status == 0, f"the server ended with {status}: {cls.server.logged()}"
        finally:
            cls.server.remove()

    def problem(self, answer, status, code):
        """Checks that an answer is the error of this code, and returns its members."""
        self.assertEqual(answer[0], status, answer[2])
        self.assertEqual(answer[1]["Content-Type"], "application/problem+json")
        members = json.loads(answer[2])
        self.assertEqual(members["status"], status)
        self.assertEqual(members["error"], code)
        self.assertTrue(members["detail"] and members["title"])
        return members


def eventually(condition):
    """Waits until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
