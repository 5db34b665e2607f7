"""What stands around the code: the page's examples, the methods, and that it can be installed without a network."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from .support import PACKAGE, ServerTest

from docket_client import AsyncClient, Client, Pipeline, operations


class ExampleTests(ServerTest):
    def test_the_examples_of_the_page_run_and_print_what_it_shows(self) -> None:
        page = (PACKAGE / "README.md").read_text()
        blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        shown = [(code, output) for (kind, code), (next_kind, output) in zip(blocks, blocks[1:]) if (kind, next_kind) == ("python", "text")]
        self.assertGreaterEqual(len(shown), 3)
        self.assertEqual(len(shown), sum(kind == "python" for kind, _ in blocks), "an example shows nothing")
        for code, output in shown:
            with self.subTest(code):
                program = code.replace("12000", str(self.server.port))
                environment = {**os.environ, "PYTHONPATH": str(PACKAGE / "src")}
                run = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, env=environment)
                self.assertEqual(run.stderr, "")
                self.assertEqual(run.stdout, output)


class MethodTests(unittest.TestCase):
    def test_both_clients_have_every_operation(self) -> None:
        made = {
            name for name, value in vars(operations).items()
            if inspect.isfunction(value) and value.__module__ == operations.__name__ and not name.startswith("_")
        }  # fmt: skip
        self.assertGreater(len(made), 20)
        for kind in (Client, AsyncClient):
            self.assertEqual([name for name in sorted(made) if not hasattr(kind, name)], [])
        public = {name for name in vars(Client) if not name.startswith("_")} - {"pipeline"}
        self.assertEqual(public, {name for name in vars(AsyncClient) if not name.startswith("_")})

    def test_help_shows_what_a_method_takes(self) -> None:
        self.assertEqual(str(inspect.signature(Client().get)).split(" ->")[0], "(path: 'str', *, as_of: 'Optional[Moment]' = None)")
        self.assertIn("NotFound", Client.get.__doc__ or "")
        self.assertEqual(Pipeline.put.__name__, "put")


class InstallationTests(unittest.TestCase):
    @unittest.skipIf(importlib.util.find_spec("pip") is None, "there is no pip here")
    def test_it_is_installed_from_its_folder_without_a_network(self) -> None:
        with tempfile.TemporaryDirectory(prefix="docket-python-") as folder:
            # An index that is not there: whatever were to be fetched would fail.
            environment = {**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            command = [sys.executable, "-m", "pip", "install", "--target", folder, str(PACKAGE)]
            run = subprocess.run(command, capture_output=True, text=True, env=environment)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            installed = {path.name: path.read_bytes() for path in Path(folder, "docket_client").iterdir() if path.is_file()}
            written = {path.name: path.read_bytes() for path in (PACKAGE / "src" / "docket_client").iterdir() if path.is_file()}
            self.assertEqual(installed, written)
            self.assertIn("py.typed", installed)
