"""Clients that people have: curl, and Python's requests."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from server import PATIENCE, ServerTestCase

try:
    import requests
except ImportError:
    requests = None


class Curl(ServerTestCase):
    def curl(self, *arguments):
        run = subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), *arguments], capture_output=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_what_people_type(self):
        url = self.server.url
        self.curl("-X", "PUT", f"{url}/notes/42", "-d", '{"title": "hello"}')
        self.assertEqual(self.curl(f"{url}/notes/42"), b'{"title": "hello"}')
        self.assertIn("id", json.loads(self.curl(f"{url}/notes/", "-d", '{"title": "posted"}')))
        listed = json.loads(self.curl("--compressed", "-g", f"{url}/notes/?where[title]=hello"))
        self.assertEqual([item["id"] for item in listed["items"]], ["42"])
        self.curl("-X", "PATCH", f"{url}/notes/42", "-H", "Content-Type: application/merge-patch+json", "-d", '{"done": true}')
        self.assertEqual(json.loads(self.curl(f"{url}/notes/42"))["done"], True)
        self.assertIn(b"HTTP/1.1 200", self.curl("-I", f"{url}/notes/42"))
        self.curl("-X", "DELETE", f"{url}/notes/42")
        self.assertEqual(json.loads(self.curl(f"{url}/notes/42"))["status"], 404)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_a_large_file_is_sent_and_fetched(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump({"text": "x" * 1_000_000}, file)
        try:
            self.curl("-T", file.name, f"{self.server.url}/files/1")
            with open(file.name, "rb") as sent:
                self.assertEqual(self.curl(f"{self.server.url}/files/1"), sent.read())
        finally:
            os.remove(file.name)


@unittest.skipUnless(requests, "python3-requests is not installed")
class Requests(ServerTestCase):
    def test_a_session(self):
        with requests.Session() as session:
            url = self.server.url
            made = session.put(f"{url}/notes/1", json={"a": [1, None, "é"]}, timeout=PATIENCE)
            self.assertEqual(made.status_code, 201)
            read = session.get(f"{url}/notes/1", timeout=PATIENCE)
            self.assertEqual(read.json(), {"a": [1, None, "é"]})
            same = session.get(f"{url}/notes/1", headers={"If-None-Match": read.headers["ETag"]}, timeout=PATIENCE)
            self.assertEqual(same.status_code, 304)
            with session.get(
                f"{url}/notes/", headers={"Accept": "text/event-stream"}, stream=True, timeout=PATIENCE
            ) as events:
                lines = events.iter_lines(decode_unicode=True)
                self.assertTrue(next(lines).startswith("id: "))
                self.assertEqual(next(lines), "event: live")
            missing = session.delete(f"{url}/notes/none", timeout=PATIENCE)
            self.assertEqual((missing.status_code, missing.json()["error"]), (404, "not_found"))


if __name__ == "__main__":
    unittest.main()
