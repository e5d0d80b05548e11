"""History: what some senses read at the last few control steps, kept in a task's memory so that checkpoints hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from embodied.scenes.arrays import Arrays
from embodied.senses.remembered import Remembered
from embodied.senses.sense import Sense


class History:
    """The last readings of senses side by side, the oldest first; the last row is the present.

    Its task calls `fill` when episodes begin and `shift` once after each control step.
    """

    def __init__(self, senses: Sequence[Sense], steps: int, arrays: Arrays, num_worlds: int) -> None:
        """Makes the memory.

        Args:
            senses: what is read.
            steps: how many readings are kept, the present one among them.
            arrays: of the World.
            num_worlds: W.
        """
        self._senses, self._arrays, self.steps = tuple(senses), arrays, steps
        terms = [term for sense in self._senses for term in sense.terms]
        device = self._senses[0].read().device
        self.memory = torch.zeros(num_worlds, steps, sum(term.size for term in terms), device=device)
        """(W, steps, n) float32; to be registered by the task."""
        self._values = arrays.of(self.memory)
        self._places: list[slice] = []
        start = 0
        for sense in self._senses:
            size = sum(term.size for term in sense.terms)
            self._places.append(slice(start, start + size))
            start += size
        self.senses: list[Remembered] = []
        """One a term: (W, steps, size), each term's steps together."""
        start = 0
        for term in terms:
            shown = replace(term, size=steps * term.size, shape=(steps, term.size), history=steps)
            self.senses.append(Remembered(shown, self.memory[:, :, start : start + term.size]))
            start += term.size

    def shift(self) -> None:
        """Takes the present in as the last row; the first is forgotten."""
        values = self._values
        for step in range(self.steps - 1):
            values[:, step] = values[:, step + 1]
        for sense, place in zip(self._senses, self._places, strict=True):
            values[:, -1, place] = self._read(sense)

    def fill(self, mask: Tensor) -> None:
        """Where the mask (W,) holds, makes all rows the present: nothing has moved yet."""
        write = self._arrays.writer(mask)
        for sense, place in zip(self._senses, self._places, strict=True):
            reading = self._read(sense)
            for step in range(self.steps):
                write(self.memory_at(step, place), reading)

    def memory_at(self, step: int, place: slice) -> object:
        """(W, n) A view of part of a row, as an array."""
        return self._values[:, step, place]

    def _read(self, sense: Sense) -> object:
        return self._arrays.of(sense.read().flatten(1))
