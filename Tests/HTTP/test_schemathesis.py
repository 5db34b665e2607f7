"""Requests that a machine makes from the service's description, answered as it says."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import description
from server import Server, eventually
from test_access import token

COMMAND = shutil.which("schemathesis", path=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])


@unittest.skipIf(COMMAND is None, "schemathesis is not installed (pip install -r Tests/HTTP/requirements.txt)")
class Schemathesis(unittest.TestCase):
    def test_it_finds_nothing_that_is_not_described(self):
        with tempfile.TemporaryDirectory(prefix="docket-schemathesis-") as folder:
            settings = os.path.join(folder, "settings")
            shutil.copytree(os.path.join(os.path.dirname(os.path.abspath(__file__)), "Schemathesis"), settings)
            server = Server("--backup-folder", folder)
            try:
                secret = token(server, "schemathesis", "admin")
                self.assertTrue(eventually(lambda: server.request("GET", "/_stats", Authorization=f"Bearer {secret}")[0] == 200))
                run = subprocess.run(
                    [COMMAND, "run", description.FILE, "--url", server.url, "--header", f"Authorization: Bearer {secret}",
                     "--no-color"],
                    cwd=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
                self.assertEqual(run.returncode, 0, run.stdout + server.logged())
                self.assertRegex(run.stdout, r"[0-9]{3,} generated")
                self.assertEqual(server.stop(), 0)
            finally:
                server.remove()


if __name__ == "__main__":
    unittest.main()
