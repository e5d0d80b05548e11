"""Repertoire: how near a movement is to each clip, in a measure that says the same for every robot and training.

Windows are compared feature by feature. Each kind of feature - height, orientation, velocities, joint angles, joint
speeds, feet - counts the same, in units of its own spread over all clips: between two moments drawn at random from the
clips the distance is √2 in the root mean square.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from embodied.senses import ObservationSpec
from embodied.skills.ase.policy import STYLE
from embodied.skills.ase.windows import ClipWindows

INTERVAL = 0.1
"""s. Between the beginnings of neighbouring windows of a clip."""


class Repertoire:
    """The clips' windows as points, with their clips' numbers."""

    def __init__(self, windows: Tensor, clips: Tensor, names: tuple[str, ...], kinds: Mapping[str, slice]) -> None:
        """Measures the spread.

        Args:
            windows: (N, steps, F) of all clips.
            clips: (N,) their clips' numbers.
            names: of the clips.
            kinds: where each kind of feature lies.
        """
        self.names, self.clips = names, clips
        steps = windows.shape[1]
        spread = torch.zeros(windows.shape[-1])
        for place in kinds.values():
            size = place.stop - place.start
            values = windows[..., place].flatten(0, 1).double()
            deviation = (values - values.mean(dim=0)).square().mean().sqrt().clamp_min(1e-6)
            spread[place] = float(deviation) * (size * len(kinds) * steps) ** 0.5
        self._spread = spread
        self.points = self.point(windows)
        """(N, steps · F)."""

    @classmethod
    def of(cls, clips: ClipWindows, spec: ObservationSpec) -> Repertoire:
        """That of a library, as an environment shows it."""
        return cls(*clips.every(INTERVAL), clips.library.names, spec.slices(STYLE))

    def point(self, windows: Tensor) -> Tensor:
        """(…, steps · F) Windows (…, steps, F) as points whose Euclidean distance is the measure."""
        return (windows / self._spread).flatten(-2)

    def windows_of(self, points: Tensor) -> Tensor:
        """(…, steps, F) The windows that `point` gives these points for."""
        return points.unflatten(-1, (-1, len(self._spread))) * self._spread

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """(k,) Distances from points (k, …) to the nearest of the clips' windows, and (k,) their clips' numbers."""
        distance, window = torch.cdist(points, self.points).min(dim=-1)
        return distance, self.clips[window]

    def to_clips(self, points: Tensor) -> Tensor:
        """(C,) How far each clip is from being found among points (k, …).

        The mean, over a clip's windows, of the distance to the nearest point: small only where all of the clip is
        there, from its beginning to its end. One pose that some clip passes through is near to one of its windows, and
        far from the others.
        """
        return self._by_clip(torch.cdist(self.points, points).min(dim=-1).values)

    def _by_clip(self, values: Tensor) -> Tensor:
        count = torch.zeros(len(self.names)).index_add_(0, self.clips, torch.ones(len(values)))
        return torch.zeros(len(self.names)).index_add_(0, self.clips, values) / count

    def between_clips(self) -> Tensor:
        """(C, C) How far clip i (row) is from being found in clip j: what the threshold is held against."""
        return torch.stack([self.to_clips(self.points[self.clips == clip]) for clip in range(len(self.names))], dim=1)
