"""The error of robot files: which file, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path


class RobotError(ValueError):
    """A robot file that cannot be read or is no robot; the message names the file and what is wrong."""

    def __init__(self, path: str | Path, wrong: str) -> None:
        super().__init__(f"{path}: {wrong}")
        self.path = Path(path)
        self.wrong = wrong
