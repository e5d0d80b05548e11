"""Windows: the last steps of a movement as discriminator and encoder see them, of the agent's worlds and of clips."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from embodied.motion.library import MotionLibrary, MotionState

Past = tuple[Tensor, Tensor]
"""Of k episodes that begin: clips by number, and moments in them, s, (k,) each: where those begin that begin in one."""
SAME = 1e-3
"""Largest difference in any feature between a start in a clip and the clip there: rounding, and no more."""


class Clips(Protocol):
    """What windows of clips are made by: a task that plays in them."""

    library: MotionLibrary

    def style_of(self, state: MotionState) -> Tensor:
        """(…, F) What the observation group ``style`` would show."""
        ...


class ClipWindows:
    """Windows of a library's clips, at the pace of the environment."""

    def __init__(self, task: Clips, steps: int, control_dt: float) -> None:
        """Draws nothing yet.

        Args:
            task: has the clips, and says how they look as style.
            steps: of a window.
            control_dt: time between two of them, s.
        """
        self.task, self.library, self.steps, self.control_dt = task, task.library, steps, control_dt
        self._back = -control_dt * torch.arange(steps - 1, -1, -1, dtype=torch.float64)
        self.span = control_dt * (steps - 1)
        """From a window's first moment to its last, s."""

    def ending_at(self, clips: Tensor, times: Tensor) -> Tensor:
        """(k, steps, F) The windows that end at these moments (k,), s; before a clip's beginning is its beginning."""
        at = times.double()[:, None] + self._back
        state = self.library.sample(clips[:, None], at)
        return self.task.style_of(state).float()

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, steps, F) At random: clips by the library's weights, moments evenly; all of it within the clip."""
        clips = self.library.draw(count, generator)
        begin = self.library.draw_times(clips, generator, margin=self.span)
        return self.ending_at(clips, begin + self.span)

    def every(self, interval: float) -> tuple[Tensor, Tensor]:
        """All clips from end to end.

        Args:
            interval: between the beginnings of neighbouring windows, s.

        Returns:
            (N, steps, F) windows and (N,) the numbers of their clips, in order.
        """
        clips, times = [], []
        for clip, (duration, looped) in enumerate(
            zip(self.library.durations.tolist(), self.library.looped.tolist(), strict=True)
        ):
            room = duration if looped else max(duration - self.span, 0.0)
            count = max(1, int(room / interval) + (not looped))
            clips += [clip] * count
            times += [step * interval + self.span for step in range(count)]
        numbers = torch.tensor(clips)
        return self.ending_at(numbers, torch.tensor(times, dtype=torch.float64)), numbers


class LatestWindows:
    """The window that ends now, of every world of an environment."""

    def __init__(self, clips: ClipWindows, style: Tensor, past: Past) -> None:
        """Begins with a first observation.

        Args:
            clips: where the past of an episode that begins in the midst of a clip comes from.
            style: (W, F) the group ``style``.
            past: of all worlds.
        """
        self._clips = clips
        self.frames = torch.zeros(len(style), clips.steps, style.shape[1])
        """(W, steps, F), the latest last."""
        self._rows = self.frames.numpy()
        self.begin(torch.arange(len(style)), style, past)

    def push(self, style: Tensor) -> None:
        """A step was made; (W, F)."""
        self._rows[:, :-1] = self._rows[:, 1:]
        self._rows[:, -1] = style.numpy()

    def begin(self, worlds: Tensor, style: Tensor, past: Past) -> None:
        """Episodes begin in worlds with these numbers (k,): in clips with what went before there, elsewhere at rest.

        At rest the first frame fills the whole window, as in ASE. ``style`` is (k, F).
        """
        windows = self._clips.ending_at(*past)
        elsewhere = ((windows[:, -1] - style).abs() > SAME).any(dim=-1)
        windows[elsewhere] = style[elsewhere, None]
        windows[:, -1] = style
        self.frames[worlds] = windows
