"""A docket server on free ports of its own, with a database that is removed with it."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BINARY = os.environ.get("DOCKET_BINARY", os.path.join(ROOT, ".build/debug/docket"))


class Served:
    def __init__(self, *options):
        if not (os.path.isfile(BINARY) and os.access(BINARY, os.X_OK)):
            raise SystemExit(f"There is no docket at {BINARY}: name one with DOCKET_BINARY.")
        self.folder = tempfile.mkdtemp(prefix="docket-console-")
        self.options = options
        self.port = 0
        self.token = None
        self.start()

    def start(self):
        """Serves, on the port that it had before."""
        self.process = subprocess.Popen(
            [BINARY, "serve", "--database", self.database, "--port", "0", "--http-port", str(self.port),
             "--shutdown-timeout", "1", "--batch-timeout", "60", *self.options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"on (\S+?:\d+) and http://[^:/]*:(\d+)/", line)
        if not found:
            raise SystemExit(f"{BINARY} did not say where it listens: {line!r}")
        self.native, self.port = found[1], int(found[2])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        self.process.stdout.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def database(self):
        return os.path.join(self.folder, "console.db")

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    def console(self, address=""):
        return f"{self.base}/_console/{address}"

    def ask(self, method, path, body=None, **headers):
        """Sends a request, and returns the answer's text. `body` is JSON text, or anything else as JSON."""
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(
            self.base + path, data=data, method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def put(self, path, body, **headers):
        return json.loads(self.ask("PUT", path, body, **headers))["revision"]

    def get(self, path):
        return self.ask("GET", path)

    def is_there(self, path):
        try:
            self.get(path)
            return True
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return False

    def put_many(self, collection, count, document):
        """Puts documents with the ids 000000 and up, a thousand to a batch."""
        for first in range(0, count, 1000):
            requests = [
                {"method": "PUT", "path": f"{collection}{number:06}", "data": document(number)}
                for number in range(first, min(first + 1000, count))
            ]
            self.ask("POST", "/_batch", {"requests": requests})
