"""Programs that are told what cannot be say so in a line, before they begin."""
from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("DOCKET_BINARY")
MEASURES = ["Tests/Bench/bench.py", "--binary"]
TORTURES = [[f"Tests/Torture/{name}.py", "--binary"] for name in ("torture", "histories/run", "load/run")]
TAKES_BINARY = [MEASURES, ["Tests/Bench/token_timing.py"], *TORTURES]


class CommandLineTests(unittest.TestCase):
    def _refused(self, command: list[str], says: str, **environment: str) -> None:
        # What begins all the same finds no Swift to build with.
        variables = {**os.environ, "SWIFT": "/bin/false", **environment}
        with self.subTest(command, **environment):
            run = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT, env=variables, input="", timeout=60)
            self.assertNotIn("Traceback", run.stderr)
            self.assertIn(says, run.stderr.splitlines()[-1] if run.stderr else "")
            self.assertIn(run.returncode, (1, 2))

    def test_a_binary_that_is_missing_or_no_docket_is_named(self) -> None:
        for binary in ("/nowhere/docket", "/", "/bin/true"):
            for command in TAKES_BINARY:
                self._refused([*command, binary], binary)
            self._refused(["Tests/Console/screenshots.py", "/nowhere/images"], binary, DOCKET_BINARY=binary)
        for program in ("Tests/Console/test_pages.py", "Tests/HTTP/test_documents.py"):
            self._refused([program], "/nowhere/docket", DOCKET_BINARY="/nowhere/docket")

    @unittest.skipUnless(BINARY, "no docket is named in DOCKET_BINARY")
    def test_a_folder_that_is_missing_or_a_file_is_named(self) -> None:
        docket = os.path.abspath(BINARY or "")
        for command in TORTURES:
            self._refused([*command, docket, "--folder", "/nowhere/data"], "/nowhere/data")
        self._refused([*MEASURES, docket, "--output", "/dev/null"], "/dev/null")
        with tempfile.TemporaryDirectory() as folder:
            self._refused([*MEASURES, docket, "--quick", "--parts", "cores", "--output", folder], "/nowhere/data", WORK_DIR="/nowhere/data")
        self._refused(["Tests/Console/screenshots.py", "/nowhere/images"], "chromium", PATH="/nowhere", DOCKET_BINARY=docket)

    def test_a_folder_in_which_no_tests_were_built_is_named(self) -> None:
        self._refused(["Tests/Fuzz/fuzz.py", "--beside-tests", "/nowhere/build"], "no folder /nowhere/build")

    def test_a_wrong_number_is_named(self) -> None:
        for wrong in ("0", "x"):
            for option in ("--rounds", "--seconds", "--documents"):
                self._refused([*MEASURES, "/nowhere/docket", option, wrong], f"'{wrong}'")
            self._refused(["Tests/Bench/token_timing.py", "/nowhere/docket", wrong], f"'{wrong}'")
            self._refused(["Tests/Fuzz/fuzz.py", "--runs", wrong], f"'{wrong}'")
            for program in ("Tests/Bench/original_server.py", "Tests/EndToEndTests/original_exchange.py"):
                self._refused([program, wrong], f"'{wrong}'")
        self._refused(["Tests/EndToEndTests/original_exchange.py", "1"], "port 1")

    def test_a_program_that_is_told_too_little_says_how_it_is_called(self) -> None:
        for program in (
            "Tests/Bench/token_timing.py", "Tests/Bench/original_server.py", "Tests/EndToEndTests/original_exchange.py",
            "Tests/Console/screenshots.py", "packaging/man_pages.py",
        ):  # fmt: skip
            self._refused([program], "required")
        self._refused(["Tests/EndToEndTests/TLS/tls_client.py"], "SCENARIO PORT AUTHORITY")
        self._refused(["Tests/EndToEndTests/TLS/tls_client.py", "nothing", "1", "/dev/null"], "AUTHORITY a file")
        self._refused(["Tests/EndToEndTests/TLS/tls_client.py", "nothing", "1", __file__], "nothing")
        self._refused(["packaging/man_pages.py", "1", "/nowhere/pages"], "standard input")


@unittest.skipIf(shutil.which("make") is None, "there is no make here")
class MakefileTests(unittest.TestCase):
    def _recipes(self, target: str, python: str) -> str:
        command = ["make", "-n", target, f"PYTHON={python}", "DOCKET_BINARY=/bin/true", "SECONDS=1"]
        # `make` itself may run this.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, env=own).stdout

    def test_every_target_takes_the_python_that_is_named(self) -> None:
        for target in (
            "test-python", "test-http", "test-console", "screenshots", "bench", "torture-faults", "torture-histories", "torture-load", "fuzz", "deb",
        ):  # fmt: skip
            with self.subTest(target):
                recipes = self._recipes(target, "/some/python -B")
                self.assertIn("/some/python -B", recipes)
                self.assertNotRegex(recipes, r"python3 (-m|Tests|packaging)")
                self.assertIn(f"{ROOT}/some/python", self._recipes(target, "some/python"))


if __name__ == "__main__":
    unittest.main()
