"""How well clips are tracked: averages over episodes, and what clips are drawn by, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from embodied.scenes.arrays import HostArrays
from embodied.skills.clip_scores import FLOOR, FORGET, ClipScores


def scores(worlds: int = 2, clips: int = 3) -> tuple[torch.Tensor, ClipScores]:
    memory = torch.zeros(worlds, clips, 5, dtype=torch.float64)
    return memory, ClipScores(memory, HostArrays())


def figures(*scores: float) -> np.ndarray:
    return np.array([[score, 1.0, 0.1, 0.2] for score in scores])


def test_a_clip_never_tracked_is_drawn_like_one_that_always_fails_and_one_that_succeeds_still_is():
    _, kept = scores()
    assert kept.weights().tolist() == [1.0, 1.0, 1.0]
    kept.note(np.array([True, True]), np.array([0, 1]), figures(1.0, 0.0))
    assert kept.weights().tolist() == [FLOOR, 1.0, 1.0]


def test_weights_are_the_cube_of_what_is_missing_on_average_over_episodes_of_all_worlds():
    _, kept = scores()
    kept.note(np.array([True, True]), np.array([2, 2]), figures(0.2, 0.6))
    assert kept.weights()[2] == pytest.approx(0.6**3)
    assert kept.averages()[2].tolist() == pytest.approx([0.4, 1.0, 0.1, 0.2])
    assert np.isnan(kept.averages()[:2]).all()


def test_a_worlds_episodes_weigh_less_the_more_have_followed_in_it():
    _, kept = scores(worlds=1)
    for score in (1.0, 0.5, 0.0):
        kept.note(np.array([True]), np.array([0]), figures(score))
    expected = (FORGET**2 * 1.0 + FORGET * 0.5) / (1.0 + FORGET + FORGET**2)
    assert kept.averages()[0, 0] == pytest.approx(expected)


def test_worlds_without_an_ended_episode_keep_their_tallies():
    memory, kept = scores()
    kept.note(np.array([True, True]), np.array([0, 1]), figures(0.5, 0.5))
    before = memory.clone()
    kept.note(np.array([False, True]), np.array([1, 1]), figures(0.9, 0.9))
    assert torch.equal(memory[0], before[0])
    assert not torch.equal(memory[1], before[1])
    kept.clear()
    assert not bool(memory.any())
