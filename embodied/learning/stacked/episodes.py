"""Figures of each member's last episodes, kept on the device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def finished_episodes(info: Mapping[str, Any], num_worlds: int) -> tuple[Tensor, dict[str, Tensor]]:
    """(W,) bool, worlds whose episode ended in a step, and (W,) figures by name that hold there.

    ``info`` of a `WaitlessEnv` has them as they are; that of others lists the episodes that ended, under ``episode``.
    """
    if "finished" in info:
        terms = info["episode_terms"]
        return info["finished"], {"return": info["episode_return"], "length": info["episode_length"], **terms}
    episode = info["episode"]
    worlds = episode["world"]

    def spread(values: Tensor) -> Tensor:
        full = torch.zeros(num_worlds, dtype=torch.float64)
        full[worlds] = values.double()
        return full

    finished = torch.zeros(num_worlds, dtype=torch.bool)
    finished[worlds] = True
    figures = {"return": episode["return"], "length": episode["length"], **episode["terms"]}
    return finished, {name: spread(values) for name, values in figures.items()}


class RecentEpisodes:
    """The last few episodes of every member, in the order in which they ended; at one moment, in that of worlds."""

    def __init__(self, steps: int, num_worlds: int, members: int, kept: int, device: torch.device) -> None:
        """Room for a rollout of so many steps.

        Args:
            steps: T of a rollout.
            num_worlds: W.
            members: M.
            kept: episodes that are remembered of each member.
            device: where everything lies.
        """
        self.kept, self._members, self._steps = kept, members, steps
        self.names: tuple[str, ...] = ()
        """Of the figures; known from the first step on."""
        self._finished = torch.zeros(steps, num_worlds, dtype=torch.bool, device=device)
        self._unhealthy = torch.zeros_like(self._finished)
        self._figures = torch.zeros(steps, 0, num_worlds, dtype=torch.float64, device=device)
        self.recent = torch.zeros(members, 0, kept, dtype=torch.float64, device=device)
        """(M, figures, kept) The latest last; those that are not yet there stand first, as 0."""
        self.known = torch.zeros(members, dtype=torch.int64, device=device)
        """(M,) How many of them there are."""
        self.ended = torch.zeros_like(self.known)
        """(M,) Episodes that ended since the training began."""
        self.unhealthy = torch.zeros_like(self.known)
        """(M,) How many of those because their physics failed."""

    def name(self, names: tuple[str, ...]) -> None:
        """Fixes the figures' names."""
        self.names = names
        steps, worlds = self._finished.shape
        self._figures = self._figures.new_zeros(steps, len(names), worlds)
        self.recent = self.recent.new_zeros(self._members, len(names), self.kept)

    def write(self, step: int, info: Mapping[str, Any]) -> None:
        """Notes a step's ``info``."""
        finished, figures = finished_episodes(info, self._finished.shape[1])
        if not self.names:
            self.name(tuple(figures))
        self._finished[step].copy_(finished)
        self._unhealthy[step].copy_(info["unhealthy"])
        for row, name in enumerate(self.names):
            self._figures[step, row].copy_(figures[name])

    def close_rollout(self) -> None:
        """Counts the rollout's episodes and remembers the last ones."""
        finished = self._of_members(self._finished.unsqueeze(1)).squeeze(1)
        self.ended.add_(finished.sum(dim=1))
        self.unhealthy.add_(self._of_members(self._unhealthy.unsqueeze(1)).squeeze(1).sum(dim=1))
        before = torch.arange(self.kept, device=finished.device) >= self.kept - self.known.unsqueeze(1)
        there = torch.cat((before, finished), dim=1)
        values = torch.cat((self.recent, self._of_members(self._figures)), dim=2)
        # Counted from the end: the latest gets the last place, the one before it the place before; the rest, and what
        # is no episode, a place that is thrown away.
        rank = there.flip(1).cumsum(dim=1).flip(1)
        place = torch.where(there & (rank <= self.kept), self.kept - rank, self.kept)
        room = values.new_zeros(*values.shape[:2], self.kept + 1)
        room.scatter_(2, place.unsqueeze(1).expand_as(values), values)
        self.recent.copy_(room[..., : self.kept])
        self.known.copy_(there.sum(dim=1).clamp_(max=self.kept))

    def _of_members(self, tensor: Tensor) -> Tensor:
        """(T, F, W) as (M, F, T k), steps first."""
        split = tensor.unflatten(2, (self._members, -1))
        return split.permute(2, 1, 0, 3).flatten(2, 3)

    def means(self) -> Tensor:
        """(M, figures) Over the episodes remembered; of no meaning where there are none."""
        return self.recent.sum(dim=2) / self.known.clamp(min=1).unsqueeze(1)

    def member_facts(self, member: int) -> dict[str, Any]:
        """Plain data, as `Trainer` stores it."""
        known = int(self.known[member])
        recent = self.recent[member, :, self.kept - known :].tolist()
        return {
            "episodes": int(self.ended[member]),
            "unhealthy_episodes": int(self.unhealthy[member]),
            "recent": dict(zip(self.names, recent, strict=True)) if known else {},
        }

    def load_member(self, member: int, facts: Mapping[str, Any]) -> None:
        """Restores `member_facts`."""
        recent: dict[str, list[float]] = facts["recent"]
        if recent and not self.names:
            self.name(tuple(recent))
        known = len(next(iter(recent.values()), []))
        self.recent[member].zero_()
        for row, name in enumerate(self.names if recent else ()):
            self.recent[member, row, self.kept - known :] = torch.tensor(recent[name], dtype=torch.float64)
        self.known[member] = known
        self.ended[member] = int(facts["episodes"])
        self.unhealthy[member] = int(facts["unhealthy_episodes"])
