"""Cells: each clip's share of the latents, and like clips side by side."""

import pytest
import torch

from embodied.motion.library import MotionLibrary
from embodied.skills.ase.cells import Cells, travel, unlikeness
from embodied.skills.ase.latents import on_sphere
from tests.skills.ase.small import CLIPS


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def cells():
    """Twelve clips in three kinds: within a kind they are near to each other."""
    kind = torch.arange(12) // 4
    distances = torch.where(kind[:, None] == kind, 0.2, 1.0)
    distances.fill_diagonal_(0.05)
    return Cells(distances, 5, generator())


def test_every_clip_has_the_same_share_of_all_latents(cells):
    share = torch.bincount(cells.of(on_sphere(40_000, 5, generator(1))), minlength=12) / 40_000
    assert share.min() > 0.8 / 12
    assert share.max() < 1.2 / 12


def test_what_is_drawn_for_a_clip_belongs_to_it(cells):
    clips = torch.arange(12).repeat(50)
    latents = cells.draw(clips, generator(2))
    assert torch.equal(cells.of(latents), clips)
    torch.testing.assert_close(latents.norm(dim=-1), torch.ones(len(clips)))
    assert len(latents.unique(dim=0)) > 500


def test_like_clips_lie_side_by_side(cells):
    cosine = cells.centres @ cells.centres.T
    same = (torch.arange(12)[:, None] // 4 == torch.arange(12) // 4) & ~torch.eye(12, dtype=torch.bool)
    other = torch.arange(12)[:, None] // 4 != torch.arange(12) // 4
    assert cosine[same].mean() > cosine[other].mean() + 0.3
    assert cosine[same].max() < 0.99, "but not on top of each other"


def test_the_same_seed_makes_the_same_cells(cells):
    again = Cells(torch.eye(3), 4, generator(7))
    twin = Cells(torch.eye(3), 4, generator(7))
    assert torch.equal(again.centres, twin.centres)
    assert torch.equal(again.handicap, twin.handicap)


def test_one_clip_has_all_of_them():
    alone = Cells(torch.zeros(1, 1), 3, generator())
    assert torch.equal(alone.of(on_sphere(9, 3, generator())), torch.zeros(9, dtype=torch.int64))


def test_clips_that_take_the_robot_the_same_way_are_less_unlike():
    library = MotionLibrary.load([CLIPS / f"{name}.npz" for name in ("trot", "trot_fast", "back_up", "turn_left")])
    unlike = unlikeness(torch.ones(4, 4) - torch.eye(4), library)
    torch.testing.assert_close(unlike, unlike.T)
    assert unlike[0, 1] == unlike[0][1:].min(), "both trots go ahead"
    assert torch.equal(unlike.diagonal(), torch.zeros(4))


def test_how_a_clip_travels_is_its_way_over_its_time():
    clip = MotionLibrary.load([CLIPS / "trot.npz"]).clips[0]
    ahead, left, turning = travel(clip)
    assert ahead == pytest.approx((clip.root_pos[-1, 0] - clip.root_pos[0, 0]) / (clip.duration), rel=0.05)
    assert left == pytest.approx(0.0, abs=0.02)
    assert turning == pytest.approx(0.0, abs=0.02)
    around = MotionLibrary.load([CLIPS / "turn_left.npz"]).clips[0]
    assert travel(around)[2] == pytest.approx(around.cycle.heading / around.duration, rel=0.05)
