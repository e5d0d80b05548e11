"""How well each clip is tracked, from the episodes that were: what clips are drawn by, and what a training shows.

Han et al. (2024) draw a clip with P ∝ (1 - R)³, R being what an episode on it earned of what it could. Their released
code takes the last episode alone, and divides by the steps of the whole clip though episodes begin anywhere in it, so
that late starts look like failures. Here R is an average over episodes that forgets, each divided by the steps there
were from its start.

Every world keeps tallies of its own, and what is asked of them is their sum: a checkpoint holds them like any other
memory, and a reset of one world touches no other's.
"""

from __future__ import annotations

from torch import Tensor

from embodied.scenes.arrays import Array, Arrays, library_of

FORGET = 0.85
"""What remains of a world's tallies after each of its episodes."""
POWER = 3.0
"""Of what is still missing. Han et al. (2024)."""
FLOOR = 0.02
"""Least weight of a clip, where 1 is that of one never tracked at all: what is learned is not to be forgotten."""
EPISODES, SCORE, TRACKED, JOINTS, ROOT = range(5)
"""Columns of the tallies."""


class ClipScores:
    """Reads and writes tallies (W, C, 5): episodes, sums of scores, of clips tracked to the end, of mean errors."""

    def __init__(self, memory: Tensor, arrays: Arrays) -> None:
        """``memory``: (W, C, 5), registered by the task."""
        self._arrays, self._tallies = arrays, arrays.of(memory)
        worlds, self._clips, _ = memory.shape
        self._worlds = arrays.indices(range(worlds))

    def note(self, mask: Array, clips: Array, figures: Array) -> None:
        """Takes in episodes that ended where the mask (W,) holds.

        Args:
            mask: (W,).
            clips: (W,) what they were about.
            figures: (W, 4) score, whether the clip was tracked to its end, mean joint error, and mean root error.
        """
        library = library_of(figures)
        tallies = self._tallies
        ended = library.where(mask, 1.0, 0.0)
        tallies *= (1.0 - (1.0 - FORGET) * ended)[:, None, None]
        tallies[self._worlds, clips, 0] += ended
        tallies[self._worlds, clips, 1:] += library.where(mask[:, None], figures, 0.0)

    def clear(self) -> None:
        """Forgets everything."""
        self._tallies[...] = 0.0

    def weights(self) -> Array:
        """(C,) What clips are drawn by."""
        sums = self._tallies[:, :, : SCORE + 1].sum(0)
        missing = (1.0 - sums[:, SCORE] / sums[:, EPISODES].clip(min=1e-9)).clip(0.0, 1.0)
        return library_of(sums).where(sums[:, EPISODES] > 0.0, missing**POWER, 1.0).clip(min=FLOOR)

    def averages(self) -> Array:
        """(C, 4) Averages over each clip's episodes of what `note` was given; nan where there were none."""
        sums = self._tallies.sum(0)
        return sums[:, 1:] / library_of(sums).where(sums[:, :1] > 0.0, sums[:, :1], float("nan"))
