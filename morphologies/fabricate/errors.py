"""The error of bodies that cannot be made: which body, and what of it."""

from __future__ import annotations


class FabricationError(ValueError):
    """A body that cannot be written out; the message names it and what of it stands in the way."""

    def __init__(self, body: str, wrong: str) -> None:
        super().__init__(f"{body}: {wrong}")
        self.wrong = wrong
