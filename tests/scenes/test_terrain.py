"""Generators of uneven ground against hand-computed profiles."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.scenes.arenas.legged import KINDS
from embodied.scenes.terrain import rubble as rubble_module
from embodied.scenes.terrain.bowl import bowl
from embodied.scenes.terrain.corridor import corridor, obstacles
from embodied.scenes.terrain.curve_slope import curve_slope, hill
from embodied.scenes.terrain.gaps import gap_width, gaps
from embodied.scenes.terrain.rough import rough
from embodied.scenes.terrain.rubble import rubble, teeth
from embodied.scenes.terrain.slopes import slopes_down, slopes_up
from embodied.scenes.terrain.stairs import stairs_down, stairs_up
from embodied.scenes.terrain.stepping_stones import stepping_stones, stone_gap
from embodied.scenes.terrain.steps import flight, steps

CELL = 0.1
SEEDS = st.integers(0, 2**32 - 1)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_hill_is_half_a_sine():
    heights = hill(4.0, 0.8, 2.0, CELL)
    assert heights.shape == (21, 81)
    np.testing.assert_allclose(heights[:, 40], 0.8, rtol=1e-6)
    np.testing.assert_allclose(heights[:, 20], 0.8 * np.sqrt(0.5), rtol=1e-6)
    np.testing.assert_allclose(heights[:, 60], 0.8 * np.sqrt(0.5), rtol=1e-6)
    np.testing.assert_allclose(heights[:, [0, 80]], 0.0, atol=1e-6)


def test_steps_go_up_and_down_by_twenty_centimetres():
    heights = flight(12.0, 1.0, CELL)
    assert heights.shape == (11, 241)
    middles = heights[5, 15::30]  # of the eight treads, 3 m each
    np.testing.assert_allclose(middles, [0, 0.2, 0.4, 0.6, 0.6, 0.4, 0.2, 0], rtol=1e-6)
    # A riser is one cell long and ends where the next tread begins.
    np.testing.assert_allclose(heights[0, [29, 30, 59, 60]], [0, 0.2, 0.2, 0.4], rtol=1e-6)
    assert (heights == heights[0]).all()


@pytest.mark.parametrize(("phase", "plateaus"), [(10, 5), (15, 7)])
def test_teeth_are_as_many_as_the_phase_says(phase, plateaus):
    """Of seven and a half teeth, the last is cut where it would begin to rise."""
    profile = teeth(phase, 0.2, 1001)
    on_top = profile == np.float32(0.2)
    assert np.count_nonzero(on_top[1:] & ~on_top[:-1]) == plateaus
    assert profile.min() == 0
    # A tooth is level for one half, rises for a tenth of it (0.2 of 2 m), and is cut off for the rest.
    tooth = profile[: round(1000 * 2 / phase)]
    assert np.mean(tooth == 0) == pytest.approx(0.5, abs=0.02)
    assert np.mean(tooth == np.float32(0.2)) == pytest.approx(0.4, abs=0.02)


def test_rubble_lies_in_strips_of_one_to_two_metres(monkeypatch):
    # With the height as a strip's signature, neighbouring strips can be told apart.
    drawn = iter(np.linspace(0.1, 0.3, 200))
    monkeypatch.setattr(rubble_module, "teeth", lambda phase, clip, columns: np.full(columns, next(drawn), np.float32))
    heights = rubble(rng(), 60.0, CELL)
    widths = np.diff(np.flatnonzero(np.diff(heights[:, 0])))
    assert len(widths) > 20
    assert widths.min() >= 10
    assert widths.max() <= 19
    assert len(set(widths.tolist())) > 5


def test_obstacles_are_drawn_in_even_proportions():
    kinds: Counter[str] = Counter()
    shapes: dict[str, Counter] = {name: Counter() for name in ("curve_slope", "steps", "rugged_square")}
    gaps_between: Counter[float] = Counter()
    for seed in range(200):
        end = None
        for name, first, heights in obstacles(rng(seed), 100.0, 2.0, CELL):
            kinds[name] += 1
            shapes[name][(heights.shape[1] - 1) * CELL, round(float(heights.max()), 3)] += 1
            gaps_between[round((first - (60 if end is None else end)) * CELL, 3)] += 1
            end = first + heights.shape[1] - 1
    total = sum(kinds.values())
    assert total > 600
    assert all(count / total == pytest.approx(1 / 3, abs=0.06) for count in kinds.values())
    assert set(gaps_between) == {2.0, 4.0, 6.0}
    assert all(count / total == pytest.approx(1 / 3, abs=0.06) for count in gaps_between.values())
    assert {length for length, _ in shapes["curve_slope"]} == {8.0, 16.0}
    assert {height for _, height in shapes["curve_slope"]} == {0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2}
    assert set(shapes["steps"]) == {(24.0, 0.6), (32.0, 0.6)}
    assert {height for _, height in shapes["rugged_square"]} == {0.2, 0.3}


def test_a_corridor_begins_level_and_uses_its_length():
    for seed in range(10):
        heights = corridor(rng(seed), 60.0, 8.0, CELL)
        assert heights.shape == (81, 601)
        assert heights.dtype == np.float32
        assert not heights[:, : 60 + 20].any()
        assert heights[:, 80:].any()
        # No level piece is longer than the longest gap, two feet of a hill or two lowest treads.
        level = np.flatnonzero((heights != 0).any(axis=0))
        assert np.diff(level).max() * CELL <= 6 + 2 * 4 + 2 * CELL


def test_the_bowl_is_level_inside_and_highest_half_way_out():
    heights = bowl(rng(), 100.0, CELL)
    axis = np.linspace(-50, 50, 1001)
    radius = np.hypot(axis[:, None], axis)
    assert not heights[radius <= 2].any()
    assert not heights[radius >= 50.01].any()
    assert heights.max() == pytest.approx(1.3, rel=1e-6)
    ring = [heights[(radius > r) & (radius < r + 2)].mean() for r in (5, 15, 25, 35, 45)]
    assert ring[0] < ring[1] < ring[2] > ring[3] > ring[4]
    # The mean factor of a bump is (0.15 + 1) / 2.
    assert ring[2] == pytest.approx(1.3 * 0.575, rel=0.1)
    assert heights.min() >= 0


def lip_to_lip(heights, cell):
    """The widest gap between ground along any row, m."""
    widest = 0
    for row in heights:
        ground = np.flatnonzero(row > -0.5)
        if len(ground) > 1:
            widest = max(widest, int(np.diff(ground).max()))
    return widest * cell


@pytest.mark.parametrize("cell", [0.05, 0.1])
def test_gaps_are_as_wide_as_their_difficulty_says(cell):
    widths = []
    for difficulty in (0, 0.2, 0.4, 0.6, 0.8, 1):
        heights = gaps(rng(), difficulty, 10.0, cell)
        middle = heights[len(heights) // 2]
        jumps = np.diff(np.flatnonzero(middle == 0)) * cell
        wide = jumps[jumps > 1.5 * cell]
        np.testing.assert_allclose(wide, gap_width(difficulty, cell), rtol=1e-9)
        assert len(wide) >= 4
        widths.append(wide[0])
    assert widths == sorted(widths)
    assert widths[0] == pytest.approx(max(0.1, 2 * cell))
    assert widths[-1] == pytest.approx(0.6)


def test_stairs_have_the_height_of_their_difficulty():
    for difficulty, expected in ((0, 0.05), (0.5, 0.14), (1, 0.23)):
        down = stairs_down(rng(), difficulty, 10.0, 0.05)
        profile = down[100]
        rises = np.diff(profile.astype(float))
        np.testing.assert_allclose(rises[rises > 0], expected, rtol=1e-4)
        np.testing.assert_allclose(-rises[rises < 0], expected, rtol=1e-4)
        assert np.count_nonzero(rises > 0) == np.count_nonzero(rises < 0) == 12
        # Treads are 0.3 m, six cells, from the edge of 0.25 m inwards.
        np.testing.assert_array_equal(np.diff(np.flatnonzero(rises > 0)), 6)
        np.testing.assert_array_equal(stairs_up(rng(), difficulty, 10.0, 0.05), -down)


def test_slopes_rise_as_their_difficulty_says():
    for difficulty in (0.25, 1.0):
        down = slopes_down(rng(), difficulty, 10.0, 0.1)
        rises = np.diff(down[50].astype(float)) / 0.1
        np.testing.assert_allclose(rises[5:38], 0.4 * difficulty, rtol=1e-3)
        assert down[50, 50] == pytest.approx(0.4 * difficulty * 3.75, rel=1e-5)
        np.testing.assert_array_equal(slopes_up(rng(), difficulty, 10.0, 0.1), -down)


def test_rough_ground_is_stepped_noise_of_the_difficulty():
    sizes = []
    for difficulty in (0.2, 0.6, 1.0):
        heights = rough(rng(), difficulty, 10.0, 0.05).astype(float)
        sizes.append(np.abs(heights).max())
        assert sizes[-1] == pytest.approx(0.1 * difficulty, rel=0.05)
        drawn = heights[::4, ::4] / 0.005
        np.testing.assert_allclose(drawn, np.round(drawn), atol=1e-3)
        inside = heights[8:-8:4, 8:72:4]
        assert inside.std() == pytest.approx(0.1 * difficulty / np.sqrt(3), rel=0.1)
    assert sizes == sorted(sizes)


def test_stepping_stones_shrink_and_part_with_difficulty():
    covered, parted = [], []
    for difficulty in (0, 0.2, 0.4, 0.6, 0.8, 1):
        heights = stepping_stones(rng(1), difficulty, 10.0, 0.05)
        covered.append((heights > -0.5).mean())
        parted.append(
            max(lip_to_lip(heights[row : row + 1], 0.05) for row in range(0, 201, 3) if covered_row(heights[row]))
        )
        assert parted[-1] == pytest.approx(stone_gap(difficulty, 0.05))
        assert np.abs(heights[heights > -0.5]).max() <= 0.05 * difficulty + 1e-6
    assert covered == sorted(covered, reverse=True)
    assert parted == sorted(parted)


def covered_row(row):
    """Whether a row runs through stones, not along the gap between two rows of them."""
    return (row > -0.5).mean() > 0.35


@settings(deadline=None, max_examples=15)
@given(SEEDS, st.floats(0, 1), st.sampled_from(sorted(KINDS)))
def test_tiles_are_finite_bounded_and_level_in_the_middle_and_at_the_edge(seed, difficulty, kind):
    heights = KINDS[kind](rng(seed), difficulty, 8.0, 0.05)
    assert heights.shape == (161, 161)
    assert heights.dtype == np.float32
    assert np.isfinite(heights).all()
    assert np.abs(heights).max() <= 3
    assert len(np.unique(heights[61:100, 61:100])) == 1
    for edge in (heights[0], heights[-1], heights[:, 0], heights[:, -1]):
        np.testing.assert_array_equal(edge, 0)


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_obstacles_are_finite_and_bounded(seed):
    generator = rng(seed)
    for make in (curve_slope, steps, rubble):
        heights = make(generator, 10.0, CELL)
        assert np.isfinite(heights).all()
        assert heights.min() >= -1e-6
        assert heights.max() <= 1.2 + 1e-6
    small = bowl(generator, 20.0, CELL)
    assert np.isfinite(small).all()
    assert 0 <= small.min() <= small.max() <= 1.3 + 1e-6


@pytest.mark.parametrize(
    "draw",
    [lambda g: corridor(g, 60, 10, CELL), lambda g: bowl(g, 20, CELL)]
    + [lambda g, kind=kind: KINDS[kind](g, 0.7, 8.0, 0.1) for kind in ("rough", "stepping_stones")],
)
def test_the_seed_determines_the_ground(draw):
    np.testing.assert_array_equal(draw(rng(5)), draw(rng(5)))
    assert (draw(rng(5)) != draw(rng(6))).any()
