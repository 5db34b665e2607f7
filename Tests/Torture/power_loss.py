"""Loss of power: the file system under the server forgets at once whatever has not reached its disk.

The database lies on ext4 in a file. While clients write, the server is stopped (so that nobody is told anything of a
disk that is half gone), the file system is shut down without a flush of its journal (EXT4_IOC_SHUTDOWN), the server is
killed, and the file system is mounted again as after a crash. A control does the same to a server whose syncs do
nothing; the harness proves nothing unless it sees losses there.
"""
from __future__ import annotations

import errno
import fcntl
import os
import struct
import subprocess
import time

from ground import Ground, mounted, unmount
from ledger import Ledger
from promises import Fault, Shown, Skipped, Violation
from served import NotServing, Served
from verification import check, recover, verify
from writers import Writers

EXT4_IOC_SHUTDOWN = 0x8004587D
"""_IOR('X', 125, uint32_t), of fs/ext4/ext4.h in Linux."""
NO_LOG_FLUSH = struct.pack("I", 2)
IMAGE_BYTES = 512 << 20
CONTROL_CYCLES = 4


class Disk:
    """An ext4 file system in a file."""

    def __init__(self, ground: Ground) -> None:
        """- Raises: Skipped."""
        ground.need_root()
        ground.need("mkfs.ext4", "e2fsprogs")
        self._image, self.folder = ground.folder / "disk.img", ground.folder / "disk"
        self._image.unlink(missing_ok=True)
        with open(self._image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", self._image], check=True)
        try:
            with self.mounted():
                unmount(self.folder)
        except subprocess.CalledProcessError as error:
            raise Skipped(f"no file can be mounted (loop device): {error.stderr.decode().strip()}") from error

    def mounted(self):
        return mounted(self.folder, "-o", "loop", self._image)

    def lose_power(self) -> None:
        root = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(root, EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH)
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EOPNOTSUPP):
                raise Skipped("this kernel's ext4 cannot be shut down") from error
            raise
        finally:
            os.close(root)


def _write_and_lose_power(disk: Disk, server: Served, writers: Writers, seconds: float, pause: float) -> None:
    writers.connect(server.port)
    writers.write(seconds)
    time.sleep(pause)
    server.halt()
    writers.take_what_came()
    disk.lose_power()
    server.kill()
    writers.close()
    unmount(disk.folder)


def _options(ground: Ground) -> list[str]:
    """Checkpoints in the midst of it, or hardly ever; kept answers are cleared away, too."""
    pages = ground.random.choice([8, 60, 400, 16_000])
    return ["--checkpoint-pages", str(pages), "--idempotency-bytes", "1048576"]


def lose_power(ground: Ground, count: int) -> Shown:
    """- Raises: Violation, Skipped."""
    disk, ledger, again = Disk(ground), ground.ledger(), 0
    writers = Writers(ledger, ground.random)
    database = disk.folder / "docket.db"
    for cycle in range(count + 1):
        with disk.mounted():
            server = ground.serve(database, *_options(ground))
            with server:
                again += verify(server, ledger, ground.random)
                check(ground.binary, database)
                if cycle < count:
                    seconds, pause = ground.random.uniform(0.01, 0.15), ground.random.uniform(0, 0.002)
                    _write_and_lose_power(disk, server, writers, seconds, pause)
        ground.progress(f"cycle {cycle}, {ledger.acknowledged} acknowledged")
    lost = _losses_without_syncs(ground)
    return Shown(
        f"{ledger.acknowledged} acknowledged writes, 0 lost; {again} sent again under their keys, each applied once; "
        f"the control without syncs lost writes in {lost} of {CONTROL_CYCLES} cycles",
        {"acknowledged": ledger.acknowledged, "lost": 0, "sentAgain": again,
         "controlCycles": CONTROL_CYCLES, "controlCyclesWithLosses": lost})


def _losses_without_syncs(ground: Ground) -> int:
    """In how many cycles the same harness finds losses of a server whose syncs do nothing.

    - Raises: Violation if in none.
    """
    library = str(ground.compiled("no_sync.c"))
    losses = 0
    for _ in range(CONTROL_CYCLES):
        disk = Disk(ground)
        database = disk.folder / "docket.db"
        ledger = Ledger()
        with disk.mounted():
            with ground.serve(database) as server:
                writers = Writers(ledger, ground.random)
                writers.connect(server.port)
                writers.write(0.05)
                writers.settle()
                verify(server, ledger, ground.random)
                writers.close()
                server.stop()
            with ground.serve(database, environment={"LD_PRELOAD": library}) as server:
                _write_and_lose_power(disk, server, Writers(ledger, ground.random), 0.2, 0)
        with disk.mounted():
            try:
                recover(ground, database, ledger)
            except (Violation, NotServing):
                losses += 1
    if not losses:
        raise Violation("the control, a server whose syncs do nothing, lost nothing: this harness proves nothing here")
    return losses


FAULTS = [Fault("power-loss", lose_power, short=25, long=1_000)]
