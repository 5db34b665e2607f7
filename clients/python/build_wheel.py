"""Builds the package with the standard library alone (PEP 517 and 660), so that `pip install` of this folder fetches nothing, not even
what would build it."""

import base64
import hashlib
import io
import re
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "docket_client"


def _project(key):
    """A text in the table `project` of pyproject.toml, which Python reads by itself only since 3.11."""
    return re.search(rf'^{key} = "(.*)"$', (HERE / "pyproject.toml").read_text(), re.MULTILINE)[1]


def _name():
    return f"{PACKAGE}-{_project('version')}"


def _metadata():
    return (
        f"Metadata-Version: 2.1\nName: {_project('name')}\nVersion: {_project('version')}\nSummary: {_project('description')}\n"
        f"Requires-Python: {_project('requires-python')}\nDescription-Content-Type: text/markdown\n\n" + (HERE / "README.md").read_text()
    ).encode()


def _modules():
    return sorted(path for path in (HERE / "src" / PACKAGE).iterdir() if path.is_file())


def _write_wheel(folder, files):
    information = f"{_name()}.dist-info"
    files = {
        **files,
        f"{information}/METADATA": _metadata(),
        f"{information}/WHEEL": b"Wheel-Version: 1.0\nGenerator: docket\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    wheel = f"{_name()}-py3-none-any.whl"
    with zipfile.ZipFile(Path(folder, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\n"
            archive.writestr(path, data)
        archive.writestr(f"{information}/RECORD", f"{record}{information}/RECORD,,\n")
    return wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, {f"{PACKAGE}/{path.name}": path.read_bytes() for path in _modules()})


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, {f"{PACKAGE}.pth": f"{HERE / 'src'}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    archive_name = f"{_name()}.tar.gz"
    with tarfile.open(Path(sdist_directory, archive_name), "w:gz") as archive:
        for path in [HERE / "pyproject.toml", HERE / "README.md", Path(__file__).resolve(), *_modules()]:
            archive.add(path, f"{_name()}/{path.relative_to(HERE)}")
        information = tarfile.TarInfo(f"{_name()}/PKG-INFO")
        information.size = len(_metadata())
        archive.addfile(information, io.BytesIO(_metadata()))
    return archive_name
