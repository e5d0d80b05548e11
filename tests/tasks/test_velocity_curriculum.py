"""Levels of difficulty: up, down, or staying, by what was done on them."""

import numpy as np
import pytest

from embodied.tasks.velocity_curriculum import first_levels, next_levels


def after(level, asked, followed, reached, chance=0.0):
    return int(next_levels(*(np.array([v]) for v in (level, asked, followed, reached)), 6, 10.0, np.array([chance]))[0])


@pytest.mark.parametrize(
    ("asked", "followed", "reached", "change"),
    [
        (10.0, 8.5, 3.0, 1),  # followed, and was off the platform
        (10.0, 8.5, 2.0, 0),  # went in circles on the platform
        (10.0, 7.0, 6.0, 0),  # not well enough
        (10.0, 4.9, 6.0, -1),  # less than half
        (10.0, -1.0, 0.5, -1),  # backwards
        (0.0, 0.0, 0.3, 0),  # was told to stand all the time
    ],
)
def test_levels_follow_what_was_done(asked, followed, reached, change):
    assert after(2, asked, followed, reached) == 2 + change


def test_levels_end_at_the_easiest_and_start_anywhere_after_the_hardest():
    assert after(0, 10.0, 1.0, 1.0) == 0
    assert [after(5, 10.0, 9.0, 5.0, chance) for chance in (0.0, 0.4, 0.99)] == [0, 2, 5]


def test_worlds_begin_on_the_easier_half():
    assert first_levels(6, np.array([0.0, 0.3, 0.4, 0.7, 0.999])).tolist() == [0, 0, 1, 2, 2]
