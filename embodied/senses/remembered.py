"""What a task remembers and shows: a command it gives, the action that was taken last."""

from __future__ import annotations

from torch import Tensor

from embodied.senses.sense import Term


class Remembered:
    """A tensor of a task's memory as it stands, such as the command that is to be followed next."""

    def __init__(self, term: Term, memory: Tensor) -> None:
        """``memory``: (W, size of the term), live."""
        self.terms = (term,)
        self._memory = memory

    def read(self) -> Tensor:
        """(W, size)."""
        return self._memory
