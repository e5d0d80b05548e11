"""Latents: uniform on the sphere, projected onto it, and resampled in time."""

import numpy as np
import pytest
import torch
from scipy import stats

from embodied.skills.ase.latents import LatentSchedule, on_sphere, projected


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [2, 3, 8, 64])
def test_latents_are_uniform_on_the_unit_sphere(size):
    latents = on_sphere(20_000, size, generator()).double()
    assert torch.allclose(latents.norm(dim=-1), torch.ones(20_000, dtype=torch.float64), atol=1e-6)
    # One coordinate of a uniform point: (x + 1) / 2 is distributed as Beta((n - 1) / 2, (n - 1) / 2).
    beta = stats.beta((size - 1) / 2, (size - 1) / 2)
    for axis in (0, size - 1):
        assert stats.kstest((latents[:, axis].numpy() + 1) / 2, beta.cdf).pvalue > 1e-3
    # And in any direction, so that no axis is special.
    direction = np.ones(size) / np.sqrt(size)
    assert stats.kstest((latents.numpy() @ direction + 1) / 2, beta.cdf).pvalue > 1e-3


def test_projection_is_the_formula_and_leaves_skills_alone():
    raw = torch.tensor([[3.0, -0.5, 0.0], [0.1, 0.2, -0.2], [-7.0, 7.0, 7.0]])
    expected = raw.clamp(-1, 1) / raw.clamp(-1, 1).norm(dim=-1, keepdim=True)
    assert torch.allclose(projected(raw), expected, atol=1e-7)
    skills = on_sphere(50, 5, generator())
    assert torch.allclose(projected(skills), skills, atol=1e-6)


def test_the_origin_becomes_some_skill():
    assert torch.equal(projected(torch.zeros(2, 4)).norm(dim=-1), torch.ones(2))


def test_latents_are_held_for_the_time_drawn_and_never_longer_than_they_may_be():
    schedule = LatentSchedule(500, 4, 20, generator())
    assert int(schedule.remaining.min()) >= 1
    assert int(schedule.remaining.max()) <= 19
    times = []
    for _ in range(10):
        times.append(schedule.remaining.clone())
        schedule.renew(torch.arange(500))
    counts = np.bincount(torch.cat(times).numpy(), minlength=20)[1:]
    assert stats.chisquare(counts).pvalue > 1e-3  # uniform on 1 .. 19
    held, left = schedule.latent.clone(), schedule.remaining.clone()
    for step in range(1, 20):
        over = schedule.advance(torch.zeros(500, dtype=torch.bool))
        first = left == step
        assert bool((over | ~first).all())
        still = left > step
        assert torch.equal(schedule.latent[still], held[still])
        assert not bool((schedule.latent[first] == held[first]).all(dim=-1).any())


def test_an_episode_that_ends_brings_a_new_latent_and_is_no_resampling():
    schedule = LatentSchedule(3, 4, 100, generator())
    schedule.remaining[:] = torch.tensor([50, 50, 1])
    before = schedule.latent.clone()
    over = schedule.advance(torch.tensor([False, True, True]))
    assert not over.any()
    assert torch.equal(schedule.latent[0], before[0])
    assert not (schedule.latent[1:] == before[1:]).any()
    assert int(schedule.remaining[0]) == 49
