"""Flip: what becomes of a row of numbers in a mirror. Numbers change places in pairs, and some change their sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Flip:
    """Number i of a mirrored row is ``sign[i]`` times number ``index[i]`` of the row. Twice is as if never."""

    index: Tensor
    """(n,) int64."""
    sign: Tensor
    """(n,) ±1, float32."""

    @classmethod
    def of(cls, index: Sequence[int], sign: Sequence[float] | float = 1.0) -> Flip:
        """From plain numbers; one sign stands for all.

        Raises:
            ValueError: a mirror would not give back what it was shown.
        """
        signs = torch.tensor([sign] * len(index) if isinstance(sign, int | float) else list(sign), dtype=torch.float32)
        flip = cls(torch.tensor(list(index), dtype=torch.int64), signs)
        row = torch.arange(1.0, len(index) + 1)
        if not torch.equal(flip(flip(row)), row):
            raise ValueError(f"places {list(index)} with signs {signs.tolist()} are no mirror: twice must be as before")
        return flip

    @classmethod
    def joined(cls, flips: Sequence[Flip]) -> Flip:
        """Of rows that follow one another."""
        starts = [0]
        for flip in flips:
            starts.append(starts[-1] + len(flip.index))
        return cls(
            torch.cat([flip.index + start for flip, start in zip(flips, starts, strict=False)]),
            torch.cat([flip.sign for flip in flips]),
        )

    def __len__(self) -> int:
        return len(self.index)

    def __call__(self, rows: Tensor) -> Tensor:
        """(…, n) Rows, mirrored: new ones."""
        return rows.index_select(-1, self.index) * self.sign.to(rows.dtype)

    def to(self, device: torch.device) -> Flip:
        """The same where the rows are."""
        return Flip(self.index.to(device), self.sign.to(device))
