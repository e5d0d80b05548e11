"""The lock a living process holds on its run folder; the operating system drops it when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from embodied.runs.errors import UserError


class RunLock:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Takes the lock.

        Raises:
            UserError: a living process holds it; the message names its pid.
        """
        self._path = folder / ".lock"
        self._file = open(self._path, "a+")  # noqa: SIM115 - stays open as long as the lock is held
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise UserError(f"{folder} is in use by the living process {holder}; wait for it or stop it") from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Gives the folder free."""
        self._file.close()
