"""What is wrong with a bundle, or keeps one from being made."""

from __future__ import annotations

from pathlib import Path

from embodied.runs.errors import UserError


class BundleError(UserError):
    """A bundle that is refused; the message names the folder or file, and the reason."""

    def __init__(self, path: Path | str, wrong: str) -> None:
        super().__init__(f"{path}: {wrong}")
        self.wrong = wrong
