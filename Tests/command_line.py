"""What the programs here are told on the command line, looked at before hours of work rest on it."""
from __future__ import annotations

import argparse
import os
import pathlib
import subprocess


def positive(text: str) -> int:
    """- Raises: argparse.ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is a whole number from 1 on, not {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """- Raises: argparse.ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"it is a number of seconds above 0, not {text!r}")
    return number


def port(text: str) -> int:
    """- Raises: argparse.ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"it is a port from 1 to 65535, not {text!r}")
    return int(text)


def need_docket(parser: argparse.ArgumentParser, binary: str) -> None:
    """Ends with 2 where a file is no docket."""
    if not (os.path.isfile(binary) and os.access(binary, os.X_OK)):
        parser.error(f"there is no program {binary}; 'make build' makes one")
    try:
        told = subprocess.run([binary, "help", "serve"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        parser.error(f"{binary} does not run: {error}")
    if told.returncode or b"--database" not in told.stdout:
        parser.error(f"{binary} is not docket: it does not know 'help serve'")


def need_folder(parser: argparse.ArgumentParser, folder: str | pathlib.Path | None) -> None:
    """Ends with 2 where nothing can be written into a folder."""
    if not folder:
        return
    if not os.path.isdir(folder):
        parser.error(f"there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        parser.error(f"nothing can be written into {folder}")


def make_folder(parser: argparse.ArgumentParser, folder: str | pathlib.Path) -> None:
    """Makes a folder where there is none yet. Ends with 2 where nothing can be written into it."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        parser.error(f"cannot make the folder {folder}: {error.strerror}")
    need_folder(parser, folder)
